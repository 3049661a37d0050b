//! Layers of rectified sums and a softmax, as an ONNX graph.

use prost::Message;

use crate::Metadata;
use crate::build::{file, node, rows, tensor};
use crate::check::{GraphError, Limits, check};
use crate::message::{Graph, Model};
use crate::tensor::floats;

/// A multilayer perceptron: `softmax(relu(... relu(x w0 + b0) ...) wn + bn)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Perceptron {
    /// Numbers that go in.
    pub inputs: usize,
    /// Weights of shape `(inputs, outputs)`, row by row, and biases of each layer.
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
}

/// The file of a perceptron: input `x` of shape `(batch, inputs)`, output `classes` of shape `(batch, outputs)`, both f32.
/// Layers that do not fit each other make a file that [`check`] refuses.
#[must_use]
pub fn write_perceptron(perceptron: &Perceptron, metadata: &Metadata) -> Vec<u8> {
    file(graph(perceptron), metadata)
}

fn graph(perceptron: &Perceptron) -> Graph {
    let last = perceptron.layers.len().saturating_sub(1);
    let (mut nodes, mut initializer) = (Vec::new(), Vec::new());
    let (mut width, mut from) = (perceptron.inputs, "x".to_owned());
    for (i, (weights, bias)) in perceptron.layers.iter().enumerate() {
        let (w, b) = (format!("w{i}"), format!("b{i}"));
        initializer.push(tensor(&w, &[width, bias.len()], weights));
        initializer.push(tensor(&b, &[bias.len()], bias));
        let sum = format!("sum{i}");
        nodes.push(node("Gemm", &[&from, &w, &b], &[&sum], vec![]));
        width = bias.len();
        from = if i == last {
            "classes".to_owned()
        } else {
            format!("layer{i}")
        };
        // The softmax goes over the last axis, which is its default.
        let operator = if i == last { "Softmax" } else { "Relu" };
        nodes.push(node(operator, &[&sum], &[&from], vec![]));
    }
    Graph {
        name: "perceptron".to_owned(),
        node: nodes,
        initializer,
        input: vec![rows("x", perceptron.inputs)],
        output: vec![rows("classes", width)],
        sparse_initializer: Vec::new(),
    }
}

/// Reads a file that [`write_perceptron`] wrote, with its metadata; `None` when it is a sound file of anything else.
///
/// # Errors
/// [`GraphError`] when the file does not pass the checks.
pub fn read_perceptron(
    bytes: &[u8],
    limits: &Limits,
) -> Result<Option<(Perceptron, Metadata)>, GraphError> {
    let checked = check(bytes, limits)?;
    let model = Model::decode(bytes).map_err(|error| GraphError::Decode(error.to_string()))?;
    let Some(found) = model.graph else {
        return Ok(None);
    };
    let by_name = |name: &str| {
        let tensor = found.initializer.iter().find(|t| t.name == name)?;
        Some(floats(tensor).collect::<Vec<f32>>())
    };
    let inputs = match checked.inputs[..] {
        [ref x] => x.shape.last().copied().flatten(),
        _ => None,
    };
    let layers = (0..found.initializer.len() / 2)
        .map(|i| Some((by_name(&format!("w{i}"))?, by_name(&format!("b{i}"))?)));
    let layers: Option<Vec<_>> = layers.collect();
    let perceptron = inputs.zip(layers).map(|(inputs, layers)| Perceptron {
        inputs: usize::try_from(inputs).unwrap_or(usize::MAX),
        layers,
    });
    // The same weights in the same graph, or it is not ours.
    let ours = perceptron.filter(|perceptron| graph(perceptron) == found);
    Ok(ours.map(|perceptron| (perceptron, checked.metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Perceptron {
        Perceptron {
            inputs: 2,
            layers: vec![
                (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![0.0, -1.0, 0.5]),
                (vec![1.0, 0.0, 0.0, 1.0, -1.0, 2.0], vec![0.25, 0.75]),
            ],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let metadata = Metadata::from([("forestall.signature".to_owned(), "x".to_owned())]);
        let bytes = write_perceptron(&small(), &metadata);
        let read = read_perceptron(&bytes, &Limits::default()).unwrap();
        assert_eq!(read, Some((small(), metadata)));
    }

    #[test]
    fn other_graphs_and_damaged_ones_are_told_apart() {
        let curve = crate::Curve {
            scale: 1.0,
            exponent: 1.0,
        };
        let other = crate::write_curve(&curve, &Metadata::new());
        assert_eq!(read_perceptron(&other, &Limits::default()).unwrap(), None);
        let mut broken = small();
        broken.layers[1].0.pop();
        let bytes = write_perceptron(&broken, &Metadata::new());
        assert!(read_perceptron(&bytes, &Limits::default()).is_err());
        let mut nan = small();
        nan.layers[0].1[0] = f32::NAN;
        let bytes = write_perceptron(&nan, &Metadata::new());
        assert!(read_perceptron(&bytes, &Limits::default()).is_err());
        assert!(read_perceptron(b"", &Limits::default()).is_err());
    }
}

//! A calibration curve as an ONNX graph.

use crate::Metadata;
use crate::build::{file, node, rows, tensor};
use crate::message::Graph;

/// How seldom normal behaviour is at least so surprising: `10^-((surprise / scale)^exponent)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// The surprise that one normal sample in ten reaches; above 0.
    pub scale: f32,
    /// Below 1 for tails heavier than an exponential; above 0.
    pub exponent: f32,
}

/// The file of a curve: input `surprise` of shape `(batch, 1)`, at least 0, output `tail` of the same shape, both f32.
#[must_use]
pub fn write_curve(curve: &Curve, metadata: &Metadata) -> Vec<u8> {
    let graph = Graph {
        name: "calibration_curve".to_owned(),
        node: vec![
            node("Div", &["surprise", "scale"], &["relative"], vec![]),
            node("Pow", &["relative", "exponent"], &["decades"], vec![]),
            node("Mul", &["decades", "rate"], &["logarithm"], vec![]),
            node("Exp", &["logarithm"], &["tail"], vec![]),
        ],
        initializer: vec![
            tensor("scale", &[1], &[curve.scale]),
            tensor("exponent", &[1], &[curve.exponent]),
            tensor("rate", &[1], &[-std::f32::consts::LN_10]),
        ],
        input: vec![rows("surprise", 1)],
        output: vec![rows("tail", 1)],
        sparse_initializer: Vec::new(),
    };
    file(graph, metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, check};

    #[test]
    fn a_curve_passes_the_checks() {
        let curve = Curve {
            scale: 15.0,
            exponent: 0.83,
        };
        let checked = check(&write_curve(&curve, &Metadata::new()), &Limits::default()).unwrap();
        assert_eq!((checked.inputs.len(), checked.outputs.len()), (1, 1));
        assert_eq!(checked.inputs[0].name, "surprise");
    }
}

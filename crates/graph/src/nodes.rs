//! Operators one by one: allowed, in order, and unable to choose their own size or to end the process.

use std::collections::HashMap;

use crate::check::{GraphError, Limits, TensorInfo};
use crate::message::{Attribute, Graph, Node, Tensor};
use crate::operators;
use crate::tensor::DataType;

/// A node's name, or what it gives when it has none.
pub(crate) fn name_of(node: &Node) -> &str {
    match node.output.first() {
        Some(output) if node.name.is_empty() => output,
        _ => &node.name,
    }
}

/// Checks every operator in order: ONNX asks that a name be given before it is used, which leaves no way for a circle.
pub(crate) fn check(
    graph: &Graph,
    inputs: &[TensorInfo],
    limits: &Limits,
) -> Result<Option<String>, GraphError> {
    if graph.node.len() > limits.nodes {
        return Err(GraphError::TooMuch {
            what: "nodes",
            found: graph.node.len() as u64,
            limit: limits.nodes as u64,
        });
    }
    let mut known: HashMap<&str, Origin> = HashMap::new();
    let twice = |name: &str| GraphError::Model(format!("{name:?} is defined twice"));
    for tensor in &graph.initializer {
        if known
            .insert(&tensor.name, Origin::of_weight(tensor))
            .is_some()
        {
            return Err(twice(&tensor.name));
        }
    }
    for input in inputs {
        if known.insert(&input.name, Origin::of_input(input)).is_some() {
            return Err(twice(&input.name));
        }
    }
    let wrong = |node: &Node, problem: String| GraphError::Node {
        node: name_of(node).to_owned(),
        operator: node.op_type.clone(),
        problem,
    };
    let symbolic = inputs.iter().any(|input| input.shape.contains(&None));
    let mut pointed = None;
    for node in &graph.node {
        operator(node, symbolic).map_err(|problem| wrong(node, problem))?;
        let mut origin = Origin::default();
        for (place, name) in node.input.iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            let Some(&from) = known.get(name.as_str()) else {
                let problem =
                    format!("takes {name:?}, which nothing before it gives: missing, or a circle");
                return Err(wrong(node, problem));
            };
            if from.values && operators::sized_by(&node.op_type).contains(&place) {
                let problem = format!("takes its size from the values of an input, by {name:?}");
                return Err(wrong(node, problem));
            }
            if from.whole && !from.constant() && place == 1 && operators::divides(&node.op_type) {
                let problem = format!(
                    "divides whole numbers by {name:?}, which is not constant: a zero would end the process"
                );
                return Err(wrong(node, problem));
            }
            if from.values && operators::pointed_by(&node.op_type).contains(&place) {
                pointed.get_or_insert_with(|| format!("{:?} ({})", name_of(node), node.op_type));
            }
            origin = origin.and(from);
        }
        let origin = origin.through(node);
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if known.insert(name, origin).is_some() {
                return Err(twice(name));
            }
        }
    }
    for output in &graph.output {
        if !known.contains_key(output.name.as_str()) {
            return Err(GraphError::End {
                end: "output",
                name: output.name.clone(),
                problem: "is given by no node".to_owned(),
            });
        }
    }
    Ok(pointed)
}

/// Where the numbers behind a name come from.
#[derive(Clone, Copy, Default)]
struct Origin {
    /// They depend on the values of the graph's inputs.
    values: bool,
    /// They depend on the shapes of the graph's inputs.
    shapes: bool,
    /// They may be whole numbers.
    whole: bool,
}

impl Origin {
    fn of_weight(tensor: &Tensor) -> Self {
        Self {
            whole: is_whole(tensor.data_type),
            ..Self::default()
        }
    }

    fn of_input(input: &TensorInfo) -> Self {
        Self {
            values: true,
            shapes: true,
            whole: is_whole(input.dtype as i32),
        }
    }

    const fn constant(self) -> bool {
        !self.values && !self.shapes
    }

    const fn and(self, other: Self) -> Self {
        Self {
            values: self.values || other.values,
            shapes: self.shapes || other.shapes,
            whole: self.whole || other.whole,
        }
    }

    /// What a node makes of it. Types are not inferred: a whole number among the inputs may be one in the output.
    fn through(mut self, node: &Node) -> Self {
        self.values &= !operators::looks_at_shape_only(&node.op_type);
        self.whole |= operators::gives_whole(&node.op_type);
        for attribute in &node.attribute {
            if let Some(tensor) = &attribute.t {
                self.whole |= is_whole(tensor.data_type);
            }
            if node.op_type == "Cast" && attribute.name == "to" {
                self.whole = i32::try_from(attribute.i).is_ok_and(is_whole);
            }
        }
        self.whole |= node
            .attribute
            .iter()
            .any(|a| a.name.starts_with("value_int"));
        self
    }
}

fn is_whole(data_type: i32) -> bool {
    !matches!(
        DataType::from_number(data_type),
        Some(DataType::F32 | DataType::F64 | DataType::F16 | DataType::Bf16)
    )
}

/// What is wrong with one operator by itself, in a graph that takes inputs of any size or does not.
fn operator(node: &Node, symbolic: bool) -> Result<(), String> {
    let subgraph = |a: &Attribute| a.g.is_some() || !a.graphs.is_empty();
    if node.attribute.iter().any(subgraph) {
        return Err("has a graph inside, which could loop without end: not supported".to_owned());
    }
    if !operators::is_known(&node.domain, &node.op_type) {
        let domain = if node.domain.is_empty() {
            "ai.onnx"
        } else {
            &node.domain
        };
        return Err(format!(
            "is not among the operators of {domain:?} that are supported"
        ));
    }
    for attribute in &node.attribute {
        let sparse = attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty();
        if sparse || !attribute.ref_attr_name.is_empty() {
            return Err(format!(
                "has an attribute {:?} of a kind that is not supported",
                attribute.name
            ));
        }
        let numbers = attribute.floats.iter().chain(std::iter::once(&attribute.f));
        if let Some(value) = numbers.into_iter().find(|value| !value.is_finite()) {
            return Err(format!("has {value} in its attribute {:?}", attribute.name));
        }
    }
    // A state that is left out is zeros of a size that only the batch tells; one of the two runtimes cannot load that.
    let given = |place: usize| node.input.get(place).is_some_and(|name| !name.is_empty());
    if symbolic && node.op_type == "LSTM" && !(given(5) && given(6)) {
        return Err(
            "has no initial_h and initial_c: its state would start anew with each call, and with a batch of any size \
             the pure-Rust runtime cannot even load it; make h and c inputs of the model"
                .to_owned(),
        );
    }
    Ok(())
}

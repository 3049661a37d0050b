//! Short ways to make the messages that our own graphs consist of.

use prost::Message;

use crate::Metadata;
use crate::message::{
    Attribute, Dimension, Entry, Extent, Graph, Model, Node, OperatorSet, Shape, Tensor,
    TensorType, Type, ValueInfo, attribute_type,
};
use crate::operators;
use crate::tensor::DataType;

/// Version of the standard operators in our files: the first with all that we need, known to every runtime since 2022.
pub(crate) const OPSET: i64 = 17;
/// Version of the format in our files.
const IR_VERSION: i64 = 9;

/// A node of the standard domain.
pub(crate) fn node(
    operator: &str,
    input: &[&str],
    output: &[&str],
    attribute: Vec<Attribute>,
) -> Node {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Node {
        input: owned(input),
        output: owned(output),
        name: format!("{operator}_{}", output.join("_")).to_lowercase(),
        op_type: operator.to_owned(),
        attribute,
        domain: String::new(),
    }
}

/// An attribute that is a whole number.
pub(crate) fn int(name: &str, i: i64) -> Attribute {
    Attribute {
        name: name.to_owned(),
        r#type: attribute_type::INT,
        i,
        ..Attribute::default()
    }
}

/// An attribute that is a list of whole numbers.
pub(crate) fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute {
        name: name.to_owned(),
        r#type: attribute_type::INTS,
        ints,
        ..Attribute::default()
    }
}

/// An attribute that is a list of numbers.
pub(crate) fn floats(name: &str, floats: Vec<f32>) -> Attribute {
    Attribute {
        name: name.to_owned(),
        r#type: attribute_type::FLOATS,
        floats,
        ..Attribute::default()
    }
}

/// An attribute that is a text.
pub(crate) fn text(name: &str, text: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        r#type: attribute_type::STRING,
        s: text.into(),
        ..Attribute::default()
    }
}

/// An attribute that is a list of texts.
pub(crate) fn texts(name: &str, texts: Vec<Vec<u8>>) -> Attribute {
    Attribute {
        name: name.to_owned(),
        r#type: attribute_type::STRINGS,
        strings: texts,
        ..Attribute::default()
    }
}

/// A weight of f32.
pub(crate) fn tensor(name: &str, dims: &[usize], values: &[f32]) -> Tensor {
    raw(
        name,
        dims,
        DataType::F32,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    )
}

/// A weight of i64, of one dimension.
pub(crate) fn indices(name: &str, values: &[i64]) -> Tensor {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    raw(name, &[values.len()], DataType::I64, bytes)
}

fn raw(name: &str, dims: &[usize], dtype: DataType, raw_data: Vec<u8>) -> Tensor {
    Tensor {
        name: name.to_owned(),
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: dtype as i32,
        raw_data,
        ..Tensor::default()
    }
}

/// An input or output: f32 of shape `(batch, width)`, with a batch of any size.
pub(crate) fn rows(name: &str, width: usize) -> ValueInfo {
    let dim = |value| Dimension { value: Some(value) };
    let shape = Shape {
        dim: vec![
            dim(Extent::Param("batch".to_owned())),
            dim(Extent::Value(width as i64)),
        ],
    };
    let tensor = TensorType {
        elem_type: DataType::F32 as i32,
        shape: Some(shape),
    };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(tensor),
        }),
    }
}

/// The bytes of the file that holds a graph.
pub(crate) fn file(graph: Graph, metadata: &Metadata) -> Vec<u8> {
    let set = |domain: &str, version| OperatorSet {
        domain: domain.to_owned(),
        version,
    };
    let mut opset_import = vec![set("", OPSET)];
    if graph.node.iter().any(|node| node.domain == operators::ML) {
        opset_import.push(set(operators::ML, 3));
    }
    let entry = |(key, value): (&String, &String)| Entry {
        key: key.clone(),
        value: value.clone(),
    };
    Model {
        ir_version: IR_VERSION,
        producer_name: "forestall".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import,
        metadata_props: metadata.iter().map(entry).collect(),
        training_info: Vec::new(),
        functions: Vec::new(),
    }
    .encode_to_vec()
}

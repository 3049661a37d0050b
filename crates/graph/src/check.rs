//! Is this file a graph that we are willing to run? Everything that can be said without running it.

use std::collections::{BTreeMap, HashSet};

use prost::Message;

use crate::message::{Extent, Graph, Model, ValueInfo};
use crate::nodes::{self, name_of};
use crate::step::{self, Lstm};
use crate::tensor::{self, DataType};
use crate::{operators, recognise, scan};

/// Notes in a model file, by name.
pub type Metadata = BTreeMap<String, String>;

/// Opsets of the standard domain that both runtimes know.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=24;
/// IR versions that carry what these opsets need, up to the latest that ONNX Runtime 1.31 reads.
const IR_VERSIONS: std::ops::RangeInclusive<i64> = 3..=13;
/// Most inputs and most outputs of a graph.
const MAX_ENDS: usize = 256;

/// How large a model may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Messages and texts in the file: what takes a struct of memory each.
    pub entries: usize,
    /// Elements of all weights together.
    pub elements: usize,
}

/// Room for models of 64 million weights, and for forests of many thousand nodes.
impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            nodes: 50_000,
            entries: 500_000,
            elements: 64 << 20,
        }
    }
}

/// What a graph takes or gives at one of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub dtype: DataType,
    /// Its dimensions; `None` where any number goes.
    pub shape: Vec<Option<u64>>,
}

/// A graph that has passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What it takes, without weights.
    pub inputs: Vec<TensorInfo>,
    /// What it gives.
    pub outputs: Vec<TensorInfo>,
    /// Notes of the one who made it.
    pub metadata: Metadata,
    /// Its weights, when it is the step of an LSTM as [`crate::write_step`] writes it or PyTorch exports it.
    pub step: Option<Lstm>,
    /// Whether the graph is exactly what this crate writes for that step: nothing in it is anybody else's.
    pub ours: bool,
    /// Names of the inputs' dimensions where any number goes: dimensions of one name must be equal. In the order of
    /// `inputs`; empty where a dimension has a number or no name.
    pub symbols: Vec<Vec<String>>,
    /// The first node that looks where the values of an input say, if any: fit only for a runtime that bears an index
    /// beyond the end.
    pub pointed: Option<String>,
    /// Version of the standard operators.
    pub opset: i64,
    /// Version of the format.
    pub ir_version: i64,
    /// Operators.
    pub nodes: usize,
    /// Elements of all weights together.
    pub parameters: usize,
    /// Program that wrote it, with its version, as it says.
    pub producer: String,
}

/// Why a file is not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// Larger than the limits.
    #[error("{found} {what} are more than the limit of {limit}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// Not protocol buffers, or cut off.
    #[error("not an ONNX file, or cut off: the field at byte {offset} does not end within it")]
    Broken {
        /// Where the field starts.
        offset: usize,
    },
    /// Fields of the wrong type.
    #[error("not an ONNX file: {0}")]
    Decode(String),
    /// The file as a whole.
    #[error("{0}")]
    Model(String),
    /// One of the weights.
    #[error("tensor {name:?} {problem}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A weight that is no number.
    #[error("tensor {name:?} holds {value} at place {at}")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Place in row-major order, from 0.
        at: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// One of the operators.
    #[error("node {node:?} ({operator}) {problem}")]
    Node {
        /// Its name, or what it gives when it has none.
        node: String,
        /// What it does.
        operator: String,
        /// What is wrong.
        problem: String,
    },
    /// An input or output of the graph.
    #[error("{end} {name:?} {problem}")]
    End {
        /// `input` or `output`.
        end: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// Checks a file that anybody may have written.
///
/// Takes time in proportion to the file, and at most a few times its memory plus that of [`Limits::entries`].
///
/// # Errors
/// [`GraphError`] with the first thing that is wrong: too large, broken, an operator that is not on our list (nothing
/// that loops), weights elsewhere or not finite, names that lead nowhere or around, sizes that a request could choose.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<Checked, GraphError> {
    scan::scan(bytes, limits)?;
    let model = Model::decode(bytes).map_err(|error| GraphError::Decode(error.to_string()))?;
    let opset = header(&model)?;
    let Some(graph) = &model.graph else {
        return Err(GraphError::Model("the file holds no graph".to_owned()));
    };
    let parameters = weights(graph, limits)?;
    let named: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    // Files of IR version 3 list weights among the inputs too.
    let inputs: Vec<_> = graph
        .input
        .iter()
        .filter(|input| !named.contains(input.name.as_str()))
        .collect();
    let symbols = inputs.iter().map(|input| symbols(input)).collect();
    let (inputs, outputs) = (
        ends("input", inputs)?,
        ends("output", graph.output.iter().collect())?,
    );
    let pointed = nodes::check(graph, &inputs, limits)?;
    let mut metadata = Metadata::new();
    for entry in &model.metadata_props {
        if metadata
            .insert(entry.key.clone(), entry.value.clone())
            .is_some()
        {
            return Err(GraphError::Model(format!(
                "metadata {:?} stands there twice",
                entry.key
            )));
        }
    }
    let producer = format!("{} {}", model.producer_name, model.producer_version);
    let step = recognise::step(graph, &inputs, &outputs);
    Ok(Checked {
        ours: step
            .as_ref()
            .is_some_and(|step| step::graph(step) == *graph),
        step,
        symbols,
        pointed,
        inputs,
        outputs,
        metadata,
        opset,
        ir_version: model.ir_version,
        nodes: graph.node.len(),
        parameters,
        producer: producer.trim().to_owned(),
    })
}

/// Checks versions and what stands beside the graph; gives the opset.
fn header(model: &Model) -> Result<i64, GraphError> {
    let wrong = |text: String| Err(GraphError::Model(text));
    if !IR_VERSIONS.contains(&model.ir_version) {
        return wrong(format!(
            "IR version {} is not between {} and {}: not an ONNX file, or one from another time",
            model.ir_version,
            IR_VERSIONS.start(),
            IR_VERSIONS.end()
        ));
    }
    if !model.functions.is_empty() {
        return wrong("functions of the file's own are not supported".to_owned());
    }
    if !model.training_info.is_empty() {
        return wrong("a graph for training is not supported; export it for inference".to_owned());
    }
    let mut opset = None;
    for set in &model.opset_import {
        if operators::is_standard(&set.domain) {
            opset = Some(set.version);
        }
    }
    match opset {
        Some(version) if OPSETS.contains(&version) => Ok(version),
        Some(version) => wrong(format!(
            "opset {version} is not between {} and {}",
            OPSETS.start(),
            OPSETS.end()
        )),
        None => wrong("the file does not say which opset it uses".to_owned()),
    }
}

/// Checks all weights; gives the number of their elements.
fn weights(graph: &Graph, limits: &Limits) -> Result<usize, GraphError> {
    if !graph.sparse_initializer.is_empty() {
        return Err(GraphError::Model("sparse weights are not supported".into()));
    }
    let constants = graph.node.iter().flat_map(|node| {
        let tensors = node
            .attribute
            .iter()
            .flat_map(|a| a.t.iter().chain(&a.tensors));
        tensors.map(|tensor| (tensor, name_of(node)))
    });
    let named = graph.initializer.iter().map(|t| (t, t.name.as_str()));
    let mut total = 0_usize;
    for (tensor, name) in named.chain(constants) {
        total = total.saturating_add(tensor::check(tensor, name, limits)?);
        if total > limits.elements {
            return Err(GraphError::TooMuch {
                what: "weights",
                found: total as u64,
                limit: limits.elements as u64,
            });
        }
    }
    Ok(total)
}

fn ends(end: &'static str, infos: Vec<&ValueInfo>) -> Result<Vec<TensorInfo>, GraphError> {
    if infos.is_empty() || infos.len() > MAX_ENDS {
        return Err(GraphError::Model(format!(
            "the graph has {} {end}s, expected 1 to {MAX_ENDS}",
            infos.len()
        )));
    }
    infos
        .into_iter()
        .map(|info| {
            read_end(info).map_err(|problem| GraphError::End {
                end,
                name: info.name.clone(),
                problem,
            })
        })
        .collect()
}

fn read_end(info: &ValueInfo) -> Result<TensorInfo, String> {
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let tensor = tensor.ok_or("is not a tensor")?;
    let dtype = DataType::from_number(tensor.elem_type).ok_or(format!(
        "has elements of type {}, which is not supported",
        tensor.elem_type
    ))?;
    let shape = tensor.shape.as_ref().ok_or("does not say its shape")?;
    if shape.dim.len() > 8 {
        return Err(format!("has {} dimensions, at most 8", shape.dim.len()));
    }
    let dim = |extent: &Option<Extent>| match extent {
        Some(Extent::Value(value)) => u64::try_from(*value)
            .map(Some)
            .map_err(|_| format!("has a dimension of {value}")),
        Some(Extent::Param(_)) | None => Ok(None),
    };
    Ok(TensorInfo {
        name: info.name.clone(),
        dtype,
        shape: shape
            .dim
            .iter()
            .map(|d| dim(&d.value))
            .collect::<Result<_, _>>()?,
    })
}

/// Names of an input's dimensions.
fn symbols(info: &ValueInfo) -> Vec<String> {
    let shape = info
        .r#type
        .as_ref()
        .and_then(|t| t.tensor_type.as_ref()?.shape.as_ref());
    let name = |extent: &Option<Extent>| match extent {
        Some(Extent::Param(name)) => name.clone(),
        Some(Extent::Value(_)) | None => String::new(),
    };
    shape.map_or_else(Vec::new, |shape| {
        shape.dim.iter().map(|dim| name(&dim.value)).collect()
    })
}

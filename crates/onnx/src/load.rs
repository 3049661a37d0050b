//! A checked graph, loaded and ready to be run from any thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use graph::{Checked, GraphError, Limits, TensorInfo};

use crate::backend::{Backend, chosen};
use crate::card::CardError;
use crate::guard::{Guard, GuardError};
use crate::session::{Runner, brief};
use crate::tensor::{Tensor, TensorData};

/// How models are loaded.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How large they may be.
    pub limits: Limits,
    /// What runs those that our own kernel could run too.
    pub prefer: Prefer,
    /// Loads graphs of others in a process of its own first; without it, a graph that passes the checks is loaded
    /// right here, and may take the process down.
    pub guard: Option<Guard>,
}

/// What runs a step of an LSTM that is recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prefer {
    /// Our own kernel, when it gives the same numbers as the runtime.
    #[default]
    Kernel,
    /// A session of the runtime.
    Session,
}

/// Why a model was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It did not pass the checks.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Its signature makes no sense.
    #[error(transparent)]
    Card(#[from] CardError),
    /// It did not come back from the process of its own.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The runtime refuses it.
    #[error("{backend} cannot load the graph: {message}")]
    Runtime {
        /// Which runtime.
        backend: String,
        /// Its message.
        message: String,
    },
    /// Its inputs, outputs or numbers are not what they should be.
    #[error("{0}")]
    Unfit(String),
}

/// Why a graph was not run, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// What was asked makes no sense.
    #[error("input {name:?} {problem}")]
    Input {
        /// Which one.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The runtime failed.
    #[error("running the graph: {0}")]
    Runtime(String),
}

/// A graph of this process's runtime. Any number of threads may run it at once; each has a session to itself meanwhile.
#[derive(Debug)]
pub struct Graph {
    checked: Checked,
    bytes: Vec<u8>,
    /// Sessions that nobody uses just now; locked to take one or put one back, never while one runs.
    idle: Mutex<Vec<Runner>>,
}

/// Checks and loads a graph.
///
/// # Errors
/// [`LoadError`] with the first thing that is wrong.
pub fn load(bytes: &[u8], options: &Options) -> Result<Arc<Graph>, LoadError> {
    let checked = graph::check(bytes, &options.limits)?;
    for info in checked.inputs.iter().chain(&checked.outputs) {
        if !TensorData::passes(info.dtype) {
            return Err(LoadError::Unfit(format!(
                "{:?} has elements of {}, which cannot be passed in or out; cast them within the graph",
                info.name, info.dtype
            )));
        }
    }
    if let (Some(node), Backend::Tract) = (&checked.pointed, &chosen().backend) {
        return Err(LoadError::Unfit(format!(
            "node {node} looks where the values of an input say; beyond the end, tract would end this process. ONNX \
             Runtime runs such graphs: `forestall doctor` tells where its library is looked for"
        )));
    }
    if let Some(guard) = options.guard.as_ref().filter(|_| !checked.ours) {
        guard.check(bytes)?;
    }
    let session = open_here(bytes, &checked)?;
    Ok(Arc::new(Graph {
        checked,
        bytes: bytes.to_vec(),
        idle: Mutex::new(vec![session]),
    }))
}

/// A session in this process's runtime.
fn open_here(bytes: &[u8], checked: &Checked) -> Result<Runner, LoadError> {
    let choice = chosen();
    let refused = |message: &str| LoadError::Runtime {
        backend: choice.backend.to_string(),
        message: message.to_owned(),
    };
    let environment = choice.environment().map_err(refused)?;
    let inputs = checked.inputs.iter().map(|info| &*info.name);
    let outputs = checked.outputs.iter().map(|info| &*info.name);
    Runner::open(environment, bytes, inputs, outputs).map_err(|message| refused(&message))
}

impl Graph {
    /// What the checks found.
    #[must_use]
    pub const fn checked(&self) -> &Checked {
        &self.checked
    }

    /// What it takes.
    #[must_use]
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.checked.inputs
    }

    /// What it gives.
    #[must_use]
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.checked.outputs
    }

    /// A session that nobody else has.
    pub(crate) fn session(&self) -> Result<Runner, LoadError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| open_here(&self.bytes, &self.checked), Ok)
    }

    /// Runs it once: takes every input, in any order, and gives every output, in the graph's.
    ///
    /// # Errors
    /// [`InferError::Input`] when an input is missing, unknown or given twice, has another type or shape, is empty, or
    /// holds NaN or an infinity; [`InferError::Runtime`] when the runtime fails.
    pub fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, InferError> {
        self.fits(inputs)?;
        let mut session = self
            .session()
            .map_err(|error| InferError::Runtime(error.to_string()))?;
        // A session that failed is closed: nothing says in which state it is.
        let outputs = run(&mut session, inputs, &self.checked).map_err(InferError::Runtime)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(session);
        Ok(outputs)
    }

    /// Whether these inputs are what the graph takes. A runtime that finds out by itself may end the process.
    fn fits(&self, inputs: &[Tensor]) -> Result<(), InferError> {
        let wrong = |name: &str, problem: String| {
            Err(InferError::Input {
                name: name.to_owned(),
                problem,
            })
        };
        let mut sizes: HashMap<&str, (usize, &str)> = HashMap::new();
        for (info, symbols) in self.checked.inputs.iter().zip(&self.checked.symbols) {
            let mut given = inputs.iter().filter(|tensor| tensor.name == info.name);
            let Some(tensor) = given.next() else {
                return wrong(&info.name, "is missing".to_owned());
            };
            if given.next().is_some() {
                return wrong(&info.name, "is given twice".to_owned());
            }
            if let Err(problem) = matches(tensor, info) {
                return wrong(&info.name, problem);
            }
            let named = symbols.iter().zip(&tensor.shape);
            for (symbol, &dim) in named.filter(|(symbol, _)| !symbol.is_empty()) {
                let (first, of) = *sizes.entry(symbol).or_insert((dim, &info.name));
                if first != dim {
                    let problem = format!("has a {symbol} of {dim}, but that of {of:?} is {first}");
                    return wrong(&info.name, problem);
                }
            }
        }
        let known = |tensor: &&Tensor| {
            let mut infos = self.checked.inputs.iter();
            !infos.any(|info| info.name == tensor.name)
        };
        match inputs.iter().find(known) {
            Some(unknown) => {
                let names: Vec<_> = self.inputs().iter().map(|info| &*info.name).collect();
                let problem = format!("is not among those of the graph: {}", names.join(", "));
                wrong(&unknown.name.chars().take(80).collect::<String>(), problem)
            }
            None => Ok(()),
        }
    }
}

/// What is wrong with one input.
fn matches(tensor: &Tensor, info: &TensorInfo) -> Result<(), String> {
    if tensor.data.dtype() != info.dtype {
        return Err(format!(
            "has elements of {}, expected {}",
            tensor.data.dtype(),
            info.dtype
        ));
    }
    let expected = || {
        let dims = info.shape.iter().map(|dim| match dim {
            Some(dim) => dim.to_string(),
            None => "_".to_owned(),
        });
        dims.collect::<Vec<_>>().join(", ")
    };
    let fits = tensor.shape.len() == info.shape.len()
        && tensor
            .shape
            .iter()
            .zip(&info.shape)
            .all(|(&dim, expected)| expected.is_none_or(|expected| dim as u64 == expected));
    if !fits {
        let shape: Vec<_> = tensor.shape.iter().take(9).collect();
        return Err(format!("has shape {shape:?}, expected [{}]", expected()));
    }
    let elements = tensor
        .shape
        .iter()
        .try_fold(1_usize, |product, &dim| product.checked_mul(dim));
    if elements != Some(tensor.data.len()) {
        return Err(format!(
            "has {} elements, which does not go with its shape {:?}",
            tensor.data.len(),
            tensor.shape
        ));
    }
    if tensor.data.is_empty() {
        return Err(format!(
            "has shape {:?}: there is nothing in it",
            tensor.shape
        ));
    }
    match tensor.data.not_finite() {
        Some(at) => Err(format!("holds a number that is not finite, at place {at}")),
        None => Ok(()),
    }
}

/// One run of a session, with inputs that fit.
fn run(session: &mut Runner, inputs: &[Tensor], checked: &Checked) -> Result<Vec<Tensor>, String> {
    let named = |info: &TensorInfo| inputs.iter().find(|tensor| tensor.name == info.name);
    let lent = checked
        .inputs
        .iter()
        .filter_map(named)
        .map(Tensor::lend)
        .collect::<ort::Result<Vec<_>>>()
        .map_err(|error| brief(&error.to_string()))?;
    let given = session.run(&lent)?;
    let output = |(place, info): (usize, &TensorInfo)| {
        let (shape, data) = TensorData::copied(&given, place, info.dtype)?;
        Ok(Tensor {
            name: info.name.clone(),
            shape,
            data,
        })
    };
    checked.outputs.iter().enumerate().map(output).collect()
}

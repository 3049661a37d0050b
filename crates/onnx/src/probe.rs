//! What happens in the process of its own that a foreign graph is loaded in first.

use std::io::Read;

use graph::Checked;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::guard::Guard;
use crate::load::{Graph, LoadError, Options, load};
use crate::tensor::{Tensor, TensorData};

/// Sizes that dimensions without a number get, one run after the other. Memory that grows with more than the product of
/// the sizes shows at the last.
const SIZES: [usize; 3] = [1, 3, 16];
/// Most elements of one input in a probe.
const MOST_ELEMENTS: usize = 16 << 20;

/// Why a graph did not pass.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The limits could not be set, so nothing was tried.
    #[error("limiting this process: {0}")]
    Limits(rustix::io::Errno),
    /// The graph did not come through.
    #[error("reading the graph: {0}")]
    Io(#[from] std::io::Error),
    /// It was refused.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It failed at every size, or for want of memory.
    #[error("running the graph on zeros: {0}")]
    Run(String),
}

/// Limits this process, reads a graph, loads it and runs it on zeros. The hidden subcommand behind [`Guard`]; the process
/// is of no use for anything else afterwards.
///
/// # Errors
/// [`ProbeError`] when the graph is refused. A graph may also end the process.
pub fn probe_main(from: &mut dyn Read, guard: &Guard) -> Result<(), ProbeError> {
    for (resource, limit) in [
        (Resource::As, guard.memory_bytes),
        (Resource::Cpu, guard.seconds),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        setrlimit(resource, limit).map_err(ProbeError::Limits)?;
    }
    let options = Options::default();
    let mut bytes = Vec::new();
    let most = options.limits.bytes as u64 + 1;
    from.take(most).read_to_end(&mut bytes)?;
    let graph = load(&bytes, &options)?;
    try_sizes(&graph)
}

/// Runs a graph on zeros of several sizes. A graph may refuse some sizes, not all.
fn try_sizes(graph: &Graph) -> Result<(), ProbeError> {
    let mut last = None;
    let mut ran = false;
    for size in SIZES {
        let Some(inputs) = zeros(graph.checked(), size) else {
            continue;
        };
        match graph.infer(&inputs) {
            Ok(_) => ran = true,
            Err(error) => {
                let text = error.to_string();
                let memory = ["alloc", "memory"].iter().any(|word| text.contains(word));
                if memory {
                    return Err(ProbeError::Run(text));
                }
                last = Some(text);
            }
        }
    }
    match last {
        Some(text) if !ran => Err(ProbeError::Run(text)),
        _ => Ok(()),
    }
}

/// Inputs full of zeros, where dimensions without a number are `size`.
fn zeros(checked: &Checked, size: usize) -> Option<Vec<Tensor>> {
    let one = |info: &graph::TensorInfo| {
        let dims = info.shape.iter();
        let shape = dims
            .map(|dim| dim.map_or(Some(size), |dim| usize::try_from(dim).ok()))
            .collect::<Option<Vec<_>>>()?;
        let elements = shape
            .iter()
            .try_fold(1_usize, |product, &dim| product.checked_mul(dim))
            .filter(|&n| n <= MOST_ELEMENTS)?;
        Some(Tensor {
            name: info.name.clone(),
            data: TensorData::zeros(info.dtype, elements)?,
            shape,
        })
    };
    checked.inputs.iter().map(one).collect()
}

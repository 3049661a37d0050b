//! A graph as a forecasting model.

use std::sync::Arc;

use graph::{Checked, DataType, Lstm, TensorInfo};
use ort::session::SessionInputValue;
use ort::value::TensorRef;
use predict::forecast::{Batch, Kernel, Model, Signature, Step, StepError, Weights};

use crate::card::{SignatureCard, signature};
use crate::load::{Graph, LoadError, Options, Prefer, load};
use crate::session::{Runner, brief};

/// Rows and steps of the run that every model has to pass before it serves.
const PROOF_ROWS: usize = 5;
const PROOF_STEPS: usize = 8;
/// How far our own kernel may be from the runtime, relative to 1 plus the number.
const TOLERANCE: f32 = 1e-5;

/// A forecasting model from a graph with the signature `lstm-step/1`, whoever wrote it.
///
/// When the graph is the plain step of an LSTM, our own kernel runs its weights, once it has given the same numbers as
/// the runtime; any other graph with that signature is run by the runtime, in one session per thread.
///
/// # Errors
/// [`LoadError`] when the graph is refused, its inputs and outputs are not those of the signature, or what it gives on a
/// trial is not a forecast: numbers that are finite, scales above 0, tails of 2 or more.
pub fn step_model(
    bytes: &[u8],
    card: Option<&SignatureCard>,
    version: &str,
    options: &Options,
) -> Result<Arc<dyn Model>, LoadError> {
    let graph = load(bytes, options)?;
    let checked = graph.checked();
    let hidden = ends(checked)?;
    let signature = signature(&checked.metadata, card, hidden)?;
    widths(checked, &signature)?;
    let lstm = checked
        .step
        .as_ref()
        .filter(|_| options.prefer == Prefer::Kernel);
    let kernel = lstm.and_then(|lstm| kernel(lstm, &signature, version));
    let served = Served {
        graph,
        signature,
        version: version.to_owned(),
    };
    let of_runtime = trial(&served)?;
    if let Some(kernel) = kernel {
        match trial(&kernel) {
            Ok(of_kernel) if agree(&of_kernel, &of_runtime) => return Ok(Arc::new(kernel)),
            _ => tracing::warn!(
                version,
                "the kernel and the runtime disagree about this model; the runtime serves it"
            ),
        }
    }
    Ok(Arc::new(served))
}

pub(crate) fn kernel(lstm: &Lstm, signature: &Signature, version: &str) -> Option<Kernel> {
    let weights = Weights {
        w: lstm.w.clone(),
        r: lstm.r.clone(),
        b: lstm.b.clone(),
        head_w: lstm.head_w.clone(),
        head_b: lstm.head_b.clone(),
    };
    Kernel::new(signature.clone(), version, &weights).ok()
}

/// Checks the names of inputs and outputs; gives the width of the state.
fn ends(checked: &Checked) -> Result<usize, LoadError> {
    let names = |infos: &[TensorInfo]| {
        let mut names: Vec<_> = infos.iter().map(|info| info.name.clone()).collect();
        names.sort();
        names.join(", ")
    };
    for (end, found, expected) in [
        ("inputs", names(&checked.inputs), "c, h, x"),
        (
            "outputs",
            names(&checked.outputs),
            "c_next, h_next, location, scale, tail",
        ),
    ] {
        if found != expected {
            return Err(LoadError::Unfit(format!(
                "not a step model: its {end} are {found}; expected {expected}"
            )));
        }
    }
    let state = checked.inputs.iter().find(|info| info.name == "h");
    let width = state.and_then(|info| *info.shape.last()?);
    width
        .and_then(|width| usize::try_from(width).ok())
        .ok_or_else(|| LoadError::Unfit("input \"h\" does not say its width".to_owned()))
}

/// Checks types and shapes against the signature. Outputs may leave theirs open: the trial shows them.
fn widths(checked: &Checked, signature: &Signature) -> Result<(), LoadError> {
    let (f, h, k) = (
        signature.inputs().len(),
        signature.hidden(),
        signature.horizons().len(),
    );
    let expected = |name: &str| match name {
        "x" => f,
        "h" | "c" | "h_next" | "c_next" => h,
        _ => k,
    };
    let inputs = checked.inputs.iter().map(|info| (info, true));
    for (info, is_input) in inputs.chain(checked.outputs.iter().map(|info| (info, false))) {
        let width = expected(&info.name) as u64;
        let fits = info.dtype == DataType::F32
            && match info.shape[..] {
                [None, Some(found)] => found == width,
                [_, None] | [Some(_), Some(_)] => !is_input,
                _ => false,
            };
        if !fits {
            return Err(LoadError::Unfit(format!(
                "{:?} is {} of shape {:?}; the signature asks for f32 of shape (any, {width})",
                info.name, info.dtype, info.shape
            )));
        }
    }
    Ok(())
}

/// Everything that a model gives over a few carried steps, from inputs that are always the same.
fn trial(model: &dyn Model) -> Result<Vec<f32>, LoadError> {
    let unfit =
        |error: StepError| LoadError::Unfit(format!("a trial of the model failed: {error}"));
    let signature = model.signature();
    let mut session = model.session().map_err(unfit)?;
    let mut batch = Batch::default();
    batch.resize(PROOF_ROWS, signature);
    batch.h.fill(0.0);
    batch.c.fill(0.0);
    let mut all = Vec::new();
    let mut place = 0_u32;
    for _ in 0..PROOF_STEPS {
        for x in &mut batch.x {
            place += 1;
            // Multiples of the golden ratio, modulo 1: spread evenly between both limits.
            let part = (f64::from(place) * 0.618_033_988_749_895).fract() as f32;
            *x = (part * 2.0 - 1.0) * signature.soft_limit().min(8.0);
        }
        session.step(&mut batch).map_err(unfit)?;
        if let Some(scale) = batch.scale.iter().find(|scale| **scale <= 0.0) {
            let text = format!("a trial of the model gave a scale of {scale}, expected above 0");
            return Err(LoadError::Unfit(text));
        }
        if let Some(tail) = batch.tail.iter().find(|tail| **tail < 2.0) {
            let text = format!("a trial of the model gave a tail of {tail}, expected 2 or more");
            return Err(LoadError::Unfit(text));
        }
        for part in [
            &batch.location,
            &batch.scale,
            &batch.tail,
            &batch.h,
            &batch.c,
        ] {
            all.extend_from_slice(part);
        }
    }
    Ok(all)
}

fn agree(a: &[f32], b: &[f32]) -> bool {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * (1.0 + b.abs());
    a.len() == b.len() && a.iter().zip(b).all(close)
}

/// A model that the runtime serves.
#[derive(Debug)]
struct Served {
    graph: Arc<Graph>,
    signature: Signature,
    version: String,
}

impl Model for Served {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn session(&self) -> Result<Box<dyn Step>, StepError> {
        let place = |infos: &[TensorInfo], name: &str| {
            let found = infos.iter().position(|info| info.name == name);
            found.ok_or_else(|| StepError(format!("there is no {name:?}")))
        };
        let inputs = ["x", "h", "c"].map(|name| place(self.graph.inputs(), name));
        let outputs = OUTPUTS.map(|name| place(self.graph.outputs(), name));
        let session = self.graph.session();
        Ok(Box::new(SessionStep {
            session: session.map_err(|error| StepError(error.to_string()))?,
            widths: (self.signature.inputs().len(), self.signature.hidden()),
            inputs: inputs.into_iter().collect::<Result<_, _>>()?,
            outputs: outputs.into_iter().collect::<Result<_, _>>()?,
        }))
    }
}

/// Outputs in the order in which a batch takes them.
const OUTPUTS: [&str; 5] = ["location", "scale", "tail", "h_next", "c_next"];

/// One thread's session.
#[derive(Debug)]
struct SessionStep {
    session: Runner,
    /// Numbers of a row of `x`, and of the state.
    widths: (usize, usize),
    /// Where `x`, `h` and `c` stand among the graph's inputs.
    inputs: Vec<usize>,
    /// Where [`OUTPUTS`] stand among the graph's.
    outputs: Vec<usize>,
}

impl Step for SessionStep {
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.run(batch).map_err(StepError)?;
        let all = [
            &batch.location,
            &batch.scale,
            &batch.tail,
            &batch.h,
            &batch.c,
        ];
        if all.into_iter().flatten().all(|x| x.is_finite()) {
            Ok(())
        } else {
            Err(StepError("a forecast or state is not finite".to_owned()))
        }
    }
}

impl SessionStep {
    fn run(&mut self, batch: &mut Batch) -> Result<(), String> {
        let rows = batch.rows();
        let (f, h) = self.widths;
        let lend = |data, width| -> ort::Result<SessionInputValue<'_>> {
            Ok(TensorRef::from_array_view(([rows, width], data))?.into())
        };
        let lent = || -> ort::Result<Vec<_>> {
            let mut lent = [
                (self.inputs[0], lend(&batch.x[..], f)?),
                (self.inputs[1], lend(&batch.h[..], h)?),
                (self.inputs[2], lend(&batch.c[..], h)?),
            ];
            lent.sort_by_key(|(place, _)| *place);
            Ok(lent.into_iter().map(|(_, value)| value).collect())
        };
        let lent = lent().map_err(|error| brief(&error.to_string()))?;
        let given = self.session.run(&lent)?;
        drop(lent);
        let to = [
            &mut batch.location,
            &mut batch.scale,
            &mut batch.tail,
            &mut batch.h,
            &mut batch.c,
        ];
        for ((name, &place), to) in OUTPUTS.iter().zip(&self.outputs).zip(to) {
            let (shape, data) = given.tensor::<f32>(place)?;
            if data.len() != to.len() {
                return Err(format!(
                    "output {name:?} has shape {shape:?}, expected {} numbers",
                    to.len()
                ));
            }
            to.copy_from_slice(data);
        }
        Ok(())
    }
}

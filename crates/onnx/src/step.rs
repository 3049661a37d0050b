//! A graph as a forecasting model.

use std::sync::Arc;

use graph::{Checked, DataType, Lstm, TensorInfo};
use ort::session::Session;
use ort::value::TensorRef;
use predict::forecast::{Batch, Kernel, Model, Signature, Step, StepError, Weights};

use crate::card::{SignatureCard, signature};
use crate::load::{Graph, LoadError, Options, Prefer, load};
use crate::session::brief;

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
/// trial is not a forecast: numbers that are finite, scales above 0, tails above 2.
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
        if let Some(tail) = batch.tail.iter().find(|tail| **tail <= 2.0) {
            let text = format!("a trial of the model gave a tail of {tail}, expected above 2");
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
        let session = self.graph.session();
        Ok(Box::new(SessionStep {
            session: session.map_err(|error| StepError(error.to_string()))?,
            inputs: self.signature.inputs().len(),
            hidden: self.signature.hidden(),
        }))
    }
}

/// One thread's session.
#[derive(Debug)]
struct SessionStep {
    session: Session,
    inputs: usize,
    hidden: usize,
}

impl Step for SessionStep {
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let (f, h) = (self.inputs, self.hidden);
        run(&mut self.session, batch, f, h)
            .map_err(|error| StepError(brief(&error.to_string())))?;
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

fn run(session: &mut Session, batch: &mut Batch, f: usize, h: usize) -> ort::Result<()> {
    let rows = batch.rows();
    let given = session.run(ort::inputs![
        "x" => TensorRef::from_array_view(([rows, f], &batch.x[..]))?,
        "h" => TensorRef::from_array_view(([rows, h], &batch.h[..]))?,
        "c" => TensorRef::from_array_view(([rows, h], &batch.c[..]))?,
    ])?;
    for (name, place) in [
        ("location", &mut batch.location),
        ("scale", &mut batch.scale),
        ("tail", &mut batch.tail),
    ] {
        copy(&given, name, place)?;
    }
    copy(&given, "h_next", &mut batch.h)?;
    copy(&given, "c_next", &mut batch.c)
}

fn copy(given: &ort::session::SessionOutputs<'_>, name: &str, to: &mut [f32]) -> ort::Result<()> {
    let value = given
        .get(name)
        .ok_or_else(|| ort::Error::new(format!("there is no output {name:?}")))?;
    let (shape, data) = value.try_extract_tensor::<f32>()?;
    if data.len() != to.len() {
        let message = format!(
            "output {name:?} has shape {shape}, expected {} numbers",
            to.len()
        );
        return Err(ort::Error::new(message));
    }
    to.copy_from_slice(data);
    Ok(())
}

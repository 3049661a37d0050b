//! A step model is run on its golden inputs before anything of value goes through it.

use predict::forecast::{Batch, Model, StepError};

use super::{Golden, GoldenError, GoldenStep};
use crate::tensor::Tensor;

/// Outputs that every step model has; a golden file holds at least these.
const FORECAST: [&str; 3] = ["location", "scale", "tail"];
/// Rows of one golden step.
const MOST_ROWS: usize = 4096;

impl Golden {
    /// Runs a step model on every step, through a session as the engine's threads have one, and compares.
    ///
    /// # Errors
    /// As [`Golden::verify`]; also when a step does not hold what a step model takes and gives.
    pub fn verify_step(&self, model: &dyn Model) -> Result<(), GoldenError> {
        let failed = |step: usize| {
            move |error: StepError| GoldenError::Run {
                step,
                message: error.to_string(),
            }
        };
        let mut session = model.session().map_err(failed(0))?;
        let mut batch = Batch::default();
        for (step, golden) in self.steps.iter().enumerate() {
            let wrong = |message| GoldenError::Run { step, message };
            for name in FORECAST {
                if !golden.outputs.iter().any(|tensor| tensor.name == name) {
                    return Err(wrong(format!("output {name:?}: missing")));
                }
            }
            fill(&mut batch, model, golden).map_err(wrong)?;
            session.step(&mut batch).map_err(failed(step))?;
            self.compare(step, &given(model, &batch))?;
        }
        Ok(())
    }

    /// What `model` computes now, to be written down: `steps` runs of 3 rows, from inputs that a seed draws within the
    /// signature's limit. For models that come without a golden file.
    ///
    /// # Errors
    /// [`StepError`] of the model.
    pub fn record(model: &dyn Model, steps: usize, tolerance: f64) -> Result<Self, StepError> {
        const ROWS: usize = 3;
        let signature = model.signature();
        let mut session = model.session()?;
        let mut batch = Batch::default();
        batch.resize(ROWS, signature);
        batch.h.fill(0.0);
        batch.c.fill(0.0);
        let mut state = 1_u64;
        let mut recorded = Vec::with_capacity(steps);
        for _ in 0..steps {
            for x in &mut batch.x {
                // Knuth's linear congruential generator (MMIX): its high bits are random enough to tell models apart.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let even = (state >> 40) as f32 / (1_u64 << 24) as f32;
                *x = (2.0 * even - 1.0) * 0.9 * signature.soft_limit();
            }
            let inputs = taken(model, &batch);
            session.step(&mut batch)?;
            recorded.push(GoldenStep {
                inputs: inputs.into(),
                outputs: given(model, &batch).into(),
            });
        }
        Ok(Self {
            tolerance,
            steps: recorded,
        })
    }
}

fn fill(batch: &mut Batch, model: &dyn Model, step: &GoldenStep) -> Result<(), String> {
    let signature = model.signature();
    let read = |name: &str, width: usize| {
        let tensor = step.inputs.iter().find(|tensor| tensor.name == name);
        let tensor = tensor.ok_or_else(|| format!("input {name:?}: missing"))?;
        let (shape, dtype) = (&tensor.shape, tensor.data.dtype());
        match (&shape[..], tensor.data.as_f32()) {
            (&[rows, columns], Some(data))
                if columns == width
                    && (1..=MOST_ROWS).contains(&rows)
                    && data.len() == rows * columns =>
            {
                Ok((rows, data))
            }
            _ => Err(format!(
                "input {name:?}: shape {shape:?} of {dtype}, expected [1 to {MOST_ROWS}, {width}] of f32"
            )),
        }
    };
    let (rows, x) = read("x", signature.inputs().len())?;
    let (rows_of_h, h) = read("h", signature.hidden())?;
    let (rows_of_c, c) = read("c", signature.hidden())?;
    if rows_of_h != rows || rows_of_c != rows {
        return Err("x, h and c have different numbers of rows".to_owned());
    }
    batch.resize(rows, signature);
    batch.x.copy_from_slice(x);
    batch.h.copy_from_slice(h);
    batch.c.copy_from_slice(c);
    Ok(())
}

/// What a model takes.
fn taken(model: &dyn Model, batch: &Batch) -> [Tensor; 3] {
    let (f, h) = (model.signature().inputs().len(), model.signature().hidden());
    [
        rows_of("x", f, &batch.x),
        rows_of("h", h, &batch.h),
        rows_of("c", h, &batch.c),
    ]
}

/// What it gives: the state of a batch that was stepped is the next one.
fn given(model: &dyn Model, batch: &Batch) -> [Tensor; 5] {
    let signature = model.signature();
    let (h, k) = (signature.hidden(), signature.horizons().len());
    [
        rows_of("location", k, &batch.location),
        rows_of("scale", k, &batch.scale),
        rows_of("tail", k, &batch.tail),
        rows_of("h_next", h, &batch.h),
        rows_of("c_next", h, &batch.c),
    ]
}

fn rows_of(name: &str, width: usize, data: &[f32]) -> Tensor {
    Tensor::f32(name, &[data.len() / width, width], data.to_vec())
}

#[cfg(test)]
mod tests {
    use predict::forecast::{Kernel, Signature, Weights};

    use super::*;

    fn model(seed: u64) -> Kernel {
        let inputs = ["level", "gap"];
        let signature =
            Signature::new(features::schema_hash(), &inputs, 8, vec![1, 4], 4.0).unwrap();
        let weights = Weights::seeded(&signature, seed);
        Kernel::new(signature, "m/1", &weights).unwrap()
    }

    #[test]
    fn a_model_is_itself_and_no_other() {
        let golden = Golden::record(&model(1), 4, 1e-5).unwrap();
        let golden = Golden::parse(golden.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(golden.steps.len(), 4);
        assert_eq!(golden.verify_step(&model(1)), Ok(()));
        let error = golden.verify_step(&model(2)).unwrap_err().to_string();
        assert!(error.starts_with("golden step 0: output "), "{error}");
    }

    #[test]
    fn inputs_that_do_not_fit_are_named() {
        let golden = Golden::record(&model(1), 1, 1e-5).unwrap();
        let shown = |change: &dyn Fn(&mut GoldenStep)| {
            let mut golden = golden.clone();
            change(&mut golden.steps[0]);
            golden.verify_step(&model(1)).unwrap_err().to_string()
        };
        let without_h = shown(&|step| step.inputs.retain(|tensor| tensor.name != "h"));
        assert!(without_h.contains("\"h\": missing"), "{without_h}");
        let without_scale = shown(&|step| step.outputs.retain(|tensor| tensor.name != "scale"));
        assert!(
            without_scale.contains("\"scale\": missing"),
            "{without_scale}"
        );
        let wide = shown(&|step| step.inputs[0] = Tensor::f32("x", &[1, 3], vec![0.0; 3]));
        assert!(
            wide.contains("shape [1, 3] of f32, expected [1 to 4096, 2]"),
            "{wide}"
        );
        let short = shown(&|step| step.inputs[0] = Tensor::f32("x", &[1, 2], vec![0.0; 2]));
        assert!(short.contains("different numbers of rows"), "{short}");
        let next = shown(&|step| step.outputs[3].data = step.outputs[4].data.clone());
        assert!(next.contains("output \"h_next\" is"), "{next}");
    }
}

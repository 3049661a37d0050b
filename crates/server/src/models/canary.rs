//! A step model is run on its golden inputs before anything of value goes through it.

use predict::forecast::{Batch, Model, StepError};

use super::golden::{Golden, GoldenError, GoldenStep, GoldenTensor};

/// Outputs that every step model has; a golden file holds at least these.
const FORECAST: [&str; 3] = ["location", "scale", "tail"];
/// Rows of one golden step.
const MAX_ROWS: usize = 4096;

/// Why a model is not what its golden file says.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CanaryError {
    /// The file makes no sense, or the model computes something else.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// The model does not run.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Runs `model` on every step of `golden`, through a session as the engine's threads have one.
///
/// # Errors
/// [`CanaryError`] at the first thing that is wrong.
pub fn sing(model: &dyn Model, golden: &Golden) -> Result<(), CanaryError> {
    let mut session = model.session()?;
    for (i, step) in golden.steps.iter().enumerate() {
        for name in FORECAST {
            if !step.outputs.contains_key(name) {
                return Err(wrong(i, name, "missing, and a step model gives it").into());
            }
        }
        let mut batch = inputs(model, i, step)?;
        session.step(&mut batch)?;
        for (name, found) in [
            ("location", &batch.location),
            ("scale", &batch.scale),
            ("tail", &batch.tail),
            ("h_next", &batch.h),
            ("c_next", &batch.c),
        ] {
            let found: Vec<f64> = found.iter().copied().map(f64::from).collect();
            golden.hold(i, name, &found)?;
        }
    }
    Ok(())
}

fn wrong(step: usize, name: &str, message: impl Into<String>) -> GoldenError {
    GoldenError::Senseless {
        place: format!("step {step}, {name:?}"),
        message: message.into(),
    }
}

fn inputs(model: &dyn Model, i: usize, step: &GoldenStep) -> Result<Batch, GoldenError> {
    let signature = model.signature();
    let read = |name: &str, width: usize| -> Result<&GoldenTensor, GoldenError> {
        let tensor = step
            .inputs
            .get(name)
            .ok_or_else(|| wrong(i, name, "missing"))?;
        match tensor.shape[..] {
            [rows, columns] if columns == width && (1..=MAX_ROWS).contains(&rows) => Ok(tensor),
            _ => Err(wrong(
                i,
                name,
                format!(
                    "shape {:?}, expected [1 to {MAX_ROWS}, {width}]",
                    tensor.shape
                ),
            )),
        }
    };
    let (x, h, c) = (
        read("x", signature.inputs().len())?,
        read("h", signature.hidden())?,
        read("c", signature.hidden())?,
    );
    if x.shape[0] != h.shape[0] || x.shape[0] != c.shape[0] {
        return Err(wrong(i, "x", "x, h and c have different numbers of rows"));
    }
    let mut batch = Batch::default();
    batch.resize(x.shape[0], signature);
    for (place, tensor) in [(&mut batch.x, x), (&mut batch.h, h), (&mut batch.c, c)] {
        for (place, &value) in place.iter_mut().zip(&tensor.data) {
            *place = value as f32;
        }
    }
    Ok(batch)
}

/// A golden file of what `model` computes now: `steps` runs of 3 rows, from inputs that a seed draws within the
/// signature's limit. For models that come without one.
///
/// # Errors
/// [`StepError`] of the model.
pub fn record(model: &dyn Model, steps: usize, tolerance: f64) -> Result<Golden, StepError> {
    const ROWS: usize = 3;
    let signature = model.signature();
    let (f, h, k) = (
        signature.inputs().len(),
        signature.hidden(),
        signature.horizons().len(),
    );
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
        let tensor = |name: &str, width: usize, data: &[f32]| {
            (name.to_owned(), GoldenTensor::of_f32(&[ROWS, width], data))
        };
        let inputs = [
            tensor("x", f, &batch.x),
            tensor("h", h, &batch.h),
            tensor("c", h, &batch.c),
        ];
        session.step(&mut batch)?;
        recorded.push(GoldenStep {
            inputs: inputs.into(),
            outputs: [
                tensor("location", k, &batch.location),
                tensor("scale", k, &batch.scale),
                tensor("tail", k, &batch.tail),
                tensor("h_next", h, &batch.h),
                tensor("c_next", h, &batch.c),
            ]
            .into(),
        });
    }
    Ok(Golden {
        tolerance,
        steps: recorded,
    })
}

#[cfg(test)]
mod tests {
    use predict::forecast::{Kernel, Signature, Weights};

    use super::*;

    fn model(seed: u64) -> Kernel {
        let signature = Signature::new(
            features::schema_hash(),
            &["level", "gap"],
            8,
            vec![1, 4],
            4.0,
        );
        let signature = signature.unwrap();
        let weights = Weights::seeded(&signature, seed);
        Kernel::new(signature, "m/1", &weights).unwrap()
    }

    #[test]
    fn a_model_is_itself_and_no_other() {
        let golden = record(&model(1), 4, 1e-5).unwrap();
        let text = serde_json::to_vec(&golden).unwrap();
        let golden = Golden::parse(&text).unwrap();
        assert_eq!(sing(&model(1), &golden), Ok(()));
        let error = sing(&model(2), &golden).unwrap_err();
        assert!(error.to_string().starts_with("step 0, output "), "{error}");
    }

    #[test]
    fn inputs_that_do_not_fit_are_named() {
        let golden = record(&model(1), 1, 1e-5).unwrap();
        let shown = |change: fn(&mut GoldenStep)| {
            let mut golden = golden.clone();
            change(&mut golden.steps[0]);
            sing(&model(1), &golden).unwrap_err().to_string()
        };
        assert!(shown(|s| drop(s.inputs.remove("h"))).contains("\"h\": missing"));
        assert!(shown(|s| drop(s.outputs.remove("scale"))).contains("\"scale\": missing"));
        let other = |s: &mut GoldenStep| {
            s.inputs
                .insert("x".to_owned(), GoldenTensor::of_f32(&[1, 3], &[0.0; 3]));
        };
        assert!(shown(other).contains("shape [1, 3], expected [1 to 4096, 2]"));
    }
}

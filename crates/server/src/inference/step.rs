//! The engine's own forecasting models, as anybody may ask them: `x`, `h` and `c` in, a forecast and the next state out.

use std::sync::Arc;

use predict::forecast::{Batch, Model, Signature, Step};

use super::runner::{Description, Rows, RunError, Runner, Session, Slot};
use super::tensor::{Dtype, Tensor};

/// A forecasting model behind the service.
#[derive(Debug)]
pub(crate) struct StepRunner {
    model: Arc<dyn Model>,
    description: Description,
}

impl StepRunner {
    pub(crate) fn new(model: Arc<dyn Model>, platform: &str) -> Self {
        let signature = model.signature();
        let (inputs, hidden) = (signature.inputs().len(), signature.hidden());
        let horizons = signature.horizons().len();
        let slot = |name: &str, columns| Slot {
            name: name.to_owned(),
            dtype: Dtype::Fp32,
            shape: vec![None, Some(columns)],
        };
        let description = Description {
            platform: platform.to_owned(),
            inputs: vec![slot("x", inputs), slot("h", hidden), slot("c", hidden)],
            outputs: vec![
                slot("location", horizons),
                slot("scale", horizons),
                slot("tail", horizons),
                slot("h_next", hidden),
                slot("c_next", hidden),
            ],
            rows: Rows::Independent,
        };
        Self { model, description }
    }
}

impl Runner for StepRunner {
    fn description(&self) -> &Description {
        &self.description
    }

    fn session(&self) -> Result<Box<dyn Session>, RunError> {
        let step = self.model.session().map_err(|e| RunError(e.to_string()))?;
        Ok(Box::new(StepSession {
            step,
            batch: Batch::default(),
            signature: self.model.signature().clone(),
        }))
    }
}

struct StepSession {
    step: Box<dyn Step>,
    batch: Batch,
    signature: Signature,
}

impl Session for StepSession {
    fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let [x, h, c] = inputs else {
            return Err(RunError(format!(
                "{} inputs, expected x, h and c",
                inputs.len()
            )));
        };
        let rows = x.shape.first().copied().unwrap_or_default();
        let batch = &mut self.batch;
        batch.resize(rows, &self.signature);
        for (places, tensor) in [(&mut batch.x, x), (&mut batch.h, h), (&mut batch.c, c)] {
            for (place, value) in places.iter_mut().zip(tensor.f32s()) {
                *place = value;
            }
        }
        self.step.step(batch).map_err(|e| RunError(e.to_string()))?;
        let out = |values: &[f32]| Tensor::of_f32(vec![rows, values.len() / rows.max(1)], values);
        Ok(vec![
            out(&batch.location),
            out(&batch.scale),
            out(&batch.tail),
            out(&batch.h),
            out(&batch.c),
        ])
    }
}

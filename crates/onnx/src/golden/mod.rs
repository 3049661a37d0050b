//! `golden.json`: inputs of a model with the outputs that it gave where it was made.

mod elements;
mod file;
mod step;

use elements::first_off;

use crate::load::{Graph, InferError};
use crate::tensor::Tensor;

/// Of what is written down without asking for another.
const DEFAULT_TOLERANCE: f64 = 1e-5;

/// Inputs with their outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    /// Run after run, at least one; none depends on another: no state is carried over.
    pub steps: Vec<GoldenStep>,
    /// How far an output may be off: absolutely, or as a share of what is expected where that is above 1.
    pub tolerance: f64,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenStep {
    /// What goes in.
    pub inputs: Vec<Tensor>,
    /// What came out; outputs that are not here are not held against anything.
    pub outputs: Vec<Tensor>,
}

/// Why a file is no use, or a model not what it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GoldenError {
    /// Not the expected text.
    #[error("golden.json: {0}")]
    Text(String),
    /// The model did not run.
    #[error("golden step {step}: {message}")]
    Run {
        /// Which step, from 0.
        step: usize,
        /// Why.
        message: String,
    },
    /// The model gives something else.
    #[error("golden step {step}: output {output:?} {problem}")]
    Differs {
        /// Which step, from 0.
        step: usize,
        /// Which output.
        output: String,
        /// How.
        problem: String,
    },
}

impl Golden {
    /// What a graph gives for some inputs, to be written down.
    ///
    /// # Errors
    /// [`InferError`] when it does not run on them.
    pub fn of(graph: &Graph, inputs: Vec<Vec<Tensor>>) -> Result<Self, InferError> {
        let steps = inputs.into_iter().map(|inputs| {
            let outputs = graph.infer(&inputs)?;
            Ok(GoldenStep { inputs, outputs })
        });
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
            tolerance: DEFAULT_TOLERANCE,
        })
    }

    /// Runs a graph on every step, and compares.
    ///
    /// # Errors
    /// [`GoldenError`] with the first output that is off, or the reason why it did not run.
    pub fn verify(&self, graph: &Graph) -> Result<(), GoldenError> {
        for (step, golden) in self.steps.iter().enumerate() {
            let found = graph
                .infer(&golden.inputs)
                .map_err(|error| GoldenError::Run {
                    step,
                    message: error.to_string(),
                })?;
            self.compare(step, &found)?;
        }
        Ok(())
    }

    fn compare(&self, step: usize, found: &[Tensor]) -> Result<(), GoldenError> {
        for expected in &self.steps[step].outputs {
            let differs = |problem: String| GoldenError::Differs {
                step,
                output: expected.name.clone(),
                problem,
            };
            let found = found
                .iter()
                .find(|tensor| tensor.name == expected.name)
                .ok_or_else(|| differs("is not given".to_owned()))?;
            if found.shape != expected.shape || found.data.len() != expected.data.len() {
                return Err(differs(format!(
                    "has shape {:?}, expected {:?}",
                    found.shape, expected.shape
                )));
            }
            if found.data.dtype() != expected.data.dtype() {
                return Err(differs(format!(
                    "has elements of {}, expected {}",
                    found.data.dtype(),
                    expected.data.dtype()
                )));
            }
            if let Some((at, is, should)) = first_off(&found.data, &expected.data, self.tolerance) {
                let tolerance = self.tolerance * should.abs().max(1.0);
                return Err(differs(format!(
                    "is {is} at place {at}, expected {should} within {tolerance}"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::TensorData;

    #[test]
    fn the_first_number_that_is_off_is_named() {
        let y = |data: &[f32]| [Tensor::f32("y", &[data.len()], data.to_vec())];
        let golden = Golden {
            tolerance: 1e-3,
            steps: vec![GoldenStep {
                inputs: Vec::new(),
                outputs: y(&[1.0, 100.0]).into(),
            }],
        };
        let shown = |found: &[Tensor]| golden.compare(0, found).unwrap_err().to_string();
        assert_eq!(golden.compare(0, &y(&[1.0005, 100.05])), Ok(()));
        let [held] = y(&[1.0, 100.0]);
        let unheld = Tensor::f32("unheld", &[1], vec![7.0]);
        assert_eq!(golden.compare(0, &[unheld.clone(), held]), Ok(()));
        let off = shown(&y(&[1.0, 101.0]));
        assert!(off.contains("101 at place 1, expected 100"), "{off}");
        // Near 1 the tolerance is not more than itself.
        assert!(shown(&y(&[1.0015, 100.0])).contains("at place 0"));
        assert!(shown(&y(&[f32::NAN, 100.0])).contains("is NaN at place 0"));
        assert!(shown(&y(&[1.0])).contains("has shape [1], expected [2]"));
        assert!(shown(&[unheld]).contains("is not given"));
        let [mut doubles] = y(&[1.0, 100.0]);
        doubles.data = TensorData::F64(vec![1.0, 100.0]);
        assert!(shown(&[doubles]).contains("has elements of f64, expected f32"));
    }
}

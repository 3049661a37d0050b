//! `golden.json`: inputs, and what a model gave for them when it was made.
//!
//! ```json
//! {"tolerance": 1e-5, "steps": [{
//!   "inputs":  {"x": {"shape": [1, 2], "dtype": "f32", "data": [0.5, -1.0]}},
//!   "outputs": {"y": {"shape": [1, 1], "dtype": "f32", "data": [0.25]}}
//! }]}
//! ```
//!
//! Numbers stand row-major. A step's inputs are complete: no state is carried from the step before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Loosest agreement that is worth the name.
const MAX_TOLERANCE: f64 = 0.01;
/// Most steps of one file.
const MAX_STEPS: usize = 10_000;

/// What a model must compute to be taken for itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// How far an output may be off: absolutely, or as a share of what is expected where that is above 1.
    pub tolerance: f64,
    /// Runs of the model, at least one.
    pub steps: Vec<GoldenStep>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenStep {
    /// All inputs by name.
    pub inputs: BTreeMap<String, GoldenTensor>,
    /// Outputs by name; those that are not here are not held against anything.
    pub outputs: BTreeMap<String, GoldenTensor>,
}

/// Numbers in a shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenTensor {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// `f32`, `i64` and so on.
    pub dtype: String,
    /// As many as the shape says.
    pub data: Vec<f64>,
}

/// Why a golden file cannot be used, or what a model computed otherwise.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GoldenError {
    /// It does not parse.
    #[error("golden.json: {0}")]
    Json(String),
    /// It says what makes no sense.
    #[error("golden.json, {place}: {message}")]
    Senseless {
        /// Where.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The model does not compute what it did.
    #[error(
        "step {step}, output {output:?}: number {at} is {found}, expected {expected} within {tolerance}"
    )]
    Differs {
        /// Which step, from 0.
        step: usize,
        /// Which output.
        output: String,
        /// Which number of it, from 0.
        at: usize,
        /// What the model gave.
        found: f64,
        /// What it should give.
        expected: f64,
        /// How far off it may be.
        tolerance: f64,
    },
}

fn senseless(place: impl Into<String>, message: impl Into<String>) -> GoldenError {
    GoldenError::Senseless {
        place: place.into(),
        message: message.into(),
    }
}

impl Golden {
    /// Reads a golden file.
    ///
    /// # Errors
    /// [`GoldenError`] when it does not parse, is empty, or a tensor does not hold what its shape says.
    pub fn parse(bytes: &[u8]) -> Result<Self, GoldenError> {
        let golden: Self =
            serde_json::from_slice(bytes).map_err(|e| GoldenError::Json(e.to_string()))?;
        let tolerance = golden.tolerance;
        if !(tolerance > 0.0 && tolerance <= MAX_TOLERANCE) {
            let expected = format!("{tolerance} is not above 0 and at most {MAX_TOLERANCE}");
            return Err(senseless("tolerance", expected));
        }
        let n = golden.steps.len();
        if !(1..=MAX_STEPS).contains(&n) {
            return Err(senseless(
                "steps",
                format!("{n} of them, expected 1 to {MAX_STEPS}"),
            ));
        }
        for (i, step) in golden.steps.iter().enumerate() {
            if step.outputs.is_empty() {
                return Err(senseless(
                    format!("step {i}"),
                    "it has no outputs to hold against",
                ));
            }
            for (name, tensor) in step.inputs.iter().chain(&step.outputs) {
                tensor
                    .check()
                    .map_err(|message| senseless(format!("step {i}, {name:?}"), message))?;
            }
        }
        Ok(golden)
    }

    /// Holds what a model gave for a step against what is expected.
    ///
    /// # Errors
    /// [`GoldenError::Differs`] at the first number that is too far off, or not a number.
    pub fn hold(&self, step: usize, output: &str, found: &[f64]) -> Result<(), GoldenError> {
        let Some(expected) = self.steps[step].outputs.get(output) else {
            return Ok(());
        };
        if found.len() != expected.data.len() {
            let (n, m) = (found.len(), expected.data.len());
            let message = format!("the model gives {n} numbers, expected {m}");
            return Err(senseless(format!("step {step}, {output:?}"), message));
        }
        for (at, (&found, &expected)) in found.iter().zip(&expected.data).enumerate() {
            let allowed = self.tolerance * expected.abs().max(1.0);
            // What is not a number is not near anything.
            let off = (found - expected).abs();
            if off.is_nan() || off > allowed {
                return Err(GoldenError::Differs {
                    step,
                    output: output.to_owned(),
                    at,
                    found,
                    expected,
                    tolerance: allowed,
                });
            }
        }
        Ok(())
    }
}

impl GoldenTensor {
    /// Numbers of type `f32` in a shape.
    #[must_use]
    pub fn of_f32(shape: &[usize], data: &[f32]) -> Self {
        Self {
            shape: shape.to_vec(),
            dtype: "f32".to_owned(),
            data: data.iter().copied().map(f64::from).collect(),
        }
    }

    fn check(&self) -> Result<(), String> {
        let n = self
            .shape
            .iter()
            .try_fold(1_usize, |n, &axis| n.checked_mul(axis));
        if n != Some(self.data.len()) {
            return Err(format!(
                "{} numbers in shape {:?}",
                self.data.len(),
                self.shape
            ));
        }
        match self.data.iter().find(|x| !x.is_finite()) {
            Some(x) => Err(format!("{x} is not finite")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Golden::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let with = |tolerance: &str, shape: &str, data: &str| {
            format!(
                r#"{{"tolerance": {tolerance}, "steps": [{{"inputs": {{}},
                "outputs": {{"y": {{"shape": {shape}, "dtype": "f32", "data": {data}}}}}}}]}}"#
            )
        };
        assert!(Golden::parse(with("1e-5", "[2]", "[1, 2]").as_bytes()).is_ok());
        assert!(refused(&with("1e-5", "[3]", "[1, 2]")).contains("2 numbers in shape [3]"));
        assert!(refused(&with("0.5", "[1]", "[1]")).contains("tolerance: 0.5"));
        assert!(refused(&with("1e-5", "[4294967296, 4294967296]", "[]")).contains("0 numbers"));
        assert!(refused(r#"{"tolerance": 1e-5, "steps": []}"#).contains("steps: 0 of them"));
        assert!(refused("{").contains("golden.json: EOF"));
        assert!(refused(&with("1e-5", "[1]", "[\"a\"]")).contains("line 2"));
    }

    #[test]
    fn the_first_number_that_is_off_is_named() {
        let golden = Golden {
            tolerance: 1e-3,
            steps: vec![GoldenStep {
                inputs: BTreeMap::new(),
                outputs: [("y".to_owned(), GoldenTensor::of_f32(&[2], &[1.0, 100.0]))].into(),
            }],
        };
        assert_eq!(golden.hold(0, "y", &[1.0005, 100.05]), Ok(()));
        assert_eq!(golden.hold(0, "unheld", &[]), Ok(()));
        let shown = golden.hold(0, "y", &[1.0, 101.0]).unwrap_err().to_string();
        assert!(shown.contains("number 1 is 101, expected 100"), "{shown}");
        assert!(golden.hold(0, "y", &[f64::NAN, 100.0]).is_err());
        assert!(golden.hold(0, "y", &[1.0]).is_err());
    }
}

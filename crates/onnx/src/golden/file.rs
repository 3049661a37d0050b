//! The text of the file, and what it must hold to be of use.
//!
//! ```json
//! {"tolerance": 1e-5, "steps": [{
//!   "inputs":  {"x": {"shape": [1, 2], "dtype": "f32", "data": [0.5, -1.0]}},
//!   "outputs": {"y": {"shape": [1, 1], "dtype": "f32", "data": [0.25]}}
//! }]}
//! ```
//!
//! Numbers stand row-major.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::elements::Data;
use super::{DEFAULT_TOLERANCE, Golden, GoldenError, GoldenStep};
use crate::tensor::Tensor;

/// Largest file that is read.
const MOST_BYTES: usize = 32 << 20;
/// Most steps of one file.
const MOST_STEPS: usize = 10_000;
/// Loosest agreement that is worth the name.
const LOOSEST: f64 = 0.01;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    steps: Vec<Step>,
    #[serde(default = "default_tolerance")]
    tolerance: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    inputs: BTreeMap<String, Numbers>,
    outputs: BTreeMap<String, Numbers>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    shape: Vec<usize>,
    #[serde(flatten)]
    data: Data,
}

const fn default_tolerance() -> f64 {
    DEFAULT_TOLERANCE
}

fn tensors(map: BTreeMap<String, Numbers>, step: usize) -> Result<Vec<Tensor>, GoldenError> {
    let one = |(name, numbers): (String, Numbers)| {
        let tensor = Tensor {
            name,
            shape: numbers.shape,
            data: numbers.data.into(),
        };
        match problem(&tensor) {
            None => Ok(tensor),
            Some(problem) => Err(GoldenError::Text(format!(
                "step {step}, {:?}: {problem}",
                tensor.name
            ))),
        }
    };
    map.into_iter().map(one).collect()
}

fn problem(tensor: &Tensor) -> Option<String> {
    let n = tensor
        .shape
        .iter()
        .try_fold(1_usize, |n, &axis| n.checked_mul(axis));
    let (found, shape) = (tensor.data.len(), &tensor.shape);
    if n != Some(found) {
        return Some(format!("{found} numbers in shape {shape:?}"));
    }
    // What is too large for its type is read as infinite.
    let at = tensor.data.not_finite()?;
    Some(format!("number {at} is not finite"))
}

fn numbers(tensors: &[Tensor]) -> BTreeMap<String, Numbers> {
    let one = |tensor: &Tensor| {
        let numbers = Numbers {
            shape: tensor.shape.clone(),
            data: tensor.data.clone().into(),
        };
        (tensor.name.clone(), numbers)
    };
    tensors.iter().map(one).collect()
}

impl Golden {
    /// Reads a file.
    ///
    /// # Errors
    /// [`GoldenError::Text`] with the place: when it does not parse, is too large, has no steps or more than 10,000, a
    /// step without outputs, a tensor that does not hold what its shape says, or a tolerance that is not above 0 and at
    /// most 0.01.
    pub fn parse(bytes: &[u8]) -> Result<Self, GoldenError> {
        let wrong = |text: String| Err(GoldenError::Text(text));
        if bytes.len() > MOST_BYTES {
            return wrong(format!("{} bytes, at most {MOST_BYTES}", bytes.len()));
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| GoldenError::Text(error.to_string()))?;
        let (n, tolerance) = (file.steps.len(), file.tolerance);
        if !(1..=MOST_STEPS).contains(&n) {
            return wrong(format!("{n} steps, expected 1 to {MOST_STEPS}"));
        }
        if !(tolerance > 0.0 && tolerance <= LOOSEST) {
            return wrong(format!(
                "tolerance {tolerance} is not above 0 and at most {LOOSEST}"
            ));
        }
        let steps = file.steps.into_iter().enumerate().map(|(i, step)| {
            if step.outputs.is_empty() {
                let text = format!("step {i} has no outputs to hold against");
                return Err(GoldenError::Text(text));
            }
            Ok(GoldenStep {
                inputs: tensors(step.inputs, i)?,
                outputs: tensors(step.outputs, i)?,
            })
        });
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
            tolerance,
        })
    }

    /// As the text of the file.
    ///
    /// # Errors
    /// [`GoldenError::Text`] when JSON cannot hold a number: one that is not finite.
    pub fn to_json(&self) -> Result<String, GoldenError> {
        let all = self
            .steps
            .iter()
            .flat_map(|s| s.inputs.iter().chain(&s.outputs));
        for tensor in all {
            if let Some(at) = tensor.data.not_finite() {
                let text = format!("{:?} is not finite at place {at}", tensor.name);
                return Err(GoldenError::Text(text));
            }
        }
        let steps = self.steps.iter().map(|step| Step {
            inputs: numbers(&step.inputs),
            outputs: numbers(&step.outputs),
        });
        let file = File {
            steps: steps.collect(),
            tolerance: self.tolerance,
        };
        serde_json::to_string(&file).map_err(|error| GoldenError::Text(error.to_string()))
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
        let shown = refused(&with("1e-5", "[3]", "[1, 2]"));
        assert!(
            shown.contains("step 0, \"y\": 2 numbers in shape [3]"),
            "{shown}"
        );
        for tolerance in ["0.5", "0", "-1"] {
            let shown = refused(&with(tolerance, "[1]", "[1]"));
            assert!(shown.contains(&format!("tolerance {tolerance} is not")));
        }
        assert!(refused(&with("1e-5", "[4294967296, 4294967296]", "[]")).contains("0 numbers"));
        assert!(refused(&with("1e-5", "[2]", "[1, 1e39]")).contains("number 1 is not finite"));
        assert!(refused(r#"{"tolerance": 1e-5, "steps": []}"#).contains("0 steps"));
        let empty = r#"{"steps": [{"inputs": {}, "outputs": {}}]}"#;
        assert!(refused(empty).contains("step 0 has no outputs"));
        assert!(refused("{").contains("golden.json: EOF"));
        assert!(refused(&with("1e-5", "[1]", "[\"a\"]")).contains("line 2"));
        let many = [r#"{"inputs": {}, "outputs": {}}"#; 10_001].join(",");
        assert!(refused(&format!(r#"{{"steps": [{many}]}}"#)).contains("10001 steps"));
    }
}

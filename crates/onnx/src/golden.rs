//! `golden.json`: inputs of a model with the outputs that it gave where it was made.

use std::collections::BTreeMap;

use predict::forecast::{Batch, Model};
use serde::{Deserialize, Serialize};

use crate::load::{Graph, InferError};
use crate::tensor::{Tensor, TensorData};

/// Largest file that is read.
const MOST_BYTES: usize = 32 << 20;

/// Inputs with their outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    /// Run after run; none depends on another.
    pub steps: Vec<GoldenStep>,
    /// How far an output may be off, relative to 1 plus its magnitude.
    pub tolerance: f64,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenStep {
    /// What goes in.
    pub inputs: Vec<Tensor>,
    /// What came out.
    pub outputs: Vec<Tensor>,
}

/// Why a file is no use, or a model not what it was.
#[derive(Debug, thiserror::Error)]
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

/// Writes out an enum with one variant per type of element, by the names that [`graph::DataType`] prints.
macro_rules! data {
    ($($name:literal $variant:ident($kind:ty)),+ $(,)?) => {
        #[derive(Serialize, Deserialize)]
        #[serde(tag = "dtype", content = "data")]
        enum Data {
            $(#[serde(rename = $name)] $variant(Vec<$kind>)),+
        }

        impl From<TensorData> for Data {
            fn from(data: TensorData) -> Self {
                match data {
                    $(TensorData::$variant(data) => Self::$variant(data)),+
                }
            }
        }

        impl From<Data> for TensorData {
            fn from(data: Data) -> Self {
                match data {
                    $(Data::$variant(data) => Self::$variant(data)),+
                }
            }
        }

        /// The first place where two tensors differ by more than a tolerance relative to 1 plus the expected.
        fn first_off(found: &TensorData, expected: &TensorData, tolerance: f64) -> Option<usize> {
            match (found, expected) {
                $((TensorData::$variant(a), TensorData::$variant(b)) => {
                    let off = |(a, b): (&$kind, &$kind)| {
                        let (a, b) = (wide(*a), wide(*b));
                        // Asked this way round, a NaN is off too.
                        let close = (a - b).abs() <= tolerance * (1.0 + b.abs());
                        !close
                    };
                    a.iter().zip(b).position(off)
                })+
                _ => Some(0),
            }
        }
    };
}

data! {
    "f32" F32(f32), "f64" F64(f64), "i8" I8(i8), "i16" I16(i16), "i32" I32(i32), "i64" I64(i64), "u8" U8(u8),
    "u16" U16(u16), "u32" U32(u32), "u64" U64(u64), "bool" Bool(bool),
}

/// Any element as a number to compare by.
fn wide<T: Wide>(value: T) -> f64 {
    value.wide()
}

trait Wide {
    fn wide(self) -> f64;
}

macro_rules! wide {
    ($($kind:ty),+) => {
        $(impl Wide for $kind {
            fn wide(self) -> f64 {
                self as f64
            }
        })+
    };
}

wide!(f32, f64, i8, i16, i32, i64, u8, u16, u32, u64);

impl Wide for bool {
    fn wide(self) -> f64 {
        f64::from(u8::from(self))
    }
}

const fn default_tolerance() -> f64 {
    1e-5
}

fn tensors(map: BTreeMap<String, Numbers>) -> Vec<Tensor> {
    map.into_iter()
        .map(|(name, numbers)| Tensor {
            name,
            shape: numbers.shape,
            data: numbers.data.into(),
        })
        .collect()
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
    /// [`GoldenError::Text`] with line and column; also when it is empty or too large, or the tolerance is not between 0
    /// and 0.1.
    pub fn parse(bytes: &[u8]) -> Result<Self, GoldenError> {
        let wrong = |text: String| GoldenError::Text(text);
        if bytes.len() > MOST_BYTES {
            return Err(wrong(format!(
                "{} bytes, at most {MOST_BYTES}",
                bytes.len()
            )));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if file.steps.is_empty() {
            return Err(wrong("there are no steps in it".to_owned()));
        }
        if !(0.0..=0.1).contains(&file.tolerance) {
            return Err(wrong(format!(
                "tolerance is {}, expected 0 to 0.1",
                file.tolerance
            )));
        }
        let steps = file.steps.into_iter().map(|step| GoldenStep {
            inputs: tensors(step.inputs),
            outputs: tensors(step.outputs),
        });
        Ok(Self {
            steps: steps.collect(),
            tolerance: file.tolerance,
        })
    }

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
            tolerance: default_tolerance(),
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

    /// Runs a step model on every step, in whichever way it runs, and compares.
    ///
    /// # Errors
    /// As [`Golden::verify`].
    pub fn verify_step(&self, model: &dyn Model) -> Result<(), GoldenError> {
        let failed = |step: usize| {
            move |error: predict::forecast::StepError| GoldenError::Run {
                step,
                message: error.to_string(),
            }
        };
        let mut session = model.session().map_err(failed(0))?;
        let signature = model.signature();
        let mut batch = Batch::default();
        for (step, golden) in self.steps.iter().enumerate() {
            let input = |name: &str, width: usize| {
                let tensor = golden.inputs.iter().find(|tensor| tensor.name == name);
                let data = tensor.and_then(|tensor| tensor.data.as_f32());
                data.filter(|data| !data.is_empty() && data.len() % width == 0)
                    .ok_or_else(|| GoldenError::Run {
                        step,
                        message: format!("input {name:?} is not rows of {width} f32"),
                    })
            };
            let (f, h) = (signature.inputs().len(), signature.hidden());
            let (x, h_in, c_in) = (input("x", f)?, input("h", h)?, input("c", h)?);
            let rows = x.len() / f;
            if h_in.len() != rows * h || c_in.len() != rows * h {
                let message = "x, h and c have different numbers of rows".to_owned();
                return Err(GoldenError::Run { step, message });
            }
            batch.resize(rows, signature);
            batch.x.copy_from_slice(x);
            batch.h.copy_from_slice(h_in);
            batch.c.copy_from_slice(c_in);
            session.step(&mut batch).map_err(failed(step))?;
            let rows_of =
                |name, width, data: &[f32]| Tensor::f32(name, &[rows, width], data.to_vec());
            let k = signature.horizons().len();
            let found = [
                rows_of("location", k, &batch.location),
                rows_of("scale", k, &batch.scale),
                rows_of("tail", k, &batch.tail),
                rows_of("h_next", h, &batch.h),
                rows_of("c_next", h, &batch.c),
            ];
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
            if let Some(at) = first_off(&found.data, &expected.data, self.tolerance) {
                return Err(differs(format!(
                    "is off by more than {} at place {at}",
                    self.tolerance
                )));
            }
        }
        Ok(())
    }
}

//! ONNX files as data: written, read and checked, never run. A crate because two users share nothing else: `training`
//! writes them, `onnx` runs them.

mod build;
mod check;
mod curve;
mod forest;
#[cfg(test)]
mod hostile;
mod message;
mod nodes;
mod operators;
mod perceptron;
mod recognise;
mod scan;
mod step;
mod tensor;
#[cfg(test)]
mod testing;

pub use check::{Checked, GraphError, Limits, Metadata, TensorInfo, check};
pub use curve::{Curve, write_curve};
pub use forest::{Forest, TreeNode, write_forest};
pub use perceptron::{Perceptron, read_perceptron, write_perceptron};
pub use step::{LEAST_SCALE, LEAST_TAIL, Lstm, write_step};
pub use tensor::DataType;

//! Any other ONNX graph behind the service.

use std::sync::Arc;

use bytes::Bytes;
use onnx::{DataType, Graph, TensorData, TensorInfo};

use super::runner::{Description, Rows, RunError, Runner, Session, Slot};
use super::tensor::{Dtype, Tensor, elements};

/// How far an output of a row may be off when it runs beside others: sums come in another order then.
const TOLERANCE: f64 = 1e-4;
/// Length of a free axis in the probe.
const FREE: usize = 3;
/// Most elements of an input of the probe: a model of larger rows gains little from others beside them.
const MOST_ELEMENTS: usize = 1 << 20;

/// A graph as the runtime runs it; sessions are the graph's own affair.
#[derive(Debug)]
pub(crate) struct GraphRunner {
    graph: Arc<Graph>,
    description: Description,
}

impl GraphRunner {
    /// Describes a graph, and finds out whether its rows are independent.
    ///
    /// # Errors
    /// When an end has a type that the protocol's clients cannot be served here.
    pub(crate) fn new(graph: Arc<Graph>, platform: &str) -> Result<Self, String> {
        let slots = |infos: &[TensorInfo]| infos.iter().map(slot).collect::<Result<Vec<_>, _>>();
        let mut runner = Self {
            description: Description {
                platform: platform.to_owned(),
                inputs: slots(graph.inputs())?,
                outputs: slots(graph.outputs())?,
                rows: Rows::Whole,
            },
            graph,
        };
        runner.description.rows = runner.probe();
        Ok(runner)
    }

    /// Whether rows know nothing of each other. That the first axis is free does not say so: it may be time, or what a
    /// mean goes over. So one and two rows run alone, then together, and must give the same.
    fn probe(&self) -> Rows {
        let Description {
            inputs, outputs, ..
        } = &self.description;
        let mut all = inputs.iter().chain(outputs);
        if inputs.is_empty() || !all.all(|slot| slot.shape.first() == Some(&None)) {
            return Rows::Whole;
        }
        let is_large = |slot: &Slot| {
            let row: Vec<usize> = slot
                .shape
                .iter()
                .map(|n| n.unwrap_or(FREE))
                .skip(1)
                .collect();
            elements(&row).is_none_or(|n| n > MOST_ELEMENTS)
        };
        if inputs.iter().any(is_large) {
            return Rows::Whole;
        }
        let [one, two] = [(1, 1), (2, 2)].map(|(rows, seed)| {
            let made = inputs.iter().map(|slot| made(slot, rows, seed));
            made.collect::<Vec<_>>()
        });
        let pairs = one.iter().zip(&two);
        let both: Vec<Tensor> = pairs.map(|(one, two)| stack(one, two)).collect();
        let Ok([one, two, both]) = self.run_all([&one, &two, &both]) else {
            return Rows::Whole;
        };
        let same = one.iter().zip(&two).zip(&both).all(|((one, two), both)| {
            one.shape.first() == Some(&1)
                && two.shape.first() == Some(&2)
                && is_close(&stack(one, two), both)
        });
        if same { Rows::Independent } else { Rows::Whole }
    }

    fn run_all<const N: usize>(
        &self,
        inputs: [&Vec<Tensor>; N],
    ) -> Result<[Vec<Tensor>; N], RunError> {
        let mut outputs = [const { Vec::new() }; N];
        for (place, inputs) in outputs.iter_mut().zip(inputs) {
            *place = self.run(inputs)?;
        }
        Ok(outputs)
    }

    /// Runs the graph; tensors in the order of its inputs and outputs.
    pub(crate) fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let slots = self.description.inputs.iter();
        let inputs: Vec<onnx::Tensor> = slots
            .zip(inputs)
            .map(|(slot, tensor)| onnx::Tensor {
                name: slot.name.clone(),
                shape: tensor.shape.clone(),
                data: numbers(tensor),
            })
            .collect();
        let outputs = self.graph.infer(&inputs);
        let outputs = outputs.map_err(|error| RunError(error.to_string()))?;
        Ok(outputs.into_iter().map(bytes).collect())
    }
}

impl Runner for GraphRunner {
    fn description(&self) -> &Description {
        &self.description
    }

    fn session(&self) -> Result<Box<dyn Session>, RunError> {
        Ok(Box::new(GraphSession(Self {
            graph: Arc::clone(&self.graph),
            description: self.description.clone(),
        })))
    }
}

struct GraphSession(GraphRunner);

impl Session for GraphSession {
    fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        self.0.run(inputs)
    }
}

fn slot(info: &TensorInfo) -> Result<Slot, String> {
    let dtype = dtype(info.dtype).ok_or_else(|| {
        let (name, dtype) = (&info.name, info.dtype);
        format!("{name:?} is of {dtype}, which is not served")
    })?;
    let length = |length: &Option<u64>| length.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    Ok(Slot {
        name: info.name.clone(),
        dtype,
        shape: info.shape.iter().map(length).collect(),
    })
}

fn dtype(kind: DataType) -> Option<Dtype> {
    Some(match kind {
        DataType::F32 => Dtype::Fp32,
        DataType::F64 => Dtype::Fp64,
        DataType::I8 => Dtype::Int8,
        DataType::I16 => Dtype::Int16,
        DataType::I32 => Dtype::Int32,
        DataType::I64 => Dtype::Int64,
        DataType::U8 => Dtype::Uint8,
        DataType::U16 => Dtype::Uint16,
        DataType::U32 => Dtype::Uint32,
        DataType::U64 => Dtype::Uint64,
        DataType::Bool => Dtype::Bool,
        DataType::F16 | DataType::Bf16 => return None,
    })
}

/// Bytes as the numbers that they are.
fn numbers(tensor: &Tensor) -> TensorData {
    macro_rules! of {
        ($variant:ident, $type:ty) => {{
            let (chunks, _) = tensor.data.as_chunks::<{ size_of::<$type>() }>();
            let numbers = chunks.iter().map(|bytes| <$type>::from_le_bytes(*bytes));
            TensorData::$variant(numbers.collect())
        }};
    }
    match tensor.dtype {
        Dtype::Bool => TensorData::Bool(tensor.data.iter().map(|&byte| byte != 0).collect()),
        Dtype::Uint8 => of!(U8, u8),
        Dtype::Uint16 => of!(U16, u16),
        Dtype::Uint32 => of!(U32, u32),
        Dtype::Uint64 => of!(U64, u64),
        Dtype::Int8 => of!(I8, i8),
        Dtype::Int16 => of!(I16, i16),
        Dtype::Int32 => of!(I32, i32),
        Dtype::Int64 => of!(I64, i64),
        Dtype::Fp32 => of!(F32, f32),
        Dtype::Fp64 => of!(F64, f64),
    }
}

/// Numbers as bytes.
fn bytes(tensor: onnx::Tensor) -> Tensor {
    macro_rules! of {
        ($dtype:ident, $data:expr) => {{
            let bytes: Vec<u8> = $data.iter().flat_map(|v| v.to_le_bytes()).collect();
            (Dtype::$dtype, bytes)
        }};
    }
    let (dtype, data) = match tensor.data {
        TensorData::Bool(data) => (Dtype::Bool, data.iter().map(|&b| u8::from(b)).collect()),
        TensorData::U8(data) => (Dtype::Uint8, data),
        TensorData::U16(data) => of!(Uint16, data),
        TensorData::U32(data) => of!(Uint32, data),
        TensorData::U64(data) => of!(Uint64, data),
        TensorData::I8(data) => of!(Int8, data),
        TensorData::I16(data) => of!(Int16, data),
        TensorData::I32(data) => of!(Int32, data),
        TensorData::I64(data) => of!(Int64, data),
        TensorData::F32(data) => of!(Fp32, data),
        TensorData::F64(data) => of!(Fp64, data),
    };
    Tensor {
        dtype,
        shape: tensor.shape,
        data: data.into(),
    }
}

/// An input for the probe: floats within 1 of 0, whole numbers 0 and 1, which are indices of most things.
fn made(slot: &Slot, rows: usize, seed: u32) -> Tensor {
    let mut shape: Vec<usize> = slot.shape.iter().map(|n| n.unwrap_or(FREE)).collect();
    if let Some(first) = shape.first_mut() {
        *first = rows;
    }
    let mut state = seed;
    let mut data = Vec::new();
    for _ in 0..elements(&shape).unwrap_or_default() {
        // Numerical Recipes' generator: its high bits tell rows apart, and that is all it takes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let share = f64::from(state >> 8) / f64::from(1_u32 << 24);
        match slot.dtype {
            Dtype::Fp32 => data.extend_from_slice(&((share * 2.0 - 1.0) as f32).to_le_bytes()),
            Dtype::Fp64 => data.extend_from_slice(&(share * 2.0 - 1.0).to_le_bytes()),
            Dtype::Bool
            | Dtype::Uint8
            | Dtype::Uint16
            | Dtype::Uint32
            | Dtype::Uint64
            | Dtype::Int8
            | Dtype::Int16
            | Dtype::Int32
            | Dtype::Int64 => {
                let one = u64::from(share >= 0.5).to_le_bytes();
                data.extend_from_slice(&one[..slot.dtype.size()]);
            }
        }
    }
    Tensor {
        dtype: slot.dtype,
        shape,
        data: data.into(),
    }
}

/// The rows of two tensors.
fn stack(one: &Tensor, two: &Tensor) -> Tensor {
    let mut shape = one.shape.clone();
    if let (Some(rows), Some(more)) = (shape.first_mut(), two.shape.first()) {
        *rows += more;
    }
    Tensor {
        dtype: one.dtype,
        shape,
        data: Bytes::from([&one.data[..], &two.data[..]].concat()),
    }
}

fn is_close(a: &Tensor, b: &Tensor) -> bool {
    let floats = |tensor: &Tensor| -> Option<Vec<f64>> {
        match numbers(tensor) {
            TensorData::F32(data) => Some(data.into_iter().map(f64::from).collect()),
            TensorData::F64(data) => Some(data),
            TensorData::I8(_) | TensorData::I16(_) | TensorData::I32(_) | TensorData::I64(_) => {
                None
            }
            TensorData::U8(_) | TensorData::U16(_) | TensorData::U32(_) | TensorData::U64(_) => {
                None
            }
            TensorData::Bool(_) => None,
        }
    };
    if a.shape != b.shape || a.dtype != b.dtype {
        return false;
    }
    match (floats(a), floats(b)) {
        (Some(a), Some(b)) => a.iter().zip(&b).all(|(a, b)| {
            (a - b).abs() <= TOLERANCE * a.abs().max(1.0) || (a.is_nan() && b.is_nan())
        }),
        _ => a.data == b.data,
    }
}

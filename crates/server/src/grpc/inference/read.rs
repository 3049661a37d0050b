//! A `ModelInferRequest` as tensors.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use proto::inference as oip;

use crate::inference::check::Problem;
use crate::inference::tensor::{Dtype, Tensor, elements};

type Parameters = HashMap<String, oip::InferParameter>;
type Choice = oip::infer_parameter::ParameterChoice;

/// How elements travel; answers come back in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As bytes beside the tensors.
    Raw,
    /// As numbers inside them.
    Typed,
}

/// What a request brings.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) tensors: Vec<(String, Tensor)>,
    /// Names; empty for all.
    pub(super) outputs: Vec<String>,
    pub(super) form: Form,
    pub(super) patience: Option<Duration>,
}

/// Reads and checks what can be checked without the model.
pub(super) fn request(
    request: oip::ModelInferRequest,
    max_tensor_bytes: usize,
) -> Result<Read, Problem> {
    let patience = patience(&request.parameters)?;
    let (n, raw) = (request.inputs.len(), request.raw_input_contents);
    let form = if raw.is_empty() {
        Form::Typed
    } else {
        Form::Raw
    };
    if form == Form::Raw && raw.len() != n {
        let what = format!("{} of them for {n} inputs", raw.len());
        return Err(Problem::new("raw_input_contents", what));
    }
    let mut raw = raw.into_iter();
    let (mut tensors, mut bytes) = (Vec::with_capacity(n), 0_usize);
    for input in request.inputs {
        let tensor = tensor(&input, raw.next())?;
        bytes = bytes.saturating_add(tensor.data.len());
        tensors.push((input.name, tensor));
    }
    if bytes > max_tensor_bytes {
        let allowed = "inference.max_tensor_bytes allows";
        let what = format!("the tensors take {bytes} bytes, {allowed} {max_tensor_bytes}");
        return Err(Problem::new("inputs", what));
    }
    let mut outputs: Vec<String> = Vec::with_capacity(request.outputs.len());
    for output in request.outputs {
        let refuse = |what: &str| Err(Problem::new(format!("outputs[{:?}]", output.name), what));
        if outputs.contains(&output.name) {
            return refuse("asked for twice");
        }
        if output.parameters.contains_key("classification") {
            return refuse("classification is not offered");
        }
        if output.parameters.contains_key("shared_memory_region") {
            return refuse("shared memory is not offered");
        }
        outputs.push(output.name);
    }
    Ok(Read {
        tensors,
        outputs,
        form,
        patience,
    })
}

/// The parameters of a request that mean something here; others are left alone, as the protocol wants it.
fn patience(parameters: &Parameters) -> Result<Option<Duration>, Problem> {
    let choice = |name| {
        parameters
            .get(name)
            .and_then(|p| p.parameter_choice.as_ref())
    };
    let is_sequence = match choice("sequence_id") {
        None | Some(Choice::Int64Param(0) | Choice::Uint64Param(0)) => false,
        Some(Choice::StringParam(id)) => !id.is_empty(),
        Some(_) => true,
    };
    if is_sequence {
        let what = "no state is kept between requests: carry h and c yourself";
        return Err(Problem::new("parameters[\"sequence_id\"]", what));
    }
    let us = match choice("timeout") {
        None => return Ok(None),
        Some(Choice::Int64Param(us)) => u64::try_from(*us).ok(),
        Some(Choice::Uint64Param(us)) => Some(*us),
        Some(_) => None,
    };
    match us {
        // As the protocol's other servers have it: 0 is no limit.
        Some(0) => Ok(None),
        Some(us) => Ok(Some(Duration::from_micros(us))),
        None => Err(Problem::new(
            "parameters[\"timeout\"]",
            "not a whole number of microseconds",
        )),
    }
}

fn tensor(
    input: &oip::model_infer_request::InferInputTensor,
    raw: Option<Bytes>,
) -> Result<Tensor, Problem> {
    let refuse = |what: String| Problem::of_input(&input.name, what);
    if input.parameters.contains_key("shared_memory_region") {
        return Err(refuse("shared memory is not offered".to_owned()));
    }
    let dtype = Dtype::named(&input.datatype).ok_or_else(|| {
        let given: String = input.datatype.chars().take(16).collect();
        refuse(format!("datatype {given:?} is not offered"))
    })?;
    let shape: Result<Vec<usize>, _> = input.shape.iter().map(|&d| usize::try_from(d)).collect();
    let shape = shape.map_err(|_| refuse(format!("shape {:?} has a negative", input.shape)))?;
    let size = elements(&shape).and_then(|n| n.checked_mul(dtype.size()));
    let size = size.ok_or_else(|| refuse(format!("shape {shape:?} is beyond all bounds")))?;
    let data = match (raw, &input.contents) {
        (Some(_), Some(_)) => {
            let what = "both contents and raw_input_contents: give one of them";
            return Err(refuse(what.to_owned()));
        }
        (Some(raw), None) => raw,
        (None, contents) => {
            let nothing = oip::InferTensorContents::default();
            typed(dtype, contents.as_ref().unwrap_or(&nothing)).map_err(refuse)?
        }
    };
    if data.len() != size {
        let (given, unit) = (data.len() / dtype.size(), dtype.size());
        let name = dtype.name();
        let what = match data.len() % unit {
            0 => format!("{given} elements"),
            _ => format!("{} bytes", data.len()),
        };
        return Err(refuse(format!(
            "{what} of {name} for shape {shape:?}, which has {} elements",
            size / unit
        )));
    }
    if dtype == Dtype::Bool
        && let Some(place) = data.iter().position(|&byte| byte > 1)
    {
        let what = format!("element {place} is byte {}, a BOOL is 0 or 1", data[place]);
        return Err(refuse(what));
    }
    Ok(Tensor { dtype, shape, data })
}

/// The bytes of a tensor that came as numbers.
fn typed(dtype: Dtype, contents: &oip::InferTensorContents) -> Result<Bytes, String> {
    let (field, n) = match dtype {
        Dtype::Bool => ("bool_contents", contents.bool_contents.len()),
        Dtype::Int8 | Dtype::Int16 | Dtype::Int32 => ("int_contents", contents.int_contents.len()),
        Dtype::Int64 => ("int64_contents", contents.int64_contents.len()),
        Dtype::Uint8 | Dtype::Uint16 | Dtype::Uint32 => {
            ("uint_contents", contents.uint_contents.len())
        }
        Dtype::Uint64 => ("uint64_contents", contents.uint64_contents.len()),
        Dtype::Fp32 => ("fp32_contents", contents.fp32_contents.len()),
        Dtype::Fp64 => ("fp64_contents", contents.fp64_contents.len()),
    };
    let all = contents.bool_contents.len()
        + contents.int_contents.len()
        + contents.int64_contents.len()
        + contents.uint_contents.len()
        + contents.uint64_contents.len()
        + contents.fp32_contents.len()
        + contents.fp64_contents.len()
        + contents.bytes_contents.len();
    if all != n {
        let name = dtype.name();
        return Err(format!(
            "{} elements outside of {field}, where {name} belongs",
            all - n
        ));
    }
    macro_rules! bytes {
        ($values:expr) => {{
            let mut bytes = Vec::with_capacity(n * dtype.size());
            for value in &$values {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            bytes
        }};
    }
    macro_rules! narrow {
        ($values:expr, $type:ty) => {{
            let mut bytes = Vec::with_capacity(n * dtype.size());
            for (place, &value) in $values.iter().enumerate() {
                let narrow = <$type>::try_from(value).map_err(|_| {
                    let name = dtype.name();
                    format!("element {place} is {value}, which {name} does not hold")
                })?;
                bytes.extend_from_slice(&narrow.to_le_bytes());
            }
            bytes
        }};
    }
    let bytes = match dtype {
        Dtype::Bool => contents
            .bool_contents
            .iter()
            .map(|&b| u8::from(b))
            .collect(),
        Dtype::Int8 => narrow!(contents.int_contents, i8),
        Dtype::Int16 => narrow!(contents.int_contents, i16),
        Dtype::Int32 => bytes!(contents.int_contents),
        Dtype::Int64 => bytes!(contents.int64_contents),
        Dtype::Uint8 => narrow!(contents.uint_contents, u8),
        Dtype::Uint16 => narrow!(contents.uint_contents, u16),
        Dtype::Uint32 => bytes!(contents.uint_contents),
        Dtype::Uint64 => bytes!(contents.uint64_contents),
        Dtype::Fp32 => bytes!(contents.fp32_contents),
        Dtype::Fp64 => bytes!(contents.fp64_contents),
    };
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Input = oip::model_infer_request::InferInputTensor;

    fn input(datatype: &str, shape: &[i64], contents: oip::InferTensorContents) -> Input {
        Input {
            name: "x".to_owned(),
            datatype: datatype.to_owned(),
            shape: shape.to_vec(),
            contents: Some(contents),
            ..Default::default()
        }
    }

    fn raw(datatype: &str, shape: &[i64], bytes: &'static [u8]) -> Result<Tensor, Problem> {
        let contents = None;
        let input = Input {
            contents,
            ..input(datatype, shape, Default::default())
        };
        tensor(&input, Some(Bytes::from_static(bytes)))
    }

    fn ints(values: &[i32]) -> oip::InferTensorContents {
        oip::InferTensorContents {
            int_contents: values.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn numbers_and_bytes_give_the_same_tensor() {
        let typed = tensor(&input("INT16", &[2], ints(&[-2, 258])), None).unwrap();
        assert_eq!(typed, raw("INT16", &[2], &[0xfe, 0xff, 2, 1]).unwrap());
    }

    #[test]
    fn what_cannot_be_a_tensor_says_why() {
        let checks = [
            (
                raw("FP32", &[2], &[0; 7]),
                "7 bytes of FP32 for shape [2], which has 2 elements",
            ),
            (
                raw("FP32", &[2], &[0; 4]),
                "1 elements of FP32 for shape [2], which has 2 elements",
            ),
            (raw("FP32", &[-1], &[]), "shape [-1] has a negative"),
            (raw("BYTES", &[1], &[]), "datatype \"BYTES\" is not offered"),
            (
                raw("FP64", &[i64::MAX, 2], &[]),
                "shape [9223372036854775807, 2] is beyond all bounds",
            ),
            (
                raw("BOOL", &[2], &[1, 2]),
                "element 1 is byte 2, a BOOL is 0 or 1",
            ),
            (
                tensor(&input("INT8", &[2], ints(&[1, 128])), None),
                "element 1 is 128, which INT8 does not hold",
            ),
            (
                tensor(&input("FP32", &[1], ints(&[1])), None),
                "1 elements outside of fp32_contents, where FP32 belongs",
            ),
            (
                tensor(&input("INT8", &[1], ints(&[1])), Some(Bytes::new())),
                "both contents and raw_input_contents: give one of them",
            ),
        ];
        for (got, what) in checks {
            assert_eq!(got.unwrap_err(), Problem::of_input("x", what));
        }
    }

    #[test]
    fn parameters_that_mean_something_are_read() {
        let with = |name: &str, choice| {
            let choice = oip::InferParameter {
                parameter_choice: Some(choice),
            };
            patience(&HashMap::from([(name.to_owned(), choice)]))
        };
        let ms = Some(Duration::from_millis(1));
        assert_eq!(with("timeout", Choice::Int64Param(1000)), Ok(ms));
        assert_eq!(with("timeout", Choice::Int64Param(0)), Ok(None));
        assert!(with("timeout", Choice::Int64Param(-1)).is_err());
        assert!(with("sequence_id", Choice::Int64Param(7)).is_err());
        assert_eq!(with("priority", Choice::Uint64Param(1)), Ok(None));
    }
}

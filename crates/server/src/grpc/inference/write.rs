//! Tensors as a `ModelInferResponse`, and models as the protocol describes them.

use proto::inference as oip;

use super::read::Form;
use crate::inference::tensor::{Dtype, Tensor};
use crate::inference::{Served, Slot};

/// The answer to a request: its outputs by name and in the form of its inputs.
pub(super) fn response(
    model: &Served,
    id: String,
    form: Form,
    outputs: impl Iterator<Item = (String, Tensor)>,
) -> oip::ModelInferResponse {
    let mut response = oip::ModelInferResponse {
        model_name: model.name.clone(),
        model_version: model.version.clone(),
        id,
        ..Default::default()
    };
    for (name, tensor) in outputs {
        response
            .outputs
            .push(oip::model_infer_response::InferOutputTensor {
                name,
                datatype: tensor.dtype.name().to_owned(),
                shape: tensor.shape.iter().map(|&length| length as i64).collect(),
                contents: (form == Form::Typed).then(|| contents(&tensor)),
                ..Default::default()
            });
        if form == Form::Raw {
            response.raw_output_contents.push(tensor.data);
        }
    }
    response
}

/// One input or output of a model.
pub(super) fn slot(slot: &Slot) -> oip::model_metadata_response::TensorMetadata {
    let shape = slot
        .shape
        .iter()
        .map(|length| length.map_or(-1, |n| n as i64));
    oip::model_metadata_response::TensorMetadata {
        name: slot.name.clone(),
        datatype: slot.dtype.name().to_owned(),
        shape: shape.collect(),
    }
}

fn contents(tensor: &Tensor) -> oip::InferTensorContents {
    let mut contents = oip::InferTensorContents::default();
    macro_rules! numbers {
        ($type:ty) => {{
            let (chunks, _) = tensor.data.as_chunks::<{ size_of::<$type>() }>();
            chunks
                .iter()
                .map(|bytes| <$type>::from_le_bytes(*bytes).into())
                .collect()
        }};
    }
    match tensor.dtype {
        Dtype::Bool => contents.bool_contents = tensor.data.iter().map(|&b| b != 0).collect(),
        Dtype::Int8 => contents.int_contents = numbers!(i8),
        Dtype::Int16 => contents.int_contents = numbers!(i16),
        Dtype::Int32 => contents.int_contents = numbers!(i32),
        Dtype::Int64 => contents.int64_contents = numbers!(i64),
        Dtype::Uint8 => contents.uint_contents = numbers!(u8),
        Dtype::Uint16 => contents.uint_contents = numbers!(u16),
        Dtype::Uint32 => contents.uint_contents = numbers!(u32),
        Dtype::Uint64 => contents.uint64_contents = numbers!(u64),
        Dtype::Fp32 => contents.fp32_contents = numbers!(f32),
        Dtype::Fp64 => contents.fp64_contents = numbers!(f64),
    }
    contents
}

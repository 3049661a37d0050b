//! Weights: element types, and whether a tensor holds what its shape promises.

use std::fmt::{self, Display};

use crate::check::{GraphError, Limits};
use crate::message::Tensor;

/// Most dimensions of a tensor; PyTorch's own limit for many operators.
const MAX_RANK: usize = 8;

/// The type of one element, as `TensorProto.DataType` numbers them. Texts, complex numbers and the types of 8 bits and
/// fewer with a fraction are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum DataType {
    F32 = 1,
    U8 = 2,
    I8 = 3,
    U16 = 4,
    I16 = 5,
    I32 = 6,
    I64 = 7,
    Bool = 9,
    F16 = 10,
    F64 = 11,
    U32 = 12,
    U64 = 13,
    Bf16 = 16,
}

impl DataType {
    /// Every one of them.
    pub const ALL: [Self; 13] = [
        Self::F32,
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::Bool,
        Self::F16,
        Self::F64,
        Self::U32,
        Self::U64,
        Self::Bf16,
    ];

    /// From its number in a file; `None` when it is not supported.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::I64 | Self::F64 | Self::U64 => 8,
        }
    }
}

/// As in numpy: `f32` is `float32`, but shorter.
impl Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::F16 => "f16",
            Self::F64 => "f64",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::Bf16 => "bf16",
        })
    }
}

/// Checks one tensor, and gives the number of its elements.
pub(crate) fn check(tensor: &Tensor, name: &str, limits: &Limits) -> Result<usize, GraphError> {
    let wrong = |problem: String| GraphError::Tensor {
        name: name.to_owned(),
        problem,
    };
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        return Err(wrong(
            "is kept in another file; export it with its weights inside".to_owned(),
        ));
    }
    if tensor.segment.is_some() {
        return Err(wrong("is cut into segments".to_owned()));
    }
    let kind = DataType::from_number(tensor.data_type).ok_or_else(|| {
        wrong(format!(
            "has elements of type {}, which is not supported",
            tensor.data_type
        ))
    })?;
    let elements = elements(&tensor.dims)
        .filter(|&n| n <= limits.elements)
        .ok_or_else(|| {
            wrong(format!(
                "has shape {:?}; at most {MAX_RANK} dimensions and {} elements are allowed, none below 0",
                first(&tensor.dims),
                limits.elements
            ))
        })?;
    let n = if tensor.raw_data.is_empty() {
        typed_len(tensor, kind)
    } else if tensor.raw_data.len().is_multiple_of(kind.size()) {
        tensor.raw_data.len() / kind.size()
    } else {
        return Err(wrong(format!(
            "has {} bytes of data, not a multiple of the {} of {kind}",
            tensor.raw_data.len(),
            kind.size()
        )));
    };
    if n != elements {
        return Err(wrong(format!(
            "has {n} elements of data where its shape {:?} asks for {elements}",
            tensor.dims
        )));
    }
    if let Some((at, value)) = not_finite(tensor, kind) {
        return Err(GraphError::NotFinite {
            name: name.to_owned(),
            at,
            value,
        });
    }
    Ok(elements)
}

/// The product of the dimensions, if it is one.
fn elements(dims: &[i64]) -> Option<usize> {
    if dims.len() > MAX_RANK {
        return None;
    }
    dims.iter().try_fold(1_usize, |product, &dim| {
        product.checked_mul(usize::try_from(dim).ok()?)
    })
}

/// As many dimensions as a message can bear.
fn first(dims: &[i64]) -> &[i64] {
    dims.get(..MAX_RANK + 1).unwrap_or(dims)
}

/// Elements in the list that holds this type when there are no raw bytes.
fn typed_len(tensor: &Tensor, kind: DataType) -> usize {
    match kind {
        DataType::F32 => tensor.float_data.len(),
        DataType::F64 => tensor.double_data.len(),
        DataType::I64 => tensor.int64_data.len(),
        DataType::U32 | DataType::U64 => tensor.uint64_data.len(),
        DataType::U8
        | DataType::I8
        | DataType::U16
        | DataType::I16
        | DataType::I32
        | DataType::Bool
        | DataType::F16
        | DataType::Bf16 => tensor.int32_data.len(),
    }
}

/// The first element that is NaN or infinite, and its place in row-major order.
fn not_finite(tensor: &Tensor, kind: DataType) -> Option<(usize, f64)> {
    let raw = &tensor.raw_data;
    let halves = |exponent: u16| {
        let raw = raw
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| u16::from_le_bytes(*b));
        // In the list of i32, the low 16 bits are the number.
        let typed = tensor.int32_data.iter().map(|v| {
            let [low, high, ..] = v.to_le_bytes();
            u16::from_le_bytes([low, high])
        });
        let mantissa = !exponent & 0x7fff;
        raw.chain(typed)
            .enumerate()
            .find_map(move |(at, bits)| match bits & exponent == exponent {
                true if bits & mantissa != 0 => Some((at, f64::NAN)),
                true if bits >> 15 == 1 => Some((at, f64::NEG_INFINITY)),
                true => Some((at, f64::INFINITY)),
                false => None,
            })
    };
    match kind {
        DataType::F32 => floats(tensor)
            .enumerate()
            .find(|(_, v)| !v.is_finite())
            .map(|(at, v)| (at, f64::from(v))),
        DataType::F64 => raw
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .chain(tensor.double_data.iter().copied())
            .enumerate()
            .find(|(_, v)| !v.is_finite()),
        DataType::F16 => halves(0x7c00),
        DataType::Bf16 => halves(0x7f80),
        DataType::U8
        | DataType::I8
        | DataType::U16
        | DataType::I16
        | DataType::I32
        | DataType::I64
        | DataType::Bool
        | DataType::U32
        | DataType::U64 => None,
    }
}

/// The elements of a checked tensor of f32.
pub(crate) fn floats(tensor: &Tensor) -> impl Iterator<Item = f32> + '_ {
    let raw = tensor.raw_data.as_chunks::<4>().0.iter();
    raw.map(|b| f32::from_le_bytes(*b))
        .chain(tensor.float_data.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(tensor: &Tensor) -> String {
        check(tensor, "w", &Limits::default())
            .unwrap_err()
            .to_string()
    }

    fn tensor(data_type: i32, dims: &[i64], raw_data: &[u8]) -> Tensor {
        Tensor {
            dims: dims.to_vec(),
            data_type,
            raw_data: raw_data.to_vec(),
            ..Tensor::default()
        }
    }

    #[test]
    fn data_and_shape_must_agree() {
        let limits = Limits::default();
        assert_eq!(check(&tensor(1, &[1, 2], &[0; 8]), "w", &limits), Ok(2));
        assert_eq!(check(&tensor(1, &[], &[0; 4]), "w", &limits), Ok(1));
        assert_eq!(check(&tensor(7, &[0], &[]), "w", &limits), Ok(0));
        assert_eq!(
            refused(&tensor(1, &[3], &[0; 8])),
            "tensor \"w\" has 2 elements of data where its shape [3] asks for 3"
        );
        assert!(refused(&tensor(1, &[2], &[0; 7])).contains("7 bytes"));
        assert!(refused(&tensor(1, &[-1], &[0; 4])).contains("[-1]"));
        assert!(refused(&tensor(1, &[i64::MAX, i64::MAX], &[])).contains("shape"));
        assert!(refused(&tensor(1, &[1; 1000], &[0; 4])).contains("8 dimensions"));
        assert!(refused(&tensor(8, &[1], &[0; 4])).contains("type 8"));
    }

    #[test]
    fn numbers_that_are_not_finite_are_placed() {
        let wide = [1.0, f64::INFINITY].map(f64::to_le_bytes).concat();
        let narrow = [1.0, 2.0, f32::NAN].map(f32::to_le_bytes).concat();
        let half = [0x3c00_u16, 0x7bff, 0xfc00].map(u16::to_le_bytes).concat();
        let brain = [0x3f80_u16, 0x7f81].map(u16::to_le_bytes).concat();
        for (tensor, says) in [
            (tensor(11, &[2], &wide), "holds inf at place 1"),
            (tensor(1, &[3], &narrow), "holds NaN at place 2"),
            (tensor(10, &[3], &half), "holds -inf at place 2"),
            (tensor(16, &[2], &brain), "holds NaN at place 1"),
        ] {
            assert!(refused(&tensor).contains(says), "{}", refused(&tensor));
        }
    }

    #[test]
    fn data_elsewhere_is_refused() {
        let mut there = tensor(1, &[1], &[]);
        there.data_location = 1;
        assert!(refused(&there).contains("another file"));
        let mut cut = tensor(1, &[1], &[0; 4]);
        cut.segment = Some(Vec::new());
        assert!(refused(&cut).contains("segments"));
    }
}

//! Tensors as bytes: the form in which they come in, are joined, cut apart and go out.
//!
//! Elements are row-major and little-endian, as on the wire. So rows of any type are joined by putting bytes behind each
//! other; only a session that runs the model looks at the numbers.

use bytes::Bytes;

/// The type of a tensor's elements, named as in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dtype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp32,
    Fp64,
}

/// All of them.
const DTYPES: [Dtype; 11] = [
    Dtype::Bool,
    Dtype::Uint8,
    Dtype::Uint16,
    Dtype::Uint32,
    Dtype::Uint64,
    Dtype::Int8,
    Dtype::Int16,
    Dtype::Int32,
    Dtype::Int64,
    Dtype::Fp32,
    Dtype::Fp64,
];

impl Dtype {
    /// As the protocol calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
        }
    }

    /// By its name in the protocol.
    pub(crate) fn named(name: &str) -> Option<Self> {
        DTYPES.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes of one element.
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Bool | Self::Uint8 | Self::Int8 => 1,
            Self::Uint16 | Self::Int16 => 2,
            Self::Uint32 | Self::Int32 | Self::Fp32 => 4,
            Self::Uint64 | Self::Int64 | Self::Fp64 => 8,
        }
    }
}

/// Some elements and how they are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tensor {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// As many elements as the shape says.
    pub(crate) data: Bytes,
}

impl Tensor {
    /// Of 32-bit floats; the shape must fit.
    pub(crate) fn of_f32(shape: Vec<usize>, values: &[f32]) -> Self {
        let mut data = Vec::with_capacity(values.len() * 4);
        for value in values {
            data.extend_from_slice(&value.to_le_bytes());
        }
        Self {
            dtype: Dtype::Fp32,
            shape,
            data: data.into(),
        }
    }

    /// Its elements, when they are 32-bit floats.
    pub(crate) fn f32s(&self) -> impl Iterator<Item = f32> {
        let (chunks, _) = self.data.as_chunks::<4>();
        chunks.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }

    /// The place of the first NaN or infinity among floats.
    pub(crate) fn first_not_finite(&self) -> Option<usize> {
        match self.dtype {
            Dtype::Fp32 => self.f32s().position(|value| !value.is_finite()),
            Dtype::Fp64 => {
                let (chunks, _) = self.data.as_chunks::<8>();
                let mut values = chunks.iter().map(|bytes| f64::from_le_bytes(*bytes));
                values.position(|value| !value.is_finite())
            }
            Dtype::Bool
            | Dtype::Uint8
            | Dtype::Uint16
            | Dtype::Uint32
            | Dtype::Uint64
            | Dtype::Int8
            | Dtype::Int16
            | Dtype::Int32
            | Dtype::Int64 => None,
        }
    }
}

/// How many elements a shape holds; `None` when that is more than a `usize` can say.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_back() {
        for dtype in DTYPES {
            assert_eq!(Dtype::named(dtype.name()), Some(dtype));
        }
        assert_eq!(Dtype::named("BYTES"), None);
        assert_eq!(Dtype::named("fp32"), None);
    }

    #[test]
    fn floats_survive_and_odd_ones_are_found() {
        let values = [1.5, -0.0, f32::MAX];
        let tensor = Tensor::of_f32(vec![3], &values);
        let back: Vec<u32> = tensor.f32s().map(f32::to_bits).collect();
        assert_eq!(back, values.map(f32::to_bits));
        assert_eq!(tensor.first_not_finite(), None);
        let odd = Tensor::of_f32(vec![2, 1], &[0.0, f32::NAN]);
        assert_eq!(odd.first_not_finite(), Some(1));
        let wide = Tensor {
            dtype: Dtype::Fp64,
            shape: vec![1],
            data: f64::INFINITY.to_le_bytes().to_vec().into(),
        };
        assert_eq!(wide.first_not_finite(), Some(0));
    }

    #[test]
    fn shapes_that_overflow_have_no_size() {
        assert_eq!(elements(&[2, 3]), Some(6));
        assert_eq!(elements(&[]), Some(1));
        assert_eq!(elements(&[usize::MAX, 2]), None);
    }
}

//! Tensors on their way in and out.

use graph::DataType;
use ort::session::SessionInputValue;
use ort::value::TensorRef;

use crate::session::Given;

/// Numbers with a name and a shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Of which input or output.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// As many elements as the product of the dimensions.
    pub data: TensorData,
}

/// A type of element, as a runtime gives it.
trait Element: Sized {
    fn copied(given: &Given<'_>, place: usize) -> Result<(Vec<usize>, Vec<Self>), String>;
}

macro_rules! numbers {
    ($($kind:ty),+) => {
        $(impl Element for $kind {
            fn copied(given: &Given<'_>, place: usize) -> Result<(Vec<usize>, Vec<Self>), String> {
                let (shape, data) = given.tensor(place)?;
                Ok((shape, data.to_vec()))
            }
        })+
    };
}

numbers!(f32, f64, i8, i16, i32, i64, u8, u16, u32, u64);

impl Element for bool {
    fn copied(given: &Given<'_>, place: usize) -> Result<(Vec<usize>, Vec<Self>), String> {
        let (shape, data) = given.bools(place)?;
        Ok((shape, data.iter().map(|byte| *byte != 0).collect()))
    }
}

/// Writes out an enum with one variant per type of element, and what has to be done once for each.
macro_rules! elements {
    ($($variant:ident($kind:ty)),+ $(,)?) => {

        /// Elements of one type.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "the names say it all")]
        pub enum TensorData {
            $($variant(Vec<$kind>)),+
        }

        impl TensorData {
            /// The type of the elements.
            #[must_use]
            pub const fn dtype(&self) -> DataType {
                match self {
                    $(Self::$variant(_) => DataType::$variant),+
                }
            }

            /// How many there are.
            #[must_use]
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$variant(data) => data.len()),+
                }
            }

            /// So many zeros; `None` for the types of 16 bits with a fraction, which do not pass here.
            #[must_use]
            pub fn zeros(dtype: DataType, n: usize) -> Option<Self> {
                match dtype {
                    $(DataType::$variant => Some(Self::$variant(vec![<$kind>::default(); n])),)+
                    DataType::F16 | DataType::Bf16 => None,
                }
            }

            /// Copies out what a runtime gave.
            pub(crate) fn copied(
                given: &Given<'_>,
                place: usize,
                dtype: DataType,
            ) -> Result<(Vec<usize>, Self), String> {
                match dtype {
                    $(DataType::$variant => {
                        let (shape, data) = <$kind as Element>::copied(given, place)?;
                        Ok((shape, Self::$variant(data)))
                    })+
                    DataType::F16 | DataType::Bf16 => Err("elements of 16 bits".to_owned()),
                }
            }
        }

        impl Tensor {
            /// Lends it to a runtime.
            pub(crate) fn lend(&self) -> ort::Result<SessionInputValue<'_>> {
                match &self.data {
                    $(TensorData::$variant(data) => {
                        Ok(TensorRef::from_array_view((&self.shape[..], &data[..]))?.into())
                    })+
                }
            }
        }
    };
}

elements! {
    F32(f32), F64(f64), I8(i8), I16(i16), I32(i32), I64(i64), U8(u8), U16(u16), U32(u32), U64(u64), Bool(bool),
}

impl TensorData {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether elements of a type pass here.
    #[must_use]
    pub fn passes(dtype: DataType) -> bool {
        Self::zeros(dtype, 0).is_some()
    }

    /// The first element that is NaN or infinite.
    #[must_use]
    pub fn not_finite(&self) -> Option<usize> {
        match self {
            Self::F32(data) => data.iter().position(|x| !x.is_finite()),
            Self::F64(data) => data.iter().position(|x| !x.is_finite()),
            Self::I8(_) | Self::I16(_) | Self::I32(_) | Self::I64(_) | Self::U8(_) => None,
            Self::U16(_) | Self::U32(_) | Self::U64(_) | Self::Bool(_) => None,
        }
    }

    /// The elements, if they are of f32.
    #[must_use]
    pub fn as_f32(&self) -> Option<&[f32]> {
        match self {
            Self::F32(data) => Some(data),
            Self::F64(_) | Self::I8(_) | Self::I16(_) | Self::I32(_) | Self::I64(_) => None,
            Self::U8(_) | Self::U16(_) | Self::U32(_) | Self::U64(_) | Self::Bool(_) => None,
        }
    }
}

impl Tensor {
    /// A tensor of f32.
    #[must_use]
    pub fn f32(name: &str, shape: &[usize], data: Vec<f32>) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            data: TensorData::F32(data),
        }
    }
}

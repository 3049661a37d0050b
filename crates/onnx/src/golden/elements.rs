//! What has to be done once for each type of element.

use serde::{Deserialize, Serialize};

use crate::tensor::TensorData;

/// Writes out an enum with one variant per type of element, by the names that [`graph::DataType`] prints.
macro_rules! data {
    ($($name:literal $variant:ident($kind:ty)),+ $(,)?) => {
        /// Elements as the file has them, beside the name of their type.
        #[derive(Serialize, Deserialize)]
        #[serde(tag = "dtype", content = "data")]
        pub(super) enum Data {
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

        /// The first place where a tensor is off, with what is there and what should be. `tolerance` is absolute, and
        /// a share of what is expected where that is above 1. Both are of one length and one type of element.
        pub(super) fn first_off(
            found: &TensorData,
            expected: &TensorData,
            tolerance: f64,
        ) -> Option<(usize, f64, f64)> {
            match (found, expected) {
                $((TensorData::$variant(a), TensorData::$variant(b)) => {
                    let pairs = a.iter().zip(b).map(|(a, b)| (wide(*a), wide(*b)));
                    let mut numbered = pairs.enumerate().map(|(at, (a, b))| (at, a, b));
                    numbered.find(|(_, a, b)| {
                        // Asked this way round, a NaN is off too.
                        let close = (a - b).abs() <= tolerance * b.abs().max(1.0);
                        !close
                    })
                })+
                _ => Some((0, f64::NAN, f64::NAN)),
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

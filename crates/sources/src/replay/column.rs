//! One column of a Parquet file as what its role wants: times, numbers, text or labels.
//!
//! | role | types of Arrow |
//! |---|---|
//! | time | `Timestamp` of any unit and zone, `Date32`, `Date64`, integers, floats, text |
//! | value | integers, floats, decimals, `Boolean` |
//! | label | `Boolean`, integers, floats, text |
//! | metric, labels | text: `Utf8`, `LargeUtf8`, `Utf8View`, and dictionaries of them |

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use series::Timestamp;

use super::error::{CellError, HeaderError, shown};
use super::{text, time};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How a time is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Microseconds in one unit, for seconds and coarser.
    Times(i64),
    /// Units in one microsecond, for milliseconds and finer.
    Per(i64),
    /// Told by size, see [`time::from_number`].
    Told,
}

/// Times of one batch.
pub(super) enum Times {
    Whole(Int64Array, Scale),
    Broken(Float64Array),
    Text(StringArray),
}

/// Labels of one batch.
pub(super) enum Labels {
    Numbers(Float64Array),
    Text(StringArray),
}

fn is_text(kind: &DataType) -> bool {
    if let DataType::Dictionary(_, value) = kind {
        return is_text(value);
    }
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// The unit of a column of whole numbers. A zone only says how to show a time; the number is UTC either way.
fn scale(kind: &DataType) -> Scale {
    if let DataType::Timestamp(unit, _) = kind {
        return match unit {
            TimeUnit::Second => Scale::Times(1_000_000),
            TimeUnit::Millisecond => Scale::Times(1_000),
            TimeUnit::Microsecond => Scale::Times(1),
            TimeUnit::Nanosecond => Scale::Per(1_000),
        };
    }
    if *kind == DataType::Date32 {
        return Scale::Times(MICROS_PER_DAY);
    }
    if *kind == DataType::Date64 {
        Scale::Times(1_000)
    } else {
        Scale::Told
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || *kind == DataType::Boolean
}

/// Refuses a column that cannot hold a role, before any row is read.
pub(super) fn check(
    column: &str,
    kind: &DataType,
    expected: &'static str,
    fits: fn(&DataType) -> bool,
) -> Result<(), HeaderError> {
    if fits(kind) {
        return Ok(());
    }
    Err(HeaderError::Type {
        column: shown(column),
        found: shown(&kind.to_string()),
        expected,
    })
}

pub(super) fn fits_time(kind: &DataType) -> bool {
    let dated = matches!(
        kind,
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64
    );
    dated || kind.is_integer() || kind.is_floating() || is_text(kind)
}

pub(super) fn fits_value(kind: &DataType) -> bool {
    is_number(kind)
}

pub(super) fn fits_label(kind: &DataType) -> bool {
    is_number(kind) || is_text(kind)
}

pub(super) fn fits_text(kind: &DataType) -> bool {
    is_text(kind)
}

/// Numbers, NaN where there is none.
pub(super) fn numbers(column: &ArrayRef) -> Result<Float64Array, ArrowError> {
    Ok(cast(column, &DataType::Float64)?
        .as_primitive::<Float64Type>()
        .clone())
}

pub(super) fn texts(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The number in row `i`; NaN where there is none.
pub(super) fn number(numbers: &Float64Array, i: usize) -> f64 {
    if numbers.is_null(i) {
        f64::NAN
    } else {
        numbers.value(i)
    }
}

/// The text in row `i`; empty where there is none.
pub(super) fn text_at(texts: &StringArray, i: usize) -> &str {
    if texts.is_null(i) {
        ""
    } else {
        texts.value(i).trim()
    }
}

impl Times {
    pub(super) fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        let kind = column.data_type();
        if is_text(kind) {
            return Ok(Self::Text(texts(column)?));
        }
        if kind.is_floating() {
            return Ok(Self::Broken(numbers(column)?));
        }
        // Through 32 bits where the stored number has 32: a date casts to nothing wider.
        let whole = if *kind == DataType::Date32 {
            cast(column, &DataType::Int32)?
        } else {
            column.clone()
        };
        let whole = cast(&whole, &DataType::Int64)?
            .as_primitive::<Int64Type>()
            .clone();
        Ok(Self::Whole(whole, scale(kind)))
    }

    /// The time in row `i`.
    pub(super) fn at(&self, i: usize) -> Result<Timestamp, CellError> {
        let (at, shown) = match self {
            Self::Text(texts) => (time::parse(text_at(texts, i)), shown(text_at(texts, i))),
            Self::Broken(numbers) => (
                time::from_number(number(numbers, i)),
                number(numbers, i).to_string(),
            ),
            Self::Whole(numbers, _) if numbers.is_null(i) => (None, String::new()),
            Self::Whole(numbers, scale) => {
                let n = numbers.value(i);
                let at = match *scale {
                    Scale::Times(factor) => n.checked_mul(factor).map(Timestamp::from_micros),
                    Scale::Per(divisor) => Some(Timestamp::from_micros(n.div_euclid(divisor))),
                    Scale::Told => time::from_integer(n),
                };
                return at.ok_or_else(|| CellError::Time(n.to_string()));
            }
        };
        at.ok_or(CellError::Time(shown))
    }
}

impl Labels {
    pub(super) fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        if is_text(column.data_type()) {
            Ok(Self::Text(texts(column)?))
        } else {
            Ok(Self::Numbers(numbers(column)?))
        }
    }

    /// What row `i` says.
    pub(super) fn at(&self, i: usize) -> Result<Option<bool>, CellError> {
        match self {
            Self::Text(texts) => {
                let cell = text_at(texts, i);
                text::label(cell).ok_or_else(|| CellError::Label(shown(cell)))
            }
            Self::Numbers(numbers) => match number(numbers, i) {
                x if x.is_nan() => Ok(None),
                x => text::label(&x.to_string()).ok_or_else(|| CellError::Label(x.to_string())),
            },
        }
    }
}

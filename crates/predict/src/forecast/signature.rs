//! What a forecasting model takes and gives, and how feature rows become its inputs.

use features::{Row, SCHEMA, column, schema_hash};

/// The column that models forecast: the value less a mean over about 64 samples, in sigmas.
pub const TARGET: usize = column::LONG_RESIDUAL;

/// Steps ahead that a model forecasts, ascending; the first is 1.
pub type Horizons = Vec<u32>;

/// Largest hidden state: what a state table of 1,000,000 series can bear.
const MAX_HIDDEN: usize = 512;
/// Most horizons, and the furthest.
const MAX_HORIZONS: usize = 32;
const FURTHEST: u32 = 4_096;

/// What goes into a model and what comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    inputs: Vec<usize>,
    hidden: usize,
    horizons: Horizons,
    soft_limit: f32,
}

/// Why a signature makes no sense here.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// It was trained on other features.
    #[error("trained on features with schema {found:#018x}; this engine has {expected:#018x}")]
    Schema {
        /// The model's.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// It asks for a column that there is not, or for one twice.
    #[error("input {name:?} is not a feature, or is named twice; `forestall features` lists them")]
    Input {
        /// The name.
        name: String,
    },
    /// A number is out of range.
    #[error("{what} is {value}, expected {expected}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

impl Signature {
    /// From what a model's metadata says.
    ///
    /// # Errors
    /// [`SignatureError`] when the schema is another one, an input is unknown, or a number is out of range.
    pub fn new(
        schema: u64,
        inputs: &[&str],
        hidden: usize,
        horizons: Horizons,
        soft_limit: f32,
    ) -> Result<Self, SignatureError> {
        if schema != schema_hash() {
            return Err(SignatureError::Schema {
                found: schema,
                expected: schema_hash(),
            });
        }
        let mut columns = Vec::with_capacity(inputs.len().min(SCHEMA.len()));
        for name in inputs {
            let place = SCHEMA.iter().position(|column| column.name == *name);
            match place {
                Some(place) if !columns.contains(&place) => columns.push(place),
                _ => {
                    return Err(SignatureError::Input {
                        name: (*name).to_owned(),
                    });
                }
            }
        }
        let range = |what, value: String, expected| SignatureError::Range {
            what,
            value,
            expected,
        };
        if columns.is_empty() {
            return Err(range("inputs", "empty".to_owned(), "at least one feature"));
        }
        if !(1..=MAX_HIDDEN).contains(&hidden) {
            return Err(range("hidden", hidden.to_string(), "1 to 512"));
        }
        let ascending = horizons.windows(2).all(|pair| pair[0] < pair[1]);
        let bounded = horizons.len() <= MAX_HORIZONS && horizons.iter().all(|&h| h <= FURTHEST);
        if horizons.first() != Some(&1) || !ascending || !bounded {
            let expected = "1 and up to 31 more, ascending, at most 4096";
            return Err(range("horizons", format!("{horizons:?}"), expected));
        }
        if !(soft_limit > 0.0 && soft_limit <= 1e6) {
            return Err(range(
                "soft_limit",
                soft_limit.to_string(),
                "above 0, at most 1e6",
            ));
        }
        Ok(Self {
            inputs: columns,
            hidden,
            horizons,
            soft_limit,
        })
    }

    /// Places in [`SCHEMA`] of the inputs, in the order in which the model takes them.
    #[must_use]
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Numbers in each of the two states.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.hidden
    }

    /// Steps ahead that are forecast.
    #[must_use]
    pub fn horizons(&self) -> &[u32] {
        &self.horizons
    }

    /// Inputs lie within this distance of 0.
    #[must_use]
    pub const fn soft_limit(&self) -> f32 {
        self.soft_limit
    }

    /// The normaliser: `x / sqrt(1 + (x / limit)^2)`, which is `x` near 0 and never beyond the limit, so that no
    /// outlier saturates the state.
    #[must_use]
    pub fn soften(&self, x: f32) -> f32 {
        let part = x / self.soft_limit;
        x / (1.0 + part * part).sqrt()
    }

    /// The inputs of one row; `out` has one place per input.
    pub fn fill(&self, row: &Row, out: &mut [f32]) {
        for (place, &column) in out.iter_mut().zip(&self.inputs) {
            *place = self.soften(row.columns[column]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(
        inputs: &[&str],
        hidden: usize,
        horizons: Horizons,
    ) -> Result<Signature, SignatureError> {
        Signature::new(schema_hash(), inputs, hidden, horizons, 4.0)
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert!(signature(&["level", "gap"], 32, vec![1, 4]).is_ok());
        let refused = |inputs: &[&str], hidden, horizons| {
            signature(inputs, hidden, horizons).unwrap_err().to_string()
        };
        assert!(refused(&["levle"], 32, vec![1]).contains("levle"));
        assert!(refused(&["gap", "gap"], 32, vec![1]).contains("gap"));
        assert!(refused(&["gap"], 0, vec![1]).contains("hidden is 0"));
        assert!(refused(&["gap"], 32, vec![2]).contains("[2]"));
        assert!(refused(&["gap"], 32, vec![1, 1]).contains("[1, 1]"));
        assert!(refused(&[], 32, vec![1]).contains("inputs"));
        assert!(
            Signature::new(7, &["gap"], 1, vec![1], 4.0)
                .unwrap_err()
                .to_string()
                .contains("0x0000000000000007")
        );
    }

    #[test]
    fn softened_inputs_keep_sign_and_order_and_stay_within_the_limit() {
        let s = signature(&["level"], 8, vec![1]).unwrap();
        let soft: Vec<f32> = [-1e6, -5.0, -0.01, 0.0, 0.01, 5.0, 1e6]
            .iter()
            .map(|x| s.soften(*x))
            .collect();
        assert!(soft.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(soft.iter().all(|x| x.abs() <= 4.0));
        assert!((soft[4] - 0.01).abs() < 1e-6);
    }
}

//! Robust residual: how far the value is from where it was heading, in robust standard deviations.

use catalog::{BuildError, Context, Entry, Params};
use features::{Row, column};
use serde::Deserialize;

use crate::anomaly::{Detector, PerSeries, Table};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "residual",
    about: "distance from short and long means in robust standard deviations",
    example: "half_sigma = 6.0",
    build,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Residual {
    /// Sigmas at which the raw score is one half.
    half_sigma: f32,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let rule: Residual = params.read("residual")?;
    super::within(ENTRY.name, "half_sigma", rule.half_sigma, 0.0, 1e6)?;
    Ok(Box::new(Table::new(rule)))
}

impl PerSeries for Residual {
    type State = [u8; 0];

    fn step(&self, _: &mut [u8; 0], row: &Row) -> f32 {
        let z = row.columns[column::SHORT_RESIDUAL]
            .abs()
            .min(row.columns[column::LONG_RESIDUAL].abs());
        z / (z + self.half_sigma)
    }
}

//! Novelty: how far a statistic is from every value it took before, as a share of its range.
//!
//! A pattern stops being novel once it has been seen, so recurring peaks fall silent by themselves. One entry for
//! each statistic of the last samples; the bits behind it are in `grid`.

use catalog::{BuildError, Context, Entry, Params};
use features::Row;
use serde::Deserialize;

use super::grid::Grid;
use crate::anomaly::{Detector, PerSeries, Table};

macro_rules! entries {
    ($($id:ident $name:literal $about:literal $statistic:expr;)*) => {
        $(
            /// See the module.
            pub(super) const $id: Entry<dyn Detector> = Entry {
                name: $name,
                about: $about,
                example: "",
                build: |params, _: &Context| build($name, params, $statistic),
            };
        )*
    };
}

entries! {
    LEVEL "level" "novelty of the value itself" |row| row.x;
    MEAN_6 "mean_6" "novelty of the mean of 6 samples" |row| row.windows.mean_6;
    MEAN_24 "mean_24" "novelty of the mean of 24 samples: slow drifts and shifts" |row| row.windows.mean_24;
    CHANGE "change" "novelty of the step from the last sample" |row| row.x - row.windows.lags[0];
    DEVIATION_6 "deviation_6" "novelty of the distance from the mean of 6 samples" |row| row.x - row.windows.mean_6;
    DEVIATION_24 "deviation_24" "novelty of the distance from the mean of 24 samples" |row| row.x - row.windows.mean_24;
    SPREAD_12 "spread_12" "novelty of the standard deviation of 12 samples" |row| row.windows.spread_12;
    SPREAD_48 "spread_48" "novelty of the standard deviation of 48 samples" |row| row.windows.spread_48;
    SEASON "season" "novelty of the distance from what is usual at this time of day and week" |row| row.x - row.usual;
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct Novelty {
    name: &'static str,
    statistic: fn(&Row) -> f32,
}

impl std::fmt::Debug for Novelty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Novelty")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn build(
    name: &'static str,
    params: &Params,
    statistic: fn(&Row) -> f32,
) -> Result<Box<dyn Detector>, BuildError> {
    let Options {} = params.read(name)?;
    Ok(Box::new(Table::new(Novelty { name, statistic })))
}

impl PerSeries for Novelty {
    type State = Grid;

    fn step(&self, grid: &mut Grid, row: &Row) -> f32 {
        let value = (self.statistic)(row);
        // Not known yet, as what is usual at this time of day is on the first day.
        if value.is_nan() {
            0.0
        } else {
            grid.step(value, row.least_range)
        }
    }
}

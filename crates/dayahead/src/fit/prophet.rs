//! Prophet: a line that bends, and Fourier series for the seasons. Its runtime is made once per process.

use std::sync::LazyLock;

use augurs_prophet::optimizer::OptimizeOpts;
use augurs_prophet::wasmstan::WasmstanOptimizer;
use augurs_prophet::{PredictionData, Prophet, ProphetOptions, TrainingData};

use super::{Fit, departure};
use crate::history::Past;
use crate::{Method, robust};

/// The module is compiled when the first forecast asks for it: those who never do pay nothing.
static OPTIMIZER: LazyLock<WasmstanOptimizer> = LazyLock::new(WasmstanOptimizer::new);

/// Where the optimisation begins. It does not end at the same bits: the crate keeps its columns in hash maps.
const SEED: u32 = 1;

/// `None` if the optimisation fails.
pub(super) fn fit(past: &Past, slots: usize) -> Option<Fit> {
    let (n, step_s) = (past.means.len(), i64::from(past.step_s));
    let at = |place: usize| (past.first + place as i64) * step_s;
    let options = ProphetOptions {
        // Its own paths are drawn from a generator without a seed; ours are not.
        uncertainty_samples: 0,
        ..ProphetOptions::default()
    };
    let mut model = Prophet::new(options, OPTIMIZER.clone());
    let known: Vec<usize> = (0..n).filter(|&place| past.is_known(place)).collect();
    let data = TrainingData::new(
        known.iter().map(|&place| at(place)).collect(),
        known.iter().map(|&place| past.means[place]).collect(),
    );
    let seed = OptimizeOpts {
        seed: Some(SEED),
        ..OptimizeOpts::default()
    };
    model.fit(data.ok()?, seed).ok()?;
    let asked = PredictionData::new((0..n + slots).map(at).collect());
    let said = model.predict(asked).ok()?;
    let (said, trend) = (said.yhat.point, said.trend.point);
    if said.len() != n + slots
        || trend.len() != said.len()
        || !said.iter().all(|level| level.is_finite())
    {
        return None;
    }
    // Without the seasons: what is off, added to the trend.
    let rest: Vec<f64> = (0..n)
        .map(|place| past.means[place] - said[place] + trend[place])
        .collect();
    let off: Vec<f64> = (0..n)
        .map(|place| past.means[place] - said[place])
        .collect();
    let errors = (0..n).map(|place| {
        if past.is_known(place) {
            off[place]
        } else {
            f64::NAN
        }
    });
    Some(Fit {
        method: Method::Prophet,
        path: said[n..].to_vec(),
        errors: errors.collect(),
        // What it is off by is not carried on: its errors are drawn in blocks, and that is all that it says of them.
        carry: vec![0.0; slots],
        slope_deviation: robust::slope_deviation(&off),
        seasonal: true,
        lasted: None,
        explained: departure::explained(&rest, past.day()),
    })
}

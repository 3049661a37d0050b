//! Seasons of a day and of a week by augurs' MSTL; exponential smoothing of what they leave.

use augurs_core::Fit as _;
use augurs_mstl::MSTLModel;

use super::ets::{self, Trends};
use super::{Fit, departure, revert};
use crate::history::Past;
use crate::{Method, robust};

/// Days at the end that exponential smoothing sees: what the level did before is no news, and costs time.
const TAIL_DAYS: usize = 7;

/// `None` if no model can be found.
pub(super) fn fit(past: &Past, weekly: bool, slots: usize) -> Option<Fit> {
    let (day, n) = (past.day(), past.means.len());
    let mut periods = vec![day];
    if weekly {
        periods.push(7 * day);
    }
    // A trend is smoothed here only to tell it from the seasons; what is forecast is all that the seasons leave.
    // augurs' wrapper of AutoETS as a trend model would smooth the whole past, and hides the errors that are needed for
    // the paths.
    let model = MSTLModel::naive(periods.clone());
    let fitted = model.fit(&tamed(&past.means, day)?).ok()?;
    let seasons = fitted.fit().seasonal();
    let rest: Vec<f64> = (0..n)
        .map(|place| {
            let season: f32 = seasons.iter().map(|season| season[place]).sum();
            past.means[place] - f64::from(season)
        })
        .collect();
    if !rest.iter().all(|level| level.is_finite()) {
        return None;
    }
    let from = n.saturating_sub(TAIL_DAYS * day);
    let straight = robust::straighten(&rest[from..])?;
    let mut tail = ets::smooth(&rest[from..], slots, Trends::GoOn)?;
    revert::revert(&mut tail, &straight, day);
    let path = (0..slots).map(|ahead| {
        let season: f32 = seasons
            .iter()
            .zip(&periods)
            .map(|(season, period)| season[n - period + ahead % period])
            .sum();
        tail.path[ahead] + f64::from(season)
    });
    let wider = wider(n, &periods);
    let mut errors = vec![f64::NAN; n];
    for (i, error) in tail.errors.iter().enumerate() {
        if past.is_known(from + i) {
            errors[from + i] = wider * error;
        }
    }
    let path: Vec<f64> = path.collect();
    path.iter().all(|level| level.is_finite()).then(|| Fit {
        method: Method::Mstl,
        path,
        errors,
        carry: tail.carry,
        slope_deviation: robust::slope_deviation(&straight.deviations),
        seasonal: true,
        lasted: None,
        explained: departure::explained(&rest, day),
    })
}

/// Levels are seen by the seasons up to this many usual deviations from what is usual at their time of day.
const WILD: f64 = 4.0;

/// The levels about their line, with what is unlike any other day cut off. About their line, because of a week that was
/// seen twice a steady growth is as good a season as any, and would be expected to begin again. Cut off, because an
/// incident of yesterday is not tomorrow's season. The robust loops of MSTL were rejected: a weekly season has two or three
/// values for a slot, and where one of them counts for nothing the season is set to that very value. `None` under two
/// levels.
fn tamed(means: &[f64], day: usize) -> Option<Vec<f64>> {
    let line = robust::straighten(means)?;
    let mut usual = vec![0.0; day];
    for (phase, usual) in usual.iter_mut().enumerate() {
        let mut same: Vec<f64> = line
            .deviations
            .iter()
            .skip(phase)
            .step_by(day)
            .copied()
            .collect();
        *usual = robust::quantile(&mut same, 0.5)?;
    }
    let off = |(place, deviation): (usize, &f64)| deviation - usual[place % day];
    let off: Vec<f64> = line.deviations.iter().enumerate().map(off).collect();
    let (_, spread) = robust::center(&off)?;
    let most = WILD * spread;
    let cut = |(deviation, off): (&f64, &f64)| deviation - (off - off.clamp(-most, most));
    Some(line.deviations.iter().zip(&off).map(cut).collect())
}

/// By how much errors of forecasts are wider than what the seasons left: each of k cycles went into the season, which
/// makes what is left narrower by (k − 1)/k, and the next cycle differs from the season by (k + 1)/k.
fn wider(n: usize, periods: &[usize]) -> f64 {
    let ratio = |&period: &usize| {
        let cycles = (n as f64 / period as f64).max(2.0);
        (cycles + 1.0) / (cycles - 1.0)
    };
    periods.iter().map(ratio).product::<f64>().sqrt()
}

//! Exponential smoothing: augurs' search over models with additive errors, by AICc.

use augurs_core::{Fit as _, Forecast, Predict};
use augurs_ets::{AutoETS, FittedAutoETS};

use super::{Fit, departure};
use crate::history::Past;
use crate::{Method, robust};

/// The share of a normal distribution within one standard deviation: an interval of this level is as wide as two.
const ONE_DEVIATION: f64 = 0.682_689_492_137_086;

/// Spreads under this are no noise but rounding: the likelihood of a constant series has no maximum.
const CONSTANT: f64 = 1e-7;

/// What exponential smoothing says about the values after those it was given.
pub(super) struct Smooth {
    /// The values to come.
    pub path: Vec<f64>,
    /// What each value given was off by from what those before it let expect.
    pub errors: Vec<f64>,
    /// See [`Fit::carry`].
    pub carry: Vec<f64>,
}

/// Trends that exponential smoothing may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trends {
    /// None, one that goes on, and one that fades.
    All,
    /// None and one that goes on: the search for one that fades costs as much as both, and [`super::revert`] lets
    /// trends fade where days have shown that they do.
    GoOn,
}

/// `None` if no model can be found.
pub(super) fn smooth(values: &[f64], slots: usize, trends: Trends) -> Option<Smooth> {
    let first = *values.first()?;
    if values.iter().all(|value| (value - first).abs() < CONSTANT) {
        return Some(Smooth {
            path: vec![first; slots],
            errors: vec![0.0; values.len()],
            carry: vec![0.0; slots],
        });
    }
    // Errors that grow with the level ("M") would be three more models at the same price, and levels are shares of a
    // limit.
    let mut search = AutoETS::new(1, "AZN").ok()?;
    if trends == Trends::GoOn {
        search = search.damped(false).ok()?;
    }
    let fitted = search.fit(values).ok()?;
    let (path, carry) = ahead(&fitted, slots)?;
    let mut inside = Forecast::with_capacity(values.len());
    fitted.predict_in_sample_inplace(None, &mut inside).ok()?;
    let errors: Vec<f64> = values
        .iter()
        .zip(&inside.point)
        .map(|(value, was)| value - was)
        .collect();
    let all = path.iter().chain(&carry).chain(&errors);
    (errors.len() == values.len() && all.into_iter().all(|x| x.is_finite())).then_some(Smooth {
        path,
        errors,
        carry,
    })
}

/// The point forecast, and what stays of an error. The crate keeps its smoothing parameters to itself, but the widths
/// of its intervals give them away: the variance after h steps is 1 + Σ c², where c is what stays of an error 1, …, h −
/// 1 steps later (Hyndman et al., Forecasting with Exponential Smoothing, 2008, section 6.3).
fn ahead(fitted: &FittedAutoETS, slots: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut forecast = Forecast::with_capacity_and_level(slots, ONE_DEVIATION);
    fitted
        .predict_inplace(slots, Some(ONE_DEVIATION), &mut forecast)
        .ok()?;
    let intervals = forecast.intervals?;
    let variance: Vec<f64> = intervals
        .upper
        .iter()
        .zip(&forecast.point)
        .map(|(upper, point)| (upper - point).powi(2))
        .collect();
    let one = variance.first()?.max(f64::MIN_POSITIVE);
    let carry = variance
        .windows(2)
        .map(|pair| ((pair[1] - pair[0]) / one).max(0.0).sqrt());
    Some((forecast.point, carry.collect()))
}

/// `None` if no model can be found.
pub(super) fn fit(past: &Past, slots: usize) -> Option<Fit> {
    let day = past.day();
    let n = past.means.len();
    let from = n.saturating_sub(7 * day);
    let smooth = smooth(&past.means[from..], slots, Trends::All)?;
    let mut errors = vec![f64::NAN; n];
    for (i, error) in smooth.errors.into_iter().enumerate() {
        if past.is_known(from + i) {
            errors[from + i] = error;
        }
    }
    let straight = robust::straighten(&past.means[from..])?;
    Some(Fit {
        method: Method::Ets,
        path: smooth.path,
        errors,
        carry: smooth.carry,
        slope_deviation: robust::slope_deviation(&straight.deviations),
        seasonal: false,
        lasted: Some((n - from) as f64),
        // Without a season, half of what could explain a movement is not known.
        explained: 0.5 * departure::explained(&past.means, day),
    })
}

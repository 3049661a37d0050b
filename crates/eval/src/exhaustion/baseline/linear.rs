//! A straight line through a window, as Prometheus' `predict_linear` draws it, with the spread that the fit has.

use super::passage::{above_limit, exhausted, prediction};
use super::{Baseline, Past, Prediction};

pub(super) const SHORT: Baseline = Baseline {
    name: "predict_linear_5m",
    about: "least squares over the last 5 minutes",
    foresee: |past| foresee(past, 300.0),
};
pub(super) const MIDDLE: Baseline = Baseline {
    name: "predict_linear_15m",
    about: "least squares over the last 15 minutes",
    foresee: |past| foresee(past, 900.0),
};
pub(super) const LONG: Baseline = Baseline {
    name: "predict_linear_30m",
    about: "least squares over the last 30 minutes",
    foresee: |past| foresee(past, 1_800.0),
};

/// The interval is that of a new observation: normal residuals, as many as points less two.
fn foresee(past: Past<'_>, window_s: f64) -> Option<Prediction> {
    let points = past.last(window_s).points();
    let &(_, newest) = points.last()?;
    if newest >= 1.0 {
        return exhausted();
    }
    let n = points.len() as f64;
    if points.len() < 4 {
        return None;
    }
    let mean_time = points.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_level = points.iter().map(|p| p.1).sum::<f64>() / n;
    let spread: f64 = points.iter().map(|p| (p.0 - mean_time).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let joint: f64 = points
        .iter()
        .map(|p| (p.0 - mean_time) * (p.1 - mean_level))
        .sum();
    let slope = joint / spread;
    let at = |time: f64| mean_level + slope * (time - mean_time);
    let squares: f64 = points.iter().map(|p| (p.1 - at(p.0)).powi(2)).sum();
    let variance = squares / (n - 2.0);
    prediction(|ahead_s| {
        let leverage = 1.0 + 1.0 / n + (ahead_s - mean_time).powi(2) / spread;
        above_limit(at(ahead_s), (variance * leverage).sqrt())
    })
}

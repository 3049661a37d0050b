//! One model after the other, until one fits.

mod departure;
mod ets;
mod line;
#[cfg(feature = "prophet")]
mod prophet;
mod revert;
mod season;

use crate::Method;
use crate::history::Past;

/// What is known before anything is said, in hours.
const LEAST_H: usize = 2;
/// Before that a line, from then on exponential smoothing.
const ETS_H: usize = 8;
/// From then on seasons of a day.
const DAILY_H: usize = 48;
/// From then on seasons of a week.
const WEEKLY_H: usize = 14 * 24;

/// What a model knows about the slots to come.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    pub method: Method,
    /// The point forecast of the mean of each slot after the last.
    pub path: Vec<f64>,
    /// What a step's forecast was off by, at each place of the past; NaN where that is not known. As wide as errors
    /// of forecasts are, not of fits.
    pub errors: Vec<f64>,
    /// What stays of an error 1, 2, … slots later; 0 beyond.
    pub carry: Vec<f64>,
    /// The standard deviation of the slope per slot.
    pub slope_deviation: f64,
    /// Whether errors are to be drawn by the time of day.
    pub seasonal: bool,
    /// For how many slots the trend has been seen to last, if it is not one of days.
    pub lasted: Option<f64>,
    /// The share of what the level did of late that is explained, 0 to 1.
    pub explained: f32,
}

/// The richest model that the past is long enough for, no richer than `method`; `None` if not enough is known for any.
pub(crate) fn fit(past: &Past, method: Method, slots: usize) -> Option<Fit> {
    let hour = past.day() as f64 / 24.0;
    let (age, known) = (past.means.len() as f64, past.known() as f64);
    // Of what is asked for, a quarter may be gaps.
    let has = |hours: usize| age >= hours as f64 * hour && known >= 0.75 * hours as f64 * hour;
    if !has(LEAST_H) || past.means.len() < 3 {
        return None;
    }
    let (daily, weekly) = (has(DAILY_H), has(WEEKLY_H));
    let asked = |methods: &[Method]| methods.contains(&method);
    let seasons = !asked(&[Method::Ets, Method::Trend]);
    #[cfg(feature = "prophet")]
    if daily
        && asked(&[Method::Prophet])
        && let Some(fit) = prophet::fit(past, slots)
    {
        return Some(fit);
    }
    if daily
        && seasons
        && let Some(fit) = season::fit(past, weekly, slots)
    {
        return Some(fit);
    }
    if has(ETS_H)
        && !asked(&[Method::Trend])
        && let Some(fit) = ets::fit(past, slots)
    {
        return Some(fit);
    }
    line::fit(past, slots)
}

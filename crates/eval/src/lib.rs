//! How accuracy is judged: data sets in, tables out. It has two users who share nothing else, the command line and
//! the tests of detectors, and keeps a promise to both: it knows no engine, only scores.

pub mod datasets;
pub mod events;
pub mod nab;
pub mod rng;
pub mod vus;

/// The samples of one series that are judged, warm-up already cut off: a label and a score for each.
///
/// Both slices have the same length; where they differ the longer one is cut. A NaN score never reaches a threshold.
/// Scores are `f32`, as the engine gives them, or `f64`: comparisons are made in `f64`, because published scores differ
/// from 1 by less than an `f32` can tell.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a, T = f32> {
    /// True where the sample belongs to an anomaly.
    pub labels: &'a [bool],
    /// Higher is odder; any scale.
    pub scores: &'a [T],
}

/// The runs of `true` as half-open index ranges, in order.
#[must_use]
pub fn segments(labels: &[bool]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (i, &odd) in labels.iter().enumerate() {
        match (odd, start) {
            (true, None) => start = Some(i),
            (false, Some(s)) => {
                found.push(s..i);
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    if let Some(s) = start {
        found.push(s..labels.len());
    }
    found
}

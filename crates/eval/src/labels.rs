//! A label and a score for each sample, and the runs that labels form.

use std::ops::Range;

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

impl<'a, T> Labelled<'a, T> {
    /// Labels and scores of the samples that have both.
    #[must_use]
    pub fn paired(&self) -> (&'a [bool], &'a [T]) {
        let n = self.labels.len().min(self.scores.len());
        (&self.labels[..n], &self.scores[..n])
    }
}

/// The runs of `true` as half-open index ranges, in order.
#[must_use]
pub fn segments(labels: &[bool]) -> Vec<Range<usize>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_at_both_ends_and_between() {
        let labels = [true, false, true, true, false, true];
        assert_eq!(segments(&labels), [0..1, 2..4, 5..6]);
        assert!(segments(&[false; 3]).is_empty() && segments(&[]).is_empty());
    }
}

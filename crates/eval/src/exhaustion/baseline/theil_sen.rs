//! The median slope of all pairs of points (Theil 1950, Sen, JASA 63, 1968): a line that a third of wild points does not bend.

use super::passage::{exhausted, prediction};
use super::{Baseline, Past, Prediction};

pub(super) const BASELINE: Baseline = Baseline {
    name: "theil_sen",
    about: "median slope over the last 15 minutes, its spread by Kendall's statistic",
    foresee,
};

const WINDOW_S: f64 = 900.0;
/// At more points than this every second one, every third one … is taken: the pairs grow with the square.
const MAX_POINTS: usize = 120;

fn foresee(past: Past<'_>) -> Option<Prediction> {
    let mut points = past.last(WINDOW_S).points();
    let &(_, newest) = points.last()?;
    if newest >= 1.0 {
        return exhausted();
    }
    let skip = points.len().div_ceil(MAX_POINTS).max(1);
    points = points.into_iter().rev().step_by(skip).collect();
    let mut slopes = Vec::new();
    for (i, later) in points.iter().enumerate() {
        let earlier = points[i + 1..].iter().filter(|p| later.0 > p.0);
        slopes.extend(earlier.map(|p| (later.1 - p.1) / (later.0 - p.0)));
    }
    if slopes.len() < 6 {
        return None;
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let slope = median(&slopes);
    let mut levels: Vec<f64> = points.iter().map(|p| p.1 - slope * p.0).collect();
    levels.sort_unstable_by(f64::total_cmp);
    let level = median(&levels);
    // Kendall's statistic of a true slope has this variance; so the share of pairs that are steeper says how likely it is
    // that the slope is steep enough to be at the limit in time.
    let n = points.len() as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    prediction(|ahead_s| {
        let needed = (1.0 - level) / ahead_s;
        let below = slopes.partition_point(|slope| *slope < needed);
        let steeper = (slopes.len() - below) as f64 - below as f64;
        0.5 * libm::erfc(-steeper / deviation / std::f64::consts::SQRT_2)
    })
}

/// Of sorted values, at least one.
fn median(sorted: &[f64]) -> f64 {
    let last = sorted.len() - 1;
    f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)])
}

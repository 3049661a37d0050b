//! The dense score: what it rises on, and that it falls again. Shares are means over a few seeds.

use std::ops::Range;

use testkit::{Trace, gaussian};

use crate::{AT, judge, share_above};

const SEEDS: u64 = 6;

#[test]
fn a_spike_is_the_highest_score_and_is_forgotten() {
    for seed in 0..SEEDS {
        let risks = judge(&gaussian(1_500, seed).bent(AT..AT + 1, |x| x + 50.0));
        let score = risks[AT].score.get();
        assert!(
            score > 0.999 && risks[..AT].iter().all(|risk| risk.score.get() < score),
            "{score}"
        );
        let after = share_above(&risks, AT + 100..1_500, 0.99);
        assert!(
            after < 0.03,
            "{after} of the samples after it are above 0.99"
        );
    }
}

/// Share of scores above 0.99 before and in a story, both given by their places.
fn before_and_in(
    story: impl Fn(u64) -> Trace,
    before: Range<usize>,
    inside: Range<usize>,
) -> (f64, f64) {
    let mean = |range: &Range<usize>| {
        let shares = (0..SEEDS).map(|seed| share_above(&judge(&story(seed)), range.clone(), 0.99));
        shares.sum::<f64>() / SEEDS as f64
    };
    (mean(&before), mean(&inside))
}

/// A shift of three standard deviations opens no event, but the score knows.
#[test]
fn a_small_shift_raises_the_score() {
    let story = |seed| gaussian(1_500, seed).bent(AT..1_500, |x| x + 15.0);
    let (before, inside) = before_and_in(story, 100..AT, AT..AT + 100);
    assert!(
        before < 0.01 && inside > 0.03,
        "{before} before, {inside} in it"
    );
}

/// A tenth of a standard deviation per sample: each looks like the last.
#[test]
fn a_slow_leak_raises_the_score() {
    let story = |seed| {
        let mut leak = gaussian(2_000, seed);
        for (i, point) in leak.points[1_500..].iter_mut().enumerate() {
            point.1 += 0.5 * i as f64;
        }
        leak
    };
    let (before, inside) = before_and_in(story, AT..1_500, 1_500..1_800);
    assert!(
        before < 0.01 && inside > 0.04,
        "{before} before, {inside} in it"
    );
}

//! The intervals that were told of a resource, held against the instant at which it was exhausted.

use std::collections::VecDeque;

/// Intervals that are remembered, about as many bins apart.
const REMEMBERED: usize = 16;
const APART_BINS: i64 = 3;
/// A resource counts as exhausted from this share of its limit on, and as recovered below the other.
const EXHAUSTED: f32 = 0.995;
const RECOVERED: f32 = 0.9;

/// An interval: when it was told, and from when to when exhaustion should come, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Interval {
    at_us: i64,
    from_us: i64,
    to_us: i64,
}

/// What was told of one resource. Holds nothing on the heap until something is foreseen.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    intervals: VecDeque<Interval>,
    exhausted: bool,
}

impl Told {
    /// Remembers the interval of an outlook; `ttf_us` from now, in microseconds of the samples' clock.
    pub(super) fn remember(&mut self, at_us: i64, ttf_us: [f64; 2], bin_us: i64) {
        let [early, late] = ttf_us;
        let near = |last: &Interval| at_us.saturating_sub(last.at_us) < APART_BINS * bin_us;
        if !late.is_finite() || self.exhausted || self.intervals.back().is_some_and(near) {
            return;
        }
        if self.intervals.len() == REMEMBERED {
            self.intervals.pop_front();
        }
        self.intervals.push_back(Interval {
            at_us,
            from_us: at_us.saturating_add(early as i64),
            to_us: at_us.saturating_add(late as i64),
        });
    }

    /// Takes the present level. When it is exhausted now and was not before: the share of the remembered intervals that missed
    /// the instant by more than a bin, 0 to 1.
    pub(super) fn judge(&mut self, at_us: i64, level: f32, bin_us: i64) -> Option<f32> {
        if level < RECOVERED {
            self.exhausted = false;
        }
        if level < EXHAUSTED || self.exhausted {
            return None;
        }
        self.exhausted = true;
        let n = self.intervals.len();
        let missed = self.intervals.drain(..).filter(|interval| {
            at_us < interval.from_us.saturating_sub(bin_us)
                || at_us > interval.to_us.saturating_add(bin_us)
        });
        let missed = missed.count();
        (n > 0).then(|| missed as f32 / n as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIN_US: i64 = 20_000_000;

    #[test]
    fn intervals_are_held_against_the_instant_once() {
        let mut told = Told::default();
        for i in 0..20 {
            let at = i * 3 * BIN_US;
            let left = (100 * BIN_US - at) as f64;
            // Every other interval ends too early.
            let late = if i % 2 == 0 { 1.2 } else { 0.8 };
            told.remember(at, [0.5 * left, late * left], BIN_US);
            told.remember(at + 1, [0.0, 1.0], BIN_US);
        }
        assert_eq!(told.judge(99 * BIN_US, 0.99, BIN_US), None);
        assert_eq!(told.judge(100 * BIN_US, 1.0, BIN_US), Some(0.5));
        assert_eq!(told.judge(101 * BIN_US, 1.0, BIN_US), None, "told once");
        told.remember(102 * BIN_US, [0.0, 1e9], BIN_US);
        assert_eq!(told.judge(103 * BIN_US, 0.5, BIN_US), None, "recovered");
        assert_eq!(
            told.judge(104 * BIN_US, 1.0, BIN_US),
            None,
            "nothing was told since"
        );
    }

    #[test]
    fn what_is_not_foreseen_is_not_held_against_it() {
        let mut told = Told::default();
        told.remember(0, [1.0, f64::INFINITY], BIN_US);
        assert_eq!(told.judge(BIN_US, 1.0, BIN_US), None);
    }
}

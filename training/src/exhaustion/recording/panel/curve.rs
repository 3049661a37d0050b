//! Levels and running totals between bins.

use super::super::mover::{Mover, Track};

/// A fall by more than this share from one bin to the next happens at once, and not bit by bit.
const AT_ONCE: f64 = 0.02;

/// A level over time; times are in bins.
#[derive(Debug, Clone)]
pub(in super::super) struct Curve {
    levels: Vec<f64>,
    /// From here on it is at its limit.
    full: f64,
}

impl Curve {
    /// That of a stock.
    pub(in super::super) fn of(mover: &Mover) -> Option<Self> {
        match &mover.track {
            Track::Stock(levels) => Some(Self {
                levels: levels.clone(),
                full: mover.event.unwrap_or(f64::INFINITY),
            }),
            Track::Service(_) => None,
        }
    }

    /// A level that stays below its limit.
    pub(super) fn harmless(levels: Vec<f64>) -> Self {
        Self {
            levels,
            full: f64::INFINITY,
        }
    }

    /// How many bins are told.
    pub(super) fn told(&self) -> usize {
        self.levels.len()
    }

    /// When it is at its limit; infinite for never.
    pub(in super::super) fn full(&self) -> f64 {
        self.full
    }

    /// The share that is used, 0 to 1. Between bins it lies on the line from one to the next; beyond the last it stays.
    pub(in super::super) fn at(&self, at: f64) -> f64 {
        if at >= self.full {
            return 1.0;
        }
        let (place, part) = split(at);
        let last = self.levels.last().copied().unwrap_or(0.0);
        let level = |place: usize| self.levels.get(place).copied().unwrap_or(last);
        let (from, to) = (level(place), level(place + 1));
        if to < from - AT_ONCE {
            from
        } else {
            from + (to - from) * part
        }
    }
}

/// A running total over time; times are in bins.
#[derive(Debug, Clone)]
pub(in super::super) struct Totals(Vec<f64>);

impl Totals {
    /// From what each bin adds.
    pub(in super::super) fn new(bins: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let grown = bins.map(|bin| {
            sum += bin;
            sum
        });
        Self(grown.collect())
    }

    /// What it has come to: bin `n` has been added by the time `n`, as what is seen of a bin is known at its time.
    pub(in super::super) fn at(&self, at: f64) -> f64 {
        let (place, part) = split(at);
        let last = self.0.last().copied().unwrap_or(0.0);
        let total = |place: usize| self.0.get(place).copied().unwrap_or(last);
        let (from, to) = (total(place), total(place + 1));
        from + (to - from) * part
    }
}

/// A time as the place of its bin and the part of it that has passed.
fn split(at: f64) -> (usize, f64) {
    let place = at.max(0.0).floor();
    #[expect(clippy::cast_sign_loss, reason = "not negative")]
    let bin = place as usize;
    (bin, at.max(0.0) - place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_between_bins_and_falls_at_once() {
        let curve = Curve {
            levels: vec![0.2, 0.4, 0.1],
            full: 4.5,
        };
        let check = |at: f64, expected: f64| {
            let found = curve.at(at);
            assert!((found - expected).abs() < 1e-12, "{at}: {found}");
        };
        check(0.5, 0.3);
        check(1.9, 0.4);
        check(2.0, 0.1);
        check(4.4, 0.1);
        check(4.5, 1.0);
    }

    #[test]
    fn totals_never_fall() {
        let totals = Totals::new([1.0, 0.0, 4.0].into_iter());
        for (at, expected) in [(-1.0, 1.0), (0.0, 1.0), (1.5, 3.0), (9.0, 5.0)] {
            assert!((totals.at(at) - expected).abs() < 1e-12, "{at}");
        }
    }
}

//! A history as what models read: one row after the other, without gaps.

use series::Timestamp;

use super::{DAY_S, History};

/// The slots that are known, oldest first; the first and the last are no gaps.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    /// The length of a slot in seconds.
    pub step_s: u32,
    /// The number since 1970 of the first slot.
    pub first: i64,
    /// The mean of each slot; gaps are filled.
    pub means: Vec<f64>,
    /// By how much the maximum of each slot is above its mean; NaN in gaps.
    pub excess: Vec<f64>,
}

impl Past {
    /// Slots that end after `now` are left out, but for the newest if half of it has been seen. `None` if nothing is
    /// known.
    pub(crate) fn of(history: &History, now: Timestamp) -> Option<Self> {
        if history.head.begun == 0 {
            return None;
        }
        let (step_us, open) = (history.step_us(), history.head.open);
        let current = now.micros().div_euclid(step_us);
        let seen_us = history.head.last_us.rem_euclid(step_us);
        let counts = open < current || (open == current && 2 * seen_us >= step_us);
        let end = if counts { open + 1 } else { open.min(current) };
        let slot = |slot| {
            if slot == open {
                history.filling()
            } else {
                history.closed(slot)
            }
        };
        let known = |&at: &i64| !slot(at).0.is_nan();
        let first = (history.oldest()..end).find(known)?;
        let last = (first..end).rev().find(known)?;
        let (mut means, excess): (Vec<f64>, Vec<f64>) = (first..=last)
            .map(|at| {
                let (mean, maximum) = slot(at);
                // Of a damaged snapshot, a maximum may be below the mean.
                let excess = (f64::from(maximum) - f64::from(mean)).max(0.0);
                (
                    f64::from(mean),
                    if mean.is_nan() { f64::NAN } else { excess },
                )
            })
            .unzip();
        fill(&mut means, (DAY_S / history.step_s()) as usize);
        Some(Self {
            step_s: history.step_s(),
            first,
            means,
            excess,
        })
    }

    /// Slots of a day.
    pub(crate) fn day(&self) -> usize {
        (DAY_S / self.step_s) as usize
    }

    /// Whether the slot at this place is known rather than filled.
    pub(crate) fn is_known(&self, place: usize) -> bool {
        !self.excess[place].is_nan()
    }

    /// How many slots are known.
    pub(crate) fn known(&self) -> usize {
        self.excess.iter().filter(|excess| !excess.is_nan()).count()
    }

    /// The number of the slot after the last.
    pub(crate) fn end(&self) -> i64 {
        self.first + self.means.len() as i64
    }
}

/// Fills gaps, of which neither the first nor the last value is one: with the shape of the day before, moved to meet
/// both ends; with a line where there is no day before. A line through a night that was missed would be learned as the
/// season.
fn fill(values: &mut [f64], day: usize) {
    let mut place = 0;
    while place < values.len() {
        if !values[place].is_nan() {
            place += 1;
            continue;
        }
        let from = place - 1;
        let to = (place..values.len())
            .find(|&to| !values[to].is_nan())
            .unwrap_or(from);
        let shape = |at: usize, values: &[f64]| match at.checked_sub(day) {
            // A gap of more than a day goes on from what has just been filled; its far end cannot be met that way.
            Some(before) if from >= day && to - from < day => values[before],
            _ => 0.0,
        };
        let (left, right) = (
            values[from] - shape(from, values),
            values[to] - shape(to, values),
        );
        for at in from + 1..to {
            let share = (at - from) as f64 / (to - from) as f64;
            values[at] = (left + share * (right - left) + shape(at, values)).max(0.0);
        }
        place = to + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    #[track_caller]
    fn check(mut values: Vec<f64>, day: usize, expected: &[f64]) {
        fill(&mut values, day);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(
            values.len() == expected.len() && values.iter().zip(expected).all(close),
            "{values:?}"
        );
    }

    #[test]
    fn gaps_are_filled() {
        check(vec![1.0, GAP, GAP, 4.0], 9, &[1.0, 2.0, 3.0, 4.0]);
        // Yesterday rose and fell; today the same, 1 above.
        check(
            vec![0.0, 2.0, 5.0, 1.0, 1.0, GAP, GAP, 2.0],
            4,
            &[0.0, 2.0, 5.0, 1.0, 1.0, 3.0, 6.0, 2.0],
        );
        check(
            vec![1.0, 1.0, GAP, GAP, GAP, GAP, 6.0],
            2,
            &[1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        );
    }

    #[test]
    fn a_slot_that_is_half_seen_counts() {
        let mut history = History::new(1_800).expect("a usual step");
        let at = |s: i64| Timestamp::from_millis(1_000 * s);
        for s in (0..9_000).step_by(60) {
            history.push(at(s), 0.5);
        }
        for (s, slots) in [(9_300, 5), (10_200, 6)] {
            history.push(at(s), 0.5);
            let past = Past::of(&history, at(s)).expect("a past");
            assert_eq!((past.means.len(), past.known()), (slots, slots));
        }
        // What came after the instant that is asked about is not used.
        assert_eq!(
            Past::of(&history, at(4_000)).map(|past| past.end()),
            Some(2)
        );
        assert!(Past::of(&history, at(100)).is_none());
    }
}

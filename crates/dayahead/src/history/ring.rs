//! Samples in, means and maxima of half hours kept.

use bytemuck::{Pod, Zeroable};
use series::Timestamp;

use super::DAY_S;

/// Slots that are kept: 21 days of half hours. Weekly seasons need two weeks, the third makes them bearable.
pub const SLOTS: usize = 1_008;

/// Closed slots that are kept before the ring is allocated.
const YOUNG: usize = 2;

/// A level this many times its limit is as good as any above it.
const CEILING: f64 = 100.0;

/// No sample has come from behind.
const NEVER: i64 = i64::MIN;

/// The step of a history is not one that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a history of steps of {0} s: they must divide a day and lie between 900 and 7200 s")]
pub struct StepError(pub u32);

/// What even a young history needs.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Head {
    /// The number since 1970 of the first slot after the latest reset.
    pub first: i64,
    /// The number of the slot that is being filled.
    pub open: i64,
    /// The newest sample, in microseconds.
    pub last_us: i64,
    /// The first of the samples from behind that no newer one has contradicted, in microseconds.
    pub behind_us: i64,
    /// Of the open slot.
    pub sum: f64,
    pub count: u32,
    pub maximum: f32,
    pub step_s: u32,
    /// Whether there has been a sample since the latest reset: 0 or 1.
    pub begun: u32,
    pub means: [f32; YOUNG],
    pub maxima: [f32; YOUNG],
}

/// The ring: the slot of number `n` is at `n mod SLOTS`; NaN is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Days {
    pub means: [f32; SLOTS],
    pub maxima: [f32; SLOTS],
}

impl Days {
    const EMPTY: Self = Self {
        means: [f32::NAN; SLOTS],
        maxima: [f32::NAN; SLOTS],
    };
}

/// What share of its limit a resource used: the mean and the maximum of each half hour, for three weeks.
///
/// About 100 bytes until a resource has lived for an hour, 8 KiB from then on.
#[derive(Debug, Clone)]
pub struct History {
    pub(super) head: Head,
    pub(super) days: Option<Box<Days>>,
}

impl History {
    /// An empty one. `step_s`: the length of a slot, 1,800 s in general.
    ///
    /// # Errors
    ///
    /// If `step_s` does not divide a day, or is under 900 or over 7,200 s.
    pub fn new(step_s: u32) -> Result<Self, StepError> {
        if !(900..=7_200).contains(&step_s) || !DAY_S.is_multiple_of(step_s) {
            return Err(StepError(step_s));
        }
        let mut head = Head::zeroed();
        head.step_s = step_s;
        head.behind_us = NEVER;
        Ok(Self { head, days: None })
    }

    /// Takes up that at `at` the resource used `fraction` of its limit: at least 0; above 1 is beyond the limit.
    ///
    /// A fraction that is not finite or is negative is passed over. A sample of an earlier slot than the newest is passed
    /// over too, until such samples have kept coming for a whole step with none newer in between: then it
    /// was the clock that was wrong before, and the history begins anew.
    pub fn push(&mut self, at: Timestamp, fraction: f64) {
        if !fraction.is_finite() || fraction < 0.0 {
            return;
        }
        let slot = at.micros().div_euclid(self.step_us());
        if self.head.begun == 0 {
            self.begin(slot);
        } else if slot < self.head.open {
            if self.head.behind_us == NEVER || at.micros() < self.head.behind_us {
                self.head.behind_us = at.micros();
            }
            if at.micros().saturating_sub(self.head.behind_us) < self.step_us() {
                return;
            }
            self.reset();
            self.begin(slot);
        } else if slot > self.head.open {
            self.close(slot);
        }
        let head = &mut self.head;
        head.behind_us = NEVER;
        head.last_us = at.micros();
        let fraction = fraction.min(CEILING);
        head.sum += fraction;
        head.count = head.count.saturating_add(1);
        head.maximum = head.maximum.max(fraction as f32);
    }

    /// Forgets the past: after a resize, a clean-up or a deploy it says nothing about what comes.
    pub fn reset(&mut self) {
        let fresh = Head {
            step_s: self.head.step_s,
            behind_us: NEVER,
            ..Head::zeroed()
        };
        (self.head, self.days) = (fresh, None);
    }

    /// The length of a slot in seconds.
    #[must_use]
    pub const fn step_s(&self) -> u32 {
        self.head.step_s
    }

    /// The time of the newest sample; `None` before the first.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        (self.head.begun == 1).then(|| Timestamp::from_micros(self.head.last_us))
    }

    /// Bytes on the heap: none while it is young.
    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.days.as_ref().map_or(0, |days| size_of_val(&**days))
    }

    pub(super) fn step_us(&self) -> i64 {
        i64::from(self.head.step_s) * 1_000_000
    }

    /// The oldest slot that is kept.
    pub(super) fn oldest(&self) -> i64 {
        self.head.first.max(self.head.open - SLOTS as i64)
    }

    /// Mean and maximum of the closed slot `slot`; NaN for a gap and for what is not kept.
    pub(super) fn closed(&self, slot: i64) -> (f32, f32) {
        if slot < self.oldest() || slot >= self.head.open {
            return (f32::NAN, f32::NAN);
        }
        match &self.days {
            Some(days) => (days.means[place(slot)], days.maxima[place(slot)]),
            None => {
                let young = self.young(slot);
                (self.head.means[young], self.head.maxima[young])
            }
        }
    }

    fn begin(&mut self, slot: i64) {
        let head = &mut self.head;
        (head.first, head.open, head.begun) = (slot, slot, 1);
        (head.sum, head.count, head.maximum) = (0.0, 0, 0.0);
    }

    /// Closes the open slot and opens `next`, which is later; what lies between is a gap.
    fn close(&mut self, next: i64) {
        let head = &self.head;
        // Subtraction of what a hostile clock gives may not overflow.
        if next.saturating_sub(head.open) > SLOTS as i64 {
            self.reset();
            return self.begin(next);
        }
        let (open, closed) = (head.open, self.filling());
        if self.days.is_none() && next - head.first > YOUNG as i64 {
            let mut days = Box::new(Days::EMPTY);
            for slot in head.first..open {
                (days.means[place(slot)], days.maxima[place(slot)]) = self.closed(slot);
            }
            self.days = Some(days);
        }
        for slot in open..next {
            let (mean, maximum) = if slot == open {
                closed
            } else {
                (f32::NAN, f32::NAN)
            };
            if let Some(days) = &mut self.days {
                (days.means[place(slot)], days.maxima[place(slot)]) = (mean, maximum);
            } else {
                let young = self.young(slot);
                (self.head.means[young], self.head.maxima[young]) = (mean, maximum);
            }
        }
        let head = &mut self.head;
        (head.open, head.sum, head.count, head.maximum) = (next, 0.0, 0, 0.0);
    }

    /// The place of a slot in the head.
    fn young(&self, slot: i64) -> usize {
        #[expect(
            clippy::cast_sign_loss,
            reason = "no slot that is kept is older than the first"
        )]
        let young = (slot - self.head.first) as usize;
        young
    }

    /// Mean and maximum of the open slot so far.
    pub(super) fn filling(&self) -> (f32, f32) {
        let head = &self.head;
        if head.count == 0 {
            return (f32::NAN, f32::NAN);
        }
        // Rounding may leave the mean a little above the maximum.
        let mean = (head.sum / f64::from(head.count)) as f32;
        (mean.min(head.maximum), head.maximum)
    }
}

fn place(slot: i64) -> usize {
    slot.rem_euclid(SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_millis(1_000 * s)
    }

    fn history() -> History {
        History::new(1_800).expect("a usual step")
    }

    fn bits(pair: (f32, f32)) -> (u32, u32) {
        (pair.0.to_bits(), pair.1.to_bits())
    }

    #[test]
    fn means_and_maxima_by_slot() {
        let mut history = history();
        for (s, fraction) in [
            (0, 0.25),
            (900, 0.75),
            (1_800, 0.5),
            (7_200, 0.125),
            (9_000, 1.0),
        ] {
            history.push(at(s), fraction);
        }
        let gap = bits((f32::NAN, f32::NAN));
        for (slot, expected) in [
            (-1, gap),
            (0, bits((0.5, 0.75))),
            (1, bits((0.5, 0.5))),
            (2, gap),
            (3, gap),
            (4, bits((0.125, 0.125))),
            (5, gap),
        ] {
            assert_eq!(bits(history.closed(slot)), expected, "slot {slot}");
        }
        assert_eq!(bits(history.filling()), bits((1.0, 1.0)));
    }

    #[test]
    fn nothing_is_allocated_in_the_first_hour() {
        let mut history = history();
        for s in (0..3_600).step_by(60) {
            history.push(at(s), 0.5);
        }
        assert_eq!(history.heap_bytes(), 0);
        assert!(size_of::<History>() <= 128, "{}", size_of::<History>());
        history.push(at(5_400), 0.5);
        assert_eq!(history.heap_bytes(), 8_064);
        assert_eq!(bits(history.closed(0)), bits((0.5, 0.5)));
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut history = history();
        for slot in 0..=SLOTS as i64 + 5 {
            history.push(at(1_800 * slot), (slot % 7) as f64 / 8.0);
        }
        assert!(history.closed(4).0.is_nan());
        for slot in 5..=SLOTS as i64 + 4 {
            let mean = (slot % 7) as f32 / 8.0;
            assert_eq!(bits(history.closed(slot)), bits((mean, mean)), "{slot}");
        }
        history.push(at(1_800 * 5_000), 0.5);
        assert_eq!((history.oldest(), history.heap_bytes()), (5_000, 0));
    }

    #[test]
    fn from_behind_is_ignored_until_it_is_believed() {
        let mut history = history();
        history.push(at(100_000), 0.5);
        history.push(at(10_000), 0.9);
        history.push(at(11_000), 0.9);
        assert_eq!(history.newest(), Some(at(100_000)));
        assert_eq!(bits(history.filling()), bits((0.5, 0.5)));
        // A sample that is newer shows that those were strays.
        history.push(at(100_001), 0.5);
        history.push(at(11_900), 0.9);
        assert_eq!(bits(history.filling()), bits((0.5, 0.5)));
        for s in (12_000..13_701).step_by(100) {
            history.push(at(s), 0.25);
        }
        assert_eq!(bits(history.filling()), bits((0.25, 0.25)));
        assert_eq!(history.oldest(), 7);
    }

    #[test]
    fn what_is_no_level_is_refused() {
        let mut history = history();
        for fraction in [f64::NAN, f64::INFINITY, -0.1] {
            history.push(at(0), fraction);
        }
        assert_eq!(history.newest(), None);
        history.push(at(0), 1e300);
        assert_eq!(bits(history.filling()), bits((100.0, 100.0)));
        for us in [i64::MAX, i64::MIN, 0, i64::MIN] {
            let now = Timestamp::from_micros(us);
            history.push(now, 0.5);
            assert!(crate::DayAhead::of(&history, now, &crate::Options::default()).is_none());
        }
        history.reset();
        history.push(Timestamp::from_micros(i64::MIN), 0.5);
        let now = Timestamp::from_micros(i64::MIN);
        assert!(crate::DayAhead::of(&history, now, &crate::Options::default()).is_none());
        history.reset();
        assert_eq!((history.newest(), history.heap_bytes()), (None, 0));
    }

    #[test]
    fn steps_that_are_refused() {
        for step_s in [0, 60, 1_000, 86_400, u32::MAX] {
            assert_eq!(History::new(step_s).err(), Some(StepError(step_s)));
        }
    }
}

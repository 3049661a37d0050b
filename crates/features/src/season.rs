//! What is usual at this time of day and of the week.

use bytemuck::{Pod, Zeroable};

/// Bins of a day: half an hour each.
const DAY_BINS: usize = 48;
/// Bins of a week: three hours each.
const WEEK_BINS: usize = 56;

/// Mean level by time of day, and what each part of the week adds to it.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Season {
    day: [f32; DAY_BINS],
    week: [f32; WEEK_BINS],
    day_seen: [u8; DAY_BINS],
    week_seen: [u8; WEEK_BINS],
}

impl Season {
    /// What is usual at second `week_s` of the week; `None` while this time of day is new.
    pub(crate) fn expect(&self, week_s: u32) -> Option<f32> {
        let (d, w) = bins(week_s);
        if self.day_seen[d] == 0 {
            return None;
        }
        Some(
            self.day[d]
                + if self.week_seen[w] > 0 {
                    self.week[w]
                } else {
                    0.0
                },
        )
    }

    /// Learns level `x`, moved no further than `reach` from what was expected so that a spike does not stay.
    pub(crate) fn learn(&mut self, week_s: u32, x: f32, reach: f32) {
        let (d, w) = bins(week_s);
        let x = match self.expect(week_s) {
            // Not `clamp`, which stops the program when a bound is not a number.
            Some(usual) => x.max(usual - reach).min(usual + reach),
            None => x,
        };
        self.day_seen[d] = self.day_seen[d].saturating_add(1);
        // A plain mean at first, then one that forgets over about 8 visits.
        let rate = (1.0 / f32::from(self.day_seen[d])).max(0.125);
        let before = self.day[d];
        self.day[d] += rate * (x - before);
        self.week_seen[w] = self.week_seen[w].saturating_add(1);
        let rate = (1.0 / f32::from(self.week_seen[w])).max(0.125);
        self.week[w] += rate * (x - self.day[d] - self.week[w]);
    }
}

fn bins(week_s: u32) -> (usize, usize) {
    (
        ((week_s % 86_400) / 1_800) as usize,
        (week_s / 10_800) as usize,
    )
}

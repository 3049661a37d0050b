//! What models are judged on: recent samples that neither of them was trained on.

use std::collections::BTreeMap;

use features::N_COLUMNS;

/// What is known of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It may be judged as normal behaviour.
    Normal,
    /// A fault was injected, or somebody confirmed an anomaly.
    Fault,
    /// Neither: after a mitigation, a positive may look like a negative.
    Unknown,
}

/// The samples of one series, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequence {
    /// Feature columns, as they were captured.
    pub columns: Vec<[f32; N_COLUMNS]>,
    /// One for each sample.
    pub marks: Vec<Mark>,
}

/// Samples by series, never more than agreed: when there are too many, whole series are left out.
#[derive(Debug)]
pub struct HeldOut {
    /// By a number that is as good as drawn by lot, so that what stays is a fair sample.
    by_lot: BTreeMap<u64, Sequence>,
    max_rows: usize,
    rows: usize,
    /// Series from this lot on were left out.
    bound: u64,
    left_out: usize,
}

/// Steele, Lea & Flood's finaliser (OOPSLA 2014): a permutation of the 64-bit numbers.
const fn lot(series: u64) -> u64 {
    let x = series.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl HeldOut {
    /// Room for `max_rows` samples of 61 bytes.
    #[must_use]
    pub const fn new(max_rows: usize) -> Self {
        Self {
            by_lot: BTreeMap::new(),
            max_rows,
            rows: 0,
            bound: u64::MAX,
            left_out: 0,
        }
    }

    /// Adds a sample of `series`, any stable number for it; samples of one series come oldest first.
    pub fn push(&mut self, series: u64, columns: [f32; N_COLUMNS], mark: Mark) {
        let lot = lot(series);
        if lot >= self.bound {
            return;
        }
        let sequence = self.by_lot.entry(lot).or_default();
        sequence.columns.push(columns);
        sequence.marks.push(mark);
        self.rows += 1;
        // One series alone may be longer than all the room there is: what it has is kept.
        while self.rows > self.max_rows && self.by_lot.len() > 1 {
            let Some((lot, dropped)) = self.by_lot.pop_last() else {
                return;
            };
            self.bound = lot;
            self.left_out += 1;
            self.rows -= dropped.columns.len();
        }
        if self.rows > self.max_rows {
            self.forget_oldest();
        }
    }

    /// Halves the one series that is left, so that the next halving is far away.
    fn forget_oldest(&mut self) {
        for sequence in self.by_lot.values_mut() {
            let half = sequence.columns.len() / 2;
            sequence.columns.drain(..half);
            sequence.marks.drain(..half);
            self.rows -= half;
        }
    }

    /// How many samples there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many series there are.
    #[must_use]
    pub fn n_series(&self) -> usize {
        self.by_lot.len()
    }

    /// How many series were left out because there was no room.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// The series, longest first: then those that still go on at any step are the first ones.
    #[must_use]
    pub fn sequences(&self) -> Vec<&Sequence> {
        let mut all: Vec<&Sequence> = self.by_lot.values().collect();
        all.sort_by_key(|sequence| std::cmp::Reverse(sequence.columns.len()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_and_whole_series_go() {
        let mut all = HeldOut::new(1_000);
        for _ in 0..100 {
            for series in 0..50 {
                all.push(series, [0.0; N_COLUMNS], Mark::Normal);
            }
        }
        assert!(all.rows() <= 1_000 && all.rows() > 800, "{}", all.rows());
        assert!(all.sequences().iter().all(|s| s.columns.len() == 100));
        assert_eq!(all.n_series() + all.left_out(), 50);
        let mut one = HeldOut::new(100);
        for i in 0..1_000 {
            one.push(7, [i as f32; N_COLUMNS], Mark::Normal);
        }
        let kept = one.sequences()[0];
        assert!(kept.columns.len() <= 100 && kept.columns.len() >= 50);
        assert!((kept.columns[kept.columns.len() - 1][0] - 999.0).abs() < 0.5);
    }
}

//! One row of a replayed file together with what the engine made of it.

use predict::{Factor, MAX_FACTORS, Risk};
use series::{Refusal, Timestamp};

use crate::dates::TimeForm;

/// One row of input, judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// The file as it was named on the command line.
    pub(crate) file: &'a str,
    /// The series as text.
    pub(crate) series: &'a str,
    /// Which series of this file, from 0 in the order in which they were met.
    pub(crate) series_idx: usize,
    /// The row's time.
    pub(crate) at: Timestamp,
    /// How the file writes its times.
    pub(crate) times: TimeForm,
    /// The row's value; NaN where the file has none.
    pub(crate) value: f64,
    /// The row's label, if the file has such a column.
    pub(crate) label: Option<bool>,
    /// What came of it.
    pub(crate) verdict: Verdict<'a>,
    /// The latest answer about this series, of this row or of one before it, with each member's score.
    pub(crate) latest: Option<(&'a Risk, &'a [f32])>,
}

/// What the engine made of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict<'a> {
    /// It was scored.
    Judged {
        /// The engine's answer.
        risk: &'a Risk,
        /// Each member's score, in the order of the shard's names.
        members: &'a [f32],
    },
    /// It was taken and says nothing yet: the first sample of a counter has no rate.
    Pending,
    /// It was not taken.
    Refused(Refusal),
}

/// Whoever wants to see every row: the scores file, the summary, the plot.
pub(crate) trait Observer {
    /// Called once per row, in the order of the input.
    ///
    /// # Errors
    /// When what it writes to fails.
    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()>;
}

/// The shares of detectors, summed over the rows of an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contributions(Vec<(u8, f32)>);

impl Contributions {
    /// Adds the factors of one row, weighed by how much that row stood out.
    pub(crate) fn add(&mut self, factors: &[Factor; MAX_FACTORS], weight: f32) {
        for factor in factors.iter().filter(|factor| factor.share > 0.0) {
            match self.0.iter_mut().find(|(index, _)| *index == factor.index) {
                Some((_, sum)) => *sum += factor.share * weight,
                None => self.0.push((factor.index, factor.share * weight)),
            }
        }
    }

    /// The largest `n` by name with their share of the whole, largest first.
    pub(crate) fn top<'a>(&self, names: &[&'a str], n: usize) -> Vec<(&'a str, f32)> {
        let whole: f32 = self.0.iter().map(|(_, sum)| sum).sum();
        if whole <= 0.0 {
            return Vec::new();
        }
        let mut sums = self.0.clone();
        sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let named = |(index, sum): (u8, f32)| {
            names
                .get(usize::from(index))
                .map(|name| (*name, sum / whole))
        };
        sums.into_iter().filter_map(named).take(n).collect()
    }
}

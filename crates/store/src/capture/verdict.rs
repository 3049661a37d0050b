//! What a person said of an interval of one series.

use series::SeriesKey;

use crate::Verdict;

/// One verdict, with the interval that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Of which series.
    pub series: SeriesKey,
    /// When it was said, in microseconds since 1970-01-01T00:00:00Z. Of two that are about one sample, the later counts.
    pub submitted_us: i64,
    /// The first instant that it is about, in the same unit.
    pub from_us: i64,
    /// The last instant that it is about; `None` while the event that it is about goes on: it then reaches to the end
    /// of that event.
    pub to_us: Option<i64>,
    /// What was said.
    pub verdict: Verdict,
    /// A remark.
    pub note: String,
}

pub(super) const fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Dismissed => "dismissed",
    }
}

pub(super) fn parse(text: &str) -> Option<Verdict> {
    [Verdict::Confirmed, Verdict::Dismissed]
        .into_iter()
        .find(|&verdict| name(verdict) == text)
}

//! When plans that can wait are carried out, and when nothing is. All times are UTC.

use serde::{Deserialize, Serialize};
use series::Timestamp;

const DAY_US: i64 = 86_400_000_000;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week are known")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A maintenance window that comes every week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// On which days it begins; on all when empty.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins, `02:00`.
    pub from: jiff::civil::Time,
    /// When it ends; on the next day when that is not after `from`.
    pub to: jiff::civil::Time,
}

/// A time in which nothing is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// From when, `2026-12-20T00:00:00Z`.
    pub from: jiff::Timestamp,
    /// Until when.
    pub to: jiff::Timestamp,
    /// Why: for people.
    pub reason: String,
    /// Whether what a person approved for a critical issue is carried out all the same.
    #[serde(default)]
    pub allow_critical: bool,
}

/// Microseconds since midnight.
fn of_day(time: jiff::civil::Time) -> i64 {
    let s =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    s * 1_000_000
}

impl Window {
    pub(crate) fn problem(&self) -> Option<String> {
        (self.from == self.to).then(|| format!("it begins and ends at {}", self.from))
    }

    fn is_on(&self, day: i64) -> bool {
        // Day 0 was a Thursday.
        let week = [
            Day::Thursday,
            Day::Friday,
            Day::Saturday,
            Day::Sunday,
            Day::Monday,
            Day::Tuesday,
            Day::Wednesday,
        ];
        self.days.is_empty() || self.days.contains(&week[day.rem_euclid(7) as usize])
    }

    /// The next instant from `at` on that lies in it: `at` itself when it does.
    fn next(&self, at: Timestamp) -> Timestamp {
        let (from, to) = (of_day(self.from), of_day(self.to));
        let length = (to - from).rem_euclid(DAY_US);
        let today = at.micros().div_euclid(DAY_US);
        // One that began yesterday may still be open.
        let starts = (today - 1..=today + 7).filter(|&day| self.is_on(day));
        let starts = starts.map(|day| day.saturating_mul(DAY_US).saturating_add(from));
        let next = starts
            .filter(|start| start.saturating_add(length) > at.micros())
            .map(|start| start.max(at.micros()))
            .next();
        Timestamp::from_micros(next.unwrap_or(at.micros()))
    }
}

impl Freeze {
    pub(crate) fn problem(&self) -> Option<String> {
        (self.from >= self.to).then(|| format!("it ends at {}, before it begins", self.to))
    }
}

/// The next instant from `at` on in one of the windows; `at` itself without windows, or within one.
#[must_use]
pub fn next_window(windows: &[Window], at: Timestamp) -> Timestamp {
    let next = windows.iter().map(|window| window.next(at)).min();
    next.unwrap_or(at)
}

/// The freeze that holds at this instant, the one without exceptions first.
#[must_use]
pub fn freeze(freezes: &[Freeze], at: Timestamp) -> Option<&Freeze> {
    let holds = freezes.iter().filter(|freeze| {
        (freeze.from.as_microsecond()..freeze.to.as_microsecond()).contains(&at.micros())
    });
    holds.min_by_key(|freeze| freeze.allow_critical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn window(days: &[Day], from: &str, to: &str) -> Window {
        Window {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn the_next_window_is_found_over_midnight_and_over_the_week() {
        let check = |window: Window, now: &str, expected: &str| {
            assert_eq!(next_window(&[window], at(now)), at(expected), "{now}");
        };
        // 2026-11-26 is a Thursday.
        let night = || window(&[], "22:00", "04:00");
        check(night(), "2026-11-26T12:00:00Z", "2026-11-26T22:00:00Z");
        check(night(), "2026-11-26T23:00:00Z", "2026-11-26T23:00:00Z");
        check(night(), "2026-11-27T03:59:00Z", "2026-11-27T03:59:00Z");
        check(night(), "2026-11-27T04:00:00Z", "2026-11-27T22:00:00Z");
        let sunday = || window(&[Day::Sunday], "23:00", "01:00");
        check(sunday(), "2026-11-26T12:00:00Z", "2026-11-29T23:00:00Z");
        check(sunday(), "2026-11-30T00:30:00Z", "2026-11-30T00:30:00Z");
        check(sunday(), "2026-11-30T01:00:00Z", "2026-12-06T23:00:00Z");
    }

    #[test]
    fn without_windows_any_time_is_fine() {
        let now = at("2026-11-26T12:00:00Z");
        assert_eq!(next_window(&[], now), now);
    }

    #[test]
    fn the_stricter_of_two_freezes_holds() {
        let freeze_of = |allow_critical, reason: &str| Freeze {
            from: "2026-12-20T00:00:00Z".parse().unwrap(),
            to: "2027-01-02T00:00:00Z".parse().unwrap(),
            reason: reason.to_owned(),
            allow_critical,
        };
        let both = [freeze_of(true, "holidays"), freeze_of(false, "audit")];
        let reason = |now| freeze(&both, at(now)).map(|freeze| freeze.reason.as_str());
        assert_eq!(reason("2026-12-24T18:00:00Z"), Some("audit"));
        assert_eq!(reason("2027-01-02T00:00:00Z"), None);
    }
}

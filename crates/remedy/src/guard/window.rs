//! When plans that can wait are carried out, and when nothing is.

use jiff::ToSpan as _;
use jiff::civil::Weekday;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use series::Timestamp;

use super::zone::Zone;

/// Days ahead in which a window is looked for: one of a week is there, even when a clock that is put forward leaves out the
/// hours of the first.
const DAYS_AHEAD: i64 = 14;

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
    /// When it begins, `02:00`, by the clock of [`Settings::time_zone`](crate::Settings::time_zone).
    pub from: jiff::civil::Time,
    /// When it ends; on the next day when that is not after `from`.
    pub to: jiff::civil::Time,
}

/// A time in which nothing is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// From when, `2026-12-20T00:00:00Z`.
    #[serde(deserialize_with = "instant")]
    pub from: jiff::Timestamp,
    /// Until when.
    #[serde(deserialize_with = "instant")]
    pub to: jiff::Timestamp,
    /// Why: for people.
    pub reason: String,
    /// Whether what a person approved for a critical issue is carried out all the same.
    #[serde(default)]
    pub allow_critical: bool,
}

/// Says how an instant is written: people write days, and those begin at another instant in each time zone.
fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<jiff::Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| {
        let told: String = text.chars().take(80).collect();
        D::Error::custom(format!(
            "{told:?} is not an instant: expected a day, a time and a zone, such as 2026-12-20T00:00:00Z or \
             2026-12-20T00:00:00+01:00"
        ))
    })
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl Window {
    pub(crate) fn problem(&self) -> Option<String> {
        (self.from == self.to).then(|| format!("it begins and ends at {}", self.from))
    }

    fn is_on(&self, day: Day) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }

    /// The next instant from `at` on that lies in it: `at` itself when it does. `None` where the calendar ends.
    fn next(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let today = zone.clock(at)?.date();
        // One that began yesterday may still be open.
        (-1..=DAYS_AHEAD).find_map(|days| {
            let first = today.checked_add(days.days()).ok()?;
            let last = if self.from < self.to {
                first
            } else {
                first.tomorrow().ok()?
            };
            let from = zone.instant(first.to_datetime(self.from))?;
            let to = zone.instant(last.to_datetime(self.to))?;
            let is_ahead = from < to && at < to;
            (is_ahead && self.is_on(first.weekday().into())).then(|| from.max(at))
        })
    }
}

impl Freeze {
    pub(crate) fn problem(&self) -> Option<String> {
        (self.from >= self.to).then(|| {
            format!(
                "it begins at {} and ends at {}, which is not later",
                self.from, self.to
            )
        })
    }
}

/// The next instant from `at` on in one of the windows; `at` itself without windows, or within one. Where the calendar ends
/// there is none before the end of time.
#[must_use]
pub fn next_window(windows: &[Window], at: Timestamp, zone: &Zone) -> Timestamp {
    if windows.is_empty() {
        return at;
    }
    let next = windows.iter().filter_map(|window| window.next(at, zone));
    next.min().unwrap_or(Timestamp::from_micros(i64::MAX))
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

    /// When the windows are open next, seen from some instants.
    fn check(windows: &[Window], zone: &str, cases: &[(&str, &str)]) {
        let zone = zone.parse().unwrap();
        for (now, expected) in cases {
            let next = next_window(windows, at(now), &zone);
            assert_eq!(next, at(expected), "{now} in {zone}");
        }
    }

    #[test]
    fn the_next_window_is_found_over_midnight_and_over_the_week() {
        // 2026-11-26 is a Thursday.
        let night = [
            ("2026-11-26T12:00:00Z", "2026-11-26T22:00:00Z"),
            ("2026-11-26T23:00:00Z", "2026-11-26T23:00:00Z"),
            ("2026-11-27T03:59:00Z", "2026-11-27T03:59:00Z"),
            ("2026-11-27T04:00:00Z", "2026-11-27T22:00:00Z"),
        ];
        check(&[window(&[], "22:00", "04:00")], "UTC", &night);
        let sunday = [
            ("2026-11-26T12:00:00Z", "2026-11-29T23:00:00Z"),
            ("2026-11-30T00:30:00Z", "2026-11-30T00:30:00Z"),
            ("2026-11-30T01:00:00Z", "2026-12-06T23:00:00Z"),
        ];
        check(&[window(&[Day::Sunday], "23:00", "01:00")], "UTC", &sunday);
    }

    #[test]
    fn a_window_goes_by_the_clock_on_the_wall() {
        // Clocks in Berlin are put back on 25 October and forward on 28 March.
        let early = [
            ("2026-10-24T12:00:00Z", "2026-10-25T03:00:00Z"),
            ("2026-10-25T12:00:00Z", "2026-10-26T03:00:00Z"),
            ("2027-03-27T12:00:00Z", "2027-03-28T02:00:00Z"),
        ];
        check(&[window(&[], "04:00", "05:00")], "Europe/Berlin", &early);
        // From Sunday, 15:00 UTC on it is Monday in Tokyo.
        let monday = [("2026-11-27T12:00:00Z", "2026-11-29T15:30:00Z")];
        check(
            &[window(&[Day::Monday], "00:30", "01:00")],
            "Asia/Tokyo",
            &monday,
        );
    }

    #[test]
    fn an_hour_that_a_clock_leaves_out_is_no_window() {
        let skipped = [
            ("2027-03-22T12:00:00Z", "2027-04-04T00:00:00Z"),
            ("2027-03-28T01:00:00Z", "2027-04-04T00:00:00Z"),
        ];
        let window = window(&[Day::Sunday], "02:00", "03:00");
        check(&[window], "Europe/Berlin", &skipped);
    }

    #[test]
    fn without_windows_any_time_is_fine_and_where_the_calendar_ends_there_is_none() {
        let check = |windows: &[Window], now, expected| {
            let next = next_window(windows, Timestamp::from_micros(now), &Zone::default());
            assert_eq!(next, Timestamp::from_micros(expected));
        };
        check(&[], 5, 5);
        let night = [window(&[], "22:00", "04:00")];
        check(&night, i64::MIN, i64::MAX);
        check(&night, i64::MAX - 1, i64::MAX);
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

//! Days and instants in UTC, as partitions and tables write them.

use jiff::civil::Date;

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// The day of an instant: days since 1970-01-01, microseconds since the epoch in.
#[must_use]
pub const fn day_of(time_us: i64) -> i64 {
    time_us.div_euclid(DAY_US)
}

/// A day as `YYYY-MM-DD`; a plain number where no calendar reaches.
#[must_use]
pub fn day_text(day: i64) -> String {
    let date = day
        .checked_mul(DAY_US)
        .and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
    date.map_or_else(
        || day.to_string(),
        |instant| instant.strftime("%Y-%m-%d").to_string(),
    )
}

/// Reads `YYYY-MM-DD`, and nothing else that a calendar might accept.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let instant = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let day = day_of(instant.as_microsecond());
    (day_text(day) == text).then_some(day)
}

/// An instant as RFC 3339 in UTC with the digits that it has; microseconds where no calendar reaches.
pub(crate) fn instant_text(time_us: i64) -> String {
    jiff::Timestamp::from_microsecond(time_us)
        .map_or_else(|_| time_us.to_string(), |instant| instant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_both_ways() {
        for text in ["1969-12-31", "1970-01-01", "2024-02-29"] {
            assert_eq!(parse_day(text).map(day_text).as_deref(), Some(text));
        }
        assert_eq!((day_of(-1), day_of(0), day_of(DAY_US)), (-1, 0, 1));
        for text in [
            "2024-2-9",
            "2023-02-29",
            "yesterday",
            "",
            "2024-01-01T00:00:00",
        ] {
            assert_eq!(parse_day(text), None, "{text}");
        }
        assert_eq!(day_text(i64::MAX), i64::MAX.to_string());
        assert_eq!(instant_text(1_500_000), "1970-01-01T00:00:01.5Z");
    }
}

//! What a time column may hold.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use series::Timestamp;

/// A time as people and exporters write it.
///
/// - RFC 3339, with `T` or a blank in the middle and `Z` or an offset at the end;
/// - `YYYY-MM-DD HH:MM:SS[.ffffff]`, or a date alone, which are taken as UTC;
/// - a number, see [`from_number`].
///
/// `None` for anything else. Finer than a microsecond is cut off.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(n) = text.parse::<i64>() {
        return from_integer(n);
    }
    // Digits decide: `inf` and `nan` are numbers to Rust, and no times.
    if text
        .as_bytes()
        .first()
        .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'))
        && let Ok(x) = text.parse::<f64>()
    {
        return from_number(x);
    }
    let zoned = text
        .get(10..)
        .is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
    let instant = if zoned {
        text.parse::<jiff::Timestamp>().ok()?
    } else {
        Offset::UTC
            .to_timestamp(text.parse::<DateTime>().ok()?)
            .ok()?
    };
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

/// A whole number as a time: exact, where [`from_number`] would round nanoseconds.
pub(super) fn from_integer(n: i64) -> Option<Timestamp> {
    match n.unsigned_abs() {
        0..100_000_000_000 => Some(Timestamp::from_micros(n * 1_000_000)),
        100_000_000_000..100_000_000_000_000 => Some(Timestamp::from_micros(n * 1_000)),
        100_000_000_000_000..100_000_000_000_000_000 => Some(Timestamp::from_micros(n)),
        _ => Some(Timestamp::from_micros(n / 1_000)),
    }
}

/// A number as a time, its unit told by its size.
///
/// Under 10¹¹ it is seconds (until the year 5138; plain indices 0, 1, 2 … are seconds too), under 10¹⁴
/// milliseconds, under 10¹⁷ microseconds, else nanoseconds. Each of the finer units begins in March 1973, so no
/// recording of a computer of our time is misread. `None` if not finite or out of range.
pub(super) fn from_number(x: f64) -> Option<Timestamp> {
    let seconds = match x.abs() {
        a if a < 1e11 => x,
        a if a < 1e14 => x / 1e3,
        a if a < 1e17 => x / 1e6,
        _ => x / 1e9,
    };
    Timestamp::from_secs_f64(seconds)
}

/// Units per second of a time that is a plain number, as [`from_number`] tells them; `None` for a date.
pub(super) fn units_per_second(text: &str) -> Option<i64> {
    match text.parse::<f64>().ok().filter(|x| x.is_finite())?.abs() {
        a if a < 1e11 => Some(1),
        a if a < 1e14 => Some(1_000),
        a if a < 1e17 => Some(1_000_000),
        _ => Some(1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, micros: Option<i64>) {
        assert_eq!(parse(text).map(Timestamp::micros), micros, "{text}");
    }

    #[test]
    fn reads_dates() {
        check("1970-01-01T00:00:01Z", Some(1_000_000));
        check("1970-01-01 00:00:01", Some(1_000_000));
        check("1970-01-01", Some(0));
        check("2018-06-19 01:00:00", Some(1_529_370_000_000_000));
        check("2018-06-19T01:00:00.000001", Some(1_529_370_000_000_001));
        check("2018-06-19T03:00:00.25+02:00", Some(1_529_370_000_250_000));
        check("2018-06-19 01:00:00Z", Some(1_529_370_000_000_000));
        check("2018-06-18t21:00:00-04:00", Some(1_529_370_000_000_000));
    }

    #[test]
    fn tells_the_unit_of_a_number_by_its_size() {
        check("0", Some(0));
        check("17", Some(17_000_000));
        check("-0.5", Some(-500_000));
        check("1795318568.281", Some(1_795_318_568_281_000));
        check("1795318568", Some(1_795_318_568_000_000));
        check("1795318568281", Some(1_795_318_568_281_000));
        check("1795318568281000", Some(1_795_318_568_281_000));
        check("1795318568281000999", Some(1_795_318_568_281_000));
        check("1.795318568281e18", Some(1_795_318_568_281_000));
    }

    #[test]
    fn numbers_keep_their_unit_and_dates_have_none() {
        let units = [
            "17",
            "-0.5",
            "1795318568.281",
            "1795318568281",
            "1795318568281000",
            "1795318568281000999",
        ];
        let per_second = units.map(units_per_second);
        assert_eq!(
            per_second,
            [1, 1, 1, 1_000, 1_000_000, 1_000_000_000].map(Some)
        );
        assert_eq!(["2018-06-19", "", "nan"].map(units_per_second), [None; 3]);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "nan",
            "inf",
            "-inf",
            "yesterday",
            "1e300",
            "2018-13-01 00:00:00",
            "12:00:00",
            "2018/06/19",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,40}", x in any::<f64>(), n in any::<i64>()) {
            let _ = (parse(&text), from_number(x), from_integer(n));
        }
    }
}

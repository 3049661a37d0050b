//! Instants as text: the way in which a recording wrote them, so that other tools find the same rows again.

use series::Timestamp;

/// How a recording writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TimeForm {
    /// `2024-05-01 12:00:00[.ffffff]`, in UTC.
    #[default]
    Date,
    /// A plain number since the epoch.
    Number {
        /// 1 for seconds, 1,000 for milliseconds and so on; at least 1.
        per_second: i64,
    },
}

impl TimeForm {
    /// `at` in this form. What no calendar reaches is written as seconds.
    pub(crate) fn write(self, at: Timestamp) -> String {
        match self {
            Self::Date => date(at).unwrap_or_else(|| at.to_string()),
            Self::Number { per_second } => number(at, per_second.max(1)),
        }
    }
}

/// `2024-05-01 12:00:00[.ffffff]` in UTC; `None` outside the years -9999 to 9999.
fn date(at: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    Some(instant.strftime("%Y-%m-%d %H:%M:%S%.f").to_string())
}

/// In exact integer arithmetic: an `f64` of seconds would round microseconds away.
fn number(at: Timestamp, per_second: i64) -> String {
    const US_PER_SECOND: i128 = 1_000_000;
    let scaled = i128::from(at.micros()) * i128::from(per_second);
    let (whole, rest) = (scaled / US_PER_SECOND, scaled % US_PER_SECOND);
    if rest == 0 {
        return whole.to_string();
    }
    let sign = if scaled < 0 { "-" } else { "" };
    let fraction = format!("{:06}", rest.unsigned_abs());
    format!(
        "{sign}{}.{}",
        whole.unsigned_abs(),
        fraction.trim_end_matches('0')
    )
}

/// A length of time for people: `850ms`, `42s`, `3m 20s`, `2h 05m`, `4d 03h`. Negative lengths read as `0s`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds <= 0.0 || !seconds.is_finite() {
        return "0s".to_owned();
    }
    if seconds < 1.0 {
        return format!("{:.0}ms", seconds * 1e3);
    }
    #[expect(clippy::cast_sign_loss, reason = "positive, checked above")]
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m {:02}s", s / 60, s % 60),
        3_600..86_400 => format!("{}h {:02}m", s / 3_600, s % 3_600 / 60),
        _ => format!("{}d {:02}h", s / 86_400, s % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_every_digit_and_no_more() {
        let at = Timestamp::from_micros(1_714_564_800_000_000);
        assert_eq!(TimeForm::Date.write(at), "2024-05-01 12:00:00");
        assert_eq!(
            TimeForm::Date.write(at.plus_micros(1_500)),
            "2024-05-01 12:00:00.0015"
        );
        assert_eq!(
            TimeForm::Date.write(Timestamp::from_micros(i64::MAX)),
            "9223372036854.775807"
        );
        let number = |per_second: i64, at: Timestamp| TimeForm::Number { per_second }.write(at);
        assert_eq!(number(1, at), "1714564800");
        assert_eq!(number(1, at.plus_micros(250_000)), "1714564800.25");
        assert_eq!(number(1, Timestamp::from_micros(-250_000)), "-0.25");
        assert_eq!(number(1_000, at), "1714564800000");
        assert_eq!(number(1_000, at.plus_micros(1)), "1714564800000.001");
        assert_eq!(number(1_000_000, at), "1714564800000000");
        assert_eq!(number(1_000_000_000, at), "1714564800000000000");
    }

    #[test]
    fn durations_read_at_a_glance() {
        let texts = [-1.0, 0.25, 42.0, 200.0, 7_500.0, 356_400.0].map(duration);
        assert_eq!(texts, ["0s", "250ms", "42s", "3m 20s", "2h 05m", "4d 03h"]);
    }
}

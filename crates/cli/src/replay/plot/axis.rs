//! Where axes have their ticks, and what stands beside them.

use series::Timestamp;

/// A tick: where on the axis, and its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick<T> {
    pub(super) at: T,
    pub(super) text: String,
}

/// About `n` round values within `low..=high`, in steps of 1, 2 or 5 times a power of ten.
pub(super) fn values(low: f64, high: f64, n: usize) -> Vec<Tick<f64>> {
    let rough = (high - low) / n.max(1) as f64;
    if !(rough > 0.0 && rough.is_finite()) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .find(|s| *s >= rough)
        .unwrap_or(rough);
    let first = (low / step).ceil();
    let last = (high / step).floor();
    // Tiny steps on huge values do not advance an f64: without a bound this could run for ever.
    let count = ((last - first) as i64).clamp(-1, 50);
    (0..=count)
        .map(|i| (first + i as f64) * step)
        .map(|at| Tick {
            at,
            text: short(at, step),
        })
        .collect()
}

/// With as many decimals as the step needs, thousands and millions shortened.
fn short(x: f64, step: f64) -> String {
    const SCALES: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // Adding zero turns -0 into 0.
    let x = if x.abs() < step / 2.0 { 0.0 } else { x };
    if x != 0.0 && x.abs().max(step) < 1e-4 {
        return format!("{x:.1e}");
    }
    let (scale, suffix) = SCALES
        .into_iter()
        .find(|(scale, _)| x.abs() >= *scale)
        .unwrap_or((1.0, ""));
    let decimals = (-(step / scale).log10().floor()).clamp(0.0, 8.0) as i32;
    let text = format!("{:.*}", usize::try_from(decimals).unwrap_or(0), x / scale);
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{suffix}")
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Steps that people count time in, in microseconds.
const STEPS: [i64; 27] = [
    1_000,
    10_000,
    100_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    600 * SECOND,
    900 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    7_200 * SECOND,
    10_800 * SECOND,
    21_600 * SECOND,
    43_200 * SECOND,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    364 * DAY,
];

/// At most `n` round instants within `from..=to`; the first carries the full date, later ones what changes.
pub(super) fn times(from: Timestamp, to: Timestamp, n: usize) -> Vec<Tick<Timestamp>> {
    let span = to - from;
    if span <= 0 {
        return Vec::new();
    }
    let enough = |step: &i64| span / step <= n as i64;
    let step = STEPS
        .into_iter()
        .find(enough)
        .unwrap_or(span / n.max(1) as i64);
    let first = from.micros().div_euclid(step) * step;
    let instants = (0..=n as i64 + 1).map(|i| first.saturating_add(i * step));
    let inside = instants.filter(|us| (from.micros()..=to.micros()).contains(us));
    let mut ticks = Vec::new();
    let mut day = None;
    for us in inside {
        let Ok(instant) = jiff::Timestamp::from_microsecond(us) else {
            continue;
        };
        let this_day = us.div_euclid(DAY);
        let format = match (day.replace(this_day), step) {
            (None, DAY..) => "%Y-%m-%d",
            (Some(_), DAY..) => "%m-%d",
            (before, _) if before != Some(this_day) => "%m-%d %H:%M",
            (_, 60_000_000..) => "%H:%M",
            _ => "%H:%M:%S%.f",
        };
        ticks.push(Tick {
            at: Timestamp::from_micros(us),
            text: instant.strftime(format).to_string(),
        });
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_values(low: f64, high: f64, expected: &str) {
        let texts: Vec<String> = values(low, high, 4)
            .into_iter()
            .map(|tick| tick.text)
            .collect();
        assert_eq!(texts.join(" "), expected);
    }

    #[test]
    fn values_are_round() {
        check_values(0.0, 100.0, "0 50 100");
        check_values(-1.3, 2.9, "0 2");
        check_values(0.0, 7.1e9, "0 2G 4G 6G");
        check_values(0.97, 1.0, "0.97 0.98 0.99 1");
        check_values(0.0, 1e-6, "0 5.0e-7 1.0e-6");
        check_values(1500.0, 2500.0, "1.5k 2k 2.5k");
        check_values(5.0, 5.0, "");
        check_values(f64::NEG_INFINITY, f64::INFINITY, "");
    }

    #[test]
    fn times_say_what_changes() {
        let at = |text: &str| {
            Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
        };
        let check = |from: &str, to: &str, expected: &str| {
            let texts: Vec<String> = times(at(from), at(to), 6)
                .into_iter()
                .map(|tick| tick.text)
                .collect();
            assert_eq!(texts.join(", "), expected);
        };
        check(
            "2024-05-01T22:50:00Z",
            "2024-05-02T01:10:00Z",
            "05-01 23:00, 23:30, 05-02 00:00, 00:30, 01:00",
        );
        check(
            "2024-05-01T00:00:00Z",
            "2024-05-05T00:00:00Z",
            "2024-05-01, 05-02, 05-03, 05-04, 05-05",
        );
        check(
            "2024-05-01T00:00:00Z",
            "2024-05-01T00:00:02Z",
            "05-01 00:00, 00:00:01, 00:00:02",
        );
        check("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z", "");
    }
}

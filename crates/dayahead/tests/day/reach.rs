//! The forecast catches what crosses the limit in 6 to 20 hours, and does not cry over mornings; a line does both
//! wrong.

use dayahead::{DayAhead, Method, Options};

use super::levels::{Level, SAMPLE_S, history, linear_s, middle_s, n_samples};

const GROWING: Level = Level {
    base: 0.40,
    height: 0.15,
    per_day: 0.015,
    wander: 0.01,
    noise: 0.004,
};

/// Of 21 days that end at so many hours after midnight of a weekday, made so that the limit is crossed so many hours
/// later, or the day's top stays this much under it.
struct Case {
    seed: u64,
    samples: Vec<f64>,
    crosses_s: f64,
}

impl Case {
    /// Moves the level so that the coming day's top is `top` of the limit, and notes when it is crossed.
    fn new(level: Level, days: f64, hour: f64, top: f64, seed: u64) -> Self {
        let known = n_samples(24.0 * days + hour);
        let mut all = level.samples(24.0 * days + hour + 30.0, seed);
        let highest = all[known..].iter().fold(0.0_f64, |high, &x| high.max(x));
        for level in &mut all {
            *level = (*level + top - highest).max(0.0);
        }
        let crossed = all[known..].iter().position(|&level| level >= 1.0);
        Self {
            seed,
            samples: all[..known].to_vec(),
            crosses_s: crossed.map_or(f64::INFINITY, |i| (i + 1) as f64 * f64::from(SAMPLE_S)),
        }
    }

    fn forecast(&self) -> DayAhead {
        let (history, now) = history(&self.samples);
        DayAhead::of(&history, now, &Options::default()).expect("weeks of history")
    }
}

fn relative(said_s: f64, true_s: f64) -> f64 {
    (said_s - true_s).abs() / true_s
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn what_crosses_is_caught_and_a_line_misses_it() {
    // From the evening and the night before: the line points down or is flat, and the limit is crossed next day.
    let cases: Vec<Case> = [
        (17.0, 20.0),
        (17.0, 22.0),
        (17.0, 26.0),
        (18.0, 1.0),
        (10.0, 4.0),
        (18.0, 6.0),
    ]
    .into_iter()
    .flat_map(|(days, hour)| (0..8).map(move |seed| Case::new(GROWING, days, hour, 1.05, seed)))
    .filter(|case| (6.0..20.0).contains(&(case.crosses_s / 3_600.0)))
    .collect();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut offs = Vec::new();
    for case in &cases {
        let said = case.forecast();
        let (p, off) = (
            said.within(86_400.0),
            relative(middle_s(&said), case.crosses_s),
        );
        let context = format!(
            "{} samples, seed {}: {} s",
            case.samples.len(),
            case.seed,
            case.crosses_s
        );
        assert!(said.method == Method::Mstl && p > 0.5, "{context}: {p}");
        // Before two weeks are known, weekends flatten what is taken for a day.
        let weeks = case.samples.len() >= n_samples(14.0 * 24.0);
        assert!(!weeks || off < 0.25, "{context}, said {}", middle_s(&said));
        offs.push(off);
    }
    let typical = median(offs);
    assert!(typical < 0.1, "the median is off by {typical}");
    let line = |case: &Case| relative(linear_s(&case.samples, 4.0), case.crosses_s);
    let naive = median(cases.iter().map(line).collect());
    assert!(naive > 0.5, "a line is off by {naive}");
}

#[test]
fn a_morning_is_no_exhaustion_and_a_line_says_so() {
    // At 9 and at 11 the level climbs steeply, and its top at 16 is 8 % under the limit.
    let cases: Vec<Case> = [(17.0, 9.0), (18.0, 10.0), (11.0, 11.0), (4.0, 9.0)]
        .into_iter()
        .flat_map(|(days, hour)| (0..5).map(move |seed| Case::new(GROWING, days, hour, 0.92, seed)))
        .collect();
    for case in &cases {
        let p = case.forecast().within(86_400.0);
        assert!(
            p < 0.2,
            "{} samples, seed {}: {p}",
            case.samples.len(),
            case.seed
        );
    }
    let fooled = |case: &&Case| linear_s(&case.samples, 2.0) < 86_400.0;
    assert_eq!(cases.iter().filter(fooled).count(), cases.len());
}

#[test]
fn a_weekend_is_seen_coming() {
    // Friday evening, and weekdays would cross the limit tomorrow: the level halves its height instead.
    let level = Level {
        per_day: 0.0,
        height: 0.2,
        ..GROWING
    };
    for seed in 0..5 {
        let mut samples = level.samples(24.0 * 18.0 + 20.0, seed);
        let highest = samples.iter().fold(0.0_f64, |high, &x| high.max(x));
        for level in &mut samples {
            *level = (*level + 0.99 - highest).max(0.0);
        }
        let (history, now) = history(&samples);
        let said = DayAhead::of(&history, now, &Options::default()).expect("weeks of history");
        assert!(
            said.within(86_400.0) < 0.05,
            "seed {seed}: {}",
            said.within(86_400.0)
        );
        // On Sunday evening, Monday is seen.
        let top = said
            .knots
            .iter()
            .fold(0.0_f32, |top, knot| top.max(knot.median));
        assert!(top < 0.93, "{top}");
    }
}

/// A week that was seen twice must not take a steady growth for its season.
#[test]
fn steady_growth_goes_on_whatever_its_age() {
    for days in [3.0, 7.0, 10.0, 14.0, 15.0, 20.0] {
        let whole = 24.0 * days + 10.0;
        let samples: Vec<f64> = (0..n_samples(24.0 * days))
            .map(|i| {
                let left = whole - i as f64 * f64::from(SAMPLE_S) / 3_600.0;
                1.0 - 0.8 * left / whole
            })
            .collect();
        let (history, now) = history(&samples);
        let ahead = DayAhead::of(&history, now, &Options::default()).expect("days of history");
        let (within, middle_h) = (ahead.within(86_400.0), middle_s(&ahead) / 3_600.0);
        assert!(within > 0.9, "{days} days: P = {within}");
        assert!((middle_h - 10.0).abs() < 5.0, "{days} days: {middle_h} h");
    }
}

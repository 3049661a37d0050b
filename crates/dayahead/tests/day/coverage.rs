//! Nine of ten levels lie within the interval of 90 %.

use dayahead::{DayAhead, Method, Options};

use super::levels::{Level, history, n_samples};

const STEADY: Level = Level {
    base: 0.50,
    height: 0.12,
    per_day: 0.004,
    wander: 0.02,
    noise: 0.005,
};

const SIMULATIONS: u64 = 100;

/// The share of half-hourly means over the next day that lie within the band, over all simulations; and the median
/// width of the band.
fn covered(level: Level, hours: f64, method: Method) -> (f64, f64) {
    let (mut inside, mut all, mut widths) = (0, 0, Vec::new());
    for seed in 0..SIMULATIONS {
        let known = n_samples(hours);
        let samples = level.samples(hours + 30.0, seed);
        let (history, now) = history(&samples[..known]);
        let options = Options {
            method,
            seed,
            ..Options::default()
        };
        let said = DayAhead::of(&history, now, &options).expect("enough history");
        assert_eq!(said.method, method);
        for (i, knot) in said.knots.iter().enumerate().take(48) {
            let slot = &samples[known + 6 * i..known + 6 * (i + 1)];
            let mean = slot.iter().sum::<f64>() / 6.0;
            inside += usize::from((f64::from(knot.low)..=f64::from(knot.high)).contains(&mean));
            all += 1;
            widths.push(f64::from(knot.high - knot.low));
        }
    }
    widths.sort_by(f64::total_cmp);
    (
        f64::from(inside as u32) / f64::from(all),
        widths[widths.len() / 2],
    )
}

#[test]
fn nine_of_ten() {
    let flat = Level {
        height: 0.0,
        ..STEADY
    };
    // The wandering alone is 3.3 times its deviation wide: no honest band is much narrower.
    let alone = 3.29 * STEADY.wander;
    for (level, days, method, widest) in [
        (STEADY, 20.0, Method::Mstl, 2.0),
        (STEADY, 16.0, Method::Mstl, 2.5),
        (STEADY, 9.0, Method::Mstl, 4.0),
        (STEADY, 4.0, Method::Mstl, 3.0),
        (flat, 1.5, Method::Ets, 4.0),
        (flat, 0.25, Method::Trend, 6.0),
    ] {
        let (share, width) = covered(level, 24.0 * days, method);
        assert!(
            (0.8..=0.98).contains(&share),
            "{days} days, {}: {share}",
            method.name()
        );
        assert!(
            width < widest * alone,
            "{days} days, {}: {width}",
            method.name()
        );
    }
}

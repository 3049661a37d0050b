//! Prophet forecasts as the others do. Its runtime takes half a minute to start in a build that is not optimised.

use dayahead::{DayAhead, Method, Options};

use super::levels::{Level, history, n_samples};

#[test]
fn a_day_is_forecast_and_again_nearly_the_same() {
    let level = Level {
        base: 0.45,
        height: 0.15,
        per_day: 0.01,
        wander: 0.005,
        noise: 0.004,
    };
    let hours = 24.0 * 17.0;
    let all = level.samples(hours + 30.0, 7);
    let known = n_samples(hours);
    let (history, now) = history(&all[..known]);
    let options = Options {
        method: Method::Prophet,
        ..Options::default()
    };
    let forecast = || DayAhead::of(&history, now, &options).expect("weeks of history");
    let (said, again) = (forecast(), forecast());
    assert_eq!(said.method, Method::Prophet);
    // Its columns are in the order of a hash map, so its optimiser stops elsewhere each time.
    for (knot, same) in said.knots.iter().zip(&again.knots) {
        assert!(
            (knot.median - same.median).abs() < 0.01,
            "{knot:?} {same:?}"
        );
    }
    for (i, knot) in said.knots.iter().enumerate().take(48) {
        let mean = all[known + 6 * i..known + 6 * (i + 1)].iter().sum::<f64>() / 6.0;
        let off = f64::from(knot.median) - mean;
        assert!(off.abs() < 0.05, "{knot:?}: {mean}");
    }
}

//! Events: which stories open one, how long it lasts, and what falls silent by itself.

use expect_test::{Expect, expect};
use series::Unit;
use testkit::{DAY, Trace, constant, gaussian, seasonal};

use crate::{AT, judge, judge_as, opened, picture};

/// Normal noise of 100 ± 5 with a story from [`AT`] on.
fn calm() -> Trace {
    gaussian(1_500, 1)
}

/// The picture from ten samples before [`AT`] on; there must be no event beyond its edges.
fn check(trace: &Trace, expected: &Expect) {
    let picture = picture(&judge(trace));
    let shown = AT - 10..AT + 50;
    assert_eq!(
        opened(&judge(trace))
            .iter()
            .filter(|place| !shown.contains(place))
            .count(),
        0,
        "{picture}"
    );
    expected.assert_eq(&picture[shown]);
}

#[test]
fn a_spike_is_seen_once() {
    check(
        &calm().bent(AT..AT + 1, |x| x + 100.0),
        &expect!["..........!-----------x....................................."],
    );
}

#[test]
fn an_outage_is_one_event_until_it_is_over() {
    check(
        &calm().bent(AT..AT + 8, |_| 0.0),
        &expect!["..........!-------------x..................................."],
    );
}

#[test]
fn a_second_anomaly_in_an_open_event_prolongs_it() {
    check(
        &calm()
            .bent(AT..AT + 1, |x| x + 100.0)
            .bent(AT + 5..AT + 6, |x| x - 100.0),
        &expect!["..........!----------------x................................"],
    );
}

#[test]
fn a_second_anomaly_soon_after_the_first_is_found() {
    check(
        &calm()
            .bent(AT..AT + 1, |x| x + 100.0)
            .bent(AT + 30..AT + 31, |x| x - 100.0),
        &expect!["..........!-----------x.................!-----------x......."],
    );
}

#[test]
fn a_second_anomaly_right_after_an_event_is_found() {
    let two = calm()
        .bent(AT..AT + 1, |x| x + 100.0)
        .bent(AT + 18..AT + 19, |x| x - 100.0);
    assert_eq!(opened(&judge(&two)), [AT, AT + 18]);
}

/// The new level is news once, and usual from then on.
#[test]
fn a_level_shift_is_one_event_that_closes() {
    check(
        &calm().bent(AT..1_500, |x| x + 50.0),
        &expect!["..........!-------------x..................................."],
    );
}

#[test]
fn noise_that_grows_is_an_event() {
    check(
        &calm().bent(AT..1_500, |x| 100.0 + 5.0 * (x - 100.0)),
        &expect!["................!--------------x............................"],
    );
}

#[test]
fn a_tiny_change_of_a_constant_is_no_event() {
    for share in [1e-9, 1e-6, 1e-4] {
        let risks = judge(&constant(1_000, 0).bent(AT..AT + 1, |x| x * (1.0 + share)));
        assert_eq!(opened(&risks), [], "{share}");
        let most = risks
            .iter()
            .map(|risk| risk.alert_score)
            .fold(0.0, f32::max);
        // In proportion: a change of 0.1 % may count in full, so one of 0.01 % at most a tenth of that.
        assert!(
            f64::from(most) <= 1_000.0 * share.max(1e-9),
            "{most} for a change by {share}"
        );
    }
}

#[test]
fn a_change_of_a_constant_is_an_event() {
    check(
        &constant(1_000, 0).bent(AT..1_000, |x| x * 1.05),
        &expect!["..........!--------------x.................................."],
    );
}

/// What a metric measures says how small is too small: a mebibyte of memory is, thirty points of a share are not.
#[test]
fn the_unit_tells_which_change_matters() {
    let idle = |level: f64, change: f64| {
        constant(1_000, 0)
            .bent(0..1_000, |_| level)
            .bent(AT..1_000, |x| x + change)
    };
    for (unit, level, small, large) in [
        (Unit::Bytes, 0.0, 1e6, 1e9),
        (Unit::Ratio, 0.0, 0.002, 0.3),
        (Unit::Seconds, 0.001, 0.0002, 0.5),
    ] {
        assert_eq!(opened(&judge_as(unit, &idle(level, small))), [], "{unit:?}");
        assert_eq!(
            opened(&judge_as(unit, &idle(level, large))),
            [AT],
            "{unit:?}"
        );
    }
}

/// A week, and every day has its night: nothing of that is an event, once a day has been seen.
#[test]
fn a_daily_cycle_is_silent() {
    for seed in 0..4 {
        let opened = opened(&judge(&seasonal(7 * DAY, seed)));
        assert!(opened.iter().all(|&place| place < DAY), "{opened:?}");
    }
}

/// A backup that loads a quiet machine for half an hour each noon: news on the first days only.
#[test]
fn a_daily_peak_falls_silent() {
    for seed in 0..4 {
        let mut trace = gaussian(14 * DAY, seed);
        for noon in (DAY / 2..14 * DAY).step_by(DAY) {
            trace = trace.bent(noon..noon + 6, |x| x + 100.0);
        }
        let opened = opened(&judge(&trace));
        assert_eq!(opened.first(), Some(&(DAY / 2)), "{opened:?}");
        assert!(opened.iter().all(|&place| place < 3 * DAY), "{opened:?}");
    }
}

#[test]
fn a_counter_that_begins_again_is_silent() {
    for seed in 0..4 {
        assert_eq!(
            opened(&judge(&testkit::counter(5_000, seed))),
            [],
            "seed {seed}"
        );
    }
}

/// Samples that are missing, for seconds or days, tell nothing that the values do not.
#[test]
fn gaps_are_silent() {
    for seed in 0..4 {
        let (gaps, none) = (testkit::irregular(5_000, seed), gaussian(5_000, seed));
        assert_eq!(opened(&judge(&gaps)), opened(&judge(&none)), "seed {seed}");
    }
}

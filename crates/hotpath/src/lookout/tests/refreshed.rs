//! What is told, how often, and that whatever comes in is borne.

use super::*;

#[test]
fn the_silent_are_not_told_of() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("process_open_fds", 50.0)
            .push("process_max_fds", 100.0)
            .wait(20.0);
    }
    assert_eq!(rig.outlooks().len(), 1);
    rig.wait(400.0);
    assert_eq!(rig.outlooks().len(), 0);
    rig.push("process_open_fds", 50.0);
    assert_eq!(rig.outlooks().len(), 1);
}

#[test]
fn refreshing_is_spread_and_bounded() {
    let mut rig = Rig::with(LookoutConfig::default());
    for i in 0..10 {
        rig.push(&format!("process_open_fds{{i=\"{i}\"}}"), 50.0);
        rig.push(&format!("process_max_fds{{i=\"{i}\"}}"), 100.0);
    }
    rig.wait(20.0);
    for i in 0..10 {
        rig.push(&format!("process_open_fds{{i=\"{i}\"}}"), 50.0);
    }
    let now = Timestamp::from_secs_f64(rig.now_s).unwrap();
    let mut out = Vec::new();
    for expected in [4, 8, 10, 10] {
        rig.lookout.refresh(now, 4, &mut out);
        assert_eq!(out.len(), expected, "each is told once in 30 seconds");
    }
    let mut resources: Vec<u32> = out.iter().map(|o| o.resource).collect();
    resources.sort_unstable();
    assert_eq!(resources, (0..10).collect::<Vec<_>>());
}

#[test]
fn no_more_resources_than_allowed_and_nothing_breaks_on_what_is_hostile() {
    let mut rig = Rig::with(LookoutConfig {
        refresh_s: 0.0,
        max_resources: 3,
        ..LookoutConfig::default()
    });
    for i in 0..6 {
        rig.push(&format!("process_open_fds{{i=\"{i}\"}}"), 50.0);
    }
    assert_eq!(rig.lookout.resources().len(), 3);
    for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0, 5e-324] {
        rig.push("process_max_fds{i=\"0\"}", value);
        rig.push("process_open_fds{i=\"0\"}", value);
        rig.wait(20.0);
        for outlook in rig.outlooks() {
            assert!(
                outlook.within.iter().all(|p| (0.0..=1.0).contains(p)),
                "{outlook:?}"
            );
            assert!(
                outlook.fan.high.iter().all(|x| x.is_finite()),
                "{outlook:?}"
            );
        }
    }
    rig.now_s = 9e12;
    rig.push("process_open_fds{i=\"0\"}", 1.0);
    rig.now_s = -9e12;
    rig.push("process_open_fds{i=\"0\"}", 1.0);
    rig.lookout.push(Sample {
        series: SeriesId(4_000_000),
        at: Timestamp::from_micros(0),
        value: 1.0,
    });
    assert!(rig.lookout.history(999).is_empty());
}

#[test]
fn outlooks_never_contradict_themselves() {
    let mut rig = Rig::new();
    for i in 0..50 {
        rig.push("process_max_fds", 100.0);
        rig.push("process_open_fds", f64::from(i)).wait(20.0);
    }
    let outlook = rig.outlooks()[0];
    assert!(
        outlook.within.windows(2).all(|pair| pair[0] <= pair[1]),
        "{outlook:?}"
    );
    let [early, middle, late] = outlook.ttf_s;
    assert!(early <= middle && middle <= late, "{outlook:?}");
    for i in 0..predict::exhaustion::FAN_POINTS {
        let fan = &outlook.fan;
        assert!(fan.low[i] <= fan.median[i] + 1e-3 && fan.median[i] <= fan.high[i] + 1e-3);
    }
}

#[test]
fn a_level_above_its_limit_is_told_as_it_is() {
    let mut rig = Rig::new();
    for _ in 0..5 {
        rig.push("process_max_fds", 100.0);
        rig.push("process_open_fds", 150.0).wait(20.0);
    }
    let outlook = rig.outlooks()[0];
    assert!((outlook.level - 150.0).abs() < 1e-9 && (outlook.limit - 100.0).abs() < 1e-9);
    assert!(outlook.within.iter().all(|p| (0.0..=1.0).contains(p)));
    assert!(outlook.ttf_s.iter().all(|s| *s >= 0.0));
    let fan = outlook.fan;
    assert!(
        fan.high
            .iter()
            .chain(&fan.low)
            .all(|level| level.is_finite())
    );
}

/// A stock is told after a service whose latency is high; its own factors know of none.
#[test]
fn nothing_is_carried_from_one_resource_to_the_next() {
    let stock = |rig: &mut Rig| {
        rig.push("process_open_fds", 40.0);
        rig.push("process_max_fds", 100.0);
    };
    let told_of_stock = |rig: &mut Rig| {
        let outlooks = rig.outlooks();
        let mut found = outlooks
            .into_iter()
            .filter(|o| o.family == Family::Descriptors);
        found.next().unwrap()
    };
    let (mut alone, mut beside) = (Rig::new(), Rig::new());
    for i in 0..8 {
        beside.push(
            "upstream_request_duration_seconds_count",
            f64::from(i) * 10.0,
        );
        beside.push("upstream_request_duration_seconds_sum", f64::from(i) * 9.0);
        stock(&mut beside);
        stock(&mut alone);
        alone.wait(20.0);
        beside.wait(20.0);
    }
    for _ in 0..2 {
        let (alone, beside) = (told_of_stock(&mut alone), told_of_stock(&mut beside));
        assert_eq!(
            (alone.factors, alone.within),
            (beside.factors, beside.within)
        );
    }
}

#[test]
fn samples_that_come_more_seldom_than_bins_leave_some_confidence() {
    let mut rig = Rig::new();
    for _ in 0..400 {
        rig.push("process_open_fds", 40.0);
        rig.push("process_max_fds", 100.0).wait(60.0);
    }
    let outlook = rig.outlooks()[0];
    assert!(
        (outlook.confidence - 1.0 / 3.0).abs() < 0.05,
        "{}",
        outlook.confidence
    );
    assert!(outlook.seen_s > 5_000.0, "{}", outlook.seen_s);
}

//! What no peer may bring about.

use proptest::prelude::*;

use super::*;

#[test]
fn totals_that_are_reset_and_numbers_that_are_none() {
    let mut desk = Desk::new();
    let series = "container_oom_events_total{id=\"/a\"}";
    // Two at 30 s; from the reset on, none.
    let said = told(
        &mut desk,
        series,
        15.0,
        [7.0, f64::NAN, 9.0, 0.0, f64::INFINITY, 0.0],
    );
    assert_eq!(said, ["30: rule+"]);
    let latency = "probe_duration_seconds";
    let odd = [
        f64::NAN,
        f64::INFINITY,
        -f64::MAX,
        f64::MAX,
        f64::MAX,
        -0.0,
        1e-320,
    ];
    told(&mut desk, latency, 60.0, odd.into_iter().cycle().take(300));
}

#[test]
fn silence_is_not_repeated_and_not_taken_back() {
    let mut desk = Desk::new();
    let series = "probe_duration_seconds";
    told(&mut desk, series, 15.0, levels(&[(10, 0.5)]));
    let mut repeats = Vec::new();
    for s in (140..1_200).step_by(5) {
        desk.signs.tick(at(f64::from(s)), &mut repeats);
    }
    assert!((8..=11).contains(&repeats.len()), "{}", repeats.len());
    assert!(
        repeats
            .iter()
            .all(|found| found.is_present && found.at == at(135.0))
    );
    // Back again, and well.
    let said: Vec<_> = (0..20)
        .map(|i| desk.push(1_200.0 + f64::from(i) * 15.0, series, 0.01))
        .collect();
    assert_eq!(
        said.iter()
            .filter(|said| !said.is_empty())
            .collect::<Vec<_>>(),
        ["rule-"]
    );
}

#[test]
fn a_clock_that_is_set_does_not_end_it() {
    let mut desk = Desk::new();
    let series = "probe_duration_seconds";
    let id = desk.id(series);
    desk.signs
        .push(id, Timestamp::from_micros(i64::MAX), 0.01, &mut desk.out);
    desk.signs
        .push(id, Timestamp::from_micros(i64::MIN), 0.01, &mut desk.out);
    assert_eq!(
        told(&mut desk, series, 15.0, levels(&[(10, 0.5)])),
        ["60: rule+"]
    );
}

#[test]
fn a_hundred_thousand_series_stay_within_bounds() {
    let mut signs = Signs::new(&[], LabelRules::default(), "here").unwrap();
    let mut out = Vec::new();
    for i in 0..120_000_u32 {
        let key =
            SeriesKey::new("probe_duration_seconds", [("instance", format!("h{i}"))]).unwrap();
        if signs.add_series(SeriesId(i), &key) {
            signs.push(SeriesId(i), at(0.0), 0.1, &mut out);
        }
    }
    let counts = signs.counts();
    assert_eq!((counts.watches, counts.refused), (100_000, 20_000));
    assert!(!signs.add_series(
        SeriesId(u32::MAX),
        &"probe_duration_seconds".parse().unwrap()
    ));
    // An hour later there is room again.
    signs.tick(at(4_000.0), &mut out);
    let fresh = SeriesKey::new("probe_duration_seconds", [("instance", "new")]).unwrap();
    assert!(signs.add_series(SeriesId(200_000), &fresh));
    assert_eq!(signs.counts().watches, 100_000);
    for i in 0..20 {
        signs.push(
            SeriesId(200_000),
            at(4_000.0 + f64::from(i) * 15.0),
            0.5,
            &mut out,
        );
        signs.push(
            SeriesId(5),
            at(4_000.0 + f64::from(i) * 15.0),
            0.5,
            &mut out,
        );
    }
    assert!(
        out.iter()
            .any(|found| found.is_present && found.signal.contains("new"))
    );
}

const SERIES: [&str; 16] = [
    "node_cpu_utilization_ratio",
    r#"node_cpu_seconds_total{cpu="0",mode="idle"}"#,
    r#"node_cpu_seconds_total{cpu="0",mode="iowait"}"#,
    "probe_duration_seconds",
    "probe_success",
    r#"http_request_duration_seconds_sum{code="200"}"#,
    r#"http_request_duration_seconds_count{code="200"}"#,
    r#"http_request_duration_seconds_count{code="500"}"#,
    r#"pg_stat_activity_max_tx_duration{datname="a"}"#,
    r#"pg_stat_activity_count{datname="a",state="idle"}"#,
    r#"kube_pod_container_status_restarts_total{pod="a"}"#,
    r#"kube_pod_container_status_last_terminated_reason{pod="a",reason="OOMKilled"}"#,
    r#"kube_pod_container_status_last_terminated_exitcode{pod="a"}"#,
    r#"process_start_time_seconds{comm="a"}"#,
    r#"probe_ssl_earliest_cert_expiry{instance="a"}"#,
    "container_spec_cpu_quota",
];

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..1.5,
        2 => 0.0..100.0,
        1 => 1.69e9..1.71e9,
        1 => any::<f64>(),
    ]
}

fn step_s() -> impl Strategy<Value = f64> {
    prop_oneof![12 => 0.0..20.0, 2 => 0.0..2_000.0, 1 => -1e7..1e7, 1 => -30.0..0.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_comes_findings_are_sound_and_alternate(
        steps in prop::collection::vec((0..20_usize, step_s(), value(), value(), 0..4_u8), 1..400),
    ) {
        let mut desk = Desk::new();
        let mut s = 0.0;
        for (what, step_s, value, other, way) in steps {
            s += step_s;
            match what {
                0..16 => {
                    desk.push(s, SERIES[what], value);
                }
                16 => {
                    let key = ["container_memory_working_set_bytes", "node_cpu_utilization_ratio", "a", "probe_duration_seconds"];
                    let family = [Family::Memory, Family::Cpu, Family::Disk, Family::Dependency][usize::from(way)];
                    let mut outlook = outlook(s, family, value, [other as f32, value as f32], [other, value, other]);
                    outlook.limit = other;
                    outlook.confidence = value as f32;
                    outlook.seen_s = 1000.0 * value as f32;
                    desk.outlook(key[value.to_bits() as usize % 4], &outlook);
                }
                17 => {
                    let phase = [Phase::Opened, Phase::Open, Phase::Closed][usize::from(way % 3)];
                    let id = desk.id(SERIES[3]);
                    let mut risk = risk(s, id.0, phase, value as f32);
                    risk.level = other;
                    desk.signs.event(&SERIES[3].parse().unwrap(), &risk, &mut desk.out);
                    desk.said();
                }
                _ => {
                    desk.signs.tick(at(s), &mut desk.out);
                    desk.said();
                }
            }
        }
    }

    #[test]
    fn hostile_labels_do_no_harm(
        labels in prop::collection::btree_map(0..10_usize, ".{0,600}", 0..8),
        metric in 0..4_usize,
    ) {
        const NAMES: [&str; 10] = ["pod", "instance", "name", "query", "reason", "dependency", "target", "namespace", "exported_pod", "state"];
        let metric = ["probe_duration_seconds", "container_oom_events_total", "probe_ssl_earliest_cert_expiry", "pg_stat_activity_max_tx_duration"][metric];
        let labels = labels.iter().map(|(&name, value)| (NAMES[name], value.as_str()));
        let Ok(key) = SeriesKey::new(metric, labels) else { return Ok(()) };
        let mut desk = Desk::new();
        desk.signs.add_series(SeriesId(0), &key);
        for i in 0..40 {
            desk.signs.push(SeriesId(0), at(f64::from(i) * 15.0), 10.0 + f64::from(i), &mut desk.out);
            desk.said();
        }
        prop_assert!(desk.present.values().any(|is_present| *is_present) || metric.ends_with("expiry"));
    }
}

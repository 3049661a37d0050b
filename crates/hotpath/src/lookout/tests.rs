//! What the lookout makes of what comes in; how good its forecasts are is measured by `forestall eval exhaustion`.

use super::*;
use features::headroom::N_HEADROOM;
use predict::exhaustion::{CLASSES, Network};

/// A judge that says the same of everything: every stretch of time is as likely.
fn judge() -> Arc<Judge> {
    let network = |n: usize| {
        let layer = (vec![0.0; n * CLASSES], vec![0.0; CLASSES]);
        Network::new(n, vec![layer]).unwrap()
    };
    Arc::new(Judge::new(network(N_HEADROOM), network(3 * N_HEADROOM + 1)).unwrap())
}

/// A lookout and the series it was told of.
struct Rig {
    lookout: Lookout,
    keys: Vec<String>,
    now_s: f64,
}

impl Rig {
    fn new() -> Self {
        Self::with(LookoutConfig {
            refresh_s: 0.0,
            ..LookoutConfig::default()
        })
    }

    fn with(config: LookoutConfig) -> Self {
        Self {
            lookout: Lookout::new(config, judge()),
            keys: Vec::new(),
            now_s: 1_000_000.0,
        }
    }

    /// Pushes a value at the present instant, and makes the series known before if need be.
    fn push(&mut self, key: &str, value: f64) -> &mut Self {
        let id = self
            .keys
            .iter()
            .position(|have| have == key)
            .unwrap_or_else(|| {
                self.keys.push(key.to_owned());
                let id = SeriesId(self.keys.len() as u32 - 1);
                let key: SeriesKey = key.parse().unwrap();
                self.lookout.add_series(id, &Arc::new(key));
                id.index()
            });
        self.lookout.push(Sample {
            series: SeriesId(id as u32),
            at: Timestamp::from_secs_f64(self.now_s).unwrap(),
            value,
        });
        self
    }

    fn wait(&mut self, seconds: f64) -> &mut Self {
        self.now_s += seconds;
        self
    }

    fn outlooks(&mut self) -> Vec<Outlook> {
        let mut out = Vec::new();
        let now = Timestamp::from_secs_f64(self.now_s).unwrap();
        self.lookout.refresh(now, usize::MAX, &mut out);
        out
    }

    /// Name, level and limit of each resource that is told of.
    fn told(&mut self) -> Vec<(String, f64, f64)> {
        let outlooks = self.outlooks();
        let name = |outlook: &Outlook| {
            self.lookout.resources()[outlook.resource as usize]
                .key
                .to_string()
        };
        outlooks
            .iter()
            .map(|o| (name(o), o.level, o.limit))
            .collect()
    }

    fn missing(&self) -> Vec<Option<&str>> {
        self.lookout
            .resources()
            .iter()
            .map(|r| r.missing.as_deref())
            .collect()
    }
}

fn told(name: &str, level: f64, limit: f64) -> Vec<(String, f64, f64)> {
    vec![(name.to_owned(), level, limit)]
}

#[test]
fn a_use_meets_its_limit_whichever_comes_first() {
    for limit_first in [false, true] {
        let mut rig = Rig::new();
        for _ in 0..3 {
            if limit_first {
                rig.push("process_max_fds{job=\"a\"}", 100.0);
            }
            rig.push("process_open_fds{job=\"a\"}", 40.0);
            rig.push("process_max_fds{job=\"a\"}", 100.0);
            rig.push("process_max_fds{job=\"b\"}", 7.0);
            rig.wait(20.0);
        }
        assert_eq!(rig.told(), told("process_open_fds{job=\"a\"}", 40.0, 100.0));
    }
}

#[test]
fn connections_are_added_up_and_what_is_reserved_is_not_there() {
    let mut rig = Rig::new();
    for i in 0..3 {
        rig.push("pg_settings_max_connections", 40.0);
        rig.push("pg_settings_superuser_reserved_connections", 3.0);
        rig.push("pg_stat_activity_count{datname=\"x\",state=\"idle\"}", 5.0);
        // What the exporter leaves out is zero.
        if i == 0 {
            rig.push(
                "pg_stat_activity_count{datname=\"x\",state=\"active\"}",
                9.0,
            );
        }
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), told("pg_stat_activity_count", 5.0, 37.0));
}

#[test]
fn who_waits_for_a_connection_is_demand() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("hikaricp_connections_active{pool=\"p\"}", 20.0);
        rig.push("hikaricp_connections_pending{pool=\"p\"}", 15.0);
        rig.push("hikaricp_connections_max{pool=\"p\"}", 20.0);
        rig.wait(20.0);
    }
    assert_eq!(
        rig.told(),
        told("hikaricp_connections_active{pool=\"p\"}", 35.0, 20.0)
    );
}

#[test]
fn pages_that_nobody_mapped_are_no_use_of_memory() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.push("container_spec_memory_limit_bytes{container=\"c\"}", 100.0);
        rig.wait(20.0);
    }
    let name = "container_memory_working_set_bytes{container=\"c\"}";
    assert_eq!(rig.told(), told(name, 95.0, 100.0), "without more to go by");
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.push("container_memory_usage_bytes{container=\"c\"}", 98.0);
        rig.push("container_memory_cache{container=\"c\"}", 80.0);
        rig.push("container_memory_rss{container=\"c\"}", 15.0);
        rig.push("process_resident_memory_bytes", 25.0);
        rig.wait(20.0);
    }
    // 10 of 80 are mapped, so 70 can be dropped.
    assert_eq!(rig.told(), told(name, 28.0, 100.0));
}

#[test]
fn without_a_limit_nothing_is_foreseen_and_it_is_said_what_is_missing() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        // As the kernel writes "no limit", and as cAdvisor does.
        rig.push("node_filesystem_avail_bytes{mountpoint=\"/\"}", 5.0);
        rig.push("node_filesystem_size_bytes{mountpoint=\"/\"}", 0.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), []);
    let expected = [
        Some("container_spec_memory_limit_bytes above 0"),
        Some("node_filesystem_size_bytes"),
    ];
    assert_eq!(rig.missing(), expected);
    rig.push(
        "container_spec_memory_limit_bytes{container=\"c\"}",
        9_223_372_036_854_771_712.0,
    );
    assert_eq!(rig.told(), []);
    for _ in 0..2 {
        rig.push("container_spec_memory_limit_bytes{container=\"c\"}", 100.0);
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told().len(), 1);
    assert_eq!(rig.missing()[0], None);
}

#[test]
fn a_setting_or_a_label_tells_a_limit_too() {
    let rule = |metric: &str, limit, family| LimitRule {
        metric: metric.to_owned(),
        labels: vec![("job".to_owned(), "a".to_owned())],
        limit,
        family,
    };
    let mut rig = Rig::with(LookoutConfig {
        refresh_s: 0.0,
        limits: vec![
            rule("redis_connected_clients", 50.0, None),
            rule("queue_length", 1_000.0, Some(Family::Connections)),
        ],
        ..LookoutConfig::default()
    });
    for _ in 0..3 {
        rig.push("redis_connected_clients{job=\"a\"}", 10.0);
        rig.push("queue_length{job=\"a\"}", 100.0);
        rig.push("queue_length{job=\"b\"}", 100.0);
        rig.push("process_open_fds{limit=\"64\"}", 8.0);
        rig.wait(20.0);
    }
    let mut found: Vec<_> = rig
        .told()
        .into_iter()
        .map(|(_, level, limit)| (level, limit))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(found, [(8.0, 64.0), (10.0, 50.0), (100.0, 1_000.0)]);
}

#[test]
fn a_limit_that_moves_takes_the_past_with_it() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.push("process_open_fds", 50.0)
            .push("process_max_fds", 100.0)
            .wait(20.0);
    }
    for _ in 0..2 {
        rig.push("process_open_fds", 50.0)
            .push("process_max_fds", 200.0)
            .wait(20.0);
    }
    let history = rig.lookout.history(0);
    assert!(
        history.iter().all(|(_, level)| (level - 0.25).abs() < 1e-6),
        "{history:?}"
    );
}

#[test]
fn a_new_process_begins_anew_and_so_does_a_clock_that_was_set() {
    let mut rig = Rig::new();
    let fill = |rig: &mut Rig, started: f64| {
        for _ in 0..10 {
            rig.push("process_open_fds", 50.0);
            rig.push("process_max_fds", 100.0);
            rig.push("process_start_time_seconds", started).wait(20.0);
        }
    };
    fill(&mut rig, 1.0);
    assert_eq!(rig.lookout.history(0).len(), 9);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
    rig.wait(-7_200.0);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
    assert_eq!(rig.outlooks().len(), 1, "told again at once");
    rig.wait(7_200.0);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
}

#[test]
fn what_was_exhausted_or_killed_begins_anew() {
    let mut rig = Rig::new();
    let at = |rig: &mut Rig, level: f64, kills: f64| {
        rig.push("container_memory_working_set_bytes", level);
        rig.push("container_oom_events_total", kills);
        rig.push("container_spec_memory_limit_bytes", 100.0)
            .wait(20.0);
        rig.lookout.history(0).len()
    };
    for level in [50.0, 70.0, 90.0] {
        at(&mut rig, level, 0.0);
    }
    assert_eq!(at(&mut rig, 20.0, 0.0), 3, "a clean-up is remembered");
    assert_eq!(at(&mut rig, 98.0, 0.0), 4);
    at(&mut rig, 20.0, 0.0);
    assert_eq!(at(&mut rig, 30.0, 0.0), 1, "one that was full is not");
    for level in [50.0, 70.0, 90.0] {
        at(&mut rig, level, 0.0);
    }
    at(&mut rig, 20.0, 1.0);
    assert_eq!(at(&mut rig, 21.0, 1.0), 1, "nor one that was killed");
}

#[test]
fn bins_without_samples_lie_on_the_line_between_their_neighbours() {
    let mut rig = Rig::new();
    for value in [10.0, 40.0, 70.0] {
        rig.push("process_open_fds", value);
        rig.push("process_max_fds", 100.0).wait(60.0);
    }
    let levels: Vec<f32> = rig
        .lookout
        .history(0)
        .iter()
        .map(|(_, level)| *level)
        .collect();
    for (found, expected) in levels.iter().zip([0.1, 0.2, 0.3, 0.4]) {
        assert!((found - expected).abs() < 1e-6, "{levels:?}");
    }
    assert_eq!(levels.len(), 4);
    assert!(rig.outlooks()[0].confidence < 0.4);
}

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
fn processor_latency_and_errors_make_a_service() {
    let mut rig = Rig::new();
    let (mut time, mut good, mut bad, mut fast, mut all) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for _ in 0..8 {
        rig.push("container_cpu_usage_seconds_total{container=\"c\"}", time);
        rig.push("container_spec_cpu_quota{container=\"c\"}", 50_000.0);
        rig.push("container_spec_cpu_period{container=\"c\"}", 100_000.0);
        rig.push("http_requests_total{code=\"200\"}", good);
        rig.push("http_requests_total{code=\"503\"}", bad);
        rig.push("http_request_duration_seconds_bucket{le=\"0.5\"}", fast);
        rig.push("http_request_duration_seconds_bucket{le=\"1\"}", all);
        rig.push("http_request_duration_seconds_bucket{le=\"+Inf\"}", all);
        rig.wait(20.0);
        (time, good, bad, fast, all) = (
            time + 8.0,
            good + 90.0,
            bad + 10.0,
            fast + 90.0,
            all + 100.0,
        );
    }
    let outlooks = rig.outlooks();
    let cpu = outlooks.iter().find(|o| o.family == Family::Cpu).unwrap();
    assert!(
        (cpu.level - 0.8).abs() < 1e-9 && (cpu.limit - 1.0).abs() < 1e-9,
        "{cpu:?}"
    );
    let entry = &rig.lookout.entries[cpu.resource as usize];
    let how = How {
        recipe: &entry.recipe,
        config: &rig.lookout.config,
        own_limit: None,
    };
    let channels = entry
        .state
        .read(&rig.lookout.members, &how)
        .unwrap()
        .channels;
    // 0.4 of 0.5 cores; 95 of 100 within 0.75 s; a tenth failed, of the fifth that is the limit.
    for (found, expected) in channels.iter().zip([0.8, 0.75, 0.5]) {
        assert!((found - expected).abs() < 1e-4, "{channels:?}");
    }
    // All counters begin anew: what was counted since counts, and nothing jumps.
    for counter in [
        "container_cpu_usage_seconds_total{container=\"c\"}",
        "http_requests_total{code=\"200\"}",
    ] {
        rig.push(counter, 0.0);
    }
    let after = rig.outlooks();
    assert!(
        after.iter().all(|o| o.level.is_finite() && o.level >= 0.0),
        "{after:?}"
    );
}

#[test]
fn of_two_limits_one_stands_and_a_total_that_comes_late_is_no_rush() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("process_open_fds{job=\"a\"}", 40.0);
        rig.push("process_max_fds{from=\"x\",job=\"a\"}", 100.0);
        rig.push("process_max_fds{from=\"y\",job=\"a\"}", 100.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), told("process_open_fds{job=\"a\"}", 40.0, 100.0));

    let mut rig = Rig::new();
    for i in 0..12 {
        rig.push("container_cpu_usage_seconds_total{container=\"c\"}", 0.0);
        rig.push("container_spec_cpu_quota{container=\"c\"}", 50_000.0);
        rig.push("container_spec_cpu_period{container=\"c\"}", 100_000.0);
        if i > 8 {
            // A million failures from before anybody looked.
            rig.push("http_requests_total{code=\"503\"}", 1e6);
            rig.push("http_requests_total{code=\"200\"}", 1e6 + f64::from(i));
        }
        rig.wait(20.0);
    }
    assert!(rig.outlooks()[0].level < 1e-9, "{:?}", rig.outlooks());
    rig.push("container_cpu_usage_seconds_total{container=\"c\"}", 0.0);
    rig.push("http_requests_total{code=\"502\"}", 1.0);
    assert!(
        rig.outlooks()[0].level > 0.1,
        "the first of another kind counts"
    );
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

//! What recordings promise: the same bytes from the same plan, and truths that their own metrics bear out.

use std::collections::{BTreeMap, BTreeSet};

use super::scenario::cast;
use super::*;
use crate::rng::Rng;

/// A recording, read back.
struct Read {
    truth: RecordedTruth,
    text: String,
    /// By series, `metric{labels}`: instants and values.
    series: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Read {
    fn new(plan: &Plan, index: usize) -> Self {
        let mut bytes = Vec::new();
        let scenario = Scenario::draw(plan, index).unwrap();
        let truth = scenario.record(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("ts,metric,labels,value"));
        let mut n = 0;
        for line in lines {
            let (ts, rest) = line.split_once(',').unwrap();
            let (metric, rest) = rest.split_once(',').unwrap();
            let (labels, value) = rest.rsplit_once(',').unwrap();
            let bare = labels.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            let labels = bare.unwrap_or(labels).replace("\"\"", "\"");
            let sample = (ts.parse().unwrap(), value.parse().unwrap());
            let key = format!("{metric}{{{labels}}}");
            series.entry(key).or_default().push(sample);
            n += 1;
        }
        assert_eq!(truth.rows, n);
        Self {
            truth,
            text,
            series,
        }
    }

    /// The samples of the series whose name begins so; several are added up by instant.
    fn sum(&self, prefix: &str) -> Vec<(f64, f64)> {
        let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        let all = (self.series.iter()).filter(|(key, _)| key.starts_with(prefix));
        for (ts, value) in all.flat_map(|(_, samples)| samples) {
            let sum = sums.entry(ts.to_bits()).or_insert((*ts, 0.0));
            sum.1 += value;
        }
        sums.into_values().collect()
    }

    /// The sum at the last scrape.
    fn last(&self, prefix: &str) -> f64 {
        self.sum(prefix)
            .last()
            .unwrap_or_else(|| panic!("{prefix}"))
            .1
    }
}

fn plan(kinds: &[Kind], events: f64) -> Plan {
    Plan {
        kinds: kinds.to_vec(),
        events,
        seed: 3,
        ..Plan::default()
    }
}

/// Adds `change` to a plan.
fn with(mut plan: Plan, change: impl Fn(&mut Plan)) -> Plan {
    change(&mut plan);
    plan
}

const STOCKS: [Kind; 5] = [
    Kind::Memory,
    Kind::Disk,
    Kind::Inodes,
    Kind::Connections,
    Kind::Fd,
];

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let rough = |plan: &mut Plan| {
        (plan.gaps, plan.restarts, plan.several, plan.jitter) = (0.1, 0.5, 0.5, 0.3);
    };
    let first = with(plan(&STOCKS, 0.5), rough);
    let other = with(first.clone(), |plan| plan.seed += 1);
    for index in 0..5 {
        let [one, again, else_] = [&first, &first, &other].map(|plan| Read::new(plan, index));
        assert!(one.text == again.text && one.truth == again.truth);
        assert!(one.text != else_.text && one.truth.id != else_.truth.id);
    }
}

#[test]
fn shares_come_out_as_asked() {
    let plan = with(plan(&Kind::ALL, 0.3), |plan| plan.several = 0.25);
    let casts: Vec<_> = (0..700)
        .map(|index| cast(&plan, index, &mut Rng::new(1, index as u64)))
        .collect();
    for kind in Kind::ALL {
        let of_kind = || casts.iter().filter(|(kinds, _)| kinds[0] == kind);
        let events = of_kind().filter(|(_, event)| *event).count();
        assert_eq!(of_kind().count(), 100);
        assert!((29..=31).contains(&events), "{kind:?}: {events}");
    }
    let several = casts.iter().filter(|(kinds, _)| kinds.len() > 1).count();
    assert!((140..210).contains(&several), "{several}");
    for (kinds, _) in &casts {
        let distinct: BTreeSet<_> = kinds.iter().collect();
        assert!(
            distinct.len() == kinds.len() && kinds.len() <= 3,
            "{kinds:?}"
        );
    }
}

#[test]
fn stocks_end_at_their_limit_and_the_others_do_not() {
    for (place, kind) in STOCKS.into_iter().enumerate() {
        for (events, index) in [(1.0, place), (1.0, place + 5), (0.0, place)] {
            let read = Read::new(&plan(&STOCKS, events), index);
            let truth = &read.truth;
            assert_eq!(
                (truth.kind, truth.exhausted),
                (kind.judged_as(), events > 0.5)
            );
            let (left, whole) = match kind {
                Kind::Memory => {
                    let used = read.sum("container_memory_rss{").into_iter();
                    let (oom, limit) = (
                        read.last("container_oom_events_total"),
                        read.last("container_spec_memory_limit_bytes"),
                    );
                    assert!((oom - events).abs() < 1e-9, "{}", truth.id);
                    // The last scrape before the kill saw less than all.
                    let most = used.map(|(_, used)| used).fold(0.0, f64::max);
                    assert!(most <= limit);
                    (limit * (1.0 - oom), limit)
                }
                Kind::Disk => (
                    read.last("node_filesystem_avail_bytes"),
                    read.last("node_filesystem_size_bytes"),
                ),
                Kind::Inodes => (
                    read.last("node_filesystem_files_free"),
                    read.last("node_filesystem_files{"),
                ),
                Kind::Connections => {
                    let most = read.last("pg_settings_max_connections") - 3.0;
                    (most - read.last("pg_stat_activity_count"), most)
                }
                Kind::Fd | Kind::Cpu | Kind::Dependency => {
                    let most = read.last("process_max_fds");
                    (most - read.last("process_open_fds"), most)
                }
            };
            assert_eq!(
                left.abs() < 1e-9,
                truth.exhausted,
                "{}: {left} of {whole}",
                truth.id
            );
            if let Some(at) = truth.exhaustion_ts {
                let after_s = truth.end_ts - at;
                assert!((after_s - 120.0).abs() < 0.01, "6 bins, not {after_s} s");
                assert!(truth.onset_ts.is_some_and(|onset| onset < at) && truth.evidence.is_some());
            }
        }
    }
}

#[test]
fn services_miss_their_objective_when_the_truth_says_so() {
    for (kind, metric, most) in [
        (Kind::Cpu, "http_request", 0.2),
        (Kind::Dependency, "upstream_request", 0.5),
    ] {
        let read = Read::new(&plan(&[kind], 1.0), 0);
        let grown = |series: &str| {
            let totals = read.sum(series);
            let back = totals.len().checked_sub(6).map_or(0.0, |i| totals[i].1);
            totals.last().map_or(0.0, |last| last.1) - back
        };
        let all = grown(&format!("{metric}s_total{{"));
        let failed = grown(&format!("{metric}s_total{{code=\"50"));
        let slow = all - grown(&format!("{metric}_duration_seconds_bucket{{le=\"1\"}}"));
        let is_missed = failed / all >= most || (kind == Kind::Cpu && slow / all >= 0.04);
        assert!(
            is_missed,
            "{}: {failed} failed and {slow} slow of {all}",
            read.truth.id
        );
        let counted = read.last(&format!("{metric}_duration_seconds_count"));
        assert!((counted - read.last(&format!("{metric}s_total{{"))).abs() < 1e-9);
        // Running totals, and within a scrape no bucket holds less than one below it.
        for (key, samples) in read.series.iter().filter(|(key, _)| key.contains("_total")) {
            let falls = samples.windows(2).any(|pair| pair[1].1 < pair[0].1);
            assert!(!falls, "{key}");
        }
    }
}

#[test]
fn a_failed_scrape_is_seen_by_what_is_not_there() {
    let plan = with(plan(&[Kind::Connections], 0.0), |plan| plan.gaps = 0.3);
    let read = Read::new(&plan, 0);
    for (job, one) in [
        ("app", "process_open_fds{}"),
        ("cadvisor", "container_memory_rss{container=\"app\"}"),
        ("node", "node_load1{}"),
        ("postgres", "pg_up{}"),
    ] {
        let up = &read.series[&format!("up{{job=\"{job}\"}}")];
        let there: BTreeSet<u64> = read.series[one]
            .iter()
            .map(|(ts, _)| ts.to_bits())
            .collect();
        for (ts, value) in up {
            assert_eq!(there.contains(&ts.to_bits()), *value > 0.5, "{job} at {ts}");
        }
        let failed = up.iter().filter(|(_, value)| *value < 0.5).count();
        assert_eq!(read.truth.sampler_errors[job], failed as u64);
        let share = failed as f64 / up.len() as f64;
        assert!((0.15..0.45).contains(&share), "{job}: {share}");
    }
}

#[test]
fn a_process_that_starts_anew_begins_empty() {
    for (events, index) in [(0.0, 0), (0.0, 2), (1.0, 0), (1.0, 1), (0.0, 1)] {
        let kinds = [Kind::Fd, Kind::Disk];
        let plan = with(plan(&kinds, events), |plan| plan.restarts = 1.0);
        let read = Read::new(&plan, index);
        let at = read.truth.params["restart_ts"].as_f64().unwrap();
        let started = read.sum("process_start_time_seconds");
        let starts: BTreeSet<u64> = started.iter().map(|(_, value)| value.to_bits()).collect();
        assert_eq!(starts.len(), 2);
        let falls = |prefix: &str| {
            let samples = read.sum(prefix);
            let mut pairs = samples.windows(2);
            let fall = pairs.find(|pair| pair[0].0 < at && pair[1].0 >= at);
            fall.map(|pair| (pair[0].1, pair[1].1)).unwrap()
        };
        let (before, after) = falls("app_requests_total");
        assert!(after < before);
        let up = read.sum("up{job=\"app\"");
        assert!(
            up.iter()
                .any(|(ts, value)| *value < 0.5 && (0.0..21.0).contains(&(ts - at)))
        );
        let avail = "node_filesystem_avail_bytes";
        if index == 1 {
            let ((before, after), size) = (falls(avail), read.last("node_filesystem_size"));
            assert!((before - after).abs() < 0.2 * size, "files stay");
        } else if read.truth.exhausted {
            // What it leaked before is gone: the fault that ends it began after that.
            assert!(read.truth.onset_ts.unwrap() >= at);
        } else {
            // What is flat never begins.
            assert!(
                read.truth
                    .onset_ts
                    .is_none_or(|onset| onset < read.truth.end_ts)
            );
            assert!(
                read.truth
                    .driver_stop_ts
                    .is_none_or(|stop| stop < read.truth.end_ts)
            );
        }
    }
}

#[test]
fn of_several_the_first_to_run_out_counts() {
    let plan = with(plan(&STOCKS, 1.0), |plan| plan.several = 1.0);
    let mut others = 0;
    for index in 0..10 {
        let scenario = Scenario::draw(&plan, index).unwrap();
        let truth = scenario.record(&mut std::io::sink()).unwrap();
        let moving = truth.params["also_moving"].as_array().unwrap();
        assert!((1..=2).contains(&moving.len()));
        others += usize::from(scenario.kind() != STOCKS[index % 5]);
        let first = scenario.events().fold(f64::INFINITY, f64::min);
        let told = (truth.exhaustion_ts.unwrap() - truth.start_ts) / 20.0;
        assert!((told - first).abs() < 1e-3, "{told} {first}");
    }
    assert!(others > 0, "it is always the one that was meant");
}

#[test]
fn long_episodes_have_days_and_end_in_time() {
    let plan = with(plan(&[Kind::Disk], 0.5), |plan| {
        (plan.hours, plan.scrape_s, plan.time_scale) = (72.0, 300.0, 20.0);
    });
    let mut daily = 0;
    for index in 0..8 {
        let read = Read::new(&plan, index);
        let hours = (read.truth.end_ts - read.truth.start_ts) * 20.0 / 3_600.0;
        assert!(hours <= 72.1, "{hours}");
        let course = &read.truth.params["course"]["wave"]["period"];
        if course
            .as_f64()
            .is_some_and(|period| (period - 4_320.0).abs() < 0.5)
        {
            daily += 1;
        }
    }
    assert!((1..8).contains(&daily), "{daily}");
}

#[test]
fn leaks_that_stop_say_when() {
    let plan = plan(&[Kind::Fd], 0.0);
    let mut stopped = 0;
    for index in 0..40 {
        let truth = Scenario::draw(&plan, index).unwrap();
        let truth = truth.record(&mut std::io::sink()).unwrap();
        let leaks = truth.variant == "stop";
        // Whoever stops after the end is told of as still growing.
        assert_eq!(leaks, truth.driver_stop_ts.is_some() || truth.censored);
        if let Some(stop) = truth.driver_stop_ts {
            stopped += 1;
            assert!(truth.onset_ts.unwrap() <= stop && stop < truth.end_ts && !truth.censored);
        }
    }
    assert!(stopped > 0);
}

#[test]
fn plans_that_make_no_sense_name_the_number() {
    let check = |change: fn(&mut Plan), expected: &str| {
        let error = with(Plan::default(), change).check().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    assert_eq!(Plan::default().check(), Ok(()));
    check(
        |p| p.events = 1.5,
        "the share of events is 1.5, not between 0 and 1",
    );
    check(|p| p.gaps = -0.1, "the share of gaps is -0.1");
    check(|p| p.hours = f64::NAN, "hours is NaN");
    check(|p| p.kinds.clear(), "no kind");
    check(|p| p.kinds.push(Kind::Cpu), "cpu is named twice");
    let lonely: fn(&mut Plan) = |p| (p.kinds, p.several) = (vec![Kind::Fd], 0.1);
    check(lonely, "fd is the only kind");
    check(
        |p| (p.scrape_s, p.time_scale) = (1.0, 1_000.0),
        "0.001 s of the recording",
    );
}

//! Events on a host of which every reading is written down.

use super::*;
use crate::board::tests::{in_event, risk};

const GIB: f64 = 1_073_741_824.0;
const CPU: u32 = 0;
const FREE: u32 = 1;

/// A host with two series of its own and some processes, read once a second from second 0.
struct Host {
    culprits: Culprits,
    second: i64,
}

impl Host {
    fn new() -> Self {
        Self {
            culprits: Culprits::new(8),
            second: 0,
        }
    }

    /// Reads the host for so many seconds: `(name, share of a processor, bytes)` of each process.
    fn read(&mut self, seconds: i64, processes: &[(&str, f64, f64)]) {
        for _ in 0..seconds {
            let of = |metric: &str, comm: &str| {
                Arc::new(SeriesKey::new(metric, [("comm", comm), ("pid", "7")]).unwrap())
            };
            let plain = |name: &str| Arc::new(name.parse::<SeriesKey>().unwrap());
            let mut rows = vec![
                (
                    Some(SeriesId(CPU)),
                    plain("node_cpu_utilization_ratio"),
                    0.0,
                ),
                (
                    Some(SeriesId(FREE)),
                    plain("node_memory_MemAvailable_bytes"),
                    0.0,
                ),
                (
                    Some(SeriesId(9)),
                    plain("node_disk_io_time_seconds_total"),
                    0.0,
                ),
            ];
            for &(comm, cpu, bytes) in processes {
                rows.push((None, of("process_cpu_ratio", comm), cpu));
                rows.push((None, of("process_resident_memory_bytes", comm), bytes));
            }
            let at = Timestamp::from_millis(self.second * 1000);
            let uses = rows.iter().map(|(series, key, value)| Use {
                series: *series,
                key,
                value: *value,
            });
            self.culprits.note(at, uses);
            self.second += 1;
        }
    }

    /// What a series looks like in an event, `by` above or below what was expected.
    fn event(&self, series: u32, since: i64, by: f64, phase: Phase) -> Risk {
        let mut risk = in_event(risk(series, since, 0.9), u64::from(series) + 1, phase);
        risk.at = Timestamp::from_millis((self.second - 1) * 1000);
        risk.level = risk.expected + by;
        risk
    }
}

/// `name +increase (share)`, rounded.
fn told(culprits: &[Culprit]) -> String {
    let one = |c: &Culprit| {
        let comm = c.key.label("comm").unwrap();
        let scale = if c.key.metric() == "process_cpu_ratio" {
            1.0
        } else {
            GIB
        };
        format!(
            "{comm} {:+.1} ({:.0} %)",
            c.increase / scale,
            c.share * 100.0
        )
    };
    culprits.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_new_hog_is_named_and_not_the_large_database() {
    let mut host = Host::new();
    host.read(80, &[("postgres", 0.5, 20.0 * GIB)]);
    // The event opens at once, the hog gets its series three seconds later.
    host.read(1, &[("postgres", 0.5, 20.1 * GIB)]);
    let opened = host.event(FREE, 80, -2.0 * GIB, Phase::Opened);
    // A tenth of a GiB does not explain two.
    assert_eq!(told(&host.culprits.of(&opened)), "");
    host.read(2, &[("postgres", 0.5, 20.1 * GIB)]);
    host.read(1, &[("postgres", 0.5, 20.1 * GIB), ("hog", 0.9, 2.0 * GIB)]);
    let open = host.event(FREE, 80, -2.0 * GIB, Phase::Open);
    host.culprits
        .follow(|id| (id == SeriesId(FREE)).then_some(open));
    assert_eq!(told(&host.culprits.of(&open)), "hog +2.0 (95 %)");
    // Without an event, what alerts now is told at once.
    let mut alert = host.event(CPU, 83, 0.4, Phase::Open);
    alert.event = None;
    assert_eq!(told(&host.culprits.of(&alert)), "hog +0.9 (100 %)");
    alert.alert_score = 0.0;
    assert_eq!(told(&host.culprits.of(&alert)), "");
}

#[test]
fn a_hog_is_still_named_after_its_end_and_its_past() {
    let mut host = Host::new();
    host.read(70, &[("db", 0.2, GIB)]);
    host.read(5, &[("db", 0.2, GIB), ("hog", 1.0, GIB)]);
    let open = host.event(CPU, 70, 0.8, Phase::Open);
    host.culprits
        .follow(|id| (id == SeriesId(CPU)).then_some(open));
    for second in 0..200 {
        // The neighbour goes up a little, once the hog is gone.
        host.read(1, &[("db", if second < 5 { 0.2 } else { 0.4 }, GIB)]);
        host.culprits
            .follow(|id| (id == SeriesId(CPU)).then_some(open));
    }
    let closed = host.event(CPU, 70, -0.8, Phase::Closed);
    assert_eq!(told(&host.culprits.of(&closed)), "hog +1.0 (100 %)");
}

#[test]
fn an_end_is_blamed_on_who_ended() {
    let mut host = Host::new();
    host.read(70, &[("db", 0.2, GIB), ("hog", 1.0, 4.0 * GIB)]);
    host.read(4, &[("db", 0.2, 1.1 * GIB)]);
    let freed = host.event(FREE, 70, 4.0 * GIB, Phase::Opened);
    assert_eq!(told(&host.culprits.of(&freed)), "hog -4.0 (100 %)");
    let idle = host.event(CPU, 70, -0.8, Phase::Opened);
    assert_eq!(told(&host.culprits.of(&idle)), "hog -1.0 (100 %)");
}

#[test]
fn nobody_is_named_for_what_no_process_shows() {
    let mut host = Host::new();
    host.read(70, &[("db", 0.2, GIB)]);
    host.read(4, &[("db", 0.2, GIB), ("hog", 1.0, GIB)]);
    let disk = host.event(9, 70, 1.0, Phase::Opened);
    assert_eq!(host.culprits.of(&disk), []);
    let pushed = host.event(1_000, 70, 1.0, Phase::Opened);
    assert_eq!(host.culprits.of(&pushed), []);
}

#[test]
fn after_a_restart_in_the_middle_of_an_event_nobody_old_is_blamed() {
    let mut host = Host::new();
    host.second = 1_000;
    host.read(2, &[]);
    let open = host.event(FREE, 500, -2.0 * GIB, Phase::Open);
    assert_eq!(host.culprits.of(&open), []);
    for _ in 0..100 {
        host.read(1, &[("db", 0.2, 20.0 * GIB)]);
        host.culprits
            .follow(|id| (id == SeriesId(FREE)).then_some(open));
    }
    assert_eq!(host.culprits.of(&open), []);
}

#[test]
fn a_clock_that_is_set_back_and_many_events_do_no_harm() {
    let mut host = Host::new();
    host.read(70, &[("db", 0.2, GIB)]);
    host.second = 10;
    host.read(3, &[("db", 0.2, GIB), ("hog", 1.0, GIB)]);
    for id in 0..2_000 {
        let mut open = host.event(CPU, 11, 0.8, Phase::Opened);
        open.event = open.event.map(|event| Event {
            id: EventId(id),
            ..event
        });
        host.culprits.of(&open);
    }
    let inner = host.culprits.inner.lock();
    assert_eq!(inner.events.len(), host.culprits.max_events);
    assert_eq!(inner.order.len(), host.culprits.max_events);
}

#[test]
fn at_most_three_that_matter_are_named() {
    let mut host = Host::new();
    host.read(70, &[("a", 0.1, GIB), ("small", 0.1, GIB)]);
    let hogs: Vec<(&str, f64, f64)> = ["b", "c", "d", "a", "e"]
        .iter()
        .map(|name| (*name, 0.9, GIB))
        .chain([("small", 0.2, GIB)])
        .collect();
    host.read(4, &hogs);
    let open = host.event(CPU, 70, 0.8, Phase::Opened);
    let names = told(&host.culprits.of(&open));
    assert_eq!(names, "b +0.9 (20 %), c +0.9 (20 %), d +0.9 (20 %)");
}

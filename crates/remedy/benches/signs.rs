//! What a sample costs the signs, which every sample passes: a thousand series of each sort, their windows full.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use remedy::Finding;
use remedy::signs::Signs;
use remedy::topology::LabelRules;
use series::{SeriesId, SeriesKey, Timestamp};

const EACH: u32 = 1_000;
/// Rounds after which all windows are full: half an hour at a sample every 15 seconds.
const FILL: u32 = 130;

/// Metrics by how they are looked at: not at all, as a total of events, a share, a duration, and two totals that make one.
const SORTS: [(&str, &[&str]); 5] = [
    ("nothing", &["node_load1"]),
    ("events", &["container_oom_events_total"]),
    ("share", &["node_cpu_utilization_ratio"]),
    ("duration", &["probe_duration_seconds"]),
    (
        "duration of totals",
        &[
            "http_request_duration_seconds_sum",
            "http_request_duration_seconds_count",
        ],
    ),
];

/// Series that go on for ever.
struct Feed {
    signs: Signs,
    metrics: &'static [&'static str],
    step_ms: i64,
    round: u32,
    out: Vec<Finding>,
}

impl Feed {
    #[expect(clippy::unwrap_used, reason = "the rules and the keys are sound")]
    fn new(metrics: &'static [&'static str], step_ms: i64) -> Self {
        let mut signs = Signs::new(&[], LabelRules::default(), "here").unwrap();
        let keys = (0..EACH).flat_map(|i| {
            let instance = format!("h{i}");
            let key = move |metric: &&str| SeriesKey::new(metric, [("instance", &*instance)]);
            metrics.iter().map(key).collect::<Vec<_>>()
        });
        for (id, key) in (0..).zip(keys) {
            signs.add_series(SeriesId(id), &key.unwrap());
        }
        let mut feed = Self {
            signs,
            metrics,
            step_ms,
            round: 0,
            out: Vec::new(),
        };
        (0..FILL).for_each(|_| feed.round());
        feed
    }

    fn n_series(&self) -> u32 {
        EACH * self.metrics.len() as u32
    }

    /// A sample of each series.
    fn round(&mut self) {
        let at = Timestamp::from_millis(1_795_694_400_000 + i64::from(self.round) * self.step_ms);
        for id in 0..self.n_series() {
            let value = match self.metrics {
                // Half a second in sum for ten calls.
                [_, _] => f64::from(self.round) * if id % 2 == 0 { 0.5 } else { 10.0 },
                ["container_oom_events_total"] => 0.0,
                _ => 0.01 + 0.001 * f64::from((self.round * 7 + id) % 13),
            };
            self.signs.push(SeriesId(id), at, value, &mut self.out);
        }
        self.out.clear();
        self.round += 1;
    }
}

fn sample(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signs/sample");
    for (name, metrics) in SORTS {
        for step_s in [1, 15] {
            let mut feed = Feed::new(metrics, step_s * 1000);
            group.throughput(Throughput::Elements(feed.n_series().into()));
            let id = BenchmarkId::new(name, format!("every {step_s} s"));
            group.bench_function(id, |bencher| bencher.iter(|| feed.round()));
        }
    }
    group.finish();
}

criterion_group!(benches, sample);
criterion_main!(benches);

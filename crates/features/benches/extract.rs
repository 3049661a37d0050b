//! What one sample costs on its way to a feature row, in nanoseconds.
//!
//! Over 1,024 series, so that the state of each comes from the second cache rather than the first, as in a shard that
//! watches many; and over samples that keep moving, because a constant series takes shorter ways.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use features::Extractor;
use series::{Kind, Unit};
use testkit::{Noise, START};

const SERIES: usize = 1_024;
/// Samples of each series before the first that is measured: the longest window is full.
const WARM_UP_TICKS: i64 = 64;
const STEP_US: i64 = 10_000_000;

/// An extractor and the next sample of each of its series.
struct Source {
    extractor: Extractor,
    noise: Noise,
    tick: i64,
    totals: Vec<f64>,
    kind: Kind,
}

impl Source {
    fn new(seasonal: bool, kind: Kind) -> Self {
        let mut extractor = Extractor::new(seasonal);
        for _ in 0..SERIES {
            extractor.add_series(kind, Unit::None);
        }
        let mut source = Self {
            extractor,
            noise: Noise::new(1),
            tick: 0,
            totals: vec![0.0; SERIES],
            kind,
        };
        for _ in 0..WARM_UP_TICKS {
            source.tick();
        }
        source
    }

    /// One sample of every series; how long the extractor took.
    fn tick(&mut self) -> Duration {
        let at = START.plus_micros(self.tick * STEP_US);
        self.tick += 1;
        for total in &mut self.totals {
            let level = 100.0 + 5.0 * self.noise.normal();
            *total = match self.kind {
                Kind::Gauge => level,
                Kind::Counter => *total + level,
            };
        }
        let started = Instant::now();
        for (i, &value) in self.totals.iter().enumerate() {
            black_box(self.extractor.extract(i, at, value));
        }
        started.elapsed()
    }
}

fn extract(c: &mut Criterion) {
    let cases = [
        ("extract/gauge", true, Kind::Gauge),
        ("extract/counter", true, Kind::Counter),
        ("extract/gauge_without_seasons", false, Kind::Gauge),
    ];
    for (name, seasonal, kind) in cases {
        let mut source = Source::new(seasonal, kind);
        c.bench_function(name, |b| {
            // One iteration is one sample; whole ticks are run, and the time is shared out.
            b.iter_custom(|samples| {
                let ticks = samples.div_ceil(SERIES as u64);
                let took: Duration = (0..ticks).map(|_| source.tick()).sum();
                took.mul_f64(samples as f64 / (ticks * SERIES as u64) as f64)
            });
        });
    }
    let source = Source::new(true, Kind::Gauge);
    c.bench_function("extract/to_level", |b| {
        let mut i = 0;
        b.iter(|| {
            i = (i + 1) % SERIES;
            source.extractor.to_level(i, black_box(1.0))
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30);
    targets = extract
}
criterion_main!(benches);

//! What one sample costs in each detector, and in an ensemble of all of them, in nanoseconds.
//!
//! Blocks of 128 rows over 1,024 series, as a shard calls them. Rows are made anew for each block, outside of what is
//! measured, by the extractor that makes them in earnest: noise, waves, sawteeth and counters, half of them replicas
//! in groups of eight. The state of each series then comes from the second cache; what memory adds for 100,000 series
//! is in `benches/src/bin/replay.rs`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::{BuildError, Context, Entry, Params};
use criterion::{Criterion, criterion_group, criterion_main};
use features::{Extracted, Extractor, Row, SCHEMA, schema_hash};
use predict::anomaly::{Block, DETECTORS, Detector, NO_GROUP};
use predict::forecast::{Kernel, Model, Runner, Signature, Weights};
use predict::{Ensemble, EnsembleConfig, Judged, Member};
use series::{Kind, Unit};
use testkit::{Noise, START};

const SERIES: u32 = 1_024;
const BLOCK_ROWS: usize = 128;
const REPLICAS: u32 = 8;
/// Samples of each series before the first that is measured: what detectors keep of the past is full.
const WARM_UP_TICKS: usize = 128;
const STEP_US: i64 = 10_000_000;

/// Makes blocks of rows, one after the other, tick after tick.
struct Source {
    extractor: Extractor,
    noise: Noise,
    /// Blocks made so far.
    blocks: usize,
    series: Vec<u32>,
    groups: Vec<u32>,
    times: Vec<i64>,
    rows: Vec<Row>,
    levels: Vec<f64>,
}

const BLOCKS_PER_TICK: usize = SERIES as usize / BLOCK_ROWS;

impl Source {
    fn new() -> Self {
        let mut extractor = Extractor::new(true);
        for i in 0..SERIES {
            extractor.add_series(kind(i), Unit::None);
        }
        Self {
            extractor,
            noise: Noise::new(1),
            blocks: 0,
            series: Vec::new(),
            groups: Vec::new(),
            times: Vec::new(),
            rows: Vec::new(),
            levels: Vec::new(),
        }
    }

    fn next(&mut self) -> Block<'_> {
        let (tick, part) = (self.blocks / BLOCKS_PER_TICK, self.blocks % BLOCKS_PER_TICK);
        self.blocks += 1;
        let at = START.plus_micros(tick as i64 * STEP_US);
        self.series.clear();
        self.groups.clear();
        self.times.clear();
        self.rows.clear();
        self.levels.clear();
        let first = (part * BLOCK_ROWS) as u32;
        for i in first..first + BLOCK_ROWS as u32 {
            let value = value(i, tick as f64, &mut self.noise);
            // The first sample of a counter says nothing.
            if let Extracted::Row(row, level) = self.extractor.extract(i as usize, at, value) {
                self.series.push(i);
                self.groups.push(group(i));
                self.times.push(at.micros());
                self.rows.push(row);
                self.levels.push(level);
            }
        }
        Block {
            series: &self.series,
            groups: &self.groups,
            times: &self.times,
            rows: &self.rows,
            levels: &self.levels,
        }
    }

    /// Runs blocks of `rows` rows in all through `work`, shares out the time.
    fn time(&mut self, rows: u64, mut work: impl FnMut(&Block<'_>)) -> Duration {
        let blocks = rows.div_ceil(BLOCK_ROWS as u64);
        let mut took = Duration::ZERO;
        for _ in 0..blocks {
            let block = self.next();
            let started = Instant::now();
            work(&block);
            took += started.elapsed();
        }
        took.mul_f64(rows as f64 / (blocks * BLOCK_ROWS as u64) as f64)
    }
}

const fn kind(i: u32) -> Kind {
    if (i / REPLICAS) % 4 == 3 {
        Kind::Counter
    } else {
        Kind::Gauge
    }
}

const fn group(i: u32) -> u32 {
    let thing = i / REPLICAS;
    if thing % 8 < 4 { thing } else { NO_GROUP }
}

fn value(i: u32, t: f64, noise: &mut Noise) -> f64 {
    let jitter = noise.normal();
    match (i / REPLICAS) % 4 {
        0 => 100.0 + 5.0 * jitter,
        1 => 50.0 + 10.0 * (t / 20.0).sin() + jitter,
        2 => (t + f64::from(i)) % 60.0 + jitter,
        // Never falls: the jitter stays below what a step adds.
        _ => 1_000.0 * t + 100.0 * jitter.clamp(-4.0, 4.0),
    }
}

fn build(entry: &Entry<dyn Detector>) -> Result<Box<dyn Detector>, BuildError> {
    let options = Params::parse(entry.name, entry.example)?;
    let mut detector = (entry.build)(&options, &Context { seed: 1 })?;
    if detector.needs_model() {
        let runner = Runner::new(&model()).expect("a kernel runs everywhere");
        detector.adopt(runner).expect("there is room for it");
    }
    Ok(detector)
}

/// Of the size that is shipped; what it has learned does not change what a step costs.
fn model() -> Arc<dyn Model> {
    let inputs: Vec<&str> = SCHEMA[..8].iter().map(|column| column.name).collect();
    let signature = Signature::new(schema_hash(), &inputs, 24, vec![1, 2, 4, 8, 16], 4.0)
        .expect("a signature in range");
    let weights = Weights::seeded(&signature, 1);
    Arc::new(Kernel::new(signature, "bench/1", &weights).expect("weights of that size"))
}

fn detectors(c: &mut Criterion) {
    for entry in DETECTORS {
        let (mut source, mut scores) = (Source::new(), [0.0; BLOCK_ROWS]);
        let mut detector = build(entry).expect("an example builds");
        for i in 0..SERIES {
            detector.add_series(group(i));
        }
        let mut score = |block: &Block<'_>| {
            let scores = &mut scores[..block.rows.len()];
            detector.score(block, scores);
            black_box(scores);
        };
        source.time((WARM_UP_TICKS * SERIES as usize) as u64, &mut score);
        c.bench_function(&format!("detector/{}", entry.name), |b| {
            b.iter_custom(|rows| source.time(rows, &mut score));
        });
    }
}

fn ensemble(c: &mut Criterion) {
    let members = DETECTORS.iter().map(|entry| Member {
        name: entry.name,
        alert_weight: 1.0,
        score_weight: 1.0,
        detector: build(entry).expect("an example builds"),
    });
    let mut ensemble = Ensemble::new(members.collect(), EnsembleConfig::default());
    for i in 0..SERIES {
        ensemble.add_series(group(i));
    }
    let (mut source, mut scores) = (Source::new(), Vec::new());
    let mut judged = [Judged::default(); BLOCK_ROWS];
    let mut judge = |block: &Block<'_>| {
        scores.clear();
        ensemble.judge(block, &mut judged[..block.rows.len()], &mut scores);
        black_box((&judged, &scores));
    };
    source.time((WARM_UP_TICKS * SERIES as usize) as u64, &mut judge);
    c.bench_function("ensemble/judge_with_every_detector", |b| {
        b.iter_custom(|rows| source.time(rows, &mut judge));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = detectors, ensemble
}
criterion_main!(benches);

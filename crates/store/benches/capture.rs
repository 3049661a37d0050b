//! What capture costs per row: gathering and journalling, packing into Parquet, reading back. 10,000 series in turn, so
//! that dictionaries are as large as a fleet's; features that are noise, which is the worst that a packer can get.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use series::{SeriesKey, Timestamp};
use store::capture::{Capture, EventPhase, Options, Picker, Reader, Row, Rows, Writer};

const N_SERIES: u32 = 10_000;
const N_ROWS: u64 = 1 << 18;
const T0: i64 = 1_700_000_000_000_000;

fn selectors(_: &str) -> Result<Picker, String> {
    Ok(Box::new(|_| false))
}

fn rows() -> Vec<Row> {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..N_ROWS)
        .map(|i| Row {
            series: (i % u64::from(N_SERIES)) as u32,
            event: EventPhase::None,
            alert_score: 0.0,
            time_us: T0 + i as i64 / i64::from(N_SERIES) * 1_000_000,
            value: f64::from(noise() * 100.0).round(),
            level: f64::from(noise()),
            score: f64::from(noise()),
            columns: std::array::from_fn(|_| noise()),
        })
        .collect()
}

fn keys() -> Vec<Arc<SeriesKey>> {
    let key = |i| {
        let text = format!(
            "metric_{}{{host=\"host-{}\",job=\"fleet\"}}",
            i % 50,
            i / 50
        );
        Arc::new(text.parse().unwrap())
    };
    (0..N_SERIES).map(key).collect()
}

fn journal(writer: &mut Writer, rows: &[Row], keys: &[Arc<SeriesKey>]) {
    let now = Timestamp::from_micros(T0);
    // As they come from a shard: a thousand at a time.
    for some in rows.chunks(1000) {
        writer.append(some, now, |i| keys.get(i as usize).cloned());
    }
    writer.flush(now);
}

fn capture(c: &mut Criterion) {
    let (rows, keys) = (rows(), keys());
    let options = Options {
        rotate_rows: N_ROWS,
        ..Options::default()
    };
    let mut group = c.benchmark_group("capture");
    group
        .throughput(Throughput::Elements(N_ROWS))
        .sample_size(10);
    group.bench_function("journal", |b| {
        b.iter_custom(|n| {
            let mut spent = Duration::ZERO;
            for _ in 0..n {
                let dir = tempfile::tempdir().unwrap();
                let (_capture, mut writer) = Capture::open(dir.path(), options, selectors).unwrap();
                let begun = Instant::now();
                journal(&mut writer, &rows, &keys);
                spent += begun.elapsed();
            }
            spent
        });
    });
    group.bench_function("seal", |b| {
        b.iter_custom(|n| {
            let mut spent = Duration::ZERO;
            for _ in 0..n {
                let dir = tempfile::tempdir().unwrap();
                let (capture, mut writer) = Capture::open(dir.path(), options, selectors).unwrap();
                journal(&mut writer, &rows, &keys);
                let begun = Instant::now();
                while let Some(sealed) = capture.seal_next() {
                    sealed.unwrap();
                }
                spent += begun.elapsed();
            }
            spent
        });
    });
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = Capture::open(dir.path(), options, selectors).unwrap();
    journal(&mut writer, &rows, &keys);
    let sealed = capture.seal_next().unwrap().unwrap();
    eprintln!(
        "{:.1} bytes per row",
        sealed.bytes as f64 / sealed.rows as f64
    );
    group.bench_function("read", |b| {
        b.iter(|| {
            let all = Timestamp::from_micros(0)..Timestamp::from_micros(i64::MAX);
            let mut reader = Reader::open(dir.path(), all, selectors).unwrap();
            let (mut rows, mut n) = (Rows::default(), 0);
            while reader.next(&mut rows).unwrap() {
                n += rows.len() as u64;
            }
            assert_eq!(n, N_ROWS);
        });
    });
    group.finish();
}

criterion_group!(benches, capture);
criterion_main!(benches);

//! Microseconds per series and step of the LSTM, by batch: `cargo bench -p onnx --bench step`, on the runtime that
//! `FORESTALL_ONNXRUNTIME` names, or that is found, and on our own kernel. `none` measures tract.
//!
//! Eight features and 32 numbers of state, a third more than in the model that ships. The batches are those of one series alone, of a
//! block and its shares, and of a whole tick.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use graph::{Lstm, Metadata, write_step};
use onnx::{Options, Prefer, chosen, step_model};
use predict::forecast::Batch;

const INPUTS: usize = 8;
const HIDDEN: usize = 32;
const HORIZONS: usize = 4;
const BATCHES: [usize; 4] = [1, 16, 128, 1024];

/// Weights that all differ, within 0.2 of zero.
fn lstm() -> Lstm {
    let mut place = 0_u32;
    let mut list = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| {
                place += 1;
                ((f64::from(place) * 0.618_033_988_749_895).fract() * 0.4 - 0.2) as f32
            })
            .collect()
    };
    Lstm {
        inputs: INPUTS,
        hidden: HIDDEN,
        horizons: HORIZONS,
        w: list(4 * HIDDEN * INPUTS),
        r: list(4 * HIDDEN * HIDDEN),
        b: list(4 * HIDDEN),
        head_w: list(3 * HORIZONS * HIDDEN),
        head_b: list(3 * HORIZONS),
    }
}

fn metadata() -> Metadata {
    let names: Vec<_> = features::SCHEMA[..INPUTS].iter().map(|c| c.name).collect();
    [
        ("schema_hash", format!("{:#018x}", features::schema_hash())),
        ("inputs", names.join(",")),
        ("horizons", "1,2,4,8".to_owned()),
        ("soft_limit", "4".to_owned()),
    ]
    .map(|(key, value)| (format!("forestall.{key}"), value))
    .into()
}

fn step(criterion: &mut Criterion) {
    let bytes = write_step(&lstm(), &metadata());
    let runtime = chosen().backend.to_string();
    for (name, prefer) in [(&*runtime, Prefer::Session), ("kernel", Prefer::Kernel)] {
        let options = Options {
            prefer,
            ..Options::default()
        };
        let model = step_model(&bytes, None, "1", &options).unwrap();
        let mut group = criterion.benchmark_group(format!("step/{name}"));
        for rows in BATCHES {
            let mut session = model.session().unwrap();
            let mut batch = Batch::default();
            batch.resize(rows, model.signature());
            for (place, x) in batch.x.iter_mut().enumerate() {
                *x = ((place * 31) as f32 * 0.01).sin();
            }
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
                bencher.iter(|| session.step(&mut batch).unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, step);
criterion_main!(benches);

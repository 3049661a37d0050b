//! A step of the forecasting kernel, per series, by batch size: 8 inputs, hidden states of 24 and 32, 5 horizons.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use features::{SCHEMA, schema_hash};
use predict::forecast::{Batch, Kernel, Model, Signature, Weights};

fn steps(c: &mut Criterion) {
    let inputs: Vec<&str> = SCHEMA[..8].iter().map(|column| column.name).collect();
    let mut group = c.benchmark_group("forecast");
    for hidden in [24, 32] {
        let signature = Signature::new(schema_hash(), &inputs, hidden, vec![1, 2, 4, 8, 16], 4.0)
            .expect("a signature in range");
        let weights = Weights::seeded(&signature, 1);
        let kernel = Kernel::new(signature, "bench/1", &weights).expect("weights of that size");
        for rows in [1, 16, 128, 1024] {
            let mut session = kernel.session().expect("a kernel runs everywhere");
            let mut batch = Batch::default();
            batch.resize(rows, kernel.signature());
            for (i, x) in batch.x.iter_mut().enumerate() {
                *x = (i % 17) as f32 / 17.0 - 0.5;
            }
            group.throughput(Throughput::Elements(rows as u64));
            let name = BenchmarkId::new(format!("hidden_{hidden}"), rows);
            group.bench_function(name, |b| {
                b.iter(|| {
                    session.step(&mut batch).expect("finite weights");
                    black_box(&batch.location);
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = steps
}
criterion_main!(benches);

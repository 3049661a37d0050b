//! What one tick of reading this host costs. The promise is under 1 % of one core at one tick per second: 10 ms.
//!
//! The figure depends on how many processes, sockets and cores the machine has; it prints what it found beside it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use series::Timestamp;
use sources::host::{Config, Host};

fn tick(c: &mut Criterion) {
    let mut host = Host::new(&Config::default());
    let mut out = Vec::new();
    let mut ticks = 0;
    // Fills the tables: a process gets its series on the third tick.
    for _ in 0..5 {
        out.clear();
        ticks += 1;
        host.collect(Timestamp::from_millis(ticks * 1000), &mut out);
    }
    let processes = std::fs::read_dir("/proc").map_or(0, |entries| {
        entries
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().parse::<u32>().is_ok())
            .count()
    });
    let name = format!("host/tick of {} series, {processes} processes", out.len());
    c.bench_function(&name, |b| {
        b.iter(|| {
            out.clear();
            ticks += 1;
            host.collect(Timestamp::from_millis(ticks * 1000), &mut out);
            black_box(out.len())
        });
    });
}

criterion_group!(benches, tick);
criterion_main!(benches);

//! What a refresh of a resource costs: reading its series, the row of its window, the network, and what is said of it.
//!
//! A stock has one window and a service three. Windows are full, which is the dearest they get.

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use features::headroom::N_HEADROOM;
use hotpath::{Lookout, LookoutConfig};
use predict::exhaustion::{CLASSES, Judge, Network};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

/// A series by name, where it starts, and by how much it grows per bin.
type Series = (&'static str, f64, f64);

/// Networks of the shapes that ship, with weights of no meaning: what they cost does not depend on it.
fn judge() -> Arc<Judge> {
    let network = |inputs: usize, first: usize| {
        let widths = [inputs, first, 96, CLASSES];
        let mut x = 1u32;
        let mut weight = || {
            x = x.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            (x >> 8) as f32 / (1u32 << 24) as f32 * 0.2 - 0.1
        };
        let layers = widths.windows(2).map(|pair| {
            let weights = (0..pair[0] * pair[1]).map(|_| weight()).collect();
            (weights, vec![0.01; pair[1]])
        });
        Network::new(inputs, layers.collect())
    };
    #[expect(clippy::unwrap_used, reason = "the shapes are right")]
    let judge = Judge::new(
        network(N_HEADROOM, 192).unwrap(),
        network(3 * N_HEADROOM + 1, 160).unwrap(),
    );
    #[expect(clippy::unwrap_used, reason = "the shapes are right")]
    Arc::new(judge.unwrap())
}

/// A lookout with one resource that was filled for two hours.
fn filled(keys: &[Series]) -> Lookout {
    let config = LookoutConfig {
        refresh_s: 0.0,
        ..LookoutConfig::default()
    };
    let mut lookout = Lookout::new(config, judge());
    for (i, (key, _, _)) in (0..).zip(keys) {
        #[expect(clippy::unwrap_used, reason = "the names below are sound")]
        let key: SeriesKey = key.parse().unwrap();
        lookout.add_series(SeriesId(i), &Arc::new(key));
    }
    for bin in 0..360 {
        for (i, (_, start, step)) in (0..).zip(keys) {
            lookout.push(Sample {
                series: SeriesId(i),
                at: Timestamp::from_millis(bin * 20_000),
                value: start + step * bin as f64 + (bin % 7) as f64 * step,
            });
        }
    }
    lookout
}

fn refresh(c: &mut Criterion) {
    let now = Timestamp::from_millis(359 * 20_000);
    let cases: [(&str, &[Series]); 2] = [
        (
            "stock",
            &[
                ("process_open_fds", 10.0, 0.1),
                ("process_max_fds", 100.0, 0.0),
            ],
        ),
        (
            "service",
            &[
                ("container_cpu_usage_seconds_total", 0.0, 8.0),
                ("container_spec_cpu_quota", 50_000.0, 0.0),
                ("container_spec_cpu_period", 100_000.0, 0.0),
                ("http_requests_total{code=\"200\"}", 0.0, 100.0),
                ("http_requests_total{code=\"503\"}", 0.0, 1.0),
                (
                    "http_request_duration_seconds_bucket{le=\"0.1\"}",
                    0.0,
                    80.0,
                ),
                ("http_request_duration_seconds_bucket{le=\"1\"}", 0.0, 98.0),
                (
                    "http_request_duration_seconds_bucket{le=\"+Inf\"}",
                    0.0,
                    100.0,
                ),
            ],
        ),
    ];
    let mut group = c.benchmark_group("refresh");
    for (name, keys) in cases {
        let mut lookout = filled(keys);
        let mut out = Vec::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                lookout.refresh(now, usize::MAX, &mut out);
                assert_eq!(out.len(), 1);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, refresh);
criterion_main!(benches);

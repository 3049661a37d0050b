//! The series that are measured: a fleet of machines, drawn without state, so that a million series cost no memory of
//! their own beside what is measured.

use hotpath::SeriesSpec;
use proto::v1;
use series::{Kind, Sample, SeriesId, Timestamp, Unit};
use testkit::{Noise, START};

/// Replicas of one thing; they are alike and stand next to each other.
const REPLICAS: u32 = 8;
/// Time between two samples of a series, in microseconds.
pub const STEP_US: i64 = 10_000_000;
/// One sample in so many stands far out, so that events open and close as they do in earnest.
const SPIKE_IN: u64 = 2_000;

/// So many series: noise, waves, sawteeth and counters in equal parts, half of them replicas with peers.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// How many series.
    pub n_series: u32,
    /// Seed of every value.
    pub seed: u64,
}

impl Fleet {
    /// With the seed that all benchmarks use.
    #[must_use]
    pub const fn new(n_series: u32) -> Self {
        Self { n_series, seed: 1 }
    }

    /// What a shard needs to know of series `i`.
    #[must_use]
    pub const fn spec(&self, i: u32) -> SeriesSpec {
        SeriesSpec {
            kind: if shape(i) == 3 {
                Kind::Counter
            } else {
                Kind::Gauge
            },
            unit: Unit::None,
            group: if has_peers(i) {
                Some(i / REPLICAS)
            } else {
                None
            },
        }
    }

    /// What series `i` is called on the wire, so that the engine comes to the same [`Fleet::spec`].
    #[must_use]
    pub fn key(&self, i: u32) -> v1::SeriesKey {
        let metric = ["noise", "wave", "sawtooth", "counter_total"][shape(i) as usize];
        let mut labels = [
            ("job", (i / REPLICAS).to_string()),
            ("shelf", String::new()),
        ];
        labels[1].0 = if has_peers(i) { "instance" } else { "shelf" };
        labels[1].1 = (i % REPLICAS).to_string();
        v1::SeriesKey {
            metric: metric.to_owned(),
            labels: labels.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    /// When all series have their sample number `tick`.
    #[must_use]
    pub const fn at(&self, tick: u32) -> Timestamp {
        START.plus_micros(tick as i64 * STEP_US)
    }

    /// Sample number `tick` of series `i`.
    #[must_use]
    pub fn value(&self, i: u32, tick: u32) -> f64 {
        let mut noise = Noise::new(self.seed ^ (u64::from(i) << 32) ^ u64::from(tick));
        let (jitter, t) = (noise.uniform() + noise.uniform() - 1.0, f64::from(tick));
        // A law of its own for each thing, shared by its replicas.
        let own = f64::from((i / REPLICAS) % 97);
        let calm = match shape(i) {
            0 => 100.0 + own + 5.0 * jitter,
            1 => 50.0 + 10.0 * (t / (5.0 + own)).sin() + jitter,
            2 => (t + own) % (30.0 + own) + jitter,
            // The jitter stays below what a step adds: a running total never falls.
            _ => return 1_000.0 * t + 400.0 * jitter,
        };
        if noise.bits().is_multiple_of(SPIKE_IN) {
            calm + 100.0
        } else {
            calm
        }
    }

    /// Sample number `tick` of every series, in place of what is in `samples`.
    pub fn fill(&self, tick: u32, samples: &mut Vec<Sample>) {
        let at = self.at(tick);
        samples.clear();
        samples.extend((0..self.n_series).map(|i| Sample {
            series: SeriesId(i),
            at,
            value: self.value(i, tick),
        }));
    }
}

/// Which of the four shapes; replicas have the same.
const fn shape(i: u32) -> u32 {
    (i / REPLICAS) % 4
}

/// By fours of things, so that each shape comes with and without peers.
const fn has_peers(i: u32) -> bool {
    (i / REPLICAS / 4).is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_never_falls_and_every_shape_comes_with_and_without_peers() {
        let fleet = Fleet::new(2 * 4 * REPLICAS);
        let mut kinds = [[0; 2]; 2];
        for i in 0..fleet.n_series {
            let SeriesSpec { kind, group, .. } = fleet.spec(i);
            kinds[kind as usize][usize::from(group.is_some())] += 1;
            assert_eq!(Kind::of_metric(&fleet.key(i).metric), kind);
            assert_eq!(
                fleet.key(i).labels.contains_key("instance"),
                group.is_some()
            );
            let falls = (1..500).any(|tick| fleet.value(i, tick) < fleet.value(i, tick - 1));
            assert_eq!(falls, kind == Kind::Gauge);
        }
        assert_eq!(kinds, [[24, 24], [8, 8]]);
    }
}

//! What the tests of the engine share: a sink that keeps what it is given, and streams with a fixed seed.

#![expect(clippy::cast_sign_loss, reason = "its times are after the epoch")]
#![allow(dead_code, reason = "each test binary uses its own part of this file")]

use std::sync::{Arc, Mutex};

use features::schema_hash;
use hotpath::{Engine, EngineConfig, Models, Outcome, Scored, Sink};
use predict::forecast::{Kernel, Signature, Weights};
use predict::{EventId, Phase, Risk};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

/// Keeps every risk with its members' scores.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<(Risk, Vec<f32>)>>);

impl Sink for Kept {
    fn risks(&self, scored: &Scored<'_>) {
        let Scored { risks, members, .. } = *scored;
        let width = members.len() / risks.len();
        assert_eq!(members.len(), risks.len() * width);
        self.0.lock().unwrap().extend(
            risks
                .iter()
                .copied()
                .zip(members.chunks_exact(width).map(<[f32]>::to_vec)),
        );
    }
}

impl Kept {
    /// Numbers of the events in what was kept, with what each sample did to them.
    pub(crate) fn events(&self) -> Vec<(EventId, Phase)> {
        let kept = self.0.lock().unwrap();
        kept.iter()
            .filter_map(|(risk, _)| risk.event.map(|event| (event.id, event.phase)))
            .collect()
    }

    /// What was kept, by series and then by time; each as the bits that matter. Empties it.
    pub(crate) fn bits(&self) -> Vec<Vec<u64>> {
        let mut kept = std::mem::take(&mut *self.0.lock().unwrap());
        kept.sort_by_key(|(risk, _)| (risk.series, risk.at));
        kept.iter()
            .map(|(risk, members)| bits(risk, members))
            .collect()
    }
}

/// A risk as bits: equal bits are the same risk. The number of an event is left out, which may depend on the shard.
pub(crate) fn bits(risk: &Risk, members: &[f32]) -> Vec<u64> {
    let f = |x: f32| u64::from(x.to_bits());
    let mut all = vec![u64::from(risk.series.0), risk.at.micros() as u64];
    all.extend(
        [
            risk.value,
            risk.level,
            risk.expected,
            risk.band,
            risk.score.get(),
        ]
        .map(f64::to_bits),
    );
    all.extend([f(risk.alert_score), f(risk.confidence)]);
    all.extend(risk.event.iter().flat_map(|event| {
        [
            event.phase as u64,
            event.since.micros() as u64,
            f(event.peak),
        ]
    }));
    all.extend(
        risk.detectors
            .iter()
            .chain(&risk.features)
            .flat_map(|factor| [u64::from(factor.index), f(factor.share)]),
    );
    all.extend(members.iter().map(|&score| f(score)));
    all
}

pub(crate) fn engine(shards: usize, config: EngineConfig) -> (Engine, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    (
        Engine::start(config, shards, 4, Arc::clone(&kept) as Arc<dyn Sink>).unwrap(),
        kept,
    )
}

/// Submits and waits for the outcome.
pub(crate) fn push(engine: &Engine, samples: Vec<Sample>) -> Outcome {
    let (sender, receiver) = std::sync::mpsc::channel();
    engine.submit(samples, move |outcome| sender.send(outcome).unwrap());
    receiver.recv().unwrap()
}

pub(crate) fn key(text: &str) -> SeriesKey {
    text.parse().unwrap()
}

pub(crate) fn sample(series: u32, second: i64, value: f64) -> Sample {
    Sample {
        series: SeriesId(series),
        at: Timestamp::from_millis(second * 1000),
        value,
    }
}

/// xorshift64*: enough noise for a test, and the same everywhere.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// In 0..1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `seconds` seconds of `n_series` series, one sample each per second: waves with noise, steps and spikes.
pub(crate) fn stream(n_series: u32, seconds: std::ops::Range<i64>, seed: u64) -> Vec<Sample> {
    let mut all = Vec::new();
    for second in seconds {
        let mut noise = Noise(seed ^ (second as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for series in 0..n_series {
            let wave = (second as f64 / (40.0 + f64::from(series))).sin();
            let odd = if noise.next() < 0.01 { 30.0 } else { 0.0 };
            all.push(sample(
                series,
                second,
                100.0 + 10.0 * wave + noise.next() + odd,
            ));
        }
    }
    all
}

/// A model that was never trained: what it forecasts is not the question here.
pub(crate) fn untrained() -> Models {
    let signature =
        Signature::new(schema_hash(), &["long_residual", "gap"], 8, vec![1, 4], 4.0).unwrap();
    let weights = Weights::seeded(&signature, 1);
    let kernel = Kernel::new(signature, "untrained/1", &weights).unwrap();
    Models {
        forecaster: Some(Arc::new(kernel)),
    }
}

//! Levels of a resource that people use: by day, less at the weekend, and more every day.

use dayahead::{DayAhead, History};
use series::Timestamp;
use testkit::Noise;

/// Seconds between samples.
pub(crate) const SAMPLE_S: u32 = 300;

/// A Monday at midnight.
const START_S: i64 = 345_600 + 604_800 * 2_900;

/// The time in seconds by which it is exhausted with a probability of one half; infinite when that is not foreseen.
pub(crate) fn middle_s(said: &DayAhead) -> f64 {
    let (mut early, mut late) = (0.0, said.knots.last().map_or(0.0, |knot| knot.ahead_s));
    if said.within(late) < 0.5 {
        return f64::INFINITY;
    }
    while late - early > 0.1 {
        let middle = (early + late) / 2.0;
        if said.within(middle) < 0.5 {
            early = middle;
        } else {
            late = middle;
        }
    }
    late
}

/// What a level is made of. Shares of the limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub base: f64,
    /// From the middle to the top of a day; half of that at the weekend.
    pub height: f64,
    /// How much more there is every day.
    pub per_day: f64,
    /// Standard deviation of a wandering that forgets half of itself in two hours.
    pub wander: f64,
    /// Standard deviation of one sample.
    pub noise: f64,
}

impl Level {
    /// One every [`SAMPLE_S`] for so many hours.
    pub(crate) fn samples(&self, hours: f64, seed: u64) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        let keeps = 0.5_f64.powf(f64::from(SAMPLE_S) / 7_200.0);
        let mut wander = self.wander * noise.normal();
        (0..(hours * 3_600.0 / f64::from(SAMPLE_S)) as usize)
            .map(|i| {
                let day = i as f64 * f64::from(SAMPLE_S) / 86_400.0;
                wander =
                    keeps * wander + (1.0 - keeps * keeps).sqrt() * self.wander * noise.normal();
                let height = if day % 7.0 < 5.0 {
                    self.height
                } else {
                    0.5 * self.height
                };
                // Lowest at 4, highest at 16.
                let season = -height * ((day - 1.0 / 6.0) * std::f64::consts::TAU).cos();
                let level = self.base + season + self.per_day * day + wander;
                (level + self.noise * noise.normal()).max(0.0)
            })
            .collect()
    }
}

/// The instant of a sample.
pub(crate) fn at(sample: usize) -> Timestamp {
    Timestamp::from_millis(1_000 * (START_S + sample as i64 * i64::from(SAMPLE_S)))
}

/// These samples as a history, and the instant of the last.
pub(crate) fn history(samples: &[f64]) -> (History, Timestamp) {
    let mut history = History::new(1_800).expect("a usual step");
    for (i, &fraction) in samples.iter().enumerate() {
        history.push(at(i), fraction);
    }
    (history, at(samples.len() - 1))
}

/// Samples of so many hours.
pub(crate) fn n_samples(hours: f64) -> usize {
    (hours * 3_600.0 / f64::from(SAMPLE_S)) as usize
}

/// Seconds until a line through the samples of the latest so many hours reaches the limit: `predict_linear`.
pub(crate) fn linear_s(samples: &[f64], hours: f64) -> f64 {
    let latest = &samples[samples.len() - n_samples(hours)..];
    let n = latest.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, latest.iter().sum::<f64>() / n);
    let (mut up, mut down) = (0.0, 0.0);
    for (i, level) in latest.iter().enumerate() {
        up += (i as f64 - middle) * (level - mean);
        down += (i as f64 - middle).powi(2);
    }
    let slope = up / down;
    let now = mean + slope * (n - 1.0 - middle);
    let left = (1.0 - now) / slope * f64::from(SAMPLE_S);
    if slope > 0.0 {
        left.max(0.0)
    } else {
        f64::INFINITY
    }
}

//! What others would say: the usual ways to foresee exhaustion, from the level of a resource alone, strictly causal.
//!
//! To add one: a file beside this one, and its entry in [`BASELINES`].

mod bootstrap;
mod linear;
mod passage;
mod smoothing;
mod theil_sen;
mod threshold;

use super::Prediction;

/// The past of one resource, oldest first, up to the instant of the prediction.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// Seconds of episode time, rising, from any start.
    pub times_s: &'a [f64],
    /// Share of the limit that is used, one per time; exhausted at 1.
    pub levels: &'a [f64],
}

impl<'a> Past<'a> {
    /// The last `window_s` seconds of it.
    fn last(self, window_s: f64) -> Self {
        let newest = self.times_s.last().copied().unwrap_or_default();
        let from = self
            .times_s
            .partition_point(|time| *time < newest - window_s);
        Self {
            times_s: &self.times_s[from..],
            levels: self.levels.get(from..).unwrap_or_default(),
        }
    }

    /// Seconds before the newest sample (0 or less) and level, of what is finite.
    fn points(self) -> Vec<(f64, f64)> {
        let newest = self.times_s.last().copied().unwrap_or_default();
        let pairs = self.times_s.iter().zip(self.levels);
        pairs
            .map(|(time, level)| (time - newest, *level))
            .filter(|(time, level)| time.is_finite() && level.is_finite())
            .collect()
    }
}

/// One of the usual ways.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// As tables print it and the command line takes it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// `None` where the past is too short to say anything.
    foresee: fn(Past<'_>) -> Option<Prediction>,
}

/// All of them.
pub const BASELINES: [Baseline; 8] = [
    threshold::BASELINE,
    linear::SHORT,
    linear::MIDDLE,
    linear::LONG,
    smoothing::HOLT,
    theil_sen::BASELINE,
    bootstrap::BASELINE,
    smoothing::ETS,
];

impl Baseline {
    /// What it foresees for one resource.
    #[must_use]
    pub fn one(&self, past: Past<'_>) -> Prediction {
        (self.foresee)(past).unwrap_or(Prediction::NONE)
    }

    /// What it foresees for resources of which the first to run out counts: the highest probability at each horizon, and
    /// the time of the resource that is likeliest within the longest, the earlier one of two alike.
    #[must_use]
    pub fn any(&self, pasts: &[Past<'_>]) -> Prediction {
        let all = pasts.iter().map(|past| self.one(*past));
        let joined = all.reduce(|a, b| {
            let ([.., pa], [.., pb]) = (a.p(), b.p());
            let (ta, tb) = (a.ttf_s()[1], b.ttf_s()[1]);
            let sooner = pb.total_cmp(&pa).then(ta.total_cmp(&tb)).is_gt();
            let p = [0, 1, 2].map(|i: usize| a.p()[i].max(b.p()[i]));
            let ttf_s = if sooner { b.ttf_s() } else { a.ttf_s() };
            Prediction::new(p, ttf_s).unwrap_or(Prediction::NONE)
        });
        joined.unwrap_or(Prediction::NONE)
    }
}

#[cfg(test)]
mod tests;

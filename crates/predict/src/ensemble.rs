//! Many raw scores to two outputs.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

use crate::anomaly::{Block, Detector};
use crate::{Event, Factor, MAX_FACTORS, Score};

/// How members are put together, and when events open and close.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleConfig {
    /// Alert score from which an event opens, 0..1.
    pub event_threshold: f32,
}

impl Default for EnsembleConfig {
    fn default() -> Self {
        Self { event_threshold: 0.5 }
    }
}

/// What the ensemble says about one row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Judged {
    /// Calibrated.
    pub score: Score,
    /// Absolute scale, sparse.
    pub alert_score: f32,
    /// How much of the warm-up is over, 0..=1.
    pub confidence: f32,
    /// The event it belongs to.
    pub event: Option<Event>,
    /// Who contributed.
    pub detectors: [Factor; MAX_FACTORS],
}

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct State {
    peak: f32,
}

/// The detectors in use, and what is remembered to put their scores together.
#[derive(Debug)]
pub struct Ensemble {
    members: Vec<(&'static str, Box<dyn Detector>)>,
    states: Vec<State>,
    raw: Vec<f32>,
}

impl Ensemble {
    /// From members in the order of their names.
    #[must_use]
    pub fn new(members: Vec<(&'static str, Box<dyn Detector>)>, _config: EnsembleConfig) -> Self {
        Self { members, states: Vec::new(), raw: Vec::new() }
    }

    /// Names of the members, in the order of `scores`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|(name, _)| *name)
    }

    /// Makes room for one more series.
    pub fn add_series(&mut self) {
        self.states.push(State::zeroed());
        for (_, member) in &mut self.members {
            member.add_series();
        }
    }

    /// Bytes of state per series.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        size_of::<State>() + self.members.iter().map(|(_, member)| member.state_bytes()).sum::<usize>()
    }

    /// Appends the state of one series to `out`.
    pub fn save(&self, series: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.states[series]));
        for (_, member) in &self.members {
            member.save(series, out);
        }
    }

    /// Takes the state of one series from bytes of exactly [`Self::state_bytes`].
    pub fn load(&mut self, series: usize, bytes: &[u8]) {
        let (own, mut rest) = bytes.split_at(size_of::<State>());
        self.states[series] = bytemuck::pod_read_unaligned(own);
        for (_, member) in &mut self.members {
            let (part, after) = rest.split_at(member.state_bytes());
            member.load(series, part);
            rest = after;
        }
    }

    /// What a person said of an alert of this series.
    pub fn feedback(&mut self, _series: usize, _confirmed: bool) {}

    /// Judges each row of a block. `judged` has one place per row; member scores are appended to `scores`, row-major.
    pub fn judge(&mut self, block: &Block<'_>, judged: &mut [Judged], scores: &mut Vec<f32>) {
        let (n, m) = (block.rows.len(), self.members.len());
        self.raw.resize(n * m, 0.0);
        for ((_, member), out) in self.members.iter_mut().zip(self.raw.chunks_exact_mut(n)) {
            member.score(block, out);
        }
        for (i, judged) in judged.iter_mut().enumerate() {
            let from = scores.len();
            scores.extend((0..m).map(|j| self.raw[j * n + i]));
            let top = scores[from..].iter().copied().fold(0.0, f32::max);
            *judged = Judged { score: Score::from_tail(1.0 - f64::from(top)), alert_score: top, ..Judged::default() };
        }
    }
}

//! Many raw scores to two outputs.
//!
//! *Alert score*: a weighted sum of novelties, each a share of its series' own range, so that one threshold serves all
//! series; then a refractory logic. Turning it into a per-series probability would lose the scale that ranks alerts
//! across series.
//!
//! *Score*: each member's raw score becomes a tail probability of its own series; their logarithms are added (Fisher's
//! method, here only a statistic: the members are dependent), held by a kernel with a heavy tail so that what lies
//! between two odd samples is odd too, and turned into a probability once more by its own past, which makes the sum
//! calibrated whatever the dependence.

use bytemuck::{Pod, Zeroable};
use features::touch;
use serde::{Deserialize, Serialize};

use crate::anomaly::{AdoptError, Block, Detector};
use crate::calibrate::Tail;
use crate::event::{Episode, Rules};
use crate::forecast::Runner;
use crate::refractory::Refractory;
use crate::{Event, Factor, MAX_FACTORS, Score, insert_factor};

/// How members are put together, and when events open and close.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnsembleConfig {
    /// What an event opens at, 0..1, on the scale of the alert score before its refractory logic.
    pub event_threshold: f32,
    /// Calm samples after which an event closes.
    pub event_calm_samples: u32,
    /// Samples that an alert must stand out from.
    pub refractory_samples: u32,
    /// By what factor it must.
    pub refractory_margin: f32,
    /// Samples of a series before its alerts count in full; they grow linearly until then.
    pub warmup_samples: u32,
    /// Samples of a series before an event may open.
    pub event_warmup_samples: u32,
}

impl Default for EnsembleConfig {
    fn default() -> Self {
        Self {
            event_threshold: 0.15,
            event_calm_samples: 12,
            refractory_samples: 25,
            refractory_margin: 1.1,
            warmup_samples: 24,
            event_warmup_samples: 60,
        }
    }
}

/// A detector in the ensemble, and what its scores count for.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What a raw score of 1 adds to the alert score, at least 0.
    pub alert_weight: f32,
    /// Its weight in the dense score, at least 0.
    pub score_weight: f32,
    /// The detector.
    pub detector: Box<dyn Detector>,
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

/// Raw scores of members lie in 0..=1: nine octaves below 1 in half octaves.
type MemberTail = Tail<20, -9, 1>;
/// The held sum of logarithms: 1/2 to 512 in quarters of an octave.
type SumTail = Tail<42, -1, 2>;

/// Half-lives of the kernel that holds the sum, in samples, and their weights.
const KERNEL: [(f32, f32); 4] = [(4.0, 0.5), (16.0, 0.5), (64.0, 0.5), (256.0, 0.3)];

/// Counts of past scores are halved when they reach this many: the older half of the past then weighs half.
const MEMORY: u32 = 16_384;

/// How many earlier scores the prior weighs as much as. Less, and what tops all before is ranked badly; more, and a
/// quiet series is judged by others: 16 to 2,000 were tried on the development data.
const SUM_PRIOR_WEIGHT: f32 = 300.0;

/// The tail probability of a held sum in series at large.
///
/// The sums of normal stretches of very different series nearly agree (0.1, 0.01, 0.001 and 0.0001 lie near 15, 31, 54
/// and 80 on each of the three development sets), because each member was calibrated on its own series first.
fn sum_prior(held: f32) -> f32 {
    10f32.powf(-(held / 15.0).powf(0.83))
}

/// Errs on the quiet side in the body of the distribution and leaves the tail as it is: 0.05 becomes 0.073, 0.001
/// hardly moves. Behaviour that changes over time would else exceed a nominal 5 % now and then.
fn cautious(p: f32) -> f32 {
    let squared = 10.0 * p * p;
    (p + squared) / (1.0 + squared)
}

/// Feedback moves a series' threshold by this factor, within [`THRESHOLD_FACTORS`].
const FEEDBACK_STEP: f32 = 1.25;
/// How far feedback may move a series' threshold.
const THRESHOLD_FACTORS: (f32, f32) = (0.5, 4.0);

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct State {
    episode: Episode,
    held: [f32; KERNEL.len()],
    refractory: Refractory,
    /// Logarithm of the factor on the event threshold that feedback has set.
    threshold_ln: f32,
    tail: SumTail,
    pad: [u16; 2],
}

/// The detectors in use, and what is remembered to put their scores together.
#[derive(Debug)]
pub struct Ensemble {
    members: Vec<Member>,
    config: EnsembleConfig,
    decay: [f32; KERNEL.len()],
    next_event: u64,
    states: Vec<State>,
    /// Shape `(series, members)`.
    tails: Vec<MemberTail>,
    /// Raw scores of the block under way, shape `(members, rows)`.
    raw: Vec<f32>,
}

impl Ensemble {
    /// From members in the order in which their scores are reported.
    #[must_use]
    pub fn new(members: Vec<Member>, config: EnsembleConfig) -> Self {
        Self {
            members,
            config,
            decay: KERNEL.map(|(half_life, _)| 0.5f32.powf(1.0 / half_life)),
            next_event: 1,
            states: Vec::new(),
            tails: Vec::new(),
            raw: Vec::new(),
        }
    }

    /// Names of the members, in the order of `scores`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|member| member.name)
    }

    /// Makes room for one more series, of a group or of [`crate::anomaly::NO_GROUP`].
    pub fn add_series(&mut self, group: u32) {
        self.states.push(State::zeroed());
        self.tails
            .extend(self.members.iter().map(|_| MemberTail::zeroed()));
        for member in &mut self.members {
            member.detector.add_series(group);
        }
    }

    /// Gives a model to the member that forecasts.
    ///
    /// # Errors
    /// [`AdoptError`] when none does, or the model does not fit; the one before stays.
    pub fn adopt(&mut self, runner: Runner) -> Result<(), AdoptError> {
        let mut members = self.members.iter_mut();
        let takes_it = members.find(|member| member.detector.needs_model());
        takes_it.map_or(Err(AdoptError::NobodyTakesIt), |member| {
            member.detector.adopt(runner)
        })
    }

    /// How many blocks models failed on since this was asked last.
    pub fn take_failures(&mut self) -> u64 {
        let members = self.members.iter_mut();
        members.map(|member| member.detector.take_failures()).sum()
    }

    /// Bytes of state per series.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        size_of::<State>()
            + self
                .members
                .iter()
                .map(|member| size_of::<MemberTail>() + member.detector.state_bytes())
                .sum::<usize>()
    }

    /// Appends the state of one series to `out`.
    pub fn save(&self, series: usize, out: &mut Vec<u8>) {
        let m = self.members.len();
        out.extend_from_slice(bytemuck::bytes_of(&self.states[series]));
        out.extend_from_slice(bytemuck::cast_slice(
            &self.tails[series * m..(series + 1) * m],
        ));
        for member in &self.members {
            member.detector.save(series, out);
        }
    }

    /// Takes the state of one series from bytes of exactly [`Self::state_bytes`].
    pub fn load(&mut self, series: usize, bytes: &[u8]) {
        let m = self.members.len();
        let (own, rest) = bytes.split_at(size_of::<State>());
        self.states[series] = bytemuck::pod_read_unaligned(own);
        let (tails, mut rest) = rest.split_at(m * size_of::<MemberTail>());
        for (tail, bytes) in self.tails[series * m..]
            .iter_mut()
            .zip(tails.chunks_exact(size_of::<MemberTail>()))
        {
            *tail = bytemuck::pod_read_unaligned(bytes);
        }
        for member in &mut self.members {
            let (part, after) = rest.split_at(member.detector.state_bytes());
            member.detector.load(series, part);
            rest = after;
        }
    }

    /// The number that the next event gets; goes into snapshots.
    #[must_use]
    pub const fn next_event(&self) -> u64 {
        self.next_event
    }

    /// Continues the numbering of events.
    pub fn set_next_event(&mut self, next: u64) {
        self.next_event = next.max(1);
    }

    /// What a person said of an alert of this series: a dismissed one raises its threshold, a confirmed one lowers it.
    pub fn feedback(&mut self, series: usize, confirmed: bool) {
        let state = &mut self.states[series];
        let (low, high) = THRESHOLD_FACTORS;
        let step = FEEDBACK_STEP.ln();
        state.threshold_ln =
            (state.threshold_ln + if confirmed { -step } else { step }).clamp(low.ln(), high.ln());
    }

    /// Judges each row of a block. `judged` has one place per row; member scores are appended to `scores`, row-major.
    pub fn judge(&mut self, block: &Block<'_>, judged: &mut [Judged], scores: &mut Vec<f32>) {
        let (n, m) = (block.rows.len(), self.members.len());
        self.raw.resize(n * m, 0.0);
        for (member, out) in self.members.iter_mut().zip(self.raw.chunks_exact_mut(n)) {
            member.detector.score(block, out);
        }
        let series = || block.series.iter().map(|&i| i as usize);
        touch(series().map(|i| bytemuck::bytes_of(&self.states[i])));
        touch(series().map(|i| bytemuck::cast_slice(&self.tails[i * m..(i + 1) * m])));
        for (i, judged) in judged.iter_mut().enumerate() {
            let series = block.series[i] as usize;
            let from = scores.len();
            scores.extend((0..m).map(|j| self.raw[j * n + i]));
            *judged = self.combine(series, block.times[i], block.rows[i].n, &scores[from..]);
        }
    }

    /// Puts the raw scores of one row together; `n` counts the samples of its series before it.
    fn combine(&mut self, series: usize, at: i64, n: u32, scores: &[f32]) -> Judged {
        let m = self.members.len();
        let state = &mut self.states[series];
        let tails = &mut self.tails[series * m..(series + 1) * m];
        let (mut novelty, mut sum) = (0.0, 0.0);
        let mut detectors = [Factor::default(); MAX_FACTORS];
        for (j, ((member, tail), &raw)) in self.members.iter().zip(tails).zip(scores).enumerate() {
            novelty += member.alert_weight * raw;
            let surprise = member.score_weight * -tail.step(raw, 1.0, 1.0, MEMORY).log10();
            sum += surprise;
            insert_factor(
                &mut detectors,
                Factor {
                    index: j as u8,
                    share: surprise,
                },
            );
        }
        for factor in &mut detectors {
            factor.share /= sum.max(f32::MIN_POSITIVE);
        }
        let mut held = sum;
        for ((h, decay), (_, weight)) in state.held.iter_mut().zip(self.decay).zip(KERNEL) {
            *h = (*h * decay).max(sum);
            held += weight * *h;
        }
        let p = state
            .tail
            .step(held, sum_prior(held), SUM_PRIOR_WEIGHT, MEMORY);
        let ramp = |samples: u32| (n as f32 / samples.max(1) as f32).min(1.0);
        let confidence = ramp(self.config.event_warmup_samples);
        let novelty = (novelty * ramp(self.config.warmup_samples)).min(1.0);
        let alert_score = state.refractory.step(
            n,
            novelty,
            self.config.refractory_samples,
            self.config.refractory_margin,
        );
        // Until the series is known a little, whatever it does is new.
        let known = n >= self.config.event_warmup_samples;
        let rules = Rules {
            threshold: if known {
                self.config.event_threshold * state.threshold_ln.exp()
            } else {
                f32::INFINITY
            },
            calm_samples: self.config.event_calm_samples,
        };
        let event = state.episode.step(at, novelty, rules, &mut self.next_event);
        Judged {
            score: Score::from_tail(f64::from(cautious(p))),
            alert_score,
            confidence,
            event,
            detectors,
        }
    }
}

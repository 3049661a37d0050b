//! One shard: samples in, risks out.

use catalog::BuildError;
use features::{Extracted, Extractor, N_COLUMNS, Row, SCHEMA, column};
use predict::anomaly::{AdoptError, Block, NO_GROUP};
use predict::forecast::Runner;
use predict::{Ensemble, Factor, Judged, MAX_FACTORS, Risk};
use series::{Kind, Refusal, Sample, SeriesId, SeriesKey, Unit};

use crate::{EngineConfig, Profile};

/// Rows per call of a detector: enough to spread its fixed cost, few enough that the rows stay in the first cache.
const BLOCK_ROWS: usize = 128;

/// What a shard needs to know of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSpec {
    /// Level or running total.
    pub kind: Kind,
    /// What it measures: a change too small to matter in this unit raises nothing.
    pub unit: Unit,
    /// Series with the same group are replicas of one thing.
    pub group: Option<u32>,
}

/// One shard: the state of its series and the block under way. Single-threaded; runs as fast as it is fed.
#[derive(Debug)]
pub struct Shard {
    extractor: Extractor,
    ensemble: Ensemble,
    groups: Vec<u32>,
    /// The block in which each series was last seen, so that no block holds a series twice.
    seen_in: Vec<u32>,
    block_no: u32,
    block: Gathered,
    judged: Vec<Judged>,
    members: Vec<f32>,
    columns: Vec<[f32; N_COLUMNS]>,
    keeps_columns: bool,
}

/// The rows of the block under way, by column.
#[derive(Debug, Default)]
struct Gathered {
    series: Vec<u32>,
    groups: Vec<u32>,
    times: Vec<i64>,
    rows: Vec<Row>,
    levels: Vec<f64>,
    values: Vec<f64>,
}

impl Gathered {
    fn clear(&mut self) {
        self.series.clear();
        self.groups.clear();
        self.times.clear();
        self.rows.clear();
        self.levels.clear();
        self.values.clear();
    }
}

impl SeriesSpec {
    /// By the conventions of metric names.
    #[must_use]
    pub fn of(key: &SeriesKey, group: Option<u32>) -> Self {
        Self {
            kind: Kind::of_metric(key.metric()),
            unit: Unit::of_metric(key.metric()),
            group,
        }
    }
}

impl Shard {
    /// An empty shard.
    ///
    /// # Errors
    /// [`BuildError`] when the configuration names an unknown detector or a wrong option.
    pub fn new(config: &EngineConfig) -> Result<Self, BuildError> {
        Ok(Self {
            extractor: Extractor::new(config.profile == Profile::Default),
            ensemble: config.ensemble()?,
            groups: Vec::new(),
            seen_in: Vec::new(),
            block_no: 0,
            block: Gathered::default(),
            judged: Vec::new(),
            members: Vec::new(),
            columns: Vec::new(),
            keeps_columns: false,
        })
    }

    /// Makes room for one more series; ids count from 0.
    pub fn add_series(&mut self, spec: SeriesSpec) -> SeriesId {
        let i = self.extractor.add_series(spec.kind, spec.unit);
        let group = spec.group.unwrap_or(NO_GROUP);
        self.ensemble.add_series(group);
        self.groups.push(group);
        self.seen_in.push(0);
        SeriesId(i as u32)
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes samples in any order of series, in order of time within each, and appends to `risks` what they give rise
    /// to: one risk per sample that says something (the first sample of a counter does not), in the order of
    /// `samples`. Appends to `refused` the place in `samples` of each that was not taken, and why.
    ///
    /// No I/O, no lock, no clock. Allocates only while its buffers grow to the largest batch seen.
    pub fn push(
        &mut self,
        samples: &[Sample],
        risks: &mut Vec<Risk>,
        refused: &mut Vec<(u32, Refusal)>,
    ) {
        self.members.clear();
        self.columns.clear();
        self.block_no = self.block_no.wrapping_add(1);
        for (place, sample) in samples.iter().enumerate() {
            if place % BLOCK_ROWS == 0 {
                let next = samples[place..].iter().take(BLOCK_ROWS);
                self.extractor
                    .expect(next.map(|sample| sample.series.index()));
            }
            let i = sample.series.index();
            let Some(seen_in) = self.seen_in.get_mut(i) else {
                refused.push((place as u32, Refusal::UnknownSeries));
                continue;
            };
            if *seen_in == self.block_no || self.block.rows.len() == BLOCK_ROWS {
                self.judge(risks);
            }
            self.seen_in[i] = self.block_no;
            match self.extractor.extract(i, sample.at, sample.value) {
                Extracted::Row(row, level) => {
                    self.block.series.push(sample.series.0);
                    self.block.groups.push(self.groups[i]);
                    self.block.times.push(sample.at.micros());
                    self.block.rows.push(row);
                    self.block.levels.push(level);
                    self.block.values.push(sample.value);
                }
                Extracted::Pending => {}
                Extracted::Refused(why) => refused.push((place as u32, why)),
            }
        }
        self.judge(risks);
    }

    /// Judges the block under way and begins the next.
    fn judge(&mut self, risks: &mut Vec<Risk>) {
        self.block_no = self.block_no.wrapping_add(1);
        if self.block.rows.is_empty() {
            return;
        }
        let b = &self.block;
        self.judged.resize(b.rows.len(), Judged::default());
        let block = Block {
            series: &b.series,
            groups: &b.groups,
            times: &b.times,
            levels: &b.levels,
            rows: &b.rows,
        };
        self.ensemble
            .judge(&block, &mut self.judged, &mut self.members);
        if self.keeps_columns {
            self.columns.extend(b.rows.iter().map(|row| row.columns));
        }
        for (k, judged) in self.judged.iter().enumerate() {
            let (row, i) = (&b.rows[k], b.series[k] as usize);
            risks.push(Risk {
                series: SeriesId(b.series[k]),
                at: series::Timestamp::from_micros(b.times[k]),
                value: b.values[k],
                level: b.levels[k],
                expected: self.extractor.to_level(i, row.expected),
                band: 3.0 * f64::from(row.sigma) * self.extractor.unit(i),
                score: judged.score,
                alert_score: judged.alert_score,
                confidence: judged.confidence,
                event: judged.event,
                detectors: judged.detectors,
                features: standing_out(row),
            });
        }
        self.block.clear();
    }

    /// Each member's score for the risks of the last [`Shard::push`], in the same order; shape `(risks, members)`.
    #[must_use]
    pub fn members(&self) -> &[f32] {
        &self.members
    }

    /// Whether [`Shard::columns`] is filled from now on.
    pub const fn keep_columns(&mut self, keep: bool) {
        self.keeps_columns = keep;
    }

    /// The feature columns of the risks of the last [`Shard::push`], in the same order; empty unless they are kept.
    #[must_use]
    pub fn columns(&self) -> &[[f32; N_COLUMNS]] {
        &self.columns
    }

    /// Forecasts by this model from now on. What was learned with another model of the state of series is forgotten as
    /// each of them is seen next, so this takes no time.
    ///
    /// # Errors
    /// [`AdoptError`] when the model does not fit; the one before stays.
    pub fn adopt(&mut self, runner: Runner) -> Result<(), AdoptError> {
        self.ensemble.adopt(runner)
    }

    /// How many blocks a model failed on since this was asked last.
    pub(crate) fn take_failures(&mut self) -> u64 {
        self.ensemble.take_failures()
    }

    /// Names of the members.
    #[must_use]
    pub fn member_names(&self) -> Vec<&'static str> {
        self.ensemble.names().collect()
    }

    /// Bytes of state per series, everything included.
    #[must_use]
    pub fn bytes_per_series(&self) -> usize {
        self.extractor.state_bytes()
            + self.ensemble.state_bytes()
            + size_of::<(Kind, Unit)>()
            + 2 * size_of::<u32>()
    }

    /// Bytes of one series in a snapshot.
    pub(crate) fn saved_bytes(&self) -> usize {
        self.extractor.state_bytes() + self.ensemble.state_bytes()
    }

    /// Appends what was learned of one series to `out`.
    pub(crate) fn save(&self, series: usize, out: &mut Vec<u8>) {
        self.extractor.save(series, out);
        self.ensemble.save(series, out);
    }

    /// Takes what was learned of one series from bytes of [`Shard::saved_bytes`].
    pub(crate) fn load(&mut self, series: usize, bytes: &[u8]) {
        let (own, rest) = bytes.split_at(self.extractor.state_bytes());
        self.extractor.load(series, own);
        self.ensemble.load(series, rest);
    }

    /// The number that the next event gets.
    pub(crate) const fn next_event(&self) -> u64 {
        self.ensemble.next_event()
    }

    /// Goes on numbering events from `next`.
    pub(crate) fn set_next_event(&mut self, next: u64) {
        self.ensemble.set_next_event(next);
    }

    /// Tells the ensemble what a person said of an alert of this series.
    pub(crate) fn feedback(&mut self, series: usize, confirmed: bool) {
        self.ensemble.feedback(series, confirmed);
    }
}

/// The features that stand out most. Only those measured in sigmas or on a like scale take part: a time of day is
/// never a reason.
fn standing_out(row: &Row) -> [Factor; MAX_FACTORS] {
    const TAKING_PART: [usize; 8] = [
        column::LEVEL,
        column::DIFFERENCE,
        column::TREND,
        column::SCALE,
        column::SHORT_RESIDUAL,
        column::LONG_RESIDUAL,
        column::SEASONAL_RESIDUAL,
        column::VARIANCE_RATIO,
    ];
    debug_assert!(SCHEMA.len() > column::VARIANCE_RATIO);
    let mut top = [Factor::default(); MAX_FACTORS];
    let mut total = f32::MIN_POSITIVE;
    for index in TAKING_PART {
        let size = row.columns[index].abs();
        total += size;
        predict::insert_factor(
            &mut top,
            Factor {
                index: index as u8,
                share: size,
            },
        );
    }
    for factor in &mut top {
        factor.share /= total;
    }
    top
}

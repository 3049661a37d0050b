//! One detector fed as a shard feeds it: samples to rows, rows to blocks that hold no series twice.

use std::sync::Arc;

use catalog::{Context, Entry, Params};
use features::{Extracted, Extractor, Row};
use predict::anomaly::{Block, Detector, NO_GROUP};
use predict::forecast::{Kernel, Model, Runner, Signature, Weights};
use series::{Kind, Sample, SeriesId, Unit};
use testkit::Trace;

/// Detectors that look across series by design, and why that is right. Their entries are left out where independence
/// of other series is tested, and nowhere else. A detector that compares the replicas of a group is not one of them:
/// series without a group are independent for it too.
const SHARED: &[(&str, &str)] = &[(
    "forest",
    "one model of how rows look on this machine, learned from the rows of all series and grown anew after a restart",
)];

/// A detector with as many series as `groups` has entries, all gauges unless told otherwise.
pub(crate) struct Rig {
    extractor: Extractor,
    detector: Box<dyn Detector>,
    groups: Vec<u32>,
    block: Gathered,
    /// Allocations made inside the detector so far.
    pub(crate) allocations: u64,
}

#[derive(Default)]
struct Gathered {
    series: Vec<u32>,
    groups: Vec<u32>,
    times: Vec<i64>,
    levels: Vec<f64>,
    rows: Vec<Row>,
}

/// One scored sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) series: SeriesId,
    pub(crate) raw: f32,
}

/// The detector of an entry with the options of its example.
pub(crate) fn build(entry: &Entry<dyn Detector>) -> Box<dyn Detector> {
    let params = Params::parse(entry.name, entry.example).unwrap();
    let mut detector = (entry.build)(&params, &Context { seed: 1 })
        .unwrap_or_else(|e| panic!("the example of {} does not build: {e}", entry.name));
    if detector.needs_model() {
        let runner = Runner::new(&untrained()).unwrap();
        assert_eq!(detector.adopt(runner), Ok(()), "{}", entry.name);
    }
    detector
}

/// A model with fixed weights: how well it forecasts is not the question here.
pub(crate) fn untrained() -> Arc<dyn Model> {
    let (inputs, hidden) = (["long_residual", "difference"], 8);
    let signature =
        Signature::new(features::schema_hash(), &inputs, hidden, vec![1, 2], 4.0).unwrap();
    let weights = Weights::seeded(&signature, 1);
    Arc::new(Kernel::new(signature, "test/1", &weights).unwrap())
}

/// Whether independence of other series is a promise of this entry.
pub(crate) fn is_per_series(entry: &Entry<dyn Detector>) -> bool {
    SHARED.iter().all(|(name, _)| *name != entry.name)
}

impl Rig {
    /// Series without replicas, one of each kind given.
    pub(crate) fn new(entry: &Entry<dyn Detector>, kinds: &[Kind]) -> Self {
        Self::grouped(
            entry,
            &kinds
                .iter()
                .map(|&kind| (kind, NO_GROUP))
                .collect::<Vec<_>>(),
        )
    }

    /// Series of these kinds and groups.
    pub(crate) fn grouped(entry: &Entry<dyn Detector>, series: &[(Kind, u32)]) -> Self {
        let (mut extractor, mut detector) = (Extractor::new(true), build(entry));
        for &(kind, group) in series {
            extractor.add_series(kind, Unit::None);
            detector.add_series(group);
        }
        let groups = series.iter().map(|&(_, group)| group).collect();
        Self {
            extractor,
            detector,
            groups,
            block: Gathered::default(),
            allocations: 0,
        }
    }

    /// Scores samples in the order in which they come, in blocks of at most `block_rows`; those that give no row (the
    /// first of a counter) are left out.
    pub(crate) fn run(&mut self, samples: &[Sample], block_rows: usize) -> Vec<Scored> {
        let mut scored = Vec::with_capacity(samples.len());
        for sample in samples {
            let series = sample.series;
            if self.block.rows.len() == block_rows || self.block.series.contains(&series.0) {
                self.score(&mut scored);
            }
            if let Extracted::Row(row, level) =
                self.extractor
                    .extract(series.index(), sample.at, sample.value)
            {
                self.block.series.push(series.0);
                self.block.groups.push(self.groups[series.index()]);
                self.block.times.push(sample.at.micros());
                self.block.levels.push(level);
                self.block.rows.push(row);
            }
        }
        self.score(&mut scored);
        scored
    }

    fn score(&mut self, scored: &mut Vec<Scored>) {
        let block = std::mem::take(&mut self.block);
        // A place that is not written is seen as a score out of range.
        let mut out = vec![f32::NAN; block.rows.len()];
        let before = testkit::allocations();
        self.detector.score(
            &Block {
                series: &block.series,
                groups: &block.groups,
                times: &block.times,
                levels: &block.levels,
                rows: &block.rows,
            },
            &mut out,
        );
        self.allocations += testkit::allocations() - before;
        scored.extend(block.series.iter().zip(out).map(|(&series, raw)| Scored {
            series: SeriesId(series),
            raw,
        }));
    }

    /// What is remembered of one series: the extractor's part, the detector's part.
    pub(crate) fn save(&self, series: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut features, mut own) = (Vec::new(), Vec::new());
        self.extractor.save(series, &mut features);
        self.detector.save(series, &mut own);
        assert_eq!(
            own.len(),
            self.detector.state_bytes(),
            "{:?}",
            self.detector
        );
        (features, own)
    }

    pub(crate) fn load(&mut self, series: usize, (features, own): &(Vec<u8>, Vec<u8>)) {
        self.extractor.load(series, features);
        self.detector.load(series, own);
    }
}

/// The samples of traces 0, 1, 2 …, as series 0, 1, 2 …: the first of each, the second of each, and so on.
pub(crate) fn interleaved(traces: &[Trace]) -> Vec<Sample> {
    let longest = traces.iter().map(Trace::len).max().unwrap_or(0);
    let samples: Vec<Vec<Sample>> = (0..)
        .zip(traces)
        .map(|(series, trace)| trace.samples(SeriesId(series)).collect())
        .collect();
    (0..longest)
        .flat_map(|i| {
            samples
                .iter()
                .filter_map(move |samples| samples.get(i).copied())
        })
        .collect()
}

/// The raw scores of one series, as bits.
pub(crate) fn bits_of(scored: &[Scored], series: u32) -> Vec<u32> {
    scored
        .iter()
        .filter(|scored| scored.series.0 == series)
        .map(|scored| scored.raw.to_bits())
        .collect()
}

/// All raw scores, as bits.
pub(crate) fn bits(scored: &[Scored]) -> Vec<u32> {
    scored.iter().map(|scored| scored.raw.to_bits()).collect()
}

#[test]
fn exceptions_name_detectors_that_exist() {
    for (name, _) in SHARED {
        assert!(
            predict::anomaly::DETECTORS
                .iter()
                .any(|entry| entry.name == *name),
            "there is no {name}"
        );
    }
}

//! Recordings through the engine, into the format of captured data.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

use ::dataset::{Public, Selector};
use anyhow::{Context, anyhow, ensure};
use hotpath::{EngineConfig, Groups, SeriesSpec, Shard};
use predict::{Phase, Risk};
use series::{Refusal, Sample, SeriesId, SeriesKey, Timestamp};
use store::capture::{Capture, EventPhase, MarkKind, NewMark, Options, Picker, Row, Writer};

use super::recording::Recording;
use crate::progress;

/// Rows that are handed over together.
const BATCH_ROWS: usize = 8192;
/// Nothing is sealed because of its age: the clock stands still here.
const NOW: Timestamp = Timestamp::from_micros(0);

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) normal: u64,
}

/// Replays all recordings together and writes what came of it to the folder `out`.
pub(super) fn write(
    public: &Public,
    recordings: &[Recording],
    config: &EngineConfig,
    out: &Path,
) -> anyhow::Result<Written> {
    let options = Options {
        rotate_age_us: i64::MAX,
        max_bytes: u64::MAX,
        ..Options::default()
    };
    let (capture, writer) =
        Capture::open(out, options, picker).context("opening the folder to write to")?;
    mark(public, recordings, &capture)?;
    let mut sink = Sink {
        capture,
        writer,
        keys: recordings
            .iter()
            .flat_map(|r| r.keys.iter().cloned())
            .collect(),
        rows: Vec::with_capacity(BATCH_ROWS),
        written: Written { rows: 0, normal: 0 },
    };
    let total: usize = recordings
        .iter()
        .map(|recording| recording.rows.len())
        .sum();
    let bar = progress::items(&format!("importing {}", public.name), total as u64);
    let mut lanes = Vec::new();
    let mut first_series = 0;
    for recording in recordings {
        lanes.push(Lane::new(recording, config, first_series)?);
        first_series += recording.keys.len() as u32;
    }
    // The lane whose next sample is the earliest goes on; lanes of one instant take turns in their order.
    let next_of = |i: usize, lane: &Lane<'_>| lane.next_us().map(|at| Reverse((at, i)));
    let mut queue: BinaryHeap<_> = lanes
        .iter()
        .enumerate()
        .filter_map(|(i, lane)| next_of(i, lane))
        .collect();
    while let Some(Reverse((at, i))) = queue.pop() {
        let Some(lane) = lanes.get_mut(i) else { break };
        bar.inc(lane.step(at, &mut sink)? as u64);
        queue.extend(next_of(i, lane));
    }
    bar.finish_and_clear();
    sink.finish()
}

/// The faults go in before the rows, so that each row is written with what it is.
fn mark(public: &Public, recordings: &[Recording], capture: &Capture) -> anyhow::Result<()> {
    for recording in recordings {
        for fault in &recording.faults {
            let mark = NewMark {
                kind: MarkKind::Fault,
                selector: recording.selector.clone(),
                note: format!("labelled by {}", public.name),
                from_us: fault.start,
                to_us: Some(fault.end),
            };
            capture
                .start_mark(mark)
                .with_context(|| format!("marking {}", recording.selector))?;
        }
    }
    Ok(())
}

/// Reads the selectors of the marks above.
fn picker(text: &str) -> Result<Picker, String> {
    let selector: Selector = text
        .parse()
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
    Ok(Box::new(move |key: &SeriesKey| selector.picks(key)))
}

/// One recording and its engine.
struct Lane<'a> {
    recording: &'a Recording,
    shard: Shard,
    next: usize,
    /// The number of its first series among those of all recordings.
    first_series: u32,
    samples: Vec<Sample>,
    risks: Vec<Risk>,
    refused: Vec<(u32, Refusal)>,
}

impl<'a> Lane<'a> {
    fn new(
        recording: &'a Recording,
        config: &EngineConfig,
        first_series: u32,
    ) -> anyhow::Result<Self> {
        let mut shard = Shard::new(config).context("building the engine")?;
        shard.keep_columns(true);
        let mut groups = Groups::new(&config.replica_labels);
        for key in &recording.keys {
            shard.add_series(SeriesSpec::of(key, groups.of(key)));
        }
        Ok(Self {
            recording,
            shard,
            next: 0,
            first_series,
            samples: Vec::new(),
            risks: Vec::new(),
            refused: Vec::new(),
        })
    }

    fn next_us(&self) -> Option<i64> {
        self.recording.rows.get(self.next).map(|row| row.time_us)
    }

    /// Scores all samples of the instant `at`; returns how many there were.
    fn step(&mut self, at: i64, sink: &mut Sink) -> anyhow::Result<usize> {
        let rest = self.recording.rows.get(self.next..).unwrap_or_default();
        let now = rest.iter().take_while(|row| row.time_us == at);
        self.samples.clear();
        self.samples.extend(now.map(|row| Sample {
            series: SeriesId(row.series),
            at: Timestamp::from_micros(row.time_us),
            value: row.value,
        }));
        self.next += self.samples.len();
        self.risks.clear();
        self.refused.clear();
        // What is refused, a repeated instant or a missing value, was never captured either.
        self.shard
            .push(&self.samples, &mut self.risks, &mut self.refused);
        let is_fault = self
            .recording
            .faults
            .iter()
            .any(|fault| fault.contains(&at));
        for (risk, columns) in self.risks.iter().zip(self.shard.columns()) {
            sink.push(
                Row {
                    series: self.first_series + risk.series.0,
                    event: phase(risk),
                    alert_score: risk.alert_score,
                    time_us: risk.at.micros(),
                    value: risk.value,
                    level: risk.level,
                    score: risk.score.get(),
                    columns: *columns,
                },
                is_fault,
            )?;
        }
        Ok(self.samples.len())
    }
}

fn phase(risk: &Risk) -> EventPhase {
    match risk.event.map(|event| event.phase) {
        None => EventPhase::None,
        Some(Phase::Opened) => EventPhase::Opened,
        Some(Phase::Open) => EventPhase::Open,
        Some(Phase::Closed) => EventPhase::Closed,
    }
}

/// Where rows go.
struct Sink {
    capture: Capture,
    writer: Writer,
    keys: Vec<Arc<SeriesKey>>,
    rows: Vec<Row>,
    written: Written,
}

impl Sink {
    fn push(&mut self, row: Row, is_fault: bool) -> anyhow::Result<()> {
        self.rows.push(row);
        self.written.rows += 1;
        self.written.normal += u64::from(!is_fault);
        if self.rows.len() < BATCH_ROWS {
            return Ok(());
        }
        self.append();
        // What a live engine does once a second, and its sealer beside it.
        self.writer.flush(NOW);
        self.seal()
    }

    fn append(&mut self) {
        let keys = &self.keys;
        self.writer
            .append(&self.rows, NOW, |series| keys.get(series as usize).cloned());
        self.rows.clear();
    }

    fn seal(&self) -> anyhow::Result<()> {
        while let Some(sealed) = self.capture.seal_next() {
            sealed?;
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<Written> {
        self.append();
        let Self {
            capture,
            writer,
            written,
            ..
        } = self;
        writer.close(NOW);
        while let Some(sealed) = capture.seal_next() {
            sealed?;
        }
        let status = capture.status();
        if status.rows_lost > 0 || !status.last_error.is_empty() {
            return Err(anyhow!("{}", status.last_error)
                .context(format!("{} samples could not be written", status.rows_lost)));
        }
        ensure!(
            status.rows_sealed == written.rows,
            "{} samples were scored, {} written",
            written.rows,
            status.rows_sealed
        );
        Ok(written)
    }
}

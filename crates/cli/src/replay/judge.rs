//! One recorded file through one fresh shard.

use std::path::Path;

use anyhow::Context;
use hotpath::{EngineConfig, Groups, SeriesSpec, Shard};
use predict::Risk;
use series::{Refusal, Sample, SeriesId, SeriesKey};
use sources::replay::{Options, Replay};

use super::row::{Observer, Row, Verdict};
use crate::dates::TimeForm;
use crate::hint::WithHint;
use crate::progress;

/// What the reader left out of a file before the engine saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unread {
    /// How many cells or lines.
    pub(crate) count: u64,
    /// The first few, as messages.
    pub(crate) first: Vec<String>,
}

/// Reads `path` to its end and shows every row to the observers.
///
/// All series of the file share one shard, so that replicas are compared with each other; nothing is carried over from
/// one file to the next.
///
/// # Errors
/// When the file cannot be read, or an observer fails. Rows before the error have been shown.
pub(crate) fn file(
    path: &Path,
    options: Options,
    config: &EngineConfig,
    observers: &mut [&mut dyn Observer],
) -> anyhow::Result<Unread> {
    let mut replay = Replay::open(path, options).map_err(with_advice)?;
    let name = if path == Path::new("-") {
        "-".to_owned()
    } else {
        path.display().to_string()
    };
    let bar = progress::bytes(replay.file(), replay.bytes_total());
    let mut bench = Bench::new(config)?;
    let mut rows = Vec::new();
    loop {
        // Rows that were read before a broken line are judged all the same: the scores up to there are right.
        let more = replay.next_batch(&mut rows).map_err(with_advice);
        bench.meet(replay.keys());
        bench.push(&rows);
        let per_second = replay.time_units_per_second();
        let times = per_second.map_or(TimeForm::Date, |per_second| TimeForm::Number { per_second });
        bench.show(&name, times, &rows, observers)?;
        bar.set_position(replay.bytes_read());
        if !more? {
            break;
        }
    }
    bar.finish_and_clear();
    let refused = replay.refused();
    Ok(Unread {
        count: refused.count,
        first: refused.first.clone(),
    })
}

/// Says what the person at the terminal can do about a broken file.
pub(crate) fn with_advice(error: sources::replay::ReplayError) -> anyhow::Error {
    use sources::replay::ReplayError as E;
    #[expect(clippy::wildcard_enum_match_arm, reason = "advice where there is some")]
    let advice = match &error {
        E::Cell { .. } | E::Fields { .. } => {
            Some("mend the file, or leave such cells out with --lenient")
        }
        E::Header { .. } => Some("`forestall help replay` shows the shapes that can be read"),
        E::ManyRows { .. } => Some("sort the file beforehand and use --order as-is"),
        _ => None,
    };
    let error = anyhow::Error::new(error);
    match advice {
        Some(advice) => error.hint(advice),
        None => error,
    }
}

/// A shard and the buffers around it.
struct Bench {
    shard: Shard,
    groups: Groups,
    /// Series as text, by id.
    names: Vec<String>,
    /// The latest answer about each series, with the members' scores.
    latest: Vec<Option<(Risk, Vec<f32>)>>,
    n_members: usize,
    samples: Vec<Sample>,
    risks: Vec<Risk>,
    refused: Vec<(u32, Refusal)>,
}

impl Bench {
    fn new(config: &EngineConfig) -> anyhow::Result<Self> {
        let shard = Shard::new(config).context("building the engine")?;
        let n_members = shard.member_names().len();
        Ok(Self {
            shard,
            groups: Groups::new(&config.replica_labels),
            names: Vec::new(),
            latest: Vec::new(),
            n_members,
            samples: Vec::new(),
            risks: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// Makes room for the series that are new since the batch before.
    fn meet(&mut self, keys: &[impl AsRef<SeriesKey>]) {
        for key in keys.iter().skip(self.names.len()).map(AsRef::as_ref) {
            let spec = SeriesSpec::of(key, self.groups.of(key));
            self.shard.add_series(spec);
            self.names.push(key.to_string());
            self.latest.push(None);
        }
    }

    fn push(&mut self, rows: &[sources::replay::Row]) {
        self.samples.clear();
        let sample = |row: &sources::replay::Row| Sample {
            series: SeriesId(row.series),
            at: row.at,
            value: row.value,
        };
        self.samples.extend(rows.iter().map(sample));
        self.risks.clear();
        self.refused.clear();
        self.shard
            .push(&self.samples, &mut self.risks, &mut self.refused);
        self.refused.sort_unstable_by_key(|(place, _)| *place);
    }

    /// Puts the rows and what became of them together again, and shows each to all observers.
    fn show(
        &mut self,
        file: &str,
        times: TimeForm,
        rows: &[sources::replay::Row],
        observers: &mut [&mut dyn Observer],
    ) -> anyhow::Result<()> {
        let mut refused = self.refused.iter().peekable();
        let mut risks = self
            .risks
            .iter()
            .zip(self.shard.members().chunks_exact(self.n_members.max(1)))
            .peekable();
        for (place, row) in rows.iter().enumerate() {
            let verdict = if let Some((_, why)) = refused.next_if(|(at, _)| *at as usize == place) {
                Verdict::Refused(*why)
            } else if let Some((risk, members)) =
                risks.next_if(|(risk, _)| risk.series.0 == row.series && risk.at == row.at)
            {
                Verdict::Judged { risk, members }
            } else {
                Verdict::Pending
            };
            let series_idx = row.series as usize;
            if let (Verdict::Judged { risk, members }, Some(latest)) =
                (verdict, self.latest.get_mut(series_idx))
            {
                let (old, kept) = latest.get_or_insert_with(|| (*risk, members.to_vec()));
                *old = *risk;
                kept.copy_from_slice(members);
            }
            let series = self.names.get(series_idx).map_or("", String::as_str);
            let (at, value, label) = (row.at, row.value, row.label);
            let row = Row {
                file,
                series,
                series_idx,
                at,
                times,
                value,
                label,
                verdict,
                latest: self.latest.get(series_idx).and_then(|latest| {
                    latest
                        .as_ref()
                        .map(|(risk, members)| (risk, members.as_slice()))
                }),
            };
            for observer in observers.iter_mut() {
                observer.row(&row)?;
            }
        }
        Ok(())
    }
}

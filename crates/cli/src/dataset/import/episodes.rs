//! The exhaustion episodes: `episodes/ID.truth.json`, and the samples in `episodes/ID.csv.gz` or
//! `episodes/ID.csv`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use series::{SeriesKey, Timestamp};
use sources::replay::{Options, Order, Replay};

use super::recording::{Recording, Sample};
use crate::progress;
use crate::replay::with_advice;

/// The label that tells the series of one episode from those of another.
const LABEL: &str = "episode";

/// What was done in an episode and what came of it; the file knows more.
#[derive(Debug, Deserialize)]
struct Truth {
    id: String,
    /// When the fault began, in seconds since the epoch.
    onset_ts: Option<f64>,
    end_ts: f64,
    exhausted: bool,
    /// What the driver wanted.
    intended_event: bool,
    /// When a leak that stops stopped.
    driver_stop_ts: Option<f64>,
}

/// Reads all episodes in order of their names.
pub(super) fn recordings(dir: &Path) -> anyhow::Result<Vec<Recording>> {
    let dir = dir.join("episodes");
    let mut truths: Vec<PathBuf> = Vec::new();
    let listing = || format!("listing {}", dir.display());
    for entry in std::fs::read_dir(&dir).with_context(listing)? {
        let path = entry.with_context(listing)?.path();
        if path.to_string_lossy().ends_with(".truth.json") {
            truths.push(path);
        }
    }
    if truths.is_empty() {
        bail!("{}: there is no episode in it", dir.display());
    }
    truths.sort();
    let bar = progress::items("reading episodes", truths.len() as u64);
    let mut all = Vec::new();
    for path in truths {
        let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let truth: Truth = serde_json::from_slice(&text)
            .with_context(|| format!("{}: not the truth of an episode", path.display()))?;
        all.push(episode(&dir, &truth)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(all)
}

fn episode(dir: &Path, truth: &Truth) -> anyhow::Result<Recording> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    ensure!(
        !truth.id.is_empty() && truth.id.chars().all(plain),
        "the id {:?} of an episode is no file name",
        truth.id
    );
    let packed = dir.join(format!("{}.csv.gz", truth.id));
    let path = if packed.exists() {
        packed
    } else {
        dir.join(format!("{}.csv", truth.id))
    };
    let options = Options {
        order: Order::ByTime,
        ..Options::default()
    };
    let mut replay = Replay::open(&path, options).map_err(with_advice)?;
    let (mut rows, mut batch) = (Vec::new(), Vec::new());
    while replay.next_batch(&mut batch).map_err(with_advice)? {
        rows.extend(batch.iter().map(|row| Sample {
            time_us: row.at.micros(),
            series: row.series,
            value: row.value,
        }));
    }
    let own = |key: &Arc<SeriesKey>| {
        let labels = key.labels().chain([(LABEL, truth.id.as_str())]);
        SeriesKey::new(key.metric(), labels)
            .map(Arc::new)
            .with_context(|| format!("{}: naming {key}", path.display()))
    };
    Ok(Recording {
        keys: replay
            .keys()
            .iter()
            .map(own)
            .collect::<anyhow::Result<_>>()?,
        rows,
        selector: format!("{{{LABEL}=\"{}\"}}", truth.id),
        faults: fault(truth).into_iter().collect(),
    })
}

/// From the onset to the end of the recording, unless the load was harmless. A leak that stopped before it did harm was
/// a leak all the same.
fn fault(truth: &Truth) -> Option<Range<i64>> {
    let harmless = !truth.exhausted && !truth.intended_event && truth.driver_stop_ts.is_none();
    let at = |seconds: f64| Timestamp::from_secs_f64(seconds).map(Timestamp::micros);
    let (from, to) = (at(truth.onset_ts?)?, at(truth.end_ts)?);
    (!harmless && from <= to).then(|| from..to.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_a_fault() {
        let truth = |exhausted, intended_event, driver_stop_ts| Truth {
            id: "ep1".to_owned(),
            onset_ts: Some(2.0),
            end_ts: 5.0,
            exhausted,
            intended_event,
            driver_stop_ts,
        };
        let whole = Some(2_000_000..5_000_001);
        assert_eq!(fault(&truth(true, true, None)), whole);
        assert_eq!(fault(&truth(false, true, None)), whole, "censored");
        assert_eq!(
            fault(&truth(false, false, Some(3.0))),
            whole,
            "a leak that stopped"
        );
        assert_eq!(fault(&truth(false, false, None)), None, "a harmless load");
        let flat = Truth {
            onset_ts: None,
            ..truth(true, true, None)
        };
        assert_eq!(fault(&flat), None);
    }
}

//! Plays one episode to a lookout, and asks.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use eval::exhaustion::Prediction;
use eval::exhaustion::baseline::{Baseline, Past};
use hotpath::{Lookout, LookoutConfig};
use predict::exhaustion::{Judge, Outlook};
use series::{Sample, SeriesId, SeriesKey, Timestamp};
use sources::replay::{Options, Order, Replay};

use super::join::join;
use crate::replay::with_advice;

/// What the player knows of an episode: not its truth.
#[derive(Debug)]
pub(super) struct Recording<'a> {
    /// The file.
    pub(super) samples: &'a Path,
    /// Seconds of episode time that a second of the recording stands for.
    pub(super) time_scale: f64,
    /// When a prediction is asked for, rising; seconds since the epoch.
    pub(super) asked: &'a [f64],
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Played {
    /// Samples read up to the last question.
    pub(super) n_rows: u64,
    /// One per question: the engine's, then those of the baselines.
    pub(super) predictions: Vec<Vec<Prediction>>,
}

/// What is played to.
pub(super) trait Watch {
    /// Makes a series known; whether its samples are wanted.
    fn add_series(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool;
    /// Takes a sample.
    fn push(&mut self, sample: Sample);
    /// What is said of every resource at `now`.
    fn outlooks(&mut self, now: Timestamp) -> Vec<Outlook>;
    /// Time and level over limit of each resource with a limit, oldest first.
    fn histories(&self) -> Vec<Vec<(Timestamp, f32)>>;
}

impl Watch for Lookout {
    fn add_series(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
        self.add_series(id, key)
    }

    fn push(&mut self, sample: Sample) {
        self.push(sample);
    }

    fn outlooks(&mut self, now: Timestamp) -> Vec<Outlook> {
        let mut outlooks = Vec::new();
        self.refresh(now, usize::MAX, &mut outlooks);
        // What is remembered to be judged is what the questioner is told.
        outlooks.iter().for_each(|outlook| self.told(outlook));
        outlooks
    }

    fn histories(&self) -> Vec<Vec<(Timestamp, f32)>> {
        let all = (0..).zip(self.resources());
        all.filter(|(_, resource)| resource.missing.is_none())
            .map(|(place, _)| self.history(place))
            .collect()
    }
}

/// The lookout as `serve` has it, on a clock that runs `time_scale` times as fast, and due again at every question.
pub(super) fn lookout(time_scale: f64, judge: Arc<Judge>) -> Lookout {
    let config = LookoutConfig {
        tempo: time_scale,
        refresh_s: 0.0,
        ..LookoutConfig::default()
    };
    Lookout::new(config, judge)
}

/// Plays the recording in order of time. At each question the watcher has every sample up to its instant and none after it;
/// a series becomes known with its first sample.
///
/// # Errors
/// When the file cannot be read, or a prediction is none.
pub(super) fn play(
    recording: &Recording<'_>,
    watch: &mut impl Watch,
    baselines: &[Baseline],
) -> anyhow::Result<Played> {
    let options = Options {
        order: Order::ByTime,
        ..Options::default()
    };
    let mut replay = Replay::open(recording.samples, options).map_err(with_advice)?;
    let mut played = Played {
        n_rows: 0,
        predictions: Vec::new(),
    };
    let mut asked = recording.asked.iter().copied().peekable();
    let ask = |ts: f64, watch: &mut dyn Watch, predictions: &mut Vec<Vec<Prediction>>| {
        let told = told(ts, recording.time_scale, watch, baselines);
        predictions.push(told.with_context(|| format!("{} at {ts}", recording.samples.display()))?);
        anyhow::Ok(())
    };
    let mut wanted: Vec<Option<bool>> = Vec::new();
    let mut batch = Vec::new();
    'file: while replay.next_batch(&mut batch).map_err(with_advice)? {
        for row in &batch {
            while let Some(ts) = asked.next_if(|ts| instant(*ts) < row.at) {
                ask(ts, watch, &mut played.predictions)?;
            }
            if asked.peek().is_none() {
                break 'file;
            }
            let id = SeriesId(row.series);
            if wanted.len() <= id.index() {
                wanted.resize(id.index() + 1, None);
            }
            let known = &mut wanted[id.index()];
            let is_wanted =
                *known.get_or_insert_with(|| watch.add_series(id, &replay.keys()[id.index()]));
            if is_wanted {
                let (at, value) = (row.at, row.value);
                watch.push(Sample {
                    series: id,
                    at,
                    value,
                });
            }
            played.n_rows += 1;
        }
    }
    for ts in asked {
        ask(ts, watch, &mut played.predictions)?;
    }
    Ok(played)
}

/// Seconds since the epoch as an instant; what is out of range lies at the end of time, where no sample is.
fn instant(ts: f64) -> Timestamp {
    Timestamp::from_secs_f64(ts).unwrap_or(Timestamp::from_micros(i64::MAX))
}

/// What the engine and each baseline say at one instant.
fn told(
    ts: f64,
    time_scale: f64,
    watch: &mut dyn Watch,
    baselines: &[Baseline],
) -> anyhow::Result<Vec<Prediction>> {
    let mut all = vec![join(&watch.outlooks(instant(ts)))?];
    if baselines.is_empty() {
        return Ok(all);
    }
    let levels: Vec<(Vec<f64>, Vec<f64>)> = watch
        .histories()
        .iter()
        .map(|history| {
            let seconds = |at: &Timestamp| (at.micros() as f64 / 1e6 - ts) * time_scale;
            let points = history.iter();
            points
                .map(|(at, level)| (seconds(at), f64::from(*level)))
                .unzip()
        })
        .collect();
    let pasts: Vec<Past<'_>> = levels
        .iter()
        .map(|(times_s, levels)| Past { times_s, levels })
        .collect();
    all.extend(baselines.iter().map(|baseline| baseline.any(&pasts)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eval::exhaustion::baseline::BASELINES;

    /// Notes what it is told, in order, and takes the series `used` for a level.
    #[derive(Default)]
    struct Notes {
        lines: Vec<String>,
        history: Vec<(Timestamp, f32)>,
    }

    impl Watch for Notes {
        fn add_series(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
            self.lines.push(format!("{} is {key}", id.0));
            key.metric() == "used"
        }

        fn push(&mut self, sample: Sample) {
            self.lines
                .push(format!("{} {}", sample.at.secs_f64(), sample.value));
            self.history.push((sample.at, sample.value as f32));
        }

        fn outlooks(&mut self, now: Timestamp) -> Vec<Outlook> {
            self.lines.push(format!("{} ?", now.secs_f64()));
            Vec::new()
        }

        fn histories(&self) -> Vec<Vec<(Timestamp, f32)>> {
            vec![self.history.clone()]
        }
    }

    #[test]
    fn every_sample_up_to_the_question_and_none_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let text = "ts,metric,labels,value\n3,used,,0.3\n1,used,,0.1\n2,other,,7\n2,used,,0.2\n4,late,,1\n5,used,,0.5\n";
        std::fs::write(&path, text).unwrap();
        let mut notes = Notes::default();
        let recording = Recording {
            samples: &path,
            time_scale: 20.0,
            asked: &[2.0, 4.5],
        };
        let played = play(&recording, &mut notes, &BASELINES).unwrap();
        assert_eq!(
            notes.lines,
            [
                "0 is used",
                "1 0.1",
                "1 is other",
                "2 0.2",
                "2 ?",
                "3 0.3",
                "2 is late",
                "4.5 ?"
            ]
        );
        assert_eq!(played.n_rows, 5);
        assert_eq!(played.predictions.len(), 2);
        assert!(
            played
                .predictions
                .iter()
                .all(|row| row.len() == 1 + BASELINES.len())
        );
    }

    #[test]
    fn baselines_live_in_episode_time() {
        // One percent a second of the recording: at 60 s 60 %, and the rest lasts 40 s of it, 800 s of episode time.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let rows = (0..100).map(|i| format!("{i},used,,{}\n", f64::from(i) / 100.0));
        let text = format!("ts,metric,labels,value\n{}", rows.collect::<String>());
        std::fs::write(&path, text).unwrap();
        let recording = Recording {
            samples: &path,
            time_scale: 20.0,
            asked: &[60.0],
        };
        let played = play(&recording, &mut Notes::default(), &BASELINES).unwrap();
        let theil_sen = BASELINES
            .iter()
            .position(|b| b.name == "theil_sen")
            .unwrap();
        let [_, middle, _] = played.predictions[0][1 + theil_sen].ttf_s();
        assert!((middle - 800.0).abs() < 20.0, "{middle}");
    }

    #[test]
    fn the_lookout_runs_on_episode_time() {
        let judge = onnx::exhaustion::default_judge().unwrap();
        let lookout = lookout(20.0, judge);
        assert!((lookout.config().tempo - 20.0).abs() < 1e-12);
        assert!(lookout.config().refresh_s < eval::exhaustion::STRIDE_S);
    }

    #[test]
    fn what_is_told_is_held_against_what_comes() {
        let judge = onnx::exhaustion::default_judge().unwrap();
        let mut lookout = lookout(1.0, judge);
        let (used, limit) = (SeriesId(0), SeriesId(1));
        for (id, metric) in [(used, "process_open_fds"), (limit, "process_max_fds")] {
            let key = Arc::new(SeriesKey::new(metric, [("job", "api")]).unwrap());
            assert!(Watch::add_series(&mut lookout, id, &key));
        }
        // Full after an hour.
        for i in 0..=180 {
            let at = Timestamp::from_millis(i * 20_000);
            for (series, value) in [(limit, 1_800.0), (used, 10.0 * i as f64)] {
                Watch::push(&mut lookout, Sample { series, at, value });
            }
            lookout.outlooks(at);
        }
        let stretch = lookout
            .conformal()
            .stretch(predict::exhaustion::Family::Descriptors);
        assert!((stretch - 1.0).abs() > 1e-3, "{stretch}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let recording = Recording {
            samples: Path::new("nowhere/x.csv.gz"),
            time_scale: 20.0,
            asked: &[1.0],
        };
        let error = play(&recording, &mut Notes::default(), &[]).unwrap_err();
        assert!(
            format!("{error:#}").contains("nowhere/x.csv.gz"),
            "{error:#}"
        );
    }
}

//! `forestall eval exhaustion`: does it say in time what runs out, and when?

mod join;
mod player;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use eval::column::parallel_map;
use eval::exhaustion::baseline::{BASELINES, Baseline};
use eval::exhaustion::{Episode, Exam, Predictions, episodes};
use eval::report::{self, ExhaustionTable};
use predict::exhaustion::Judge;
use serde::Serialize;

use self::player::{Played, Recording, lookout, play};
use crate::hint::WithHint;
use crate::numbers::grouped;
use crate::progress;

const EXAMPLES: &str = "\
Examples:
  forestall eval exhaustion --data ../shared/data
  forestall eval exhaustion --data episodes --json figures.json --predictions ours.csv
  forestall eval exhaustion --data episodes --predictions theirs.csv --predictor theil_sen
  forestall eval exhaustion --data episodes --score theirs.csv --no-engine
      Judges predictions that anything else made, beside the baselines.

DIR holds episodes, at any depth (or in exhaustion/):
  ID.csv.gz       what was scraped: ts,metric,labels,value (ID.csv does too)
  ID.truth.json   what came of it: id, kind, rows, time_scale, exhausted, and in seconds since
                  the epoch start_ts, end_ts, exhaustion_ts, onset_ts, driver_stop_ts (or null)
One second of the recording stands for time_scale seconds: minutes and hours are of those. A
predictor sees the samples up to the instant and time_scale, and nothing else of the truth.

A predictions file has a line for each point in time, 5 s of the recording apart:
  episode,ts,p5,p15,p30,ttf_q05,ttf_q50,ttf_q95
p: probability that it runs out within 5, 15, 30 minutes. ttf: quantiles of the time to
exhaustion in seconds, `inf` where none is foreseen.

Baselines: threshold, predict_linear_5m, predict_linear_15m, predict_linear_30m, holt,
theil_sen, bootstrap, ets.";

/// What the engine's row is called.
const ENGINE: &str = "forestall";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExhaustionArgs {
    /// Folder with episodes
    #[arg(long, value_name = "DIR", env = "FORESTALL_DATA")]
    data: Option<PathBuf>,
    /// Write all figures to this file too
    #[arg(long, value_name = "OUT.json")]
    json: Option<PathBuf>,
    /// Write what was predicted to this file
    #[arg(long, value_name = "OUT.csv")]
    predictions: Option<PathBuf>,
    /// Whose predictions are written: `forestall` or a baseline
    #[arg(long, value_name = "NAME", default_value = ENGINE, requires = "predictions")]
    predictor: String,
    /// Judge the predictions in this file too; may be given more than once
    #[arg(long, value_name = "FILE.csv")]
    score: Vec<PathBuf>,
    /// Folder with models to judge by, as `forestall train exhaustion` writes it; those of the binary otherwise
    #[arg(long, value_name = "DIR", conflicts_with = "no_engine")]
    models: Option<PathBuf>,
    /// Leave out the engine
    #[arg(long)]
    no_engine: bool,
    /// Leave out the baselines, which take most of the time
    #[arg(long)]
    no_baselines: bool,
}

/// Everything that was measured, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Measured<'a> {
    version: &'static str,
    exhaustion: &'a ExhaustionTable,
}

/// Runs it.
///
/// # Errors
/// When episodes or predictions are missing or broken.
pub(super) fn run(args: &ExhaustionArgs) -> anyhow::Result<()> {
    let episodes = read(args.data.as_deref())?;
    let exam = Exam::new(episodes.iter().map(|e| e.truth.clone()).collect());
    let mut predictors = Vec::new();
    for path in &args.score {
        let predictions = Predictions::read(path).context("reading predictions")?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        predictors.push((name.into_owned(), predictions));
    }
    let baselines: &[Baseline] = if args.no_baselines { &[] } else { &BASELINES };
    if !(args.no_engine && args.no_baselines) {
        let judge = match &args.models {
            Some(dir) => onnx::exhaustion::judge_in(dir)
                .with_context(|| format!("loading models from {}", dir.display()))?,
            None => onnx::exhaustion::default_judge()?,
        };
        let mut played = played(&episodes, &exam, &judge, baselines)?;
        let engine = played.remove(0);
        if !args.no_engine {
            predictors.insert(0, engine);
        }
        predictors.extend(played);
    }
    if predictors.is_empty() {
        bail!(
            "nothing is to be judged: the engine and the baselines are left out, and no --score FILE is given"
        );
    }
    if let Some(path) = &args.predictions {
        let found = predictors.iter().find(|(name, _)| *name == args.predictor);
        let Some((_, predictions)) = found else {
            let names: Vec<&str> = predictors.iter().map(|(name, _)| name.as_str()).collect();
            let error = anyhow::anyhow!("--predictor {}: there is no such row", args.predictor);
            return Err(error.hint(format!("one of {}", names.join(", "))));
        };
        std::fs::write(path, predictions.to_csv())
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let n_parts = predictors.len() * (exam.kinds().len() + 1);
    let bar = progress::items("judging", n_parts as u64);
    let table = report::exhaustion(&exam, &predictors, &|| bar.inc(1));
    bar.finish_and_clear();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    for baseline in baselines {
        writeln!(out, "{:<18}  {}", baseline.name, baseline.about)?;
    }
    if let Some(path) = &args.json {
        let measured = Measured {
            version: env!("CARGO_PKG_VERSION"),
            exhaustion: &table,
        };
        let text = serde_json::to_vec_pretty(&measured).context("writing the figures as JSON")?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The episodes in the folder, or in the folder `exhaustion` within it.
fn read(data: Option<&Path>) -> anyhow::Result<Vec<Episode>> {
    let Some(data) = data else {
        let error = anyhow::anyhow!("no folder with episodes was named");
        return Err(error.hint(
            "give it with --data DIR or FORESTALL_DATA; `forestall eval exhaustion --help` says what is in it",
        ));
    };
    let inner = data.join("exhaustion");
    let dir = if inner.is_dir() {
        inner.as_path()
    } else {
        data
    };
    episodes(dir).map_err(|error| {
        anyhow::Error::new(error)
            .context("reading episodes")
            .hint("an episode is ID.truth.json beside ID.csv.gz; `forestall eval exhaustion --help` says what is in them")
    })
}

/// The engine's predictions, then those of each baseline.
fn played(
    episodes: &[Episode],
    exam: &Exam,
    judge: &Arc<Judge>,
    baselines: &[Baseline],
) -> anyhow::Result<Vec<(String, Predictions)>> {
    let bar = progress::items("playing episodes", episodes.len() as u64);
    let begin = Instant::now();
    let jobs: Vec<(usize, &Episode)> = episodes.iter().enumerate().collect();
    let played = parallel_map(&jobs, |(place, episode)| {
        // Of the truth the predictor gets the time scale; and it is asked no further than to the end.
        let time_scale = episode.truth.time_scale;
        let recording = Recording {
            samples: &episode.samples(),
            time_scale,
            asked: &exam.about(*place).iter().map(|q| q.ts).collect::<Vec<_>>(),
        };
        let played = play(
            &recording,
            &mut lookout(time_scale, Arc::clone(judge)),
            baselines,
        );
        bar.inc(1);
        played
    });
    bar.finish_and_clear();
    let mut all: Vec<(String, Predictions)> = std::iter::once(ENGINE)
        .chain(baselines.iter().map(|baseline| baseline.name))
        .map(|name| (name.to_owned(), Predictions::default()))
        .collect();
    let mut n_rows = 0;
    for (place, (episode, played)) in episodes.iter().zip(played).enumerate() {
        let Played {
            n_rows: of_one,
            predictions,
        } = played?;
        n_rows += of_one;
        for (question, row) in exam.about(place).iter().zip(predictions) {
            for ((_, all), prediction) in all.iter_mut().zip(row) {
                all.insert(&episode.truth.id, question.ts, prediction);
            }
        }
    }
    eprintln!(
        "exhaustion: played {} rows of {} episodes in {:.1} s",
        grouped(n_rows),
        episodes.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(all)
}

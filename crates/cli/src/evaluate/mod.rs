//! `forestall eval`: how accurate is it, on data whose anomalies are known?

mod exhaustion;
mod incidents;
mod scorer;
mod variants;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use eval::column::Column;
use eval::datasets::{self, Series};
use eval::report;
use hotpath::EngineConfig;
use serde::Serialize;

use self::variants::Variables;
use crate::config::EngineArgs;
use crate::hint::WithHint;
use crate::numbers::grouped;
use crate::progress;

const EXAMPLES: &str = "\
Examples:
  forestall eval nab --data ../shared/data
  forestall eval labelled --data ../shared/data --json accuracy.json
  forestall eval labelled --corpus smap-msl --all-variables
  forestall eval nab --ablate
      What each detector adds: the engine without it (with it, if it is off), in the same run, and the lean profile.
  forestall eval exhaustion --data ../shared/data
  forestall eval incidents

DIR holds nab/, cloud-monitoring/, smap-msl/ and exhaustion/. When one is missing, the error says where the public part of it
comes from. Tables show 90 % intervals over series, and floors: scores that know nothing of the data.";

/// Measures the accuracy of the engine on labelled data.
///
/// Of anomalies both outputs are judged: `score` (dense, calibrated) and `alert_score` (sparse, absolute); of exhaustion the
/// probabilities, the alarms and the time that is foreseen. Every series and episode meets a fresh engine; one configuration
/// serves all.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The Numenta Anomaly Benchmark, beside detectors that published their scores
    #[command(after_help = EXAMPLES)]
    Nab(#[command(flatten)] Common),
    /// Corpora with a label per sample: VUS-PR, events, calibration
    #[command(after_help = EXAMPLES)]
    Labelled {
        #[command(flatten)]
        common: Common,
        /// Which corpora, each in the folder of its name
        #[arg(long, value_enum, value_name = "NAME")]
        corpus: Vec<Corpus>,
        /// Score all variables of multivariate series too; the oddest variable counts
        #[arg(long)]
        all_variables: bool,
    },
    /// Episodes in which something runs out, or does not: is it said in time, and when?
    Exhaustion(exhaustion::ExhaustionArgs),
    /// Scenarios whose troubles are known: are they seen, and would the right thing be done?
    Incidents(incidents::IncidentsArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Corpus {
    /// Microsoft's cloud-monitoring-dataset
    CloudMonitoring,
    /// Spacecraft telemetry from NASA JPL's Telemanom
    SmapMsl,
}

#[derive(Debug, Args)]
struct Common {
    /// Folder with the corpora
    #[arg(long, value_name = "DIR", env = "FORESTALL_DATA")]
    data: Option<PathBuf>,
    /// Write all figures to this file too
    #[arg(long, value_name = "OUT.json")]
    json: Option<PathBuf>,
    /// Score again without each detector in turn, with each that is off, and with the lean profile
    #[arg(long)]
    ablate: bool,
    /// Judge each detector's own score too
    #[arg(long)]
    members: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Everything that was measured, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Figures {
    version: &'static str,
    engine: EngineConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    nab: Option<report::NabTable>,
    labelled: Vec<report::LabelledTable>,
    calibration: Vec<report::CalibrationTable>,
}

/// Runs it.
///
/// # Errors
/// When data is missing or broken, or the configuration makes no sense.
pub(crate) fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let (common, corpora) = match &args.what {
        What::Exhaustion(args) => return exhaustion::run(args),
        What::Incidents(args) => return incidents::run(args),
        What::Nab(common) => (common, None),
        What::Labelled {
            common,
            corpus,
            all_variables,
        } => (common, Some((corpus, *all_variables))),
    };
    let Some(data) = &common.data else {
        let error = anyhow::anyhow!("no folder with the labelled data was named");
        return Err(error.hint(
            "give it with --data DIR or FORESTALL_DATA; `forestall eval --help` says what is in it",
        ));
    };
    let engine = common.engine.load()?;
    let mut figures = Figures {
        version: env!("CARGO_PKG_VERSION"),
        engine,
        nab: None,
        labelled: Vec::new(),
        calibration: Vec::new(),
    };
    match corpora {
        None => nab(&corpus_dir(data, "nab"), common, &mut figures)?,
        Some((corpus, all_variables)) => {
            let all = [Corpus::CloudMonitoring, Corpus::SmapMsl];
            let wanted = if corpus.is_empty() {
                &all
            } else {
                corpus.as_slice()
            };
            for one in wanted {
                labelled(*one, data, common, all_variables, &mut figures)?;
            }
        }
    }
    if let Some(path) = &common.json {
        let text = serde_json::to_vec_pretty(&figures).context("writing the figures as JSON")?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// `DIR/nab`, or `DIR` itself if that is what it holds.
fn corpus_dir(data: &Path, name: &str) -> PathBuf {
    let inner = data.join(name);
    if !inner.is_dir() && data.file_name().is_some_and(|last| last == name) {
        data.to_owned()
    } else {
        inner
    }
}

fn nab(dir: &Path, common: &Common, figures: &mut Figures) -> anyhow::Result<()> {
    let corpus = datasets::nab(dir).context("reading the benchmark")?;
    let mut columns = scored(&corpus, "nab", common, Variables::First, &figures.engine)?;
    let own = columns.len();
    for (name, path) in published(&dir.join("published"))? {
        let scores = datasets::published(&path, &corpus)
            .with_context(|| format!("reading the scores of {name}"))?;
        columns.push(Column {
            name: format!("published: {name}"),
            scores,
            threshold: None,
        });
    }
    let table = report::nab(&corpus, &columns)?;
    let calibration = report::calibration("nab", &corpus, &columns[..own])?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}\n{calibration}")?;
    figures.nab = Some(table);
    figures.calibration.push(calibration);
    Ok(())
}

/// The folders of detectors that published their scores; none is fine.
fn published(dir: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_dir(), path.file_name()) {
            found.push((name.to_string_lossy().into_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

fn labelled(
    corpus: Corpus,
    data: &Path,
    common: &Common,
    all_variables: bool,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let name = match corpus {
        Corpus::CloudMonitoring => "cloud-monitoring",
        Corpus::SmapMsl => "smap-msl",
    };
    let dir = corpus_dir(data, name);
    let series = match corpus {
        Corpus::CloudMonitoring => datasets::cloud_monitoring(&dir),
        Corpus::SmapMsl => datasets::smap_msl(&dir),
    };
    let series = series.with_context(|| format!("reading {name}"))?;
    let mut columns = scored(&series, name, common, Variables::First, &figures.engine)?;
    if all_variables && series.iter().any(|one| one.columns.len() > 1) {
        columns.extend(scored(
            &series,
            name,
            common,
            Variables::All,
            &figures.engine,
        )?);
    }
    let table = report::labelled(name, &series, &columns)?;
    let calibration = report::calibration(name, &series, &columns)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}\n{calibration}")?;
    figures.labelled.push(table);
    figures.calibration.push(calibration);
    Ok(())
}

/// The engine's columns for a corpus: as configured and, on request, its members and ablations.
fn scored(
    corpus: &[Series],
    name: &str,
    common: &Common,
    variables: Variables,
    engine: &EngineConfig,
) -> anyhow::Result<Vec<Column>> {
    let variants = if common.ablate && variables == Variables::First {
        variants::ablations(engine, common.members)?
    } else {
        vec![variants::whole(engine, variables, common.members)]
    };
    let bar = progress::items(
        &format!("scoring {name}"),
        (corpus.len() * variants.len()) as u64,
    );
    let begin = Instant::now();
    let columns = scorer::score(corpus, &variants, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let n_rows = (corpus.iter().map(|s| s.times.len()).sum::<usize>() * variants.len()) as u64;
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!(
        "{name}: scored {} rows of {} series in {seconds:.1} s",
        grouped(n_rows),
        corpus.len()
    );
    Ok(columns)
}

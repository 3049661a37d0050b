//! `forestall replay`: recorded metrics through the engine, as fast as it goes.

mod foretold;
mod into;
mod judge;
mod plot;
mod row;
mod scores;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use hotpath::Shard;
use sources::replay::{Cells, Options, Order};

use crate::config::EngineArgs;
use crate::connect::TrustArgs;
use crate::runtime::block_on;
pub(crate) use judge::with_advice;
pub(crate) use plot::draw_outlooks;

use foretold::Foretold;
use into::Speed;
use plot::Plot;
use row::Observer;
use scores::ScoresFile;
use summary::Summary;

const EXAMPLES: &str = "\
Examples:
  forestall replay requests.csv
      Say how many samples were scored and which events were found.
  forestall replay *.csv --plot out.html
      Draw every series with its expected band, its scores and its events.
  forestall replay a.csv b.parquet --scores scores.parquet
      One row per sample, to judge with your own tools.
  forestall replay day.csv --outlook --plot out.html
      Also say what runs out, and when, as seen from the end of the recording.
  forestall replay day.csv --into 127.0.0.1:7878 --speed 60
      An hour of the recording per minute into a running server, to look at with `forestall watch`.
  zcat day.csv.gz | forestall replay - --scores - > scores.csv

Shapes that are read, by the header (CSV, gzipped CSV; Parquet with the same columns):
  time,metric,labels,value          one row per sample of many series
  timestamp,value[,label]           one series
  timestamp,cpu,memory,...          one column per series
Times are RFC 3339, YYYY-MM-DD HH:MM:SS in UTC, or numbers since the epoch (s, ms, µs or ns, by their size).
Metrics that end in _total, _count, _sum or _bucket are counters: their rate is watched.";

/// Replays recorded metrics and says what was odd.
///
/// Each file meets a fresh engine; the series of one file share it, so that replicas are compared with each other.
/// Scores are causal: the score of a row depends on the rows before it and on nothing else.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Files to replay; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write one row per sample to this .csv or .parquet file; `-` is CSV on standard output
    #[arg(long, value_name = "OUT")]
    scores: Option<PathBuf>,

    /// Draw the series, their scores and events into this HTML file
    #[arg(long, value_name = "OUT.html")]
    plot: Option<PathBuf>,

    /// Say what runs out, and when, as seen from the last sample; with --plot, draw it too
    #[arg(long)]
    outlook: bool,

    /// How much faster than its clock time ran in the recording, for --outlook: 20 where a fault was driven twentyfold
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = tempo, requires = "outlook")]
    tempo: f64,

    /// In which order to take the rows of a file
    #[arg(long, value_enum, default_value_t = RowOrder::Auto)]
    order: RowOrder,

    /// Leave out cells that cannot be read, and count them, instead of stopping at the first
    #[arg(long)]
    lenient: bool,

    /// How many events to list per file, highest peaks first
    #[arg(long, value_name = "N", default_value_t = 20)]
    events: usize,

    /// Push into the running server at this address instead of scoring here. Series of several files get a label `file`
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["scores", "plot", "outlook", "config", "profile", "events"])]
    into: Option<String>,

    /// How many times as fast as recorded to push; `max` is as fast as the server takes it
    #[arg(long, value_name = "N", default_value = "max", requires = "into")]
    speed: Speed,

    #[command(flatten, next_help_heading = "Server")]
    trust: TrustArgs,

    #[command(flatten)]
    engine: EngineArgs,
}

/// Files up to this size are sorted by time unless told otherwise.
const SORTED_BYTES: u64 = 256 << 20;

fn tempo(text: &str) -> Result<f64, String> {
    let tempo = text.parse().ok();
    tempo
        .filter(|tempo| (0.001..=1000.0).contains(tempo))
        .ok_or_else(|| "expected a number from 0.001 to 1000".to_owned())
}

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowOrder {
    /// Sorted by time if the file has at most 256 MiB, else as they stand
    Auto,
    /// As they stand: samples that go back in time are refused
    AsIs,
    /// Sorted by time, which holds the file in memory
    ByTime,
}

/// Runs it.
///
/// # Errors
/// At the first file that cannot be read, and when an output cannot be written.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    if let Some(addr) = &args.into {
        return block_on(into::run(
            &args.files,
            &args.options(args.files.first().map_or(Path::new("-"), PathBuf::as_path)),
            addr,
            &args.trust,
            args.speed,
        ));
    }
    let config = args.engine.load()?;
    let members = Shard::new(&config)
        .context("building the engine")?
        .member_names();
    let mut scores = args
        .scores
        .as_deref()
        .map(|path| ScoresFile::create(path, &members))
        .transpose()?;
    let mut plot = args
        .plot
        .as_ref()
        .map(|_| Plot::new(&members, config.ensemble.event_threshold));
    for path in &args.files {
        let mut summary = Summary::new(&members);
        let foretold = args.outlook.then(|| Foretold::new(args.tempo));
        let mut foretold = foretold.transpose()?;
        let mut observers: Vec<&mut dyn Observer> = vec![&mut summary];
        observers.extend(foretold.as_mut().map(|one| one as &mut dyn Observer));
        observers.extend(scores.as_mut().map(|scores| scores as &mut dyn Observer));
        observers.extend(plot.as_mut().map(|plot| plot as &mut dyn Observer));
        let unread = judge::file(path, args.options(path), &config, &mut observers)?;
        // Standard output belongs to the scores when they go there.
        let mut out: Box<dyn Write> = match args.scores.as_deref() == Some(Path::new("-")) {
            true => Box::new(std::io::stderr().lock()),
            false => Box::new(std::io::stdout().lock()),
        };
        let name = path.display().to_string();
        summary.write(&mut out, &name, &unread, args.events)?;
        if let Some(foretold) = foretold {
            let outlooks = foretold.finish();
            foretold::write(&mut out, &outlooks)?;
            if let Some(plot) = &mut plot {
                plot.foretell(&outlooks);
            }
        }
    }
    if let Some(scores) = scores {
        scores.finish()?;
    }
    if let (Some(plot), Some(path)) = (plot, &args.plot) {
        plot.finish(path)?;
    }
    std::io::stdout().flush()?;
    Ok(())
}

impl ReplayArgs {
    fn options(&self, path: &Path) -> Options {
        let is_small = || {
            std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= SORTED_BYTES)
        };
        Options {
            cells: if self.lenient {
                Cells::Lenient
            } else {
                Cells::Strict
            },
            order: match self.order {
                // A recording that is pushed at its own pace starts at once.
                RowOrder::Auto if self.into.is_none() && is_small() => Order::ByTime,
                RowOrder::Auto | RowOrder::AsIs => Order::AsIs,
                RowOrder::ByTime => Order::ByTime,
            },
            ..Options::default()
        }
    }
}

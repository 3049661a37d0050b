//! `forestall dataset`: what was captured, looked at, put together, cut and handed on.

mod check;
mod describe;
mod edit;
mod import;
mod list;

use std::path::{Path, PathBuf};

use ::dataset::Folder;
use anyhow::Context;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  forestall dataset describe captured
  forestall dataset check captured && forestall train --data captured
  forestall dataset cut captured --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z --out week
      Rows from the first instant on and before the second: cuts that meet share no row.
  forestall dataset merge week other --out both
  forestall dataset export week --format csv --out week.csv && forestall replay week.csv
  forestall dataset list
      The public data sets that can be imported, where they come from and under which licence.
  forestall dataset import nab --from NAB --out captured-nab

A data set is the folder that `forestall serve --capture DIR` writes: samples/date=YYYY-MM-DD/part-*.parquet with the
columns time, metric, labels, value, level, one f_* per feature, score, alert_score, event and provenance (normal, fault
or mitigated); beside it feedback/ and provenance/. Rows that a running server has not sealed yet are not seen.";

/// Describes, checks, merges, cuts and exports captured data, and imports public data sets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct DatasetArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Describe(describe::DescribeArgs),
    Check(check::CheckArgs),
    Merge(edit::MergeArgs),
    Cut(edit::CutArgs),
    Export(edit::ExportArgs),
    Import(import::ImportArgs),
    List(list::ListArgs),
}

/// Where the result goes.
#[derive(Debug, Args)]
struct Output {
    /// The result: a new folder or file, which is there whole or not at all
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Replace what is there, if it is a captured data set (or a file, for export)
    #[arg(long)]
    force: bool,
}

/// Runs it.
///
/// # Errors
/// When a data set cannot be read or is not what it should be, and when the result cannot be written.
pub(crate) fn run(args: &DatasetArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Describe(args) => describe::run(args),
        What::Check(args) => check::run(args),
        What::Merge(args) => edit::merge(args),
        What::Cut(args) => edit::cut(args),
        What::Export(args) => edit::export(args),
        What::Import(args) => import::run(args),
        What::List(args) => list::run(args),
    }
}

fn open(dir: &Path) -> anyhow::Result<Folder> {
    Folder::open(dir).context("opening the data set")
}

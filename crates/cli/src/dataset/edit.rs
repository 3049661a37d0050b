//! `forestall dataset merge`, `cut` and `export`: data sets out of data sets.

use std::io::Write;
use std::path::PathBuf;

use ::dataset::{Cut, CutError, ExportError, Format, FreshError, MergeError, Progress, Selector};
use clap::{Args, ValueEnum};

use super::{Output, open};
use crate::hint::WithHint;
use crate::numbers::grouped;
use crate::progress;

/// Puts data sets together: samples by time, those with the same series and time once
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The data sets' folders; of samples with the same series and time the one of the first stays
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Keeps some of the time or some of the series
#[derive(Debug, Args)]
pub(super) struct CutArgs {
    /// The data set's folder
    dir: PathBuf,
    /// The first instant that is kept, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// The first instant that is not kept any more
    #[arg(long, value_name = "TIME")]
    to: Option<jiff::Timestamp>,
    /// Keep this metric; may be given several times
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    /// Keep these series, such as 'node_load1{host="a"}' or '{host="a"}'; may be given several times
    #[arg(long, value_name = "SELECTOR")]
    selector: Vec<Selector>,
    #[command(flatten)]
    output: Output,
}

/// Writes time, metric, labels and value to one file, as `forestall replay` reads it
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The data set's folder
    dir: PathBuf,
    /// How the file is written
    #[arg(long, value_enum)]
    format: FormatName,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Text with a header
    Csv,
    /// Columns, packed
    Parquet,
}

pub(super) fn merge(args: &MergeArgs) -> anyhow::Result<()> {
    let folders = args
        .dirs
        .iter()
        .map(|dir| open(dir))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (out, force) = (&args.output.out, args.output.force);
    let written = with_bar("merging", |progress| {
        ::dataset::merge(&folders, out, force, progress)
    });
    let written = written.map_err(|error| match error {
        MergeError::Fresh(error) => with_advice(error),
        MergeError::Read(_) | MergeError::Window(_) => unreadable(error),
        MergeError::Write(_) | MergeError::Schema { .. } | MergeError::Empty => error.into(),
    })?;
    say(&args.output, written)
}

pub(super) fn cut(args: &CutArgs) -> anyhow::Result<()> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        anyhow::bail!("--from {from} is not before --to {to}");
    }
    let folder = open(&args.dir)?;
    let mut selectors = args.selector.clone();
    selectors.extend(args.metric.iter().map(|name| Selector::metric(name)));
    let kept = Cut {
        from: args.from.map(jiff::Timestamp::as_microsecond),
        to: args.to.map(jiff::Timestamp::as_microsecond),
        selectors,
    };
    let (out, force) = (&args.output.out, args.output.force);
    let written = with_bar("cutting", |progress| {
        ::dataset::cut(&folder, &kept, out, force, progress)
    });
    let written = written.map_err(|error| match error {
        CutError::Fresh(error) => with_advice(error),
        CutError::Read(_) | CutError::Window(_) => unreadable(error),
        CutError::Write(_) | CutError::Empty => error.into(),
    })?;
    say(&args.output, written)
}

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let folder = open(&args.dir)?;
    let format = match args.format {
        FormatName::Csv => Format::Csv,
        FormatName::Parquet => Format::Parquet,
    };
    let (out, force) = (&args.output.out, args.output.force);
    let written = with_bar("exporting", |progress| {
        ::dataset::export(&folder, format, out, force, progress)
    });
    let written = written.map_err(|error| match error {
        ExportError::Fresh(error) => with_advice(error),
        ExportError::Window(_) => unreadable(error),
        ExportError::Write { .. } | ExportError::Empty => error.into(),
    })?;
    say(&args.output, written)
}

/// Runs `work` under a progress bar.
fn with_bar<T>(name: &str, work: impl FnOnce(Progress<'_>) -> T) -> T {
    let bar = progress::items(name, 0);
    let done = work(&mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    done
}

fn say(output: &Output, written: u64) -> anyhow::Result<()> {
    let out = output.out.display();
    Ok(writeln!(
        std::io::stdout(),
        "{out}: {} samples",
        grouped(written)
    )?)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    anyhow::Error::new(error)
        .hint("`forestall dataset check` names all files and rows that are wrong")
}

/// Says what the person at the terminal can do about an output that is in the way.
pub(super) fn with_advice(error: FreshError) -> anyhow::Error {
    let exists = matches!(error, FreshError::Exists { .. });
    let error = anyhow::Error::new(error);
    if exists {
        error.hint("name another place with --out, or replace it with --force")
    } else {
        error
    }
}

//! `forestall dataset import`: public recordings as captured data.
//!
//! The recordings go through the engine as they would have when they were made, so that features and scores are what
//! the engine wrote and nothing else computes them. Each recording meets a fresh engine; all of them go on together in
//! order of time, so that the days of the result are written one after the other.

mod capture;
mod corpora;
mod episodes;
mod recording;
mod sums;

use std::io::Write;
use std::path::{Path, PathBuf};

use ::dataset::{Fresh, Public};
use anyhow::{Context, anyhow};
use clap::Args;

use self::recording::Recording;
use super::Output;
use super::edit::with_advice;
use crate::config::EngineArgs;
use crate::hint::WithHint;
use crate::numbers::grouped;

/// Writes a public data set as captured data, with the features and scores of this engine
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Which; `forestall dataset list` shows them
    name: String,
    /// The folder with its files, or the one above it
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let public = named(&args.name)?;
    let config = args.engine.load()?;
    let dir = folder_of(&args.from, &public.name);
    let fresh = Fresh::folder(&args.output.out, args.output.force).map_err(with_advice)?;
    let recordings = read(&public, &dir)
        .with_context(|| format!("reading {}", public.name))
        .map_err(|e| {
            e.hint(format!(
                "`forestall dataset list {}` says what must be there",
                public.name
            ))
        })?;
    sums::compare(&public, &dir, &mut std::io::stderr().lock())?;
    let written = capture::write(&public, &recordings, &config, fresh.path())?;
    fresh.commit()?;
    writeln!(
        std::io::stdout(),
        "{}: {} samples of {} recordings, {} of them normal",
        args.output.out.display(),
        grouped(written.rows),
        grouped(recordings.len() as u64),
        grouped(written.normal)
    )?;
    Ok(())
}

/// The public data set of this name.
pub(super) fn named(name: &str) -> anyhow::Result<Public> {
    let all = ::dataset::public()?;
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    let found = all.into_iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        anyhow!("there is no public data set {name:?}")
            .hint(format!("there are {}", names.join(", ")))
    })
}

/// `DIR/name` if there is such a folder, else `DIR`.
fn folder_of(from: &Path, name: &str) -> PathBuf {
    let inner = from.join(name);
    if inner.is_dir() {
        inner
    } else {
        from.to_owned()
    }
}

fn read(public: &Public, dir: &Path) -> anyhow::Result<Vec<Recording>> {
    use eval::datasets;
    match public.name.as_str() {
        "nab" => corpora::recordings("nab", datasets::nab(dir)?),
        "cloud-monitoring" => {
            corpora::recordings("cloud_monitoring", datasets::cloud_monitoring(dir)?)
        }
        "smap-msl" => corpora::recordings("smap_msl", datasets::smap_msl(dir)?),
        "exhaustion" => episodes::recordings(dir),
        other => Err(anyhow!(
            "{other} is described, but there is no reader for it"
        )),
    }
}

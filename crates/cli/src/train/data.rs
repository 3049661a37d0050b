//! What is learned from, as the command line names it.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use jiff::Timestamp as Instant;
use series::Timestamp;
use server::CapturedSource;
use training::Source;
use training::generate::{Generator, GeneratorConfig};

use crate::hint::WithHint;

/// Captured data, or generated.
#[derive(Debug, Args)]
#[group(id = "data_named", required = true, multiple = true)]
pub(super) struct DataArgs {
    /// Captured data: the folder of `forestall serve --capture`
    #[arg(long, value_name = "DIR", conflicts_with = "generate")]
    data: Option<PathBuf>,
    /// Synthetic series, as the recipe describes them
    #[arg(long)]
    generate: bool,
}

/// A span of captured data.
#[derive(Debug, Args)]
pub(super) struct SpanArgs {
    /// Use samples from this instant on, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "data")]
    from: Option<Instant>,
    /// Use samples before this instant
    #[arg(long, value_name = "TIME", requires = "data")]
    to: Option<Instant>,
}

impl SpanArgs {
    /// The instants; all there is when none is named.
    pub(super) fn range(&self) -> anyhow::Result<std::ops::Range<Timestamp>> {
        let always = server::models::ALWAYS;
        let at = |instant: Option<Instant>, otherwise| {
            instant.map_or(otherwise, |at| Timestamp::from_micros(at.as_microsecond()))
        };
        let range = at(self.from, always.start)..at(self.to, always.end);
        ensure!(range.start < range.end, "--from is not before --to");
        Ok(range)
    }
}

impl DataArgs {
    /// Opens it. `generate` and `seed` are the recipe's.
    pub(super) fn open(
        &self,
        span: &SpanArgs,
        generate: &GeneratorConfig,
        seed: u64,
    ) -> anyhow::Result<Box<dyn Source>> {
        match &self.data {
            Some(dir) => {
                check(dir)?;
                Ok(Box::new(CapturedSource::new(dir, span.range()?)))
            }
            None => Ok(Box::new(Generator::new(generate.clone(), seed))),
        }
    }

    /// The arguments that name it, for the card: a folder by its own name only, so that no path of this machine gets
    /// into a model.
    pub(super) fn named(&self) -> String {
        self.data.as_deref().map_or_else(
            || "--generate".to_owned(),
            |dir| format!("--data {}", last(dir)),
        )
    }
}

/// Whether a folder can be captured data at all.
pub(super) fn check(dir: &Path) -> anyhow::Result<()> {
    if dir.join("samples").is_dir() {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "{} has no folder `samples`: it is no captured data",
        dir.display()
    );
    Err(error.hint(
        "`forestall serve --capture DIR` captures what is watched; `--generate` needs no data",
    ))
}

/// Whether a model may be written to a folder.
pub(super) fn vacant(out: &Path, force: bool) -> anyhow::Result<()> {
    if force || !out.join("card.toml").exists() {
        return Ok(());
    }
    let error = anyhow::anyhow!("{} has a model already", out.display());
    Err(error.hint("name another folder, or replace it with --force"))
}

/// Now, as cards have it.
pub(super) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// The last part of a path.
pub(super) fn last(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

//! `forestall models compare`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use series::Timestamp;
use server::models::gate::Report;
use server::models::{Challenge, HeldBack, compare};
use store::models::{Name, Version};

use super::place::{Opened, Place, now};
use crate::hint::WithHint;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The model
    name: Name,
    /// The candidate
    version: Version,
    /// Compare with this version, not with the champion; this says nothing for a promotion
    #[arg(long, value_name = "VERSION")]
    against: Option<Version>,
    #[command(flatten)]
    samples: Samples,
    /// Write the report to this file too
    #[arg(long, value_name = "OUT.json")]
    json: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// What is judged on.
#[derive(Debug, Args)]
pub(super) struct Samples {
    /// Captured samples; without it, capture.dir of the configuration
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Judge on samples from then on, such as 2026-11-22T20:00:00Z; without it, on the last fifth of the time
    #[arg(long, value_name = "TIME")]
    since: Option<jiff::Timestamp>,
}

impl Samples {
    fn held_back(&self, opened: &Opened) -> anyhow::Result<HeldBack> {
        let dir = self
            .data
            .clone()
            .unwrap_or_else(|| opened.config.capture.dir.clone());
        if dir.as_os_str().is_empty() {
            let error = anyhow::anyhow!("there are no captured samples to judge on");
            return Err(error
                .hint("name them with --data DIR; `forestall serve --capture DIR` writes them"));
        }
        Ok(HeldBack {
            since: self
                .since
                .map(|at| Timestamp::from_micros(at.as_microsecond())),
            ..opened.config.models.held_back(dir)
        })
    }
}

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let report = judge(
        &opened,
        &args.name,
        args.version,
        args.against,
        &args.samples,
    )?;
    if let Some(path) = &args.json {
        let text = serde_json::to_vec_pretty(&report).context("writing the report as JSON")?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{report}")?;
    if !report.passed() {
        bail!("{} did not pass", report.candidate);
    }
    if args.against.is_none() {
        writeln!(
            out,
            "\nTry next: forestall models promote {} {}",
            args.name, args.version
        )?;
    }
    Ok(())
}

pub(super) fn judge(
    opened: &Opened,
    name: &Name,
    candidate: Version,
    against: Option<Version>,
    samples: &Samples,
) -> anyhow::Result<Report> {
    let challenge = Challenge {
        name: name.clone(),
        candidate,
        against,
        held_back: samples.held_back(opened)?,
    };
    let built_in = opened.built_in(name)?;
    Ok(compare(
        &opened.registry,
        &opened.loader,
        built_in.as_ref(),
        &challenge,
        &opened.config.models.gate,
        now(),
    )?)
}

//! `forestall detectors`: what can judge a series, and how it is set.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use hotpath::{EngineConfig, Profile};
use predict::anomaly::DETECTORS;

const EXAMPLES: &str = "\
Examples:
  forestall detectors
  forestall detectors residual

Options go into the configuration file, in a section of their own:
  [engine.detectors.residual]
  enabled = false";

/// Lists the detectors with their options and defaults.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DetectorsArgs {
    /// Show only this one
    name: Option<String>,
}

/// Runs it.
///
/// # Errors
/// When there is no detector of that name.
pub(crate) fn run(args: &DetectorsArgs) -> anyhow::Result<()> {
    let names = |profile| -> anyhow::Result<Vec<&'static str>> {
        let config = EngineConfig {
            profile,
            ..EngineConfig::default()
        };
        Ok(config
            .ensemble()
            .context("building the engine")?
            .names()
            .collect())
    };
    let (default, lean) = (names(Profile::Default)?, names(Profile::Lean)?);
    let shown = match &args.name {
        Some(name) => std::slice::from_ref(catalog::find(DETECTORS, name)?),
        None => DETECTORS,
    };
    let mut out = std::io::stdout().lock();
    for (i, entry) in shown.iter().enumerate() {
        let profiles = match (default.contains(&entry.name), lean.contains(&entry.name)) {
            (true, true) => "in the profiles default and lean",
            (true, false) => "in the profile default",
            (false, true) => "in the profile lean",
            (false, false) => "in no profile: takes part when enabled",
        };
        if i > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}: {}\n  {profiles}", entry.name, entry.about)?;
        for line in entry.example.lines().filter(|line| !line.trim().is_empty()) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

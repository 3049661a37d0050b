//! `forestall config`, and the engine's settings as commands without a server take them.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use hotpath::{EngineConfig, Profile};
use predict::anomaly::DETECTORS;
use server::Config;

use crate::model_file;

const EXAMPLES: &str = "\
Examples:
  forestall config print > forestall.toml
  forestall config check forestall.toml && forestall serve --config forestall.toml";

/// Prints the documented defaults, or checks a file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print every key with its default and what it does
    Print,
    /// Say all that is wrong with a file, and with the secrets and certificates it names, at once
    Check {
        /// The file
        file: PathBuf,
    },
}

/// Runs it.
///
/// # Errors
/// When the file has errors: all of them, in one message.
pub(crate) fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match &args.what {
        What::Print => write!(out, "{}", Config::default_toml())?,
        What::Check { file } => {
            for warning in server::check(file)? {
                writeln!(out, "warning: {warning}")?;
            }
            writeln!(out, "{} is fine", file.display())?;
        }
    }
    Ok(())
}

/// How the engine is to be built.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineArgs {
    /// Configuration file, of which the section `[engine]` counts; see `forestall config print`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How much to spend on each series
    #[arg(long, value_enum, value_name = "PROFILE")]
    profile: Option<ProfileName>,

    #[command(flatten)]
    members: MemberArgs,

    /// A model to forecast with, in place of the built-in one: a bundle or an ONNX file; takes in `lstm`
    #[arg(long, value_name = "PATH")]
    model: Option<PathBuf>,
}

/// Detectors besides those of the profile.
#[derive(Debug, Clone, Args)]
pub(crate) struct MemberArgs {
    /// Takes in a detector that the profile leaves out, such as `lstm`; may be repeated
    #[arg(long = "with", value_name = "DETECTOR")]
    with: Vec<String>,
}

impl MemberArgs {
    /// Writes them into a configuration, and gives it the built-in model to forecast with.
    ///
    /// # Errors
    /// When there is no such detector.
    pub(crate) fn apply(&self, config: &mut EngineConfig) -> anyhow::Result<()> {
        for name in &self.with {
            let entry = catalog::find(DETECTORS, name).context("--with")?;
            let options = config.detectors.entry(entry.name.to_owned()).or_default();
            options.insert("enabled".to_owned(), true.into());
        }
        let built_in = onnx::default_step_model().context("loading the built-in model")?;
        config.models.forecaster = Some(built_in);
        Ok(())
    }
}

/// [`Profile`] as it is spelt on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProfileName {
    /// Every detector that earns its place
    Default,
    /// The few that earn most per byte and nanosecond
    Lean,
}

impl EngineArgs {
    /// The configuration that the arguments describe.
    ///
    /// # Errors
    /// When the configuration file or the model cannot be used, or there is no such detector.
    pub(crate) fn load(&self) -> anyhow::Result<EngineConfig> {
        let mut config = self
            .config
            .as_deref()
            .map(Config::load)
            .transpose()?
            .unwrap_or_default()
            .engine;
        match self.profile {
            Some(ProfileName::Default) => config.profile = Profile::Default,
            Some(ProfileName::Lean) => config.profile = Profile::Lean,
            None => {}
        }
        self.members.apply(&mut config)?;
        if let Some(path) = &self.model {
            let model = model_file::step_model(path)?;
            let hidden = i64::try_from(model.signature().hidden())?;
            let options = config.detectors.entry("lstm".to_owned()).or_default();
            options.insert("enabled".to_owned(), true.into());
            options.insert("max_hidden".to_owned(), hidden.into());
            config.models.forecaster = Some(model);
        }
        Ok(config)
    }
}

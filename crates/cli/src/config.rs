//! `forestall config`, and the engine's settings as commands without a server take them.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hotpath::{EngineConfig, Profile};
use server::Config;

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
    /// Say all that is wrong with a file, at once
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
            Config::load(file)?;
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
    /// When the configuration file cannot be used.
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
        Ok(config)
    }
}

//! The engine's configuration as commands without a server take it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hotpath::{EngineConfig, Profile};
use server::Config;

/// How the engine is to be built.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineArgs {
    /// Configuration file, of which the section [engine] counts; see `forestall config print`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// How much to spend on each series
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub(crate) profile: Option<ProfileName>,
}

/// [`Profile`] as it is spelt on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// Every detector that earns its place
    Default,
    /// The few that earn most per byte and nanosecond
    Lean,
}

impl EngineArgs {
    /// The configuration that the arguments describe.
    ///
    /// # Errors
    /// When the configuration file cannot be read.
    pub(crate) fn load(&self) -> anyhow::Result<EngineConfig> {
        let mut config = self.config.as_deref().map(Config::load).transpose()?.unwrap_or_default().engine;
        match self.profile {
            Some(ProfileName::Default) => config.profile = Profile::Default,
            Some(ProfileName::Lean) => config.profile = Profile::Lean,
            None => {}
        }
        Ok(config)
    }
}

//! What the command line of a benchmark takes.

use std::error::Error;
use std::process::Command;

use clap::Args;
use hotpath::Profile;

/// What every benchmark takes.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Fewer series and samples: shows in seconds that it works, and figures that mean little.
    #[arg(long)]
    pub quick: bool,
    /// Only this profile: `default` or `lean`.
    #[arg(long, value_parser = parse_profile)]
    profile: Option<Profile>,
}

impl Options {
    /// The profiles to measure.
    pub fn profiles(&self) -> impl Iterator<Item = Profile> {
        let only = self.profile;
        [Profile::Default, Profile::Lean]
            .into_iter()
            .filter(move |&profile| only.is_none_or(|only| only == profile))
    }

    /// The one profile that was asked for, if any.
    #[must_use]
    pub const fn only(&self) -> Option<Profile> {
        self.profile
    }

    /// Runs this program once more for one profile, with `more` options, and waits: what one measurement leaves in the
    /// allocator would otherwise hide what the next one takes.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub fn in_own_process(&self, profile: Profile, more: &[String]) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--profile", profile_name(profile)])
            .args(more);
        if self.quick {
            command.arg("--quick");
        }
        let status = command.status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{command:?} ended with {status}").into())
        }
    }
}

fn parse_profile(text: &str) -> Result<Profile, String> {
    [Profile::Default, Profile::Lean]
        .into_iter()
        .find(|&profile| profile_name(profile) == text)
        .ok_or_else(|| format!("{text:?} is no profile; there are default and lean"))
}

/// As in the configuration.
#[must_use]
pub const fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Default => "default",
        Profile::Lean => "lean",
    }
}

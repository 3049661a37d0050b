//! `forestall completions`: commands and options at the press of the tab key.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  forestall completions bash > ~/.local/share/bash-completion/completions/forestall
  forestall completions zsh > ~/.zfunc/_forestall
  forestall completions fish > ~/.config/fish/completions/forestall.fish";

/// Prints a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Runs it for the whole command line, `command`.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<()> {
    // Into memory first: clap_complete panics when its writer fails, and `| head` is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "forestall", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(())
}

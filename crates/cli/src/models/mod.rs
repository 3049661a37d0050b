//! `forestall models`: which models there are, whether they are whole, and which of them serves.
//!
//! All of it works on the directory, whether a server runs or not: a running one looks at the champion every few seconds.

mod change;
mod compare;
mod install;
mod list;
mod place;
mod probe;
mod show;
mod verify;

pub(crate) use probe::probe;

use clap::{Args, Subcommand};

use self::place::Place;

const EXAMPLES: &str = "\
Examples:
  forestall train --data captured --out candidate
  forestall models install lstm candidate
      Puts it into the repository as the next version; it serves nobody yet.
  forestall models compare lstm 2 --data captured
      Replays it beside the champion on samples that training did not see.
  forestall models promote lstm 2 --why 'trained on November'
      Makes it the champion. A running server takes it up within seconds, without a gap.
  forestall models rollback lstm --why 'too many alerts at night'

The repository is DIR/NAME/VERSION/ with model.onnx, card.toml and golden.json; DIR is `models`
in the state directory unless --models or the configuration says otherwise.";

/// Lists, verifies, compares and promotes models.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show all models with their versions and champions
    List(#[command(flatten)] Place),
    /// Show one model: its versions, its history, and the card of one version
    Show(show::ShowArgs),
    /// Read versions, check their checksums, and run them on their golden inputs
    Verify(verify::VerifyArgs),
    /// Put a bundle, or an ONNX file that somebody exported, into the repository
    Install(install::InstallArgs),
    /// Replay a version beside the champion on captured samples that were held back
    Compare(compare::CompareArgs),
    /// Make a version the champion; it must have passed a comparison with the present one
    Promote(change::PromoteArgs),
    /// Make the champion before this one the champion again
    Rollback(change::RollbackArgs),
    /// Remove versions that nobody needs
    Gc(change::GcArgs),
}

/// Runs it.
///
/// # Errors
/// When the repository cannot be read or changed, or a model is not what it should be.
pub(crate) fn run(args: &ModelsArgs) -> anyhow::Result<()> {
    match &args.what {
        What::List(place) => list::run(place),
        What::Show(args) => show::run(args),
        What::Verify(args) => verify::run(args),
        What::Install(args) => install::run(args),
        What::Compare(args) => compare::run(args),
        What::Promote(args) => change::promote(args),
        What::Rollback(args) => change::rollback(args),
        What::Gc(args) => change::gc(args),
    }
}

//! `forestall audit`: what happened, and whether anybody changed it since.

mod chain;
mod export;
mod lines;
mod list;
mod place;
mod report;
mod verify;

pub(super) use place::LedgerArgs;

use clap::{Args, Subcommand};

use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall audit
      The newest entries: who did what, when.
  forestall audit --subject p4
  forestall audit --follow
  forestall audit verify
      Reads the whole ledger, without a server: whether an entry was changed, taken out or cut off.
  forestall audit verify --ledger backup/ledger.sqlite --head audit.head
  forestall audit export > audit.jsonl && forestall audit verify --export audit.jsonl";

/// Lists what happened, and proves that nobody changed it: each entry holds the hash of the one before.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(verify::VerifyArgs),
    Export(export::ExportArgs),
}

/// Runs it.
///
/// # Errors
/// When the audit cannot be read, or is broken.
pub(super) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    match &args.what {
        None => block_on(list::run(&args.list)),
        Some(What::Verify(args)) => verify::run(args),
        Some(What::Export(args)) => block_on(export::run(args)),
    }
}

//! `forestall audit export`: the whole audit as lines of JSON, which can be verified elsewhere.

use std::io::{BufWriter, Write};

use clap::Args;
use ledger::MAX_PAGE;

use super::place::LedgerArgs;
use crate::plain;

/// Write all entries to standard output, one JSON object per line, without a server
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

pub(super) async fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let opened = args.ledger.open().await?;
    let end = opened.ledger.head().await?;
    let bar = crate::progress::items("exporting the audit", end.seq);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut after = 0;
    loop {
        let page = opened.ledger.audit(after, MAX_PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        // An entry that says it stands elsewhere would be asked for again and again.
        if last.seq <= after {
            anyhow::bail!(
                "an entry after {after} says that it is entry {}: see `forestall audit verify`",
                last.seq
            );
        }
        after = last.seq;
        for entry in &page {
            writeln!(out, "{}", plain::escaped(&serde_json::to_string(entry)?))?;
        }
        bar.inc(page.len() as u64);
    }
    out.flush()?;
    bar.finish_and_clear();
    opened.ledger.close().await;
    Ok(())
}

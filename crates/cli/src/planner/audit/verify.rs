//! `forestall audit verify`: reads all of the audit, and says where it was cut or changed.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use ledger::{Ledger, LoadError, MAX_PAGE, QueryError, Since};
use remedy::audit::{Entry, Hash, Head};
use series::Timestamp;

use super::chain::{Chain, Kept, Made, counted_order, made, read_head};
use super::lines::of_export;
use super::place::LedgerArgs;
use super::report::{Report, Stop};
use crate::hint::WithHint;
use crate::page::Page;
use crate::runtime::block_on;

/// Microseconds for which actions are counted: the memory of attempts, if nothing else is said.
const COUNTED_US: i64 = 4 * 3_600_000_000;
/// How often the end is looked for while a server writes on.
const TURNS: usize = 100;

/// Read all of it, without a server: exit code 0 when it is intact, 1 when it was cut or changed, 2 when it could not be read
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Hold it against this end, kept elsewhere: a file with the number of an entry and its hash
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Verify what `forestall audit export` wrote, in place of a ledger; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ledger", "config"])]
    export: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When it cannot be read, or is broken.
pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    // What could not be read says nothing of what is in it: a script must tell that from tampering.
    let report = read(args).map_err(|error| error.exit(2))?;
    report.write(&mut Page::new(&mut io::stdout().lock()))?;
    match report.flaw {
        None => Ok(()),
        Some(flaw) => {
            let holds = report.chain.head().seq;
            let error = anyhow::anyhow!("the audit is broken: {flaw}");
            Err(error.hint(format!(
                "entries up to {holds} hold; compare what follows with a backup or an export"
            )))
        }
    }
}

fn read(args: &VerifyArgs) -> anyhow::Result<Report> {
    let kept = args.head.as_deref().map(read_head).transpose()?;
    let kept: Vec<Kept> = kept.into_iter().collect();
    match &args.export {
        Some(path) => of_export(path, kept),
        None => block_on(of_ledger(&args.ledger, kept)),
    }
}

async fn of_ledger(args: &LedgerArgs, mut kept: Vec<Kept>) -> anyhow::Result<Report> {
    let opened = args.open().await?;
    let ledger = &opened.ledger;
    // Before the entries: what is written meanwhile only adds to them.
    let stored = ledger
        .head()
        .await
        .context("reading the end of the audit")?;
    kept.push(Kept {
        place: "the ledger".to_owned(),
        head: stored,
    });
    if let Some(path) = &opened.head_file {
        kept.push(read_head(path)?);
    }
    let mut report = Report {
        place: ledger.location().to_string(),
        chain: Chain::new(kept.clone()),
        heads: kept,
        ..Report::default()
    };
    let bar = crate::progress::items("verifying the audit", stored.seq);
    let outcome = report.read(ledger, &bar).await;
    bar.finish_and_clear();
    match outcome {
        Ok(()) => {}
        Err(Stop::Flaw(flaw)) => report.flaw = Some(flaw),
        Err(Stop::Unread(error)) => return Err(error),
    }
    opened.ledger.close().await;
    Ok(report)
}

/// A row that is no entry was changed by somebody; a database that does not answer says nothing about it.
fn unread(error: QueryError) -> Stop {
    match error {
        QueryError::Database(_) => Stop::Unread(error.into()),
        QueryError::Body { .. } | QueryError::Column { .. } => {
            Stop::Flaw(crate::hint::message(&error.into()))
        }
    }
}

impl Report {
    async fn read(&mut self, ledger: &Ledger, bar: &ProgressBar) -> Result<(), Stop> {
        for _ in 0..TURNS {
            loop {
                let after = self.chain.head().seq;
                let page = ledger.audit(after, MAX_PAGE).await.map_err(unread)?;
                for entry in &page {
                    self.take(entry)?;
                    self.note_order(entry);
                    if let Some(told) =
                        made(entry).map_err(|error| Stop::Flaw(format!("{error:#}")))?
                    {
                        self.look_at(ledger, told).await?;
                    }
                }
                bar.inc(page.len() as u64);
                if page.is_empty() {
                    break;
                }
            }
            // A server may have written on; entries beyond what the ledger calls its end were put there by somebody else.
            let (end, last) = (ledger.head().await.map_err(unread)?, self.chain.head());
            if end == last {
                break;
            }
            if end.seq <= last.seq {
                let Head { seq, hash } = end;
                let what = format!(
                    "the ledger says that its audit ends with entry {seq} ({hash}), and there are entries up to {}",
                    last.seq
                );
                return Err(Stop::Flaw(what));
            }
        }
        self.chain.finish().map_err(|flaw| Stop::Flaw(flaw.0))?;
        self.look_at_limits(ledger).await
    }

    fn note_order(&mut self, entry: &Entry) {
        let Some(key) = counted_order(entry) else {
            return;
        };
        self.orders.push_back((entry.at, key));
        let is_old = |at: Timestamp| entry.at.micros() - at.micros() > COUNTED_US;
        while self.orders.front().is_some_and(|(at, _)| is_old(*at)) {
            self.orders.pop_front();
        }
    }

    /// What the limits and the brake rest on is what the audit says: an action that is gone would not be counted.
    async fn look_at_limits(&self, ledger: &Ledger) -> Result<(), Stop> {
        let never = Timestamp::from_micros(i64::MAX);
        let since = Since {
            attempts: self.orders.front().map_or(never, |(at, _)| *at),
            resolved: never,
        };
        let memory = ledger.load(since).await.map_err(|error| match error {
            LoadError::Query(error) => unread(error),
            LoadError::Audit { .. } | LoadError::Brake { .. } => Stop::Flaw(error.to_string()),
        })?;
        let counted: BTreeSet<&str> = memory.actions.iter().map(|it| &*it.key).collect();
        let mut orders = self.orders.iter();
        match orders.find(|(_, key)| !counted.contains(&**key)) {
            None => Ok(()),
            Some((_, key)) => Err(Stop::Flaw(format!(
                "the action of order {key} is gone from the ledger, and no limit counts it"
            ))),
        }
    }

    /// A decision is what the audit says it was.
    async fn look_at(&mut self, ledger: &Ledger, told: Made) -> Result<(), Stop> {
        let id = told.id;
        let Some(record) = ledger.decision(id).await.map_err(unread)? else {
            self.forgotten += 1;
            return Ok(());
        };
        let is = (
            Hash::of(record.input.as_bytes()),
            Hash::of(record.output.as_bytes()),
        );
        for (what, is, says) in [("known", is.0, told.input), ("decided", is.1, told.output)] {
            if is != says {
                return Err(Stop::Flaw(format!(
                    "what was {what} for {id} was changed: the audit says {says}, it is {is}"
                )));
            }
        }
        self.decisions += 1;
        Ok(())
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;

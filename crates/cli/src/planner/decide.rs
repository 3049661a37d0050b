//! `forestall decide --replay`: makes a recorded decision again, from what was known then.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use ledger::{Cursor, Ledger, Page as LedgerPage};
use remedy::decision::{self, Decision, DecisionId, ReplayError};
use remedy::record::DecisionRecord;
use serde_json::Value;

use super::audit::LedgerArgs;
use super::difference::difference;
use super::words;
use crate::hint::WithHint;
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall decide --replay d9
      The same, bit for bit; or the first place where it comes out otherwise.
  forestall decide --replay d9 --input | jq .case
      All that was known. With --output, what was decided.

The decision of a plan is told by `forestall plans explain PLAN`. No server is asked.";

/// Makes a recorded decision again, and says whether it comes out the same.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DecideArgs {
    /// Which decision, such as d9
    #[arg(long, value_name = "DECISION")]
    replay: DecisionId,
    /// Print what was known, as JSON, and decide nothing
    #[arg(long)]
    input: bool,
    /// Print what was decided, as JSON, and decide nothing
    #[arg(long, conflicts_with = "input")]
    output: bool,
    #[command(flatten)]
    ledger: LedgerArgs,
}

/// Runs it.
///
/// # Errors
/// When there is no such decision, or it comes out otherwise.
pub(super) fn run(args: &DecideArgs) -> anyhow::Result<()> {
    let (record, audited) = block_on(read(args))?;
    let mut out = io::stdout().lock();
    if args.input || args.output {
        let text = if args.input {
            &record.input
        } else {
            &record.output
        };
        let value: Value = serde_json::from_str(text).context("what was recorded is no JSON")?;
        writeln!(
            out,
            "{}",
            plain::escaped(&serde_json::to_string_pretty(&value)?)
        )?;
        return Ok(());
    }
    let id = record.id;
    match decision::replay(&record) {
        Ok(decision) => {
            write(&mut Page::new(&mut out), &record, &decision)?;
            told_by_audit(&record, audited.as_ref())
        }
        Err(ReplayError::Otherwise {
            is,
            recorded,
            output,
            ..
        }) => {
            let error = anyhow::anyhow!(
                "{id} comes out otherwise: recorded was sha256 {recorded}, it is {is}"
            );
            let place = difference(&record.output, &output);
            Err(error.hint(format!(
                "{place}; this program decides otherwise than the one that recorded it"
            )))
        }
        Err(error) => {
            let error = anyhow::Error::new(error);
            Err(error.hint("`forestall audit verify` says what else was changed"))
        }
    }
}

/// The record, and what the audit says of it.
async fn read(args: &DecideArgs) -> anyhow::Result<(DecisionRecord, Option<Value>)> {
    let opened = args.ledger.open().await?;
    let id = args.replay;
    let record = opened.ledger.decision(id).await?;
    let Some(record) = record else {
        let error = anyhow::anyhow!("there is no decision {id} in {}", opened.ledger.location());
        return Err(error.hint("old ones are forgotten with their issues; `forestall plans explain PLAN` names that of a plan"));
    };
    let audited = entry(&opened.ledger, id).await?;
    opened.ledger.close().await;
    Ok((record, audited))
}

/// The body of the audit's entry about a decision.
async fn entry(ledger: &Ledger, id: DecisionId) -> anyhow::Result<Option<Value>> {
    let page = LedgerPage {
        from: Cursor::Oldest,
        limit: 100,
    };
    let entries = ledger.audit_of([&*id.to_string()], page).await?;
    let made = entries.iter().find(|entry| entry.kind == "decision.made");
    Ok(made.and_then(|entry| serde_json::from_str(&entry.body).ok()))
}

/// Records that nobody changed have the hashes that the audit says.
fn told_by_audit(record: &DecisionRecord, audited: Option<&Value>) -> anyhow::Result<()> {
    let Some(body) = audited else {
        anyhow::bail!(
            "the audit says nothing of {}: see `forestall audit verify`",
            record.id
        );
    };
    let is = |key: &str, hash: remedy::audit::Hash| {
        body.get(key).and_then(Value::as_str) == Some(hash.to_string().as_str())
    };
    if is("input", record.input_hash) && is("output", record.output_hash) {
        return Ok(());
    }
    anyhow::bail!(
        "the audit says that {} was another: see `forestall audit verify`",
        record.id
    )
}

fn write(page: &mut Page<'_>, record: &DecisionRecord, decision: &Decision) -> io::Result<()> {
    let made = words::date(record.at.micros());
    let DecisionRecord { id, issue, .. } = record;
    page.text(
        0,
        &format!("{id} about {issue}, made {made} (UTC): the same, bit for bit"),
    )?;
    page.fact("sha256 in", &record.input_hash.to_string())?;
    page.fact("sha256 out", &record.output_hash.to_string())?;
    page.fact("course", decision.course.name())?;
    page.fact("chosen", decision.chosen.as_deref().unwrap_or("nothing"))?;
    for (i, reason) in decision.because.iter().enumerate() {
        page.fact(if i == 0 { "because" } else { "" }, reason)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use remedy::audit::Hash;
    use remedy::issue::IssueId;
    use series::Timestamp;

    use super::*;

    #[test]
    fn a_record_is_held_against_the_audit() {
        let record = DecisionRecord {
            id: DecisionId(9),
            issue: IssueId(17),
            at: Timestamp::from_millis(1),
            input: String::new(),
            output: String::new(),
            input_hash: Hash::of(b"in"),
            output_hash: Hash::of(b"out"),
        };
        let body = |output: &[u8]| serde_json::json!({ "input": record.input_hash, "output": Hash::of(output) });
        assert!(told_by_audit(&record, Some(&body(b"out"))).is_ok());
        let error = told_by_audit(&record, Some(&body(b"other")))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("the audit says that d9 was another"),
            "{error}"
        );
        assert!(told_by_audit(&record, None).is_err());
    }
}

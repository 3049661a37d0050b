//! What was found when the audit was read.

use std::collections::VecDeque;
use std::io;

use remedy::audit::Entry;
use series::Timestamp;

use super::chain::{Chain, Kept};
use crate::numbers::grouped;
use crate::page::Page;
use crate::planner::words;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) place: String,
    pub(super) chain: Chain,
    /// Where ends were kept that it was held against.
    pub(super) heads: Vec<Kept>,
    /// Decisions that are as the audit says.
    pub(super) decisions: u64,
    /// Decisions that are not kept any more.
    pub(super) forgotten: u64,
    /// The keys of the newest orders that changed something, with their times, oldest first.
    pub(super) orders: VecDeque<(Timestamp, String)>,
    /// What does not hold.
    pub(super) flaw: Option<String>,
}

/// Why reading ends before the end.
pub(super) enum Stop {
    Flaw(String),
    Unread(anyhow::Error),
}

impl Report {
    pub(super) fn take(&mut self, entry: &Entry) -> Result<(), Stop> {
        self.chain.push(entry).map_err(|flaw| Stop::Flaw(flaw.0))
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let head = self.chain.head();
        page.fact("audit", &self.place)?;
        let span = self
            .chain
            .span()
            .map(|(from, to)| (words::date(from.micros()), words::date(to.micros())));
        let span = span.map_or_else(String::new, |(from, to)| {
            format!(", from {from} to {to} (UTC)")
        });
        let holds = if self.flaw.is_some() {
            " that hold"
        } else {
            ""
        };
        page.fact("entries", &format!("{}{holds}{span}", grouped(head.seq)))?;
        if self.decisions + self.forgotten > 0 {
            let forgotten = match self.forgotten {
                0 => String::new(),
                n => format!("; {} more are not kept any more", grouped(n)),
            };
            let n = words::count(self.decisions, "decision is", "decisions are");
            page.fact("decisions", &format!("{n} as the audit says{forgotten}"))?;
        }
        for Kept { place, head } in &self.heads {
            page.fact(
                "held to",
                &format!("entry {}, kept in {place}", grouped(head.seq)),
            )?;
        }
        page.fact("last hash", &head.hash.to_string())?;
        page.fact(
            "verdict",
            if self.flaw.is_some() {
                "BROKEN"
            } else {
                "intact"
            },
        )
    }
}

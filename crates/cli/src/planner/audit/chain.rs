//! Holds entries of the audit against each other, and against heads that were kept elsewhere; in bounded memory.

use std::fs;
use std::path::Path;

use anyhow::Context;
use remedy::action::Action;
use remedy::audit::{Broken, Entry, Hash, Head, Verifier};
use remedy::decision::DecisionId;
use serde_json::Value;
use series::Timestamp;

/// An end of the audit that was kept somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Where, for people.
    pub(super) place: String,
    pub(super) head: Head,
}

/// A chain under way.
#[derive(Debug, Default)]
pub(super) struct Chain {
    verifier: Verifier,
    kept: Vec<Kept>,
    span: Option<(Timestamp, Timestamp)>,
}

/// What does not hold, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw(pub(super) String);

impl Flaw {
    /// The entries follow each other, and lead elsewhere than a head says.
    fn kept(place: &str, broken: &Broken) -> Self {
        Self(format!("{broken}, says {place}"))
    }
}

impl From<Broken> for Flaw {
    fn from(broken: Broken) -> Self {
        Self(broken.to_string())
    }
}

/// The hashes that an entry says a decision has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) id: DecisionId,
    pub(super) input: Hash,
    pub(super) output: Hash,
}

impl Chain {
    /// Also held against heads that were kept elsewhere, maybe earlier.
    pub(super) fn new(kept: Vec<Kept>) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// The next entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn push(&mut self, entry: &Entry) -> Result<(), Flaw> {
        self.verifier.push(entry)?;
        for Kept { place, head } in &self.kept {
            if head.seq == entry.seq && head.hash != entry.hash {
                return Err(Flaw::kept(place, &Broken::Remade { seq: entry.seq }));
            }
        }
        let from = self.span.map_or(entry.at, |(from, _)| from);
        self.span = Some((from, entry.at));
        Ok(())
    }

    /// No more entries come.
    ///
    /// # Errors
    /// When some that were there once are not.
    pub(super) fn finish(&self) -> Result<(), Flaw> {
        for Kept { place, head } in &self.kept {
            let finished = self.verifier.finish(*head);
            finished.map_err(|broken| Flaw::kept(place, &broken))?;
        }
        Ok(())
    }

    /// How far it holds.
    pub(super) const fn head(&self) -> Head {
        self.verifier.head()
    }

    /// The times of the first and the last entry.
    pub(super) const fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }
}

/// The decision that an entry tells of; `None` for all other entries.
///
/// # Errors
/// When it should tell of one and does not.
pub(super) fn made(entry: &Entry) -> anyhow::Result<Option<Made>> {
    if entry.kind != "decision.made" {
        return Ok(None);
    }
    let body: Value = serde_json::from_str(&entry.body)
        .with_context(|| format!("the body of entry {}", entry.seq))?;
    let hash = |key: &str| -> anyhow::Result<Hash> {
        let text = body.get(key).and_then(Value::as_str).unwrap_or_default();
        text.parse()
            .with_context(|| format!("{key} in entry {}", entry.seq))
    };
    let id = entry
        .subject
        .parse()
        .with_context(|| format!("the subject of entry {}", entry.seq))?;
    Ok(Some(Made {
        id,
        input: hash("input")?,
        output: hash("output")?,
    }))
}

/// The key of an order that changed something, if an entry tells of one: the limits count it.
pub(super) fn counted_order(entry: &Entry) -> Option<String> {
    if entry.kind != "step.ordered" {
        return None;
    }
    let body: Value = serde_json::from_str(&entry.body).ok()?;
    let action: Action = serde_json::from_value(body.get("action")?.clone()).ok()?;
    let is_dry = body.get("executor")?.as_str()? == "dry_run";
    (!is_dry && !action.is_harmless()).then(|| Some(body.get("key")?.as_str()?.to_owned()))?
}

/// Reads a head that was kept in a file.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub(super) fn read_head(path: &Path) -> anyhow::Result<Kept> {
    let place = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("reading the head in {place}"))?;
    let head = text
        .parse()
        .with_context(|| format!("the head in {place}"))?;
    Ok(Kept { place, head })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A chain of so many entries.
    pub(in crate::planner::audit) fn entries(n: u64) -> Vec<Entry> {
        let mut head = Head::default();
        let entry = |i: u64| {
            let at = Timestamp::from_millis(1_000 * i64::try_from(i).unwrap());
            head.append(
                at,
                "forestall",
                "issue.opened",
                &format!("i{i}"),
                "{}".to_owned(),
            )
        };
        (1..=n).map(entry).collect()
    }

    fn kept(entry: &Entry) -> Kept {
        Kept {
            place: "audit.head".to_owned(),
            head: Head {
                seq: entry.seq,
                hash: entry.hash,
            },
        }
    }

    fn check(entries: &[Entry], kept: Vec<Kept>, expected: Result<u64, &str>) {
        let mut chain = Chain::new(kept);
        let got = entries.iter().try_for_each(|entry| chain.push(entry));
        let got = got.and_then(|()| chain.finish()).map(|()| chain.head().seq);
        assert_eq!(got.map_err(|flaw| flaw.0), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_head_that_was_kept_earlier_stands_within_the_chain() {
        let all = entries(5);
        check(&all, vec![kept(&all[4]), kept(&all[1])], Ok(5));
        check(&all, vec![], Ok(5));
        check(&[], vec![], Ok(0));
        check(
            &all[..3],
            vec![kept(&all[4])],
            Err("the audit was cut after entry 3: its head stood at 5, says audit.head"),
        );
        let mut other = entries(1);
        other[0].body = "{\"x\":1}".to_owned();
        other[0].hash = other[0].digest();
        let remade = "entry 1 is not the one that was written last: the chain was made anew from some entry on, says audit.head";
        check(&all, vec![kept(&other[0])], Err(remade));
        let mut changed = all.clone();
        changed[2].actor = "mallory".to_owned();
        let mut chain = Chain::default();
        let flaw = changed
            .iter()
            .try_for_each(|entry| chain.push(entry))
            .unwrap_err();
        assert!(flaw.0.starts_with("entry 3 was changed"), "{flaw:?}");
        assert_eq!(
            chain.span(),
            Some((Timestamp::from_millis(1_000), Timestamp::from_millis(2_000)))
        );
    }

    #[test]
    fn decisions_are_told_with_their_hashes() {
        let mut entry = entries(1).remove(0);
        assert_eq!(made(&entry).unwrap(), None);
        let (input, output) = (Hash::of(b"in"), Hash::of(b"out"));
        entry.kind = "decision.made".to_owned();
        entry.subject = "d9".to_owned();
        entry.body = serde_json::json!({ "input": input, "output": output }).to_string();
        let id = DecisionId(9);
        assert_eq!(made(&entry).unwrap(), Some(Made { id, input, output }));
        entry.body = "{}".to_owned();
        assert!(made(&entry).is_err());
    }
}

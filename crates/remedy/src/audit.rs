//! What happened, so that nobody can change it unseen: each entry holds the hash of the one before.

use std::fmt;

use serde::{Deserialize, Serialize};
use series::Timestamp;
use sha2::{Digest, Sha256};

/// A SHA-256 digest; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hash of 64 hexadecimal digits")]
pub struct HashError(pub String);

impl Hash {
    /// Of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let wrong = || HashError(text.chars().take(80).collect());
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// One entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place: from 1, without a gap.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who: `forestall`, or the name of a person.
    pub actor: String,
    /// What: `issue.opened`, `plan.approved`, `step.ordered`, `brake.engaged`, …
    pub kind: String,
    /// On what: `i17`, `p4`, `brake`.
    pub subject: String,
    /// The particulars, as a JSON object with sorted keys.
    pub body: String,
    /// The hash of the entry before; of zeros for the first.
    pub prev: Hash,
    /// The hash of all of the above.
    pub hash: Hash,
}

impl Entry {
    /// What its hash must be.
    #[must_use]
    pub fn digest(&self) -> Hash {
        let mut sha = Sha256::new();
        sha.update(self.seq.to_be_bytes());
        sha.update(self.at.micros().to_be_bytes());
        // Lengths first: no two entries run together to the same bytes.
        for text in [&self.actor, &self.kind, &self.subject, &self.body] {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text.as_bytes());
        }
        sha.update(self.prev.0);
        Hash(sha.finalize().into())
    }
}

/// The end of the chain: where the next entry is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The newest entry's place; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// A text that is not the end of an audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the end of an audit: expected the number of an entry and its hash, with a blank between"
)]
pub struct HeadError(pub String);

/// The number of an entry and its hash, with a blank between.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.hash)
    }
}

/// What [`Head`] is displayed as; blanks around it do no harm.
impl std::str::FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let mut words = text.split_whitespace();
        let mut head = || {
            let (seq, hash) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            words.next().is_none().then_some(Self { seq, hash })
        };
        head().ok_or_else(|| HeadError(text.chars().take(80).collect()))
    }
}

impl Head {
    /// Makes the next entry, and becomes it.
    pub fn append(
        &mut self,
        at: Timestamp,
        actor: &str,
        kind: &str,
        subject: &str,
        body: String,
    ) -> Entry {
        let mut entry = Entry {
            seq: self.seq + 1,
            at,
            actor: actor.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            body,
            prev: self.hash,
            hash: Hash::default(),
        };
        entry.hash = entry.digest();
        (self.seq, self.hash) = (entry.seq, entry.hash);
        entry
    }
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry does not have the hash of what it says.
    #[error("entry {seq} was changed: it says {says}, and is {is}")]
    Changed {
        /// Which.
        seq: u64,
        /// The hash it carries.
        says: Hash,
        /// The hash of what it holds.
        is: Hash,
    },
    /// An entry does not follow the one before.
    #[error(
        "entry {seq} does not follow entry {before}: it was put in, or what stood between was changed"
    )]
    Unlinked {
        /// Which.
        seq: u64,
        /// The one before.
        before: u64,
    },
    /// Entries are missing in between.
    #[error("entries {from} to {to} are gone")]
    Gap {
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        to: u64,
    },
    /// Entries are missing at the end.
    #[error("the audit was cut after entry {last}: its head stood at {head}")]
    Cut {
        /// The last that is there.
        last: u64,
        /// The last that was written.
        head: u64,
    },
    /// The end is there, and is not what was written.
    #[error(
        "entry {seq} is not the one that was written last: the chain was made anew from some entry on"
    )]
    Remade {
        /// The last that was written.
        seq: u64,
    },
}

/// Checks a chain entry by entry, in bounded memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verifier {
    head: Head,
}

impl Verifier {
    /// Looks at the next entry, in the order of their places.
    ///
    /// # Errors
    /// The first thing that is wrong with it; see [`Broken`].
    pub fn push(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.head.seq + 1;
        if entry.seq > expected {
            return Err(Broken::Gap {
                from: expected,
                to: entry.seq - 1,
            });
        }
        let is = entry.digest();
        if is != entry.hash {
            return Err(Broken::Changed {
                seq: entry.seq,
                says: entry.hash,
                is,
            });
        }
        if entry.seq < expected || entry.prev != self.head.hash {
            return Err(Broken::Unlinked {
                seq: entry.seq,
                before: self.head.seq,
            });
        }
        self.head = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        Ok(())
    }

    /// Holds the end against a head that was kept elsewhere.
    ///
    /// # Errors
    /// When the end was cut off, or the chain made anew.
    pub fn finish(&self, kept: Head) -> Result<(), Broken> {
        if self.head.seq < kept.seq {
            return Err(Broken::Cut {
                last: self.head.seq,
                head: kept.seq,
            });
        }
        // A head that was kept earlier stands somewhere in the chain: only the end can be compared here.
        if self.head.seq == kept.seq && self.head.hash != kept.hash {
            return Err(Broken::Remade { seq: kept.seq });
        }
        Ok(())
    }

    /// How far the chain goes.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: u64) -> (Vec<Entry>, Head) {
        let mut head = Head::default();
        let entries = (1..=n).map(|i| {
            let at = Timestamp::from_millis(i as i64);
            head.append(
                at,
                "forestall",
                "issue.opened",
                &format!("i{i}"),
                "{}".to_owned(),
            )
        });
        (entries.collect(), head)
    }

    fn verify(entries: &[Entry], head: Head) -> Result<(), Broken> {
        let mut verifier = Verifier::default();
        entries.iter().try_for_each(|entry| verifier.push(entry))?;
        verifier.finish(head)
    }

    #[test]
    fn a_chain_holds_and_whatever_is_done_to_it_is_told_with_its_place() {
        let (entries, head) = chain(5);
        assert_eq!(verify(&entries, head), Ok(()));

        let mut changed = entries.clone();
        changed[2].actor = "mallory".to_owned();
        let error = verify(&changed, head).unwrap_err();
        assert!(matches!(error, Broken::Changed { seq: 3, .. }), "{error}");

        // With its hash made anew, the next one does not follow any more.
        changed[2].hash = changed[2].digest();
        let unlinked = Broken::Unlinked { seq: 4, before: 3 };
        assert_eq!(verify(&changed, head), Err(unlinked));

        let mut gone = entries.clone();
        gone.drain(1..3);
        assert_eq!(verify(&gone, head), Err(Broken::Gap { from: 2, to: 3 }));

        let cut = Broken::Cut { last: 4, head: 5 };
        assert_eq!(verify(&entries[..4], head), Err(cut));

        let mut remade = entries;
        remade[4].body = "{\"x\":1}".to_owned();
        remade[4].hash = remade[4].digest();
        assert_eq!(verify(&remade, head), Err(Broken::Remade { seq: 5 }));
    }

    #[test]
    fn texts_do_not_run_together() {
        let (mut entries, _) = chain(1);
        let before = entries[0].digest();
        entries[0].actor = "forestalli".to_owned();
        entries[0].kind = "ssue.opened".to_owned();
        assert_ne!(entries[0].digest(), before);
    }

    #[test]
    fn a_head_is_a_number_and_a_hash() {
        let (_, head) = chain(2);
        assert_eq!(format!(" {head}\n").parse(), Ok(head));
        for text in ["", "2", "x y", "2 abc", &format!("{head} x")] {
            let error = text.parse::<Head>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is not")), "{error}");
        }
    }
}

//! Decisions written down, and made again from what was written.

use serde::Serialize;

use super::{Decision, DecisionId, Input, decide};
use crate::audit::Hash;
use crate::guard::policy::Policies;
use crate::record::DecisionRecord;

/// Why a recorded decision cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// What was recorded is not what it was.
    #[error("{what} of {id} was changed: its hash is {is}, recorded was {recorded}")]
    Changed {
        /// Which decision.
        id: DecisionId,
        /// Input or output.
        what: &'static str,
        /// The hash of what is there.
        is: Hash,
        /// The hash that was recorded.
        recorded: Hash,
    },
    /// What was recorded does not parse.
    #[error("the input of {id} does not parse")]
    Input {
        /// Which decision.
        id: DecisionId,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A policy that was in force does not compile any more.
    #[error("a policy that was in force for {id}")]
    Policy {
        /// Which decision.
        id: DecisionId,
        /// Why.
        #[source]
        source: crate::guard::policy::PolicyError,
    },
    /// This version decides otherwise.
    #[error("{id} comes out otherwise: the recorded output has hash {recorded}, this one {is}")]
    Otherwise {
        /// Which decision.
        id: DecisionId,
        /// The hash of what this version decides.
        is: Hash,
        /// The hash that was recorded.
        recorded: Hash,
        /// What this version decides, as JSON.
        output: String,
    },
}

/// Writes down an input and what was decided. The text is canonical: fields in the order of their declaration, maps sorted,
/// numbers as their shortest form.
///
/// # Panics
/// Never: neither holds a key that is no text.
#[must_use]
pub fn record(input: &Input, decision: &Decision) -> DecisionRecord {
    let (input_text, output) = (json(input), json(decision));
    DecisionRecord {
        id: input.id,
        issue: input.issue,
        at: input.situation.at,
        input_hash: Hash::of(input_text.as_bytes()),
        output_hash: Hash::of(output.as_bytes()),
        input: input_text,
        output,
    }
}

/// As JSON. What the planner writes has texts as keys and no number that is none, so it always has a form.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Makes a recorded decision again from what was known.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(record: &DecisionRecord) -> Result<Decision, ReplayError> {
    let id = record.id;
    let check = |what, text: &str, recorded| {
        let is = Hash::of(text.as_bytes());
        match is == recorded {
            true => Ok(()),
            false => Err(ReplayError::Changed {
                id,
                what,
                is,
                recorded,
            }),
        }
    };
    check("the input", &record.input, record.input_hash)?;
    check("the output", &record.output, record.output_hash)?;
    let input: Input =
        serde_json::from_str(&record.input).map_err(|source| ReplayError::Input { id, source })?;
    let policies =
        Policies::compile(&input.settings).map_err(|source| ReplayError::Policy { id, source })?;
    let decision = decide(&input, &policies);
    let output = json(&decision);
    if output != record.output {
        return Err(ReplayError::Otherwise {
            id,
            is: Hash::of(output.as_bytes()),
            recorded: record.output_hash,
            output,
        });
    }
    Ok(decision)
}

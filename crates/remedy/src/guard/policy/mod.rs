//! Rules of the business, in the Common Expression Language: an expression that is true stops a plan.
//!
//! An expression sees `issue` (`class`, `severity`, `severity_rank`, 0 = info to 4 = critical, `entity`, `kind`, `cause`,
//! `probability`), `plan` (`strategy`, `actions`, `reversibility`, `authority`, `confidence`, `risk`, `capacity_away`,
//! `is_approved`), `entity` (`service`, `host`, `owner`, `tier`, `replicas`, `n_affected`, `attributes`) and `at` (`hour` and
//! `minute` of the day and `weekday`, 1 = Monday, by the clock of `Settings::time_zone`).
//!
//! One that cannot be worked out stops the plan too: when in doubt nothing is done. So each is tried on an example before it
//! is taken. Attributes are the user's own, and not every entity has them all: `has(entity.attributes.pool)`, or
//! `"pool" in entity.attributes`, asks before one is read.

mod reading;
mod trial;
mod view;

use std::sync::Arc;
use std::thread;

use cel::{Program, Value};
use serde::{Deserialize, Serialize};

use super::zone::Zone;
use super::{Layer, Proposal, Situation, Stop, Veto};
use crate::Settings;
use reading::{MAX_DEPTH, Reading};
use view::View;

/// Most bytes of an expression.
const MAX_BYTES: usize = 4096;
/// The stack of the parser: it stops at 96 open brackets, each of which takes a hundred kibibytes of a debug build.
const PARSER_STACK_BYTES: usize = 64 << 20;
/// Most loops (`all`, `exists`, `map`, `filter`) in an expression: nested ones multiply.
const MAX_LOOPS: usize = 3;
/// The variables.
const KNOWN: [&str; 4] = ["issue", "plan", "entity", "at"];

/// What an expression that is true asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The plan is not carried out.
    Deny,
    /// It is not carried out without a person.
    RequireApproval,
}

/// A rule as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySource {
    /// Its name, in vetoes and in the audit.
    pub name: String,
    /// What it asks for when it is true.
    pub effect: Effect,
    /// The expression, of type bool: `plan.strategy == "restart" && entity.tier == 1`.
    pub expression: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
}

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It has no name.
    #[error("a policy needs a name")]
    Nameless,
    /// It is too long.
    #[error("the expression of policy {name:?} has {bytes} bytes, at most {MAX_BYTES} are allowed")]
    Long {
        /// Which.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// It has too many loops.
    #[error("the expression of policy {name:?} has {loops} loops, at most {MAX_LOOPS} are allowed")]
    Loops {
        /// Which.
        name: String,
        /// How many.
        loops: usize,
    },
    /// It is nested too deeply.
    #[error("the expression of policy {name:?} has more than {MAX_DEPTH} levels")]
    Deep {
        /// Which.
        name: String,
    },
    /// It does not parse.
    #[error("the expression of policy {name:?} does not parse: {message}")]
    Syntax {
        /// Which.
        name: String,
        /// What the parser said, with the place.
        message: String,
    },
    /// It reads what there is not, or is not true or false.
    #[error("the expression of policy {name:?} cannot be worked out: {message}")]
    Meaning {
        /// Which.
        name: String,
        /// What is wrong.
        message: String,
    },
}

#[derive(Debug)]
struct Policy {
    source: PolicySource,
    program: Program,
}

/// All policies, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    all: Arc<[Policy]>,
    /// By whose clock `at` goes.
    zone: Zone,
}

impl PolicySource {
    /// Checks it, and tries it on an example: a field that there is not, types that do not go together, and an answer that is
    /// neither true nor false are found, in branches too that the example would not take.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn compile(&self) -> Result<(), PolicyError> {
        let program = self.program()?;
        trial::run(program.expression()).map_err(|message| self.meaningless(message))
    }

    fn meaningless(&self, message: String) -> PolicyError {
        PolicyError::Meaning {
            name: self.name.clone(),
            message,
        }
    }

    fn program(&self) -> Result<Program, PolicyError> {
        let name = self.name.clone();
        if name.is_empty() {
            return Err(PolicyError::Nameless);
        }
        let bytes = self.expression.len();
        if bytes > MAX_BYTES {
            return Err(PolicyError::Long { name, bytes });
        }
        let loops = ["all", "exists", "exists_one", "map", "filter"];
        let compact: String = self.expression.split_whitespace().collect();
        let loops = loops.iter();
        let loops = loops
            .map(|word| compact.matches(&format!(".{word}(")).count())
            .sum();
        if loops > MAX_LOOPS {
            return Err(PolicyError::Loops { name, loops });
        }
        let program = parse(&self.expression).map_err(|message| PolicyError::Syntax {
            name: name.clone(),
            message,
        })?;
        let reading = Reading::of(program.expression()).ok_or(PolicyError::Deep { name })?;
        let mut roots = reading.paths.iter().map(|path| path[0]);
        if let Some(unknown) = roots.find(|root| !KNOWN.contains(root)) {
            let known = KNOWN.join(", ");
            return Err(self.meaningless(format!("it reads {unknown:?}; there are {known}")));
        }
        Ok(program)
    }
}

/// Parses on a thread of its own: what is nested deeply would overflow the stack of any other.
fn parse(expression: &str) -> Result<Program, String> {
    thread::scope(|scope| {
        let parser = thread::Builder::new()
            .stack_size(PARSER_STACK_BYTES)
            .spawn_scoped(scope, || Program::compile(expression))
            .map_err(|error| format!("there is no thread for the parser: {error}"))?;
        let parsed = parser.join().map_err(|_| "the parser panicked")?;
        parsed.map_err(|error| error.to_string())
    })
}

impl Policies {
    /// Compiles all of them. They are not tried: what was decided under one is decided again as it was.
    ///
    /// # Errors
    /// Of the first that is refused.
    pub fn compile(settings: &Settings) -> Result<Self, PolicyError> {
        let all = settings.policies.iter().map(|source| {
            Ok(Policy {
                program: source.program()?,
                source: source.clone(),
            })
        });
        Ok(Self {
            all: all.collect::<Result<_, _>>()?,
            zone: settings.time_zone.clone(),
        })
    }

    pub(super) fn check(
        &self,
        proposal: &Proposal<'_>,
        situation: &Situation,
        out: &mut Vec<Veto>,
    ) {
        if self.all.is_empty() || proposal.changes().count() == 0 {
            return;
        }
        let mut doubt = |name: &str, why: String| {
            out.push(Veto::new(Layer::Policy, name, Stop::ForNow, why));
        };
        let variables = View::new(proposal, situation, &self.zone).variables();
        let context = match variables {
            Ok(variables) => view::context(variables),
            Err(error) => {
                doubt("policies", format!("the policies cannot be asked: {error}"));
                return;
            }
        };
        for Policy { source, program } in &*self.all {
            match program.execute(&context) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => {
                    let stop = match source.effect {
                        Effect::Deny => Stop::ForGood,
                        Effect::RequireApproval => Stop::UntilApproved,
                    };
                    let why = match source.reason.as_str() {
                        "" => source.expression.clone(),
                        reason => reason.to_owned(),
                    };
                    out.push(Veto::new(Layer::Policy, &source.name, stop, why));
                }
                Ok(other) => {
                    let why = format!(
                        "the policy says {:?}, neither true nor false",
                        other.type_of()
                    );
                    out.push(Veto::new(Layer::Policy, &source.name, Stop::ForNow, why));
                }
                Err(error) => {
                    let why = format!("the policy cannot be worked out: {error}");
                    out.push(Veto::new(Layer::Policy, &source.name, Stop::ForNow, why));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

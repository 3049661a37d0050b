//! Rules of the business, in the Common Expression Language: an expression that is true stops a plan.
//!
//! An expression sees `issue` (`class`, `severity`, `entity`, `kind`, `cause`, `probability`), `plan` (`strategy`,
//! `actions`, `reversibility`, `authority`, `confidence`, `risk`, `capacity_away`, `is_approved`), `entity` (`service`,
//! `host`, `owner`, `tier`, `replicas`, `n_affected`, `attributes`) and `at` (`hour` and `minute` of the day and `weekday`,
//! 1 = Monday, by the clock of `Settings::time_zone`). One that cannot be worked out stops the plan too: when in doubt nothing is done.

use std::sync::Arc;

use cel::{Context, Program, Value};
use serde::{Deserialize, Serialize};

use super::zone::Zone;
use super::{Layer, Proposal, Situation, Stop, Veto};
use crate::Settings;
use crate::issue::Severity;

/// Most bytes of an expression.
const MAX_BYTES: usize = 4096;
/// Most loops (`all`, `exists`, `map`, `filter`) in an expression: nested ones multiply.
const MAX_LOOPS: usize = 3;

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

#[derive(Serialize)]
struct IssueView<'a> {
    class: &'static str,
    severity: &'static str,
    severity_rank: i64,
    entity: &'a str,
    kind: &'static str,
    cause: &'a str,
    probability: f64,
}

#[derive(Serialize)]
struct PlanView<'a> {
    strategy: &'a str,
    actions: Vec<&'static str>,
    reversibility: crate::strategy::Reversibility,
    authority: &'static str,
    confidence: f64,
    risk: f64,
    capacity_away: f64,
    is_approved: bool,
}

#[derive(Serialize)]
struct EntityView<'a> {
    service: &'a str,
    host: &'a str,
    owner: &'a str,
    tier: i64,
    replicas: i64,
    n_affected: i64,
    attributes: &'a std::collections::BTreeMap<String, String>,
}

#[derive(Serialize)]
struct TimeView {
    hour: i64,
    minute: i64,
    weekday: i64,
}

impl PolicySource {
    /// Checks it, and tries it on an example.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn compile(&self) -> Result<(), PolicyError> {
        self.program().map(drop)
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
        let program = Program::compile(&self.expression).map_err(|error| PolicyError::Syntax {
            name: name.clone(),
            message: error.to_string(),
        })?;
        const KNOWN: [&str; 4] = ["issue", "plan", "entity", "at"];
        let references = program.references();
        let unknown = references.variables().into_iter();
        if let Some(unknown) = unknown.into_iter().find(|name| !KNOWN.contains(name)) {
            return Err(PolicyError::Meaning {
                name,
                message: format!("it reads {unknown:?}; there are {}", KNOWN.join(", ")),
            });
        }
        Ok(program)
    }
}

impl Policies {
    /// Compiles all of them.
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
        let context = match context(proposal, situation, &self.zone) {
            Ok(context) => context,
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

fn context(
    proposal: &Proposal<'_>,
    situation: &Situation,
    zone: &Zone,
) -> Result<Context<'static, 'static>, cel::SerializationError> {
    let (case, around) = (proposal.case, &proposal.case.around);
    let text = |id: &Option<crate::EntityId>| -> String {
        id.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let (service, host) = (text(&around.service), text(&around.host));
    let rank = Severity::ALL
        .iter()
        .position(|&all| all == proposal.severity);
    let mut context = Context::default();
    context.add_variable(
        "issue",
        IssueView {
            class: case.class.name(),
            severity: proposal.severity.name(),
            severity_rank: rank.unwrap_or(0) as i64,
            entity: case.entity.as_str(),
            kind: case.entity.kind().name(),
            cause: &case.cause,
            probability: case.probability,
        },
    )?;
    context.add_variable(
        "plan",
        PlanView {
            strategy: proposal.strategy,
            actions: proposal
                .steps
                .iter()
                .map(|step| step.action.name())
                .collect(),
            reversibility: proposal.reversibility,
            authority: proposal.authority.name(),
            confidence: proposal.confidence,
            risk: proposal.risk,
            capacity_away: proposal.capacity_away,
            is_approved: proposal.approval().is_some(),
        },
    )?;
    context.add_variable(
        "entity",
        EntityView {
            service: &service,
            host: &host,
            owner: around.owner.as_deref().unwrap_or_default(),
            tier: i64::from(around.tier),
            replicas: i64::from(around.replicas),
            n_affected: i64::from(around.n_affected),
            attributes: &around.attributes,
        },
    )?;
    // Where the calendar ends `at` is not known, and what reads it stops the plan.
    if let Some(at) = zone.clock(situation.at) {
        context.add_variable(
            "at",
            TimeView {
                hour: at.hour().into(),
                minute: at.minute().into(),
                weekday: at.weekday().to_monday_one_offset().into(),
            },
        )?;
    }
    Ok(context)
}

//! What an expression sees: the four variables with all their fields.

use std::collections::BTreeMap;

use cel::{Context, SerializationError, Value, to_value};
use jiff::civil::DateTime;
use serde::Serialize;

use super::super::zone::Zone;
use super::super::{Proposal, Situation};
use crate::issue::Severity;
use crate::strategy::{Authority, Reversibility};
use crate::{Class, EntityId, Kind};

/// The variables of one moment.
pub(super) struct View<'a> {
    issue: IssueView<'a>,
    plan: PlanView<'a>,
    entity: EntityView<'a>,
    /// `None` where the calendar ends: what reads it stops the plan.
    at: Option<TimeView>,
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
    reversibility: Reversibility,
    authority: &'static str,
    confidence: f64,
    risk: f64,
    capacity_away: f64,
    is_approved: bool,
}

#[derive(Serialize)]
struct EntityView<'a> {
    service: String,
    host: String,
    owner: &'a str,
    tier: i64,
    replicas: i64,
    n_affected: i64,
    attributes: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct TimeView {
    hour: i64,
    minute: i64,
    weekday: i64,
}

impl<'a> View<'a> {
    /// A proposal, and what is going on around it.
    pub(super) fn new(proposal: &Proposal<'a>, situation: &Situation, zone: &Zone) -> Self {
        let (case, around) = (proposal.case, &proposal.case.around);
        let text = |id: &Option<EntityId>| id.as_ref().map(ToString::to_string);
        Self {
            issue: IssueView {
                class: case.class.name(),
                severity: proposal.severity.name(),
                severity_rank: rank(proposal.severity),
                entity: case.entity.as_str(),
                kind: case.entity.kind().name(),
                cause: &case.cause,
                probability: case.probability,
            },
            plan: PlanView {
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
            entity: EntityView {
                service: text(&around.service).unwrap_or_default(),
                host: text(&around.host).unwrap_or_default(),
                owner: around.owner.as_deref().unwrap_or_default(),
                tier: i64::from(around.tier),
                replicas: i64::from(around.replicas),
                n_affected: i64::from(around.n_affected),
                attributes: &around.attributes,
            },
            at: zone.clock(situation.at).map(TimeView::from),
        }
    }

    /// One that might be: no field is empty, and no number is nought.
    pub(super) fn example(attributes: &'a BTreeMap<String, String>) -> Self {
        Self {
            issue: IssueView {
                class: Class::MemoryExhaustion.name(),
                severity: Severity::High.name(),
                severity_rank: rank(Severity::High),
                entity: "instance/api-1",
                kind: Kind::Instance.name(),
                cause: "leak",
                probability: 0.9,
            },
            plan: PlanView {
                strategy: "restart",
                actions: vec!["restart"],
                reversibility: Reversibility::Reversible,
                authority: Authority::Owner.name(),
                confidence: 0.9,
                risk: 0.2,
                capacity_away: 0.5,
                is_approved: true,
            },
            entity: EntityView {
                service: "service/api".to_owned(),
                host: "host/web-1".to_owned(),
                owner: "shop",
                tier: 1,
                replicas: 2,
                n_affected: 3,
                attributes,
            },
            at: Some(TimeView {
                hour: 12,
                minute: 30,
                weekday: 4,
            }),
        }
    }

    /// Each variable that is there, by its name.
    pub(super) fn variables(&self) -> Result<Vec<(&'static str, Value)>, SerializationError> {
        let mut all = vec![
            ("issue", to_value(&self.issue)?),
            ("plan", to_value(&self.plan)?),
            ("entity", to_value(&self.entity)?),
        ];
        if let Some(at) = &self.at {
            all.push(("at", to_value(at)?));
        }
        Ok(all)
    }
}

/// Where an expression is worked out.
pub(super) fn context(variables: Vec<(&'static str, Value)>) -> Context<'static, 'static> {
    let mut context = Context::default();
    for (name, value) in variables {
        context.add_variable_from_value(name, value);
    }
    context
}

fn rank(severity: Severity) -> i64 {
    let rank = Severity::ALL.iter().position(|&all| all == severity);
    rank.unwrap_or(0) as i64
}

impl From<DateTime> for TimeView {
    fn from(at: DateTime) -> Self {
        Self {
            hour: at.hour().into(),
            minute: at.minute().into(),
            weekday: at.weekday().to_monday_one_offset().into(),
        }
    }
}

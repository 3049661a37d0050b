//! What a proposal is, and what is going on around it: all that the layers may look at. A situation is recorded with each
//! decision, so that the layers answer the same when the decision is made again.

use serde::{Deserialize, Serialize};
use series::Timestamp;

use super::{Layer, Stop, Veto};
use crate::Settings;
use crate::action::{Action, Disruption};
use crate::issue::Severity;
use crate::plan::Approval;
use crate::strategy::{Authority, Case, Reversibility, Step};

/// What somebody would like to do.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// About what.
    pub case: &'a Case,
    /// How bad that is.
    pub severity: Severity,
    /// By which strategy.
    pub strategy: &'a str,
    /// What is done.
    pub steps: &'a [Step],
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// Who may allow it.
    pub authority: Authority,
    /// Share of the service's capacity that is away meanwhile, 0 to 1.
    pub capacity_away: f64,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// How risky, 0 to 1.
    pub risk: f64,
    /// What people said.
    pub approvals: &'a [Approval],
}

impl Proposal<'_> {
    /// Its actions that change something.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Action> {
        let actions = self.steps.iter().map(|step| &step.action);
        actions.filter(|action| !action.is_harmless())
    }

    /// The worst that it does to those who rely on its target.
    pub(crate) fn disruption(&self) -> Disruption {
        let all = self.steps.iter().map(|step| step.action.disruption());
        all.min().unwrap_or(Disruption::None)
    }

    /// The approval that stands: the last word is a yes.
    pub(super) fn approval(&self) -> Option<&Approval> {
        self.approvals.last().filter(|approval| approval.is_yes)
    }
}

/// What is going on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Now.
    pub at: Timestamp,
    /// Why the brake is engaged, with who did so; `None` when it is not.
    pub brake: Option<String>,
    /// Why everything is taken to be one storm.
    pub storm: Option<String>,
    /// Actions on the target within the last hour.
    pub hour_on_target: u32,
    /// Actions within the last hour.
    pub hour_in_all: u32,
    /// Plans that are being carried out, without this one.
    pub running: u32,
    /// Plans for this target and class that were carried out, and did not cure, within the memory of attempts.
    pub attempts: u32,
    /// Why nothing may be carried out: a freeze; and whether it lets critical issues pass.
    pub freeze: Option<(String, bool)>,
    /// Seconds since the newest finding about the issue; negative when clocks disagree.
    pub data_age_s: f64,
    /// Whether what is to be remedied is still so, or still foreseen.
    pub is_still_so: bool,
    /// Which other plan holds the target.
    pub held_by: Option<String>,
    /// Share of the service's capacity that other plans have taken away, 0 to 1.
    pub service_away: f64,
    /// A graver issue of another class that came up at the service after the plan was made.
    pub graver: Option<String>,
    /// Why the clock cannot be relied on.
    pub clock: Option<String>,
    /// Why the executor takes no orders now.
    #[serde(default)]
    pub executor: Option<String>,
}

impl Situation {
    /// Nothing is going on, at this instant: for tests and questions without a context.
    #[must_use]
    pub fn calm(at: Timestamp) -> Self {
        Self {
            at,
            brake: None,
            storm: None,
            hour_on_target: 0,
            hour_in_all: 0,
            running: 0,
            attempts: 0,
            freeze: None,
            data_age_s: 0.0,
            is_still_so: true,
            held_by: None,
            service_away: 0.0,
            graver: None,
            clock: None,
            executor: None,
        }
    }

    /// The conditions that abort, armed from the making of a plan to its last step.
    pub(super) fn check(&self, settings: &Settings, out: &mut Vec<Veto>) {
        let mut stop = |rule: &str, stop, why: String| {
            out.push(Veto::new(Layer::Abort, rule, stop, why));
        };
        if let Some(why) = &self.brake {
            stop("brake", Stop::ForNow, format!("the brake is engaged {why}"));
        }
        if let Some(why) = &self.storm {
            stop("storm", Stop::ForNow, why.clone());
        }
        if let Some(why) = &self.clock {
            stop("clock", Stop::ForNow, why.clone());
        }
        if let Some(why) = &self.executor {
            stop("executor", Stop::ForNow, why.clone());
        }
        if !self.is_still_so {
            stop(
                "condition",
                Stop::ForGood,
                "what it was to remedy is not so any more".to_owned(),
            );
        }
        let max = settings.max_data_age_s;
        if !(-max..=max).contains(&self.data_age_s) {
            stop(
                "data_age",
                Stop::ForNow,
                format!(
                    "the newest sample is {:.0} s old, at most {max} s are allowed",
                    self.data_age_s
                ),
            );
        }
        if let Some(what) = &self.graver {
            stop(
                "graver_issue",
                Stop::ForNow,
                format!("{what} came up meanwhile"),
            );
        }
        if let Some(plan) = &self.held_by {
            stop(
                "lease",
                Stop::ForNow,
                format!("{plan} is at work on the target"),
            );
        }
    }
}

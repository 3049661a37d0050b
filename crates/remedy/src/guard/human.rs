//! The human gate: without a person only what phase, confidence and risk allow; with one, only what their authority covers.

use super::{Layer, Proposal, Situation, Stop, Veto};
use crate::Phase;
use crate::Settings;
use crate::issue::Severity;

pub(super) fn check(
    proposal: &Proposal<'_>,
    situation: &Situation,
    settings: &Settings,
    out: &mut Vec<Veto>,
) {
    let mut stop = |rule: &str, stop, why: String| {
        out.push(Veto::new(Layer::HumanGate, rule, stop, why));
    };
    if let Some((why, lets_critical)) = &situation.freeze {
        let passes = *lets_critical
            && proposal.severity == Severity::Critical
            && proposal.approval().is_some();
        if !passes {
            stop("freeze", Stop::ForNow, why.clone());
        }
    }
    if proposal.changes().count() == 0 {
        return;
    }
    if settings.hands_off.contains(&proposal.case.class) {
        stop(
            "hands_off",
            Stop::ForGood,
            format!(
                "issues of class {} are left to people",
                proposal.case.class.name()
            ),
        );
    }
    if let Some(approval) = proposal.approval() {
        if approval.authority < proposal.authority {
            stop(
                "authority",
                Stop::UntilApproved,
                format!(
                    "{} is {}, it takes the authority of {}",
                    approval.who,
                    approval.authority.name(),
                    proposal.authority.name()
                ),
            );
        }
        return;
    }
    if settings.phase < Phase::Constrained {
        stop(
            "phase",
            Stop::UntilApproved,
            format!(
                "nothing is done without a person in phase {}",
                settings.phase.name()
            ),
        );
    }
    let act = settings.act;
    if proposal.confidence <= act.confidence || proposal.risk >= act.risk {
        stop(
            "act",
            Stop::UntilApproved,
            format!(
                "confidence {:.2} and risk {:.2}; acting alone takes above {} and below {}",
                proposal.confidence, proposal.risk, act.confidence, act.risk
            ),
        );
    }
    if settings.phase == Phase::Constrained && proposal.case.around.n_affected > 1 {
        stop(
            "constrained",
            Stop::UntilApproved,
            format!(
                "{} services would be affected",
                proposal.case.around.n_affected
            ),
        );
    }
}

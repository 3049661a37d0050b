//! Steps, with what undoes them.

use super::words::{plain, told};
use crate::EntityId;
use crate::action::Action;
use crate::strategy::{Case, Step};

/// A step, with what undoes it where something does.
pub(in crate::strategy) fn step(action: Action, timeout_s: f64) -> Step {
    Step {
        inverse: inverse(&action),
        action,
        timeout_s,
    }
}

/// Takes `target` out of the balance, does `between`, and puts it back. Putting it back is not undone: what it was taken
/// out for is over then.
pub(in crate::strategy) fn while_drained(
    target: &EntityId,
    drain_s: f64,
    between: Vec<Step>,
) -> Vec<Step> {
    let drain = Action::Drain {
        target: target.clone(),
        timeout_s: drain_s,
    };
    let undrain = Action::Undrain {
        target: target.clone(),
    };
    // The executor's own time on top: giving up a drain is its answer, not its silence.
    let mut steps = vec![step(drain, drain_s + 60.0)];
    steps.extend(between);
    steps.push(step(undrain, 60.0));
    steps
}

/// What brings back what was, if anything does.
///
/// A snapshot has none: bringing it back loses what was written since, and that is for people. What ends a measure
/// (`undrain`, `release`, …) has none either: nobody wants the measure back because a later step failed.
pub(in crate::strategy) fn inverse(action: &Action) -> Option<Action> {
    let target = action.target().clone();
    match action.clone() {
        Action::Scale { from, to, .. } => Some(Action::Scale {
            target,
            from: to,
            to: from,
        }),
        Action::SetLimit {
            limit, from, to, ..
        } => Some(Action::SetLimit {
            target,
            limit,
            from: to,
            to: from,
        }),
        Action::SetParameter {
            parameter,
            from,
            to,
            ..
        } => Some(Action::SetParameter {
            target,
            parameter,
            from: to,
            to: from,
        }),
        Action::SetPackage {
            package, from, to, ..
        } => Some(Action::SetPackage {
            target,
            package,
            from: to,
            to: from,
        }),
        Action::ApplyConfiguration { from, to, .. } => Some(Action::RevertConfiguration {
            target,
            from: to,
            to: from,
        }),
        Action::RevertConfiguration { from, to, .. } => Some(Action::ApplyConfiguration {
            target,
            from: to,
            to: from,
        }),
        Action::FailOver { from, to, .. } => Some(Action::FailOver {
            target,
            from: to,
            to: from,
        }),
        Action::CreateIndex { table, columns, .. } => Some(Action::DropIndex {
            target,
            table,
            columns,
        }),
        Action::DropIndex { table, columns, .. } => Some(Action::CreateIndex {
            target,
            table,
            columns,
        }),
        Action::Drain { .. } => Some(Action::Undrain { target }),
        Action::Quarantine { .. } => Some(Action::Release { target }),
        Action::ShedLoad { .. } => Some(Action::AdmitLoad { target }),
        Action::OpenBreaker { callee, .. } => Some(Action::CloseBreaker { target, callee }),
        Action::PauseJobs { .. } => Some(Action::ResumeJobs { target }),
        Action::RenewCertificate { .. } => Some(Action::RestoreCertificate { target }),
        // Whatever lies there by then is read once more.
        Action::Reload { .. } => Some(Action::Reload { target }),
        Action::Restart { .. }
        | Action::Undrain { .. }
        | Action::ClearCache { .. }
        | Action::RemoveFiles { .. }
        | Action::RotateLogs { .. }
        | Action::GrowVolume { .. }
        | Action::Snapshot { .. }
        | Action::RestoreSnapshot { .. }
        | Action::CancelQueries { .. }
        | Action::EndIdleSessions { .. }
        | Action::Analyze { .. }
        | Action::RestoreCertificate { .. }
        | Action::Release { .. }
        | Action::AdmitLoad { .. }
        | Action::CloseBreaker { .. }
        | Action::ResumeJobs { .. }
        | Action::Capture { .. }
        | Action::Notify { .. } => None,
    }
}

/// Writes down `what` of `target`.
pub(in crate::strategy) fn capture(target: &EntityId, what: &str) -> Step {
    let capture = Action::Capture {
        target: target.clone(),
        what: what.to_owned(),
    };
    step(capture, 120.0)
}

/// Writes down what `target` has loaded, and when the steps after it are undone, makes it read again what lies there then.
///
/// Steps are undone in reverse order. Without this, undoing "put a file in place, reload" would reload first and put the
/// old file back afterwards, and the new one would stay loaded.
pub(in crate::strategy) fn reload_when_undone(target: &EntityId, what: &str) -> Step {
    Step {
        inverse: Some(Action::Reload {
            target: target.clone(),
        }),
        ..capture(target, what)
    }
}

/// Tells the owner: what is wrong, and what is `asked` of them.
pub(in crate::strategy) fn notify(case: &Case, asked: &str) -> Step {
    let owner = case.around.owner.as_deref().map(plain);
    let notify = Action::Notify {
        target: case.entity.clone(),
        whom: owner
            .filter(|owner| !owner.is_empty())
            .unwrap_or_else(|| "on-call".to_owned()),
        message: format!("{}. {asked}", told(case)),
    };
    step(notify, 60.0)
}

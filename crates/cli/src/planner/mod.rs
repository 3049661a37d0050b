//! The commands of the planner: issues, plans, who allows what, and the audit.

mod acting;
mod approve;
mod attributes;
mod audit;
mod brake;
mod decide;
mod difference;
mod enums;
mod explanation;
mod health;
mod history;
mod issues;
mod json;
mod operation;
mod outcomes;
mod plan;
mod plans;
mod safety;
#[cfg(test)]
mod samples;
mod step_down;
mod strategies;
mod words;

use clap::Subcommand;

/// The commands, one file or folder each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Issues(issues::IssuesArgs),
    Plan(plan::PlanArgs),
    Plans(plans::PlansArgs),
    Approve(approve::ApproveArgs),
    Refuse(step_down::RefuseArgs),
    Cancel(step_down::CancelArgs),
    Undo(step_down::UndoArgs),
    Outcomes(outcomes::OutcomesArgs),
    Strategies(strategies::StrategiesArgs),
    Health(health::HealthArgs),
    Safety(safety::SafetyArgs),
    Brake(brake::BrakeArgs),
    Release(brake::ReleaseArgs),
    Audit(audit::AuditArgs),
    Decide(decide::DecideArgs),
}

/// Runs it.
///
/// # Errors
/// Those of the command.
pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Issues(args) => issues::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Plans(args) => plans::run(args),
        Command::Approve(args) => approve::run(args),
        Command::Refuse(args) => step_down::refuse(args),
        Command::Cancel(args) => step_down::cancel(args),
        Command::Undo(args) => step_down::undo(args),
        Command::Outcomes(args) => outcomes::run(args),
        Command::Strategies(args) => strategies::run(args),
        Command::Health(args) => health::run(args),
        Command::Safety(args) => safety::run(args),
        Command::Brake(args) => brake::engage(args),
        Command::Release(args) => brake::release(args),
        Command::Audit(args) => audit::run(args),
        Command::Decide(args) => decide::run(args),
    }
}

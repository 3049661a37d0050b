//! What is counted of the planner.

use remedy::issue::Severity;
use remedy::plan::PlanState;
use remedy::{Class, Phase};

use super::text::{Kind, Text};
use crate::planning::Planning;

/// The families of the planner.
pub(super) fn write(text: &mut Text, planning: &Planning) {
    let (board, status) = (&planning.board, planning.board.status());
    let issues = board.issues();
    let name = "forestall_issues";
    text.family(name, Kind::Gauge, "Live issues, by class and severity.");
    for class in Class::ALL {
        for severity in Severity::ALL {
            let of_it = issues
                .iter()
                .filter(|issue| issue.class == class && issue.severity == severity);
            let labels = [("class", class.name()), ("severity", severity.name())];
            text.sample(name, &labels, of_it.count() as f64);
        }
    }
    let plans = board.plan_states();
    let name = "forestall_plans";
    text.family(
        name,
        Kind::Gauge,
        "Plans of which more will come, by state.",
    );
    for state in PlanState::ALL.into_iter().filter(|state| !state.is_over()) {
        let n = plans.iter().filter(|known| **known == state).count();
        text.sample(name, &[("state", state.name())], n as f64);
    }
    if let Some(health) = board.health() {
        let name = "forestall_health_score";
        let help = "Health from 0 to 100, overall and by area.";
        text.family(name, Kind::Gauge, help);
        text.sample(name, &[("area", "overall")], health.overall);
        for area in &health.areas {
            text.sample(name, &[("area", area.area.name())], area.score);
        }
    }
    let name = "forestall_planner_phase";
    text.family(name, Kind::Gauge, "1 for the phase that the planner is in.");
    for phase in Phase::ALL {
        let is_on = f64::from(u8::from(phase == status.phase));
        text.sample(name, &[("phase", phase.name())], is_on);
    }
    for (name, help, is_so) in [
        (
            "forestall_brake_engaged",
            "1 while the brake holds everything.",
            status.brake.is_engaged,
        ),
        (
            "forestall_storm",
            "1 while many issues are taken to have one cause, and everything is held.",
            status.storm.is_some(),
        ),
        (
            "forestall_executor_failing",
            "1 while the executor takes no orders, and plans are held.",
            status.executor_trouble.is_some(),
        ),
        (
            "forestall_ledger_failing",
            "1 while nothing can be written down, and so nothing is done.",
            status.trouble.is_some(),
        ),
    ] {
        text.single(name, Kind::Gauge, help, f64::from(u8::from(is_so)));
    }
    for (name, help, value) in [
        (
            "forestall_findings_total",
            "Findings that the planner took in.",
            status.counts.findings,
        ),
        (
            "forestall_findings_dropped_total",
            "Findings, values and entities that there was no room for.",
            status.counts.refused + planning.mailbox.n_dropped(),
        ),
        (
            "forestall_findings_unsound_total",
            "Findings with which something was wrong, such as a time ahead of the clock.",
            status.counts.unsound,
        ),
        (
            "forestall_decisions_total",
            "Decisions that the planner made.",
            status.counts.decisions,
        ),
        (
            "forestall_audit_entries_total",
            "Entries of the audit.",
            status.head.seq,
        ),
    ] {
        text.single(name, Kind::Counter, help, value as f64);
    }
}

//! Names of the wire's numbers, for arguments and for people: `memory_exhaustion`, `awaiting_approval`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use proto::v1::{Issue, IssueClass, IssueState, Plan, PlanState, PlanVerdict, Severity, StepState};
use remedy::{issue, plan};

/// `ISSUE_CLASS_DISK_EXHAUSTION` without its prefix, in small letters; `?` for one that this program does not know.
fn name(wire: &str, prefix: &str) -> String {
    match wire.strip_prefix(prefix).unwrap_or(wire) {
        "UNSPECIFIED" => "?".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}

/// Of its class.
pub(super) fn class(class: IssueClass) -> String {
    name(class.as_str_name(), "ISSUE_CLASS_")
}

/// Where an issue is in its life.
pub(super) fn issue_state(issue: &Issue) -> String {
    name(issue.state().as_str_name(), "ISSUE_STATE_")
}

/// How bad it is.
pub(super) fn severity(issue: &Issue) -> String {
    name(issue.severity().as_str_name(), "SEVERITY_")
}

/// Where a plan is in its life.
pub(super) fn plan_state(plan: &Plan) -> String {
    name(plan.state().as_str_name(), "PLAN_STATE_")
}

/// What became of a step.
pub(super) fn step_state(state: StepState) -> String {
    name(state.as_str_name(), "STEP_STATE_")
}

/// Whether a plan helped.
pub(super) fn verdict(verdict: PlanVerdict) -> String {
    name(verdict.as_str_name(), "PLAN_VERDICT_")
}

/// Takes the names that the planner itself has for these, and gives the wire's number.
fn parser<T: Copy + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    prefix: &'static str,
    find: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| {
        let wire = format!("{prefix}{}", name.to_uppercase());
        find(&wire).ok_or("is not known on the wire")
    })
}

/// Takes the name of a class.
pub(super) fn classes() -> impl TypedValueParser<Value = IssueClass> {
    parser(
        remedy::Class::ALL.map(remedy::Class::name),
        "ISSUE_CLASS_",
        IssueClass::from_str_name,
    )
}

/// Takes the name of a state of issues.
pub(super) fn issue_states() -> impl TypedValueParser<Value = IssueState> {
    let names = issue::IssueState::ALL.map(issue::IssueState::name);
    parser(names, "ISSUE_STATE_", IssueState::from_str_name)
}

/// Takes the name of a severity.
pub(super) fn severities() -> impl TypedValueParser<Value = Severity> {
    let names = issue::Severity::ALL.map(issue::Severity::name);
    parser(names, "SEVERITY_", Severity::from_str_name)
}

/// Takes the name of a state of plans.
pub(super) fn plan_states() -> impl TypedValueParser<Value = PlanState> {
    let names = plan::PlanState::ALL.map(plan::PlanState::name);
    parser(names, "PLAN_STATE_", PlanState::from_str_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name has a number on the wire, which has the same name, and there are no other numbers.
    fn check<T: Copy + Send + Sync + TryFrom<i32> + 'static>(
        names: &[&'static str],
        parser: impl TypedValueParser<Value = T>,
        shown: impl Fn(T) -> String,
    ) {
        let command = clap::Command::new("x").arg(clap::Arg::new("name").value_parser(parser));
        for name in names {
            let matches = command.clone().try_get_matches_from(["x", name]).unwrap();
            assert_eq!(shown(*matches.get_one::<T>("name").unwrap()), *name);
        }
        let n = (1..)
            .take_while(|&number| T::try_from(number).is_ok())
            .count();
        assert_eq!(n, names.len());
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        check(
            &remedy::Class::ALL.map(remedy::Class::name),
            classes(),
            class,
        );
        check(
            &plan::PlanState::ALL.map(plan::PlanState::name),
            plan_states(),
            |state| {
                plan_state(&Plan {
                    state: state.into(),
                    ..Plan::default()
                })
            },
        );
        check(
            &issue::IssueState::ALL.map(issue::IssueState::name),
            issue_states(),
            |state| {
                issue_state(&Issue {
                    state: state.into(),
                    ..Issue::default()
                })
            },
        );
        check(
            &issue::Severity::ALL.map(issue::Severity::name),
            severities(),
            |severity| {
                super::severity(&Issue {
                    severity: severity.into(),
                    ..Issue::default()
                })
            },
        );
        assert_eq!(class(IssueClass::Unspecified), "?");
    }
}

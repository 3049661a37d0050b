//! What decides about a plan, as names and texts: what is wrong and how far, how long there is, who may allow it.

use std::collections::BTreeMap;

use remedy::issue::Issue;
use remedy::plan::{Plan, PlanState};
use remedy::strategy::Reversibility;
use remedy::{Class, EntityId, Finding};
use series::Timestamp;

use super::date;
use super::quantity::{duration, measured, percent, quantity};
use super::quote::plain;

/// Most characters of a text.
const MAX_CHARS: usize = 500;
/// Most entities that are named.
const MAX_NAMED: usize = 8;

/// What is known beside a plan when it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The issue that it is for, as it is now; `None` when that is not remembered.
    pub issue: Option<&'a Issue>,
    /// What is known of the plan's entity, which decides what is said of doing it by hand.
    pub attributes: &'a BTreeMap<String, String>,
    /// Who owns the entity.
    pub owner: Option<&'a str>,
    /// The time, for what is left of it.
    pub now: Timestamp,
}

/// The particulars of a plan.
pub(super) fn facts(plan: &Plan, scene: &Scene<'_>) -> Vec<(String, String)> {
    let mut facts = vec![("problem", problem(plan))];
    if let Some(issue) = scene.issue {
        facts.extend(trouble(issue, scene.now));
    }
    let owner = scene.owner.unwrap_or("nobody is declared");
    facts.push(("owner", plain(owner, MAX_CHARS)));
    facts.extend(word(plan, scene.now));
    if let Some(not_before) = plan.not_before.filter(|&at| at > scene.now) {
        facts.push(("not before", date(not_before)));
    }
    if !plan.held.is_empty() {
        facts.push((held(plan.state), plain(&plan.held, MAX_CHARS)));
    }
    facts.push(("undone", undone(plan)));
    facts.push(("decision", decision(plan)));
    facts.push(("executor", plain(&plan.executor, 64)));
    facts.push(("made", date(plan.created)));
    let named = facts.into_iter();
    named.map(|(name, text)| (name.to_owned(), text)).collect()
}

fn problem(plan: &Plan) -> String {
    let because = match plan.cause.as_str() {
        "" => "for a cause that is not known".to_owned(),
        cause => format!("because of {}", plain(cause, MAX_CHARS)),
    };
    format!("{} {because}", plan.class.name())
}

/// How bad it is, how far it has come, and when it will be too late.
fn trouble(issue: &Issue, now: Timestamp) -> Vec<(&'static str, String)> {
    let severity = plain(&issue.severity_because, MAX_CHARS);
    let mut told = vec![("severity", format!("{}: {severity}", issue.severity.name()))];
    if let Some(finding) = issue.evidence.first() {
        told.push(("now", measured(finding)));
        let signal = plain(&finding.signal, MAX_CHARS);
        let age_s = now.micros().saturating_sub(finding.at.micros()) as f64 / 1e6;
        told.push((
            "seen",
            format!("{} ago, by {signal}", duration(age_s.max(0.0).round())),
        ));
    }
    told.push(("time left", time_left(issue)));
    // That of a vulnerability is of an attack, and what it rests on is the same for all of its severity.
    let is_told = issue.class != Class::Vulnerability && !issue.is_at_hand();
    if is_told && issue.evidence.iter().any(is_open) {
        let (soon, day) = (issue.probability(), issue.probability_day());
        told.push((
            "probability",
            format!(
                "{} within 30 min, {} within a day",
                percent(soon),
                percent(day)
            ),
        ));
    }
    told.push(("affected", affected(&issue.affected)));
    told
}

/// Whether it may come, and is not there yet.
fn is_open(finding: &Finding) -> bool {
    finding.tells_when() && finding.probability < 1.0
}

/// `12 min (7 min to 20 min, with 90 %)`.
fn time_left(issue: &Issue) -> String {
    if issue.class == Class::Vulnerability {
        return match issue.ttf_s() {
            Some([_, due_s, _]) if due_s > 0.0 => format!("the fix is due in {}", duration(due_s)),
            _ => "the fix is overdue".to_owned(),
        };
    }
    let Some([soonest, middle, latest]) = issue.ttf_s() else {
        return match issue.is_present() {
            true => "none is foretold: it is so already".to_owned(),
            false => "none is foretold".to_owned(),
        };
    };
    if latest <= 0.0 {
        return "none: it is so already".to_owned();
    }
    let length = |s: f64| match s.is_finite() {
        true => duration(s.round()),
        false => "more than a day".to_owned(),
    };
    format!(
        "{} ({} to {}, with 90 %)",
        length(middle),
        length(soonest),
        length(latest)
    )
}

fn affected(services: &[EntityId]) -> String {
    if services.is_empty() {
        return "no service that is known".to_owned();
    }
    let named = services.iter().take(MAX_NAMED);
    let named: Vec<_> = named.map(|id| plain(id.as_str(), 100)).collect();
    match services.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Whose word it takes, or took.
fn word(plan: &Plan, now: Timestamp) -> Option<(&'static str, String)> {
    if plan.state == PlanState::AwaitingApproval {
        let mut text = plan.authority.name().to_owned();
        if let Some(deadline) = plan.deadline {
            let left_s = deadline.micros().saturating_sub(now.micros()) as f64 / 1e6;
            let left = match left_s {
                s if s > 0.0 => format!("{} left", duration(s.round())),
                _ => "too late".to_owned(),
            };
            text.push_str(&format!(", by {} ({left})", date(deadline)));
        }
        return Some(("needs", text));
    }
    let last = plan.approvals.last()?;
    let name = if last.is_yes { "approved" } else { "refused" };
    let who = plain(&last.who, 100);
    Some((
        name,
        format!("by {who} ({}), {}", last.authority.name(), date(last.at)),
    ))
}

/// What the text beside a plan tells: what holds it, or why it ended.
const fn held(state: PlanState) -> &'static str {
    match state.is_over() {
        true => "ended",
        false => "held",
    }
}

fn undone(plan: &Plan) -> String {
    let without = plan
        .steps
        .iter()
        .position(|planned| planned.step.inverse.is_none() && !planned.step.action.is_harmless());
    let has_inverses = plan
        .steps
        .iter()
        .any(|planned| planned.step.inverse.is_some());
    match (plan.reversibility, without, has_inverses) {
        (Reversibility::Irreversible, _, _) => "never: it is irreversible".to_owned(),
        (Reversibility::SelfHealing, _, _) => {
            "by nobody: what it did goes away by itself".to_owned()
        }
        (Reversibility::Reversible, Some(step), _) => {
            format!("in part: nothing undoes step {}", step + 1)
        }
        (Reversibility::Reversible, None, true) => {
            "step by step, by what stands beside each".to_owned()
        }
        (Reversibility::Reversible, None, false) => {
            "by nobody: it changes nothing that has to be undone".to_owned()
        }
    }
}

fn decision(plan: &Plan) -> String {
    format!(
        "{}: confidence {}, risk {}, attempt {}",
        plan.decision,
        quantity(plan.confidence, ""),
        quantity(plan.risk, ""),
        u64::from(plan.attempt) + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn of(plan: &Plan, issue: Option<&Issue>) -> String {
        let none = BTreeMap::new();
        let scene = Scene {
            issue,
            attributes: &none,
            owner: None,
            now: samples::now(),
        };
        let lines = facts(plan, &scene).into_iter();
        lines
            .map(|(name, text)| format!("{name}: {text}\n"))
            .collect()
    }

    #[test]
    fn what_is_so_already_has_no_time_left() {
        let plan = samples::plan("service/api", Vec::new());
        let mut issue = samples::issue();
        assert!(of(&plan, Some(&issue)).contains("time left: 12 min (7 min to 20 min, with 90 %)"));
        let finding = &mut issue.evidence[0];
        (finding.probability, finding.ttf_s) = (1.0, Some([0.0; 3]));
        let text = of(&plan, Some(&issue));
        assert!(text.contains("time left: none: it is so already"), "{text}");
        assert!(!text.contains("within 30 min"), "{text}");
    }

    #[test]
    fn whoever_allowed_it_is_named_and_nobody_is_asked_twice() {
        let mut plan = samples::plan("service/api", Vec::new());
        assert!(of(&plan, None).contains("needs: operator, by 2026-11-26T12:15:00Z (15 min left)"));
        plan.state = PlanState::RolledBack;
        plan.held = "step 1 failed".into();
        plan.approvals = vec![remedy::plan::Approval {
            who: "ann".into(),
            authority: remedy::strategy::Authority::Owner,
            at: samples::now(),
            is_yes: true,
            reason: String::new(),
            executor: String::new(),
        }];
        let text = of(&plan, None);
        assert!(
            text.contains("approved: by ann (owner), 2026-11-26T12:00:00Z"),
            "{text}"
        );
        assert!(
            text.contains("ended: step 1 failed") && !text.contains("needs"),
            "{text}"
        );
    }

    #[test]
    fn what_is_said_of_undoing_agrees_with_the_steps() {
        let restart = || samples::restart("service/api");
        let mut plan = samples::plan("service/api", vec![samples::step(restart(), None)]);
        assert!(of(&plan, None).contains("undone: in part: nothing undoes step 1"));
        plan.reversibility = Reversibility::SelfHealing;
        assert!(of(&plan, None).contains("undone: by nobody: what it did goes away"));
        plan.reversibility = Reversibility::Reversible;
        plan.steps[0].step.inverse = Some(restart());
        assert!(of(&plan, None).contains("undone: step by step"));
    }
}

//! Whether a plan helped: held against what was written down before, and against what would have been without it.

use super::active::standing;
use super::undo::is_crutch;
use super::{Live, Planner};
use crate::decision::context_of;
use crate::issue::{IssueId, IssueState};
use crate::plan::{Outcome, Plan, PlanId, PlanState, Verdict};
use crate::record::Record;
use series::Timestamp;

/// A measurement that reaches this share of what was foretold counts as all of it.
const AS_FORETOLD: f64 = 0.8;
/// Without data, a plan is judged after this many times its time, and then without.
const PATIENCE: f64 = 3.0;
/// The unit of an effect that is judged by whether something is found still.
pub(super) const FINDINGS: &str = "findings";

impl Planner {
    /// Judges a plan whose time has come.
    pub(super) fn judge(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        if plan.state == PlanState::Verifying {
            self.judge_effect(id);
        } else {
            self.judge_without(id);
        }
    }

    fn judge_effect(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let Some(carried_out) = plan.carried_out else {
            return;
        };
        let waited_s = self.now().seconds_since(carried_out);
        if waited_s < plan.effect.within_s {
            return;
        }
        // What was measured while it was being carried out says nothing: half of the time must have passed.
        let due = carried_out.plus_micros((plan.effect.within_s * 5e5) as i64);
        let is_quiet = !self.live.get(&plan.issue).is_some_and(Live::is_still_so);
        let outcome = match self.newest(plan).filter(|(_, at)| *at >= due) {
            Some((value, at)) => {
                let elapsed_s = at.seconds_since(plan.begun());
                let (verdict, because) = verdict(plan, value, elapsed_s, is_quiet);
                Outcome {
                    verdict,
                    at: self.now(),
                    value: Some(value),
                    because,
                }
            }
            None if is_quiet => Outcome {
                verdict: Verdict::Cured,
                at: self.now(),
                value: None,
                because: "what was found is gone".to_owned(),
            },
            None if waited_s < PATIENCE * plan.effect.within_s => return,
            None => Outcome {
                verdict: Verdict::NotEnoughData,
                at: self.now(),
                value: None,
                because: format!("no sample of {} came since", plan.effect.signal),
            },
        };
        self.conclude(id, outcome);
    }

    /// The newest value of what a plan is judged by, and of when it is.
    fn newest(&self, plan: &Plan) -> Option<(f64, Timestamp)> {
        if plan.effect.unit != FINDINGS {
            return self.measured.get(&plan.effect.signal)?.newest;
        }
        // Whether it is found there still, whatever number comes with it.
        let evidence = self
            .live
            .get(&plan.issue)
            .into_iter()
            .flat_map(|live| &live.issue.evidence);
        let found = evidence.filter(|finding| finding.signal == plan.effect.signal);
        let newest = found.map(|finding| finding.at).max();
        Some(newest.map_or((0.0, self.now()), |at| (1.0, at)))
    }

    /// A shadow or a control: what came without it.
    fn judge_without(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let live = self.live.get(&plan.issue);
        let is_over = !live.is_some_and(Live::is_still_so);
        let came = live.is_some_and(|live| live.issue.is_present());
        let waited_s = self.now().seconds_since(plan.created);
        let (verdict, because) = match (is_over, came) {
            (true, _) => (Verdict::Cured, "the issue went away by itself"),
            (false, true) if waited_s >= plan.effect.within_s => {
                (Verdict::NoEffect, "what was foretold came, without it")
            }
            (false, _) if waited_s >= 86_400.0 => {
                (Verdict::NotEnoughData, "neither came nor went within a day")
            }
            (false, true | false) => return,
        };
        self.conclude_without(id, verdict, because);
    }

    /// Ends a plan that was not carried out.
    pub(super) fn conclude_without(&mut self, id: PlanId, verdict: Verdict, because: &str) {
        let outcome = Outcome {
            verdict,
            at: self.now(),
            value: None,
            because: because.to_owned(),
        };
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.outcome = Some(outcome);
        }
        let body = serde_json::json!({ "verdict": verdict.name(), "because": because });
        self.audit("forestall", "plan.judged_without", &id.to_string(), &body);
        self.list(id);
        self.touch(id);
    }

    fn conclude(&mut self, id: PlanId, outcome: Outcome) {
        let verdict = outcome.verdict;
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        plan.outcome = Some(outcome.clone());
        let issue = plan.issue;
        let body = serde_json::json!({
            "verdict": verdict.name(),
            "value": outcome.value,
            "foretold": plan.effect.to,
            "because": outcome.because,
        });
        let plan = plan.clone();
        self.end_plan(id, PlanState::Done, "forestall", &outcome.because);
        self.audit("forestall", "plan.judged", &id.to_string(), &body);
        let context = context_of(plan.class, &plan.entity, &plan.cause);
        let half_life = self.settings.half_life_days;
        let rates = self
            .books
            .learn(&plan, &context, verdict, self.now(), half_life);
        self.out.records.extend(rates.into_iter().map(Record::Rate));
        let is_over = !self.live.contains_key(&issue);
        if is_over && is_crutch(&plan) {
            self.undo(id, "what it was for is over");
            return;
        }
        let note = format!("{id}: {}: {}", verdict.name(), outcome.because);
        match verdict {
            Verdict::Cured | Verdict::Improved => {
                // The issue is resolved when it has been quiet for long enough; until then it is only open.
                self.set_state(issue, IssueState::Open, "forestall", &note);
            }
            Verdict::NoEffect => {
                self.set_state(issue, IssueState::Open, "forestall", &note);
                self.take_back_what_stands(&plan, "it had no effect");
                self.again(issue, &note);
            }
            Verdict::Harmed => {
                self.set_state(issue, IssueState::Escalated, "forestall", &note);
                self.take_back_what_stands(&plan, "it did harm");
            }
            Verdict::NotEnoughData => {
                self.set_state(issue, IssueState::Escalated, "forestall", &note);
            }
        }
    }

    /// Ends plans whose effect is not measured yet: nothing is learned of them.
    pub(super) fn leave_unjudged(&mut self, issue: IssueId, why: &str) {
        let plans = self.issue(issue).into_iter().flat_map(|issue| &issue.plans);
        let plans = plans.filter_map(|id| self.plans.get(id));
        let open = plans.filter(|plan| plan.state == PlanState::Verifying);
        for id in open.map(|plan| plan.id).collect::<Vec<_>>() {
            let outcome = Outcome {
                verdict: Verdict::NotEnoughData,
                at: self.now(),
                value: None,
                because: why.to_owned(),
            };
            self.conclude(id, outcome);
        }
    }

    /// Takes back that plans of an issue cured it, now that it is there again.
    pub(super) fn take_back_cures(&mut self, issue: IssueId) {
        let plans = self.issue(issue).into_iter().flat_map(|issue| &issue.plans);
        let plans = plans.filter_map(|id| self.plans.get(id));
        let cured = plans.filter(|plan| plan.state == PlanState::Done && self.has_cured(plan.id));
        for plan in cured.cloned().collect::<Vec<_>>() {
            let id = plan.id;
            if let Some(plan) = self.plans.get_mut(&id) {
                plan.came_back = true;
            }
            self.touch(id);
            self.audit(
                "forestall",
                "plan.came_back",
                &id.to_string(),
                &serde_json::json!({}),
            );
            let context = context_of(plan.class, &plan.entity, &plan.cause);
            let half_life = self.settings.half_life_days;
            let (no_effect, now) = (Verdict::NoEffect, self.now());
            let rates = self.books.learn(&plan, &context, no_effect, now, half_life);
            self.out.records.extend(rates.into_iter().map(Record::Rate));
        }
    }

    /// What did not help is not left standing.
    fn take_back_what_stands(&mut self, plan: &Plan, why: &str) {
        if standing(plan).next().is_some() {
            self.undo(plan.id, why);
        }
    }

    /// Tries something else, unless enough was tried.
    fn again(&mut self, issue: IssueId, note: &str) {
        let Some(live) = self.live.get(&issue) else {
            return;
        };
        let max = self.settings.attempts;
        let attempts = self.attempts(&live.issue.entity, live.issue.class, None);
        if attempts >= max {
            let note = format!("{attempts} attempts did not cure it; the last, {note}");
            self.set_state(issue, IssueState::Escalated, "forestall", &note);
        } else {
            self.to_decide.insert(issue);
        }
    }
}

/// What a measurement says of a plan, `elapsed_s` after it was made.
fn verdict(plan: &Plan, value: f64, elapsed_s: f64, is_quiet: bool) -> (Verdict, String) {
    let effect = &plan.effect;
    let sign = if effect.to >= effect.from { 1.0 } else { -1.0 };
    let moved = (value - effect.from) * sign;
    let foretold = (effect.to - effect.from).abs();
    // Where it would be without the plan, as far as that was foreseen.
    let without = effect.from + plan.drift_per_s * elapsed_s.max(0.0);
    let beyond = (value - without) * sign;
    let unit = &effect.unit;
    let numbers = format!(
        "from {:.3} to {value:.3} {unit}, foretold {:.3}, without it {without:.3}",
        effect.from, effect.to
    );
    let verdict = if moved >= AS_FORETOLD * foretold {
        Verdict::Cured
    } else if beyond <= -effect.least && moved <= -effect.least {
        Verdict::Harmed
    } else if is_quiet {
        // The finding is gone.
        Verdict::Cured
    } else if moved >= effect.least {
        Verdict::Improved
    } else {
        Verdict::NoEffect
    };
    (verdict, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::tests::plan;

    #[test]
    fn an_effect_is_held_against_what_was_foretold_and_what_would_have_been() {
        let mut plan = plan();
        plan.effect.from = 0.8;
        plan.effect.to = 0.4;
        plan.effect.least = 0.05;
        plan.drift_per_s = 0.2 / 600.0;
        let check = |value: f64, is_quiet: bool, expected: Verdict| {
            assert_eq!(
                verdict(&plan, value, 600.0, is_quiet).0,
                expected,
                "{value}"
            );
        };
        check(0.42, false, Verdict::Cured);
        check(0.70, true, Verdict::Cured);
        check(0.70, false, Verdict::Improved);
        check(0.79, false, Verdict::NoEffect);
        // It leaks on as it would have without the plan: no effect, and no harm either.
        check(1.00, false, Verdict::NoEffect);
        check(1.10, false, Verdict::Harmed);
    }
}

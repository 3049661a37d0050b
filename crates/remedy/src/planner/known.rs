//! All that is known about an issue, for a decision.

use std::collections::BTreeSet;

use super::{DRY_RUN, Live, Planner};
use crate::EntityId;
use crate::action::Action;
use crate::audit::Hash;
use crate::decision::{self, DecisionId, Input};
use crate::issue::{Issue, IssueId};
use crate::plan::{PlanState, StepState, Verdict};
use crate::strategy::{Case, STRATEGIES, strategy};
use series::Timestamp;

impl Planner {
    /// Names of the actions that the executor of the present phase carries out; `None` for all.
    pub(super) fn actions_now(&self) -> Option<&BTreeSet<String>> {
        self.actions.as_ref().filter(|_| self.executor() != DRY_RUN)
    }

    /// What is known of an issue now, with what only the planner knows: how long it has been so, how old the release is that
    /// it may come from, and how often a limit was raised for it.
    pub(super) fn case(&self, live: &Live) -> Case {
        let mut case = live.case();
        // The topology may have grown since the issue was opened.
        case.around = self.topology.surroundings(&case.entity);
        let now = self.now();
        let since_s = now.seconds_since(live.issue.opened);
        let released: Option<jiff::Timestamp> = case
            .attribute("released_at")
            .and_then(|text| text.parse().ok());
        let released = released.map(|at| Timestamp::from_micros(at.as_microsecond()));
        let deployed_s = released.map(|at| now.seconds_since(at));
        let raised = self.raised(live.issue.id);
        let known = [
            ("since_s", Some(since_s)),
            ("deployed_s", deployed_s),
            ("raised_before", (raised > 0).then_some(raised as f64)),
        ];
        let known = known.into_iter();
        let known = known.filter_map(|(name, value)| Some((name.to_owned(), value?.to_string())));
        case.facts.extend(known);
        case
    }

    /// How often a limit was raised for an issue and those that it is the return of, and stayed so.
    fn raised(&self, id: IssueId) -> usize {
        let plans = self.history(id).into_iter().flat_map(|issue| &issue.plans);
        let plans = plans.filter_map(|id| self.plans.get(id));
        let steps = plans
            .filter(|plan| plan.executor != DRY_RUN)
            .flat_map(|plan| &plan.steps);
        let raises = steps.filter(|step| {
            let is_raise =
                matches!(&step.step.action, Action::SetLimit { from, to, .. } if to > from);
            is_raise && step.state == StepState::Done
        });
        raises.count()
    }

    /// An issue and those that it is the return of, newest first.
    fn history(&self, id: IssueId) -> Vec<&Issue> {
        let before = |issue: &&Issue| self.resolved.get(&issue.returned_from?);
        std::iter::successors(self.issue(id), before).collect()
    }

    /// All that is known about an issue.
    pub(super) fn input(&self, id: IssueId) -> Option<Input> {
        let live = self.live.get(&id)?;
        let case = self.case(live);
        let context = decision::context(&case);
        let half_life = self.settings.half_life_days;
        let mut seen = std::collections::BTreeMap::new();
        for strategy in STRATEGIES
            .iter()
            .filter(|known| known.classes.contains(&case.class))
        {
            let of = self
                .books
                .seen(strategy.name, &context, self.now(), half_life);
            if of != decision::Seen::default() {
                seen.insert(strategy.name.to_owned(), of);
            }
        }
        let (spent, fallbacks) = self.spent(&case.entity, id);
        let situation = self.situation(&case.entity, id, None);
        Some(Input {
            id: DecisionId(self.last.decision + 1),
            issue: id,
            severity: live.issue.severity,
            diagnosis: decision::diagnosis(live.issue.evidence.iter()),
            seen,
            spent,
            fallbacks,
            situation,
            settings: self.settings.clone(),
            actions: self.actions_now().cloned(),
            // Each issue is a control once.
            draw: if self.was_withheld(live) {
                1.0
            } else {
                self.draw(id)
            },
            case,
        })
    }

    fn was_withheld(&self, live: &Live) -> bool {
        let mut plans = live.issue.plans.iter().filter_map(|id| self.plans.get(id));
        plans.any(|plan| plan.state == PlanState::Withheld)
    }

    /// A number from 0 to 1 for each issue, the same for the same seed.
    fn draw(&self, id: IssueId) -> f64 {
        let hash = Hash::of(format!("{}/{}", self.seed, id.0).as_bytes());
        let [a, b, c, d, ..] = hash.0;
        f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
    }

    /// Strategies that had no effect on this target and class in the memory of attempts, and what is to follow the last.
    fn spent(&self, target: &EntityId, id: IssueId) -> (BTreeSet<String>, Vec<String>) {
        let issues = self.history(id);
        let plans = issues.iter().rev().flat_map(|issue| &issue.plans);
        let failed = plans
            .filter_map(|plan| self.plans.get(plan))
            .filter(|plan| {
                let verdict = plan.outcome.as_ref().map(|outcome| outcome.verdict);
                plan.entity == *target
                    && plan.state != PlanState::Shadow
                    && plan.state != PlanState::Withheld
                    && matches!(verdict, Some(Verdict::NoEffect | Verdict::Harmed))
                    && self.now().seconds_since(plan.created) <= self.settings.attempts_window_s
            });
        let failed: Vec<_> = failed.collect();
        let next = failed.last().and_then(|plan| strategy(&plan.strategy));
        let next = next.map(|known| {
            known
                .fallbacks
                .iter()
                .map(|&name| name.to_owned())
                .collect()
        });
        let spent = failed.iter().map(|plan| plan.strategy.clone());
        (spent.collect(), next.unwrap_or_default())
    }
}

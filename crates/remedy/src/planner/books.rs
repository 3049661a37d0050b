//! What was done, counted: per target, in all, per cause. Rebuilt from the ledger, so that a restart forgets nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use series::Timestamp;

use crate::decision::{Counts, Seen};
use crate::plan::{Plan, Verdict};
use crate::record::{ActionRecord, Rate};
use crate::{Class, EntityId};

const HOUR_S: f64 = 3600.0;

#[derive(Debug, Default)]
pub(super) struct Books {
    /// Within the memory of attempts, oldest first.
    actions: VecDeque<ActionRecord>,
    /// By strategy and context; those of all contexts have an empty one.
    rates: BTreeMap<(String, String), Rate>,
    /// By strategy and verdict.
    verdicts: BTreeMap<(String, String), u64>,
}

impl Books {
    pub(super) fn new(
        mut actions: Vec<ActionRecord>,
        rates: Vec<Rate>,
        verdicts: BTreeMap<(String, String), u64>,
    ) -> Self {
        actions.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.key.cmp(&b.key)));
        let rates = rates
            .into_iter()
            .map(|rate| ((rate.strategy.clone(), rate.context.clone()), rate));
        Self {
            actions: actions.into(),
            rates: rates.collect(),
            verdicts,
        }
    }

    pub(super) fn acted(&mut self, action: ActionRecord) {
        self.actions.push_back(action);
    }

    /// Takes an action back that came to nothing. A restart counts it again: better one too many.
    pub(super) fn not_acted(&mut self, key: &str) {
        self.actions.retain(|action| action.key != key);
    }

    /// Time went back to `now`: actions that seem to lie ahead count from then on.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.actions
            .iter_mut()
            .for_each(|action| action.at = action.at.min(now));
    }

    pub(super) fn forget(&mut self, now: Timestamp, window_s: f64) {
        let keep_s = window_s.max(HOUR_S);
        while let Some(oldest) = self.actions.front()
            && now.seconds_since(oldest.at) > keep_s
        {
            self.actions.pop_front();
        }
    }

    /// Actions within the last hour: on that of the targets which had most, and in all. Those that seem to lie ahead count
    /// as well.
    pub(super) fn hour(&self, targets: &BTreeSet<&EntityId>, now: Timestamp) -> (u32, u32) {
        let mut on = BTreeMap::<&EntityId, u32>::new();
        let mut all = 0;
        for action in self.actions.iter().rev() {
            if now.seconds_since(action.at) > HOUR_S {
                break;
            }
            all += 1;
            if targets.contains(&action.target) {
                *on.entry(&action.target).or_default() += 1;
            }
        }
        (on.into_values().max().unwrap_or(0), all)
    }

    /// Actions for a class within the memory of attempts. By class and not by cause: a cause that is seen otherwise the second
    /// time must not buy three more attempts.
    pub(super) fn actions(
        &self,
        class: Class,
        now: Timestamp,
        window_s: f64,
    ) -> impl Iterator<Item = &ActionRecord> {
        let recent = self.actions.iter().rev();
        recent
            .take_while(move |action| now.seconds_since(action.at) <= window_s)
            .filter(move |action| action.class == class)
    }

    /// All that are remembered, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &ActionRecord> {
        self.actions.iter()
    }

    /// What was seen of a strategy, as of now.
    pub(super) fn seen(
        &self,
        strategy: &str,
        context: &str,
        now: Timestamp,
        half_life_days: f64,
    ) -> Seen {
        let counts = |context: &str| -> Counts {
            let key = (strategy.to_owned(), context.to_owned());
            let rate = self.rates.get(&key);
            rate.map(|rate| rate.counts(now, half_life_days))
                .unwrap_or_default()
        };
        Seen {
            here: counts(context),
            everywhere: counts(""),
        }
    }

    /// Learns from a verdict; returns what changed.
    pub(super) fn learn(
        &mut self,
        plan: &Plan,
        context: &str,
        verdict: Verdict,
        now: Timestamp,
        half_life_days: f64,
    ) -> Vec<Rate> {
        let key = (plan.strategy.clone(), verdict.name().to_owned());
        *self.verdicts.entry(key).or_default() += 1;
        if verdict == Verdict::NotEnoughData {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for context in [context, ""] {
            let key = (plan.strategy.clone(), context.to_owned());
            let before = self.rates.get(&key);
            let counts = before.map(|rate| rate.counts(now, half_life_days));
            let counts = counts.unwrap_or_default().with(verdict);
            let rate = Rate {
                strategy: plan.strategy.clone(),
                context: context.to_owned(),
                successes: counts.successes,
                failures: counts.failures,
                harms: counts.harms,
                at: now,
            };
            self.rates.insert(key, rate.clone());
            changed.push(rate);
        }
        changed
    }

    /// All rates, by strategy and context.
    pub(super) fn rates(&self) -> impl Iterator<Item = &Rate> {
        self.rates.values()
    }

    /// Verdicts so far, by strategy and verdict.
    pub(super) const fn verdicts(&self) -> &BTreeMap<(String, String), u64> {
        &self.verdicts
    }
}

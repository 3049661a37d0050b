//! How often a strategy works: a beta distribution for each strategy and context, which forgets.

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::plan::Verdict;
use crate::record::Rate;
use crate::strategy::{Case, Strategy};
use crate::{Class, EntityId};

/// What was learned in all contexts counts as this many observations in a context of its own.
const SHARED: f64 = 4.0;

/// Successes, failures and harms that were seen, decayed to the instant of the decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// It cured or improved.
    pub successes: f64,
    /// It did not.
    pub failures: f64,
    /// It made things worse; among the failures.
    pub harms: f64,
}

/// What was seen of one strategy, here and everywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// In this context.
    pub here: Counts,
    /// In all contexts, this one included.
    pub everywhere: Counts,
}

/// What is believed of a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Odds {
    /// Mean probability of success, 0 to 1.
    pub mean: f64,
    /// Its standard deviation: how little is known.
    pub deviation: f64,
    /// Mean probability of harm, 0 to 1.
    pub harm: f64,
}

/// The context that a case counts in: its class, the kind of its entity and the cause.
#[must_use]
pub fn context(case: &Case) -> String {
    context_of(case.class, &case.entity, &case.cause)
}

/// The same, by its parts.
#[must_use]
pub fn context_of(class: Class, entity: &EntityId, cause: &str) -> String {
    // Causes come from outside: a long one must not make a long key.
    let cause: String = cause.chars().take(32).collect();
    format!("{}/{}/{cause}", class.name(), entity.kind().name())
}

impl Counts {
    /// As of `at`, when each half life halves what was counted until `since`.
    #[must_use]
    pub fn decayed(self, since: Timestamp, at: Timestamp, half_life_days: f64) -> Self {
        // A clock that went back makes nothing count more.
        let days = (at.seconds_since(since) / 86_400.0).max(0.0);
        let keep = 0.5_f64.powf(days / half_life_days);
        Self {
            successes: self.successes * keep,
            failures: self.failures * keep,
            harms: self.harms * keep,
        }
    }

    /// With one more verdict. That there was not enough data teaches nothing.
    #[must_use]
    pub fn with(mut self, verdict: Verdict) -> Self {
        match verdict {
            Verdict::Cured => self.successes += 1.0,
            Verdict::Improved => {
                self.successes += 0.5;
                self.failures += 0.5;
            }
            Verdict::NoEffect => self.failures += 1.0,
            Verdict::Harmed => {
                self.failures += 1.0;
                self.harms += 1.0;
            }
            Verdict::NotEnoughData => {}
        }
        self
    }
}

impl Rate {
    /// What it counts, as of `at`.
    #[must_use]
    pub fn counts(&self, at: Timestamp, half_life_days: f64) -> Counts {
        let counts = Counts {
            successes: self.successes,
            failures: self.failures,
            harms: self.harms,
        };
        counts.decayed(self.at, at, half_life_days)
    }
}

impl Odds {
    /// The posterior of a strategy: its prior, then what was seen everywhere as a bounded number of observations, then what
    /// was seen here.
    #[must_use]
    pub fn of(strategy: &Strategy, seen: &Seen) -> Self {
        let Seen { here, everywhere } = seen;
        let [mut a, mut b] = strategy.prior;
        let others = [
            (everywhere.successes - here.successes).max(0.0),
            (everywhere.failures - here.failures).max(0.0),
        ];
        let n = others[0] + others[1];
        let weight = if n > SHARED { SHARED / n } else { 1.0 };
        a += others[0] * weight + here.successes;
        b += others[1] * weight + here.failures;
        let n = a + b;
        // The prior of harm weighs as much as that of success.
        let prior_n = strategy.prior[0] + strategy.prior[1];
        let seen_n = here.successes + here.failures;
        Self {
            mean: a / n,
            deviation: (a * b / (n * n * (n + 1.0))).sqrt(),
            harm: (strategy.harm * prior_n + here.harms) / (prior_n + seen_n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::STRATEGIES;

    #[test]
    fn what_works_is_believed_in_and_what_fails_is_not() {
        let strategy = STRATEGIES[0];
        let odds = |verdicts: &[(Verdict, usize)]| {
            let mut here = Counts::default();
            for &(verdict, n) in verdicts {
                for _ in 0..n {
                    here = here.with(verdict);
                }
            }
            Odds::of(
                strategy,
                &Seen {
                    here,
                    everywhere: here,
                },
            )
        };
        let before = odds(&[]);
        assert!(odds(&[(Verdict::Cured, 5)]).mean > before.mean);
        assert!(odds(&[(Verdict::NoEffect, 5)]).mean < before.mean - 0.1);
        assert!(odds(&[(Verdict::Harmed, 2)]).harm > before.harm + 0.1);
        assert_eq!(odds(&[(Verdict::NotEnoughData, 9)]), before);
        let much = odds(&[(Verdict::Cured, 50), (Verdict::NoEffect, 50)]);
        assert!(much.deviation < before.deviation);
    }

    #[test]
    fn what_was_learned_fades_and_a_clock_that_goes_back_changes_nothing() {
        let counts = Counts {
            successes: 8.0,
            failures: 4.0,
            harms: 0.0,
        };
        let day = |n: i64| Timestamp::from_millis(n * 86_400_000);
        let later = counts.decayed(day(0), day(30), 30.0);
        assert_eq!((later.successes, later.failures), (4.0, 2.0));
        assert_eq!(counts.decayed(day(5), day(0), 30.0), counts);
    }

    #[test]
    fn other_contexts_count_for_little() {
        let everywhere = Counts {
            successes: 1000.0,
            failures: 0.0,
            harms: 0.0,
        };
        let here = Counts::default();
        let odds = Odds::of(STRATEGIES[0], &Seen { here, everywhere });
        let [a, b] = STRATEGIES[0].prior;
        let most = (a + SHARED) / (a + b + SHARED);
        assert!((odds.mean - most).abs() < 1e-12, "{odds:?}");
    }
}

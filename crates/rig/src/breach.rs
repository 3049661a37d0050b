//! When a service has broken its objective for so long that it counts as exhausted.

use std::collections::VecDeque;

/// Over how many seconds latency and failures are looked at.
const WINDOW_S: f64 = 5.0;
/// With fewer calls in the window nothing is said.
const FEWEST: usize = 5;

/// The rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Objective {
    /// Broken from this 95th percentile of the latency on, in seconds.
    pub(crate) p95_s: f64,
    /// Broken from this share of failures on.
    pub(crate) failed: f64,
    /// For how many seconds on end it must be broken.
    pub(crate) hold_s: f64,
}

/// How a service does over the last seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    /// 95th percentile of the latency, in seconds.
    pub(crate) p95_s: f64,
    /// The share of failures.
    pub(crate) failed: f64,
}

/// Looks at the calls of a service second by second.
#[derive(Debug)]
pub(crate) struct Breach {
    objective: Objective,
    /// When a call ended, how long it took, and whether it failed.
    calls: VecDeque<(f64, f64, bool)>,
    since_s: Option<f64>,
}

impl Breach {
    pub(crate) const fn new(objective: Objective) -> Self {
        Self {
            objective,
            calls: VecDeque::new(),
            since_s: None,
        }
    }

    /// Notes a call that ended at `at_s` after `took_s`.
    pub(crate) fn call(&mut self, at_s: f64, took_s: f64, failed: bool) {
        self.calls.push_back((at_s, took_s, failed));
    }

    /// How the service does now; `None` if hardly anybody called.
    pub(crate) fn state(&mut self, now_s: f64) -> Option<State> {
        while self
            .calls
            .front()
            .is_some_and(|(at_s, ..)| *at_s < now_s - WINDOW_S)
        {
            self.calls.pop_front();
        }
        if self.calls.len() < FEWEST {
            return None;
        }
        let mut took: Vec<f64> = self.calls.iter().map(|(_, took_s, _)| *took_s).collect();
        took.sort_by(f64::total_cmp);
        let failed = self.calls.iter().filter(|(.., failed)| *failed).count();
        Some(State {
            p95_s: took[(took.len() * 95).div_ceil(100) - 1],
            failed: failed as f64 / took.len() as f64,
        })
    }

    /// To be asked every second: since when the objective is broken, once that is for long enough.
    pub(crate) fn exhausted(&mut self, now_s: f64) -> Option<f64> {
        let broken = self.state(now_s).is_some_and(|state| {
            state.p95_s >= self.objective.p95_s || state.failed >= self.objective.failed
        });
        if !broken {
            self.since_s = None;
            return None;
        }
        let since_s = *self.since_s.get_or_insert(now_s);
        // The first second counts as one.
        (now_s - since_s + 1.0 >= self.objective.hold_s).then_some(since_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVE: Objective = Objective {
        p95_s: 1.0,
        failed: 0.5,
        hold_s: 3.0,
    };

    /// One call a tenth of a second; `slow` from that second on until `well`. When it counts as exhausted, and since when.
    fn told(slow: u32, well: u32) -> Option<(u32, f64)> {
        let mut breach = Breach::new(OBJECTIVE);
        (0..40_u32).find_map(|s| {
            for i in 0..10_u32 {
                let took_s = if (slow..well).contains(&s) { 2.0 } else { 0.1 };
                breach.call(f64::from(s) + f64::from(i) / 10.0, took_s, false);
            }
            let told = breach.exhausted(f64::from(s) + 1.0);
            told.map(|since_s| (s + 1, since_s))
        })
    }

    #[test]
    fn the_first_second_of_a_long_breach_counts() {
        assert_eq!(told(10, 40), Some((13, 11.0)));
    }

    #[test]
    fn a_short_breach_does_not() {
        // The window of 5 s is part of it: one slow second breaks the objective for 5.
        let mut breach = Breach::new(Objective {
            hold_s: 10.0,
            ..OBJECTIVE
        });
        for s in 0..30_u32 {
            let took_s = if s == 10 { 2.0 } else { 0.1 };
            (0..10).for_each(|_| breach.call(f64::from(s), took_s, false));
            assert_eq!(breach.exhausted(f64::from(s)), None, "{s}");
        }
    }

    #[test]
    fn failures_count_too_and_silence_does_not() {
        let mut breach = Breach::new(Objective {
            hold_s: 1.0,
            ..OBJECTIVE
        });
        assert_eq!(breach.exhausted(0.0), None);
        (0..10).for_each(|i| breach.call(1.0, 0.1, i % 2 == 0));
        assert_eq!(breach.exhausted(1.0), Some(1.0));
    }
}

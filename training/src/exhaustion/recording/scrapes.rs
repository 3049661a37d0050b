//! When scrapes come, and which of them fail.

use features::headroom::BIN_S;

use super::Plan;
use crate::rng::Rng;

/// A failed scrape is followed by another that fails with at least this probability: what is broken stays so for a while.
const STAYS_BROKEN: f64 = 0.5;
/// A scrape comes no later than this share of the time to the next.
const LATEST: f64 = 0.9;

/// The instants of the scrapes of an episode, in bins from its start, rising.
pub(super) fn instants(plan: &Plan, end: f64, mut rng: Rng) -> impl Iterator<Item = f64> {
    let (every, jitter) = (plan.scrape_s / BIN_S, plan.jitter);
    (1_u64..)
        .map(move |i| {
            let late = (jitter * rng.normal()).abs().min(LATEST);
            (i as f64 + late) * every
        })
        .take_while(move |at| *at <= end)
}

/// Whether the scrapes of one job fail, one after the other.
#[derive(Debug)]
pub(super) struct Failures {
    /// Probability that a scrape fails after one that did not, and after one that did.
    begins: f64,
    stays: f64,
    broken: bool,
    rng: Rng,
    /// How many did.
    pub(super) n: u64,
}

impl Failures {
    /// `share` of them do; below 1.
    pub(super) fn new(share: f64, rng: Rng) -> Self {
        let stays = STAYS_BROKEN.max(share);
        Self {
            // In the long run as many begin as end.
            begins: share * (1.0 - stays) / (1.0 - share),
            stays,
            broken: false,
            rng,
            n: 0,
        }
    }

    /// Whether the next one fails.
    pub(super) fn next(&mut self) -> bool {
        let p = if self.broken { self.stays } else { self.begins };
        self.broken = self.rng.chance(p);
        self.n += u64::from(self.broken);
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapes_come_late_and_never_out_of_order() {
        let plan = Plan {
            jitter: 0.5,
            scrape_s: 10.0,
            ..Plan::default()
        };
        let all: Vec<f64> = instants(&plan, 100.0, Rng::new(1, 1)).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(all.iter().all(|at| (0.5..=100.0).contains(at)));
        assert!((198..=199).contains(&all.len()), "{}", all.len());
        let steady = Plan {
            jitter: 0.0,
            ..plan
        };
        let all: Vec<f64> = instants(&steady, 2.0, Rng::new(1, 1)).collect();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn as_many_fail_as_asked() {
        for share in [0.0, 0.05, 0.5, 0.9] {
            let mut failures = Failures::new(share, Rng::new(1, 2));
            for _ in 0..20_000 {
                failures.next();
            }
            let found = failures.n as f64 / 20_000.0;
            assert!((found - share).abs() < 0.02, "{share}: {found}");
        }
    }
}

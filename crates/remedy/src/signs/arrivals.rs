//! Events that come one by one: how many of late, and how likely more are.

use series::Timestamp;

use super::normal::{at_least, quantiles_s};
use super::passage::{DAY_S, SOON_S};

/// Events that are kept apart; beyond them the oldest are taken together.
const KEPT: usize = 16;
/// A rate that is seen now is taken to last for so long: nothing crashes at the same rate all day and is left alone.
const LASTS_S: f64 = 7_200.0;

/// Events with their times, and their rate.
#[derive(Debug, Clone)]
pub(super) struct Arrivals {
    events: [(Timestamp, f32); KEPT],
    n: usize,
    /// Count that halves as time goes by, as of `at`.
    decayed: f64,
    at: Timestamp,
    decay_s: f64,
}

impl Arrivals {
    /// `decay_s`: seconds after which an event counts 1/e for the rate, above 0.
    pub(super) fn new(decay_s: f64) -> Self {
        Self {
            events: [(Timestamp::default(), 0.0); KEPT],
            n: 0,
            decayed: 0.0,
            at: Timestamp::default(),
            decay_s,
        }
    }

    /// Takes in that `n` events came until `at`.
    pub(super) fn add(&mut self, at: Timestamp, n: f64) {
        let n = n.clamp(0.0, 1e6);
        self.decayed = self.decayed(at) + n;
        self.at = self.at.max(at);
        if self.n == KEPT {
            self.events[1].1 += self.events[0].1;
            self.events.copy_within(1.., 0);
            self.n -= 1;
        }
        self.events[self.n] = (at, n as f32);
        self.n += 1;
    }

    fn decayed(&self, at: Timestamp) -> f64 {
        self.decayed * (-at.seconds_since(self.at).max(0.0) / self.decay_s).exp()
    }

    /// How many came within the last `s` seconds. An event that was seen at the edge counts.
    pub(super) fn within(&self, at: Timestamp, s: f64) -> f64 {
        let events = self.events[..self.n].iter();
        let recent = events.filter(|(when, _)| at.seconds_since(*when) <= s);
        recent.map(|(_, n)| f64::from(*n)).sum()
    }

    /// Events per second, by an exponential mean.
    fn rate(&self, at: Timestamp) -> f64 {
        self.decayed(at) / self.decay_s
    }

    /// Seconds since the last.
    pub(super) fn quiet_s(&self, at: Timestamp) -> f64 {
        at.seconds_since(self.at)
    }

    /// Events per day.
    pub(super) fn daily(&self, at: Timestamp) -> f64 {
        self.rate(at) * DAY_S
    }

    /// P(at least `k` within 30 minutes), the same within a day, and 5, 50 and 95 % quantiles of the seconds until the
    /// `k`-th, where it is foreseen at all.
    pub(super) fn foretell(&self, at: Timestamp, k: u32) -> (f64, f64, Option<[f64; 3]>) {
        let rate = self.rate(at);
        let lasting = |s: f64| LASTS_S * (1.0 - (-s / LASTS_S).exp());
        let within = |s: f64| at_least(k, rate * lasting(s));
        let soon = at_least(k, rate * SOON_S);
        let day = within(DAY_S).max(soon);
        let ttf_s = (day >= 0.2).then(|| quantiles_s(DAY_S, within));
        (soon, day, ttf_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(1.7e9 + s).unwrap()
    }

    #[test]
    fn two_in_a_row_foretell_a_loop_and_one_does_not() {
        let mut arrivals = Arrivals::new(900.0);
        assert_eq!(arrivals.foretell(at(0.0), 3), (0.0, 0.0, None));
        arrivals.add(at(0.0), 1.0);
        assert!(arrivals.foretell(at(0.0), 3).0 < 0.4);
        arrivals.add(at(60.0), 1.0);
        let (soon, day, ttf_s) = arrivals.foretell(at(60.0), 3);
        assert!(soon > 0.7 && day >= soon && ttf_s.is_some(), "{soon} {day}");
        assert!(arrivals.foretell(at(1_500.0), 3).0 < 0.3);
    }

    #[test]
    fn old_events_are_merged_and_forgotten() {
        let mut arrivals = Arrivals::new(900.0);
        for i in 0..40 {
            arrivals.add(at(f64::from(i)), 1.0);
        }
        let within = [(39.0, 900.0), (39.0, 5.0), (2_000.0, 900.0)]
            .map(|(now, s)| arrivals.within(at(now), s));
        assert_eq!(within.map(f64::round).map(|n| n as i64), [40, 6, 0]);
        // A clock that is set back does no harm.
        arrivals.add(at(-1e6), f64::INFINITY);
        assert!(arrivals.foretell(at(0.0), 3).0.is_finite());
    }
}

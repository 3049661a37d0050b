//! The time as the planner takes it: it does not go back because a clock did, and nothing is done while clocks are in doubt.

use series::Timestamp;

use super::Planner;

/// A clock that goes back by less is only being disciplined.
const SLACK_S: f64 = 1.0;
/// A step ahead of more than this is no pause between two turns.
const LEAP_S: f64 = 3600.0;
/// After a leap ahead nothing is done for so long: whatever has a deadline would meet it at once.
const CALM_US: i64 = 60_000_000;
/// A clock that has stayed behind for so long was set, and is believed.
const BELIEVED_S: f64 = 300.0;

/// A jump of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It went back: time stands still until it has caught up, or is believed.
    Back,
    /// It went ahead by far.
    Forward,
    /// It has been behind for so long that it is believed: time goes back.
    Believed,
}

impl Step {
    /// The kind of entry in the audit.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Back => "clock.went_back",
            Self::Forward => "clock.went_forward",
            Self::Believed => "clock.believed",
        }
    }
}

#[derive(Debug)]
pub(super) struct Clock {
    now: Timestamp,
    doubt: Option<Doubt>,
}

#[derive(Debug)]
struct Doubt {
    why: String,
    /// The doubt ends when the clock shows this.
    until: Timestamp,
    /// When the clock was first seen behind.
    behind_since: Option<Timestamp>,
}

impl Clock {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { now, doubt: None }
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Why the clock cannot be relied on, while it cannot.
    pub(super) fn doubt(&self) -> Option<&str> {
        self.doubt.as_ref().map(|doubt| doubt.why.as_str())
    }

    /// Takes the time; returns what is to be written down when it jumped, and why.
    pub(super) fn advance(&mut self, at: Timestamp) -> Option<(Step, String)> {
        let ahead_s = at.seconds_since(self.now);
        let is_first = self.now == Timestamp::default();
        let mut said = None;
        if ahead_s < -SLACK_S {
            let doubt = self.doubt.get_or_insert_with(|| {
                let why = format!("the clock went back by {:.0} s", -ahead_s);
                said = Some((Step::Back, why.clone()));
                Doubt {
                    why,
                    until: self.now,
                    behind_since: None,
                }
            });
            // It may go back again meanwhile: what counts is how long it has run on from the lowest.
            let since = doubt.behind_since.map_or(at, |since| since.min(at));
            doubt.behind_since = Some(since);
            if at.seconds_since(since) >= BELIEVED_S {
                let why = format!("it has been behind for {BELIEVED_S} s: it was set");
                self.now = at;
                self.doubt = None;
                return Some((Step::Believed, why));
            }
        } else if ahead_s > LEAP_S && !is_first {
            let why = format!("the clock went forward by {ahead_s:.0} s");
            said = Some((Step::Forward, why.clone()));
            self.doubt = Some(Doubt {
                why,
                until: at.plus_micros(CALM_US),
                behind_since: None,
            });
        }
        self.now = self.now.max(at);
        if self.doubt.as_ref().is_some_and(|doubt| at >= doubt.until) {
            self.doubt = None;
        }
        said
    }
}

impl Planner {
    /// Time went back: what seems to lie ahead of it happened just now. Else it would last until the clock is there again,
    /// which may be years.
    pub(super) fn set_back(&mut self) {
        let now = self.now();
        let past = |at: &mut Timestamp| *at = (*at).min(now);
        self.awake = Some(now);
        for live in self.live.values_mut() {
            let issue = &mut live.issue;
            let all = [
                &mut issue.opened,
                &mut issue.updated,
                &mut issue.seen,
                &mut live.written,
            ];
            all.into_iter().for_each(past);
            issue
                .evidence
                .iter_mut()
                .for_each(|finding| past(&mut finding.at));
            [&mut live.quiet_since, &mut live.decided]
                .into_iter()
                .flatten()
                .for_each(past);
        }
        for issue in self.resolved.values_mut() {
            issue.resolved.iter_mut().for_each(past);
        }
        let deadline = now.plus_micros((self.settings.approval_deadline_s * 1e6) as i64);
        let opening = self.settings.next_opening(now);
        for id in &self.active {
            let Some(plan) = self.plans.get_mut(id) else {
                continue;
            };
            past(&mut plan.created);
            plan.carried_out.iter_mut().for_each(past);
            plan.steps
                .iter_mut()
                .filter_map(|step| step.ordered.as_mut())
                .for_each(past);
            plan.deadline
                .iter_mut()
                .for_each(|at| *at = (*at).min(deadline));
            plan.not_before
                .iter_mut()
                .for_each(|at| *at = (*at).min(opening));
        }
        let expires = now.plus_micros((self.settings.lease_s * 1e6) as i64);
        for lease in self.leases.values_mut() {
            lease.expires = lease.expires.min(expires);
        }
        let ahead = |newest: &(f64, Timestamp)| newest.1 <= now;
        for watched in self.measured.values_mut() {
            watched.newest = watched.newest.filter(ahead);
        }
        self.storm.set_back(now);
        self.books.set_back(now);
        self.health = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_millis(s * 1000)
    }

    #[test]
    fn time_does_not_go_back_and_is_in_doubt_until_the_clock_has_caught_up() {
        let mut clock = Clock::new(at(10_000));
        let (kind, why) = clock.advance(at(9_900)).unwrap();
        assert_eq!((kind, &*why), (Step::Back, "the clock went back by 100 s"));
        assert_eq!(clock.now(), at(10_000));
        assert!(clock.doubt().is_some());
        assert_eq!(clock.advance(at(9_950)), None);
        assert_eq!(clock.advance(at(10_001)), None);
        assert_eq!((clock.now(), clock.doubt()), (at(10_001), None));
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_after_a_while() {
        let mut clock = Clock::new(at(1_000_000));
        for s in 0..300 {
            clock.advance(at(1000 + s));
            assert!(clock.doubt().is_some());
        }
        assert_eq!(clock.advance(at(1300)).unwrap().0, Step::Believed);
        assert_eq!((clock.now(), clock.doubt()), (at(1300), None));
    }

    #[test]
    fn after_a_leap_ahead_it_is_calm_for_a_minute() {
        let mut clock = Clock::new(at(1000));
        assert_eq!(clock.advance(at(9000)).unwrap().0, Step::Forward);
        assert!(clock.doubt().is_some());
        clock.advance(at(9059));
        assert!(clock.doubt().is_some());
        clock.advance(at(9060));
        assert_eq!(clock.doubt(), None);
    }
}

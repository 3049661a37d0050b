//! The time as the planner takes it: it does not go back because a clock did, and nothing is done while clocks are in doubt.

use series::Timestamp;

/// A clock that goes back by less is only being disciplined.
const SLACK_S: f64 = 1.0;
/// A step ahead of more than this is no pause between two turns.
const LEAP_S: f64 = 3600.0;
/// After a leap ahead nothing is done for so long: whatever has a deadline would meet it at once.
const CALM_US: i64 = 60_000_000;
/// A clock that has stayed behind for so long was set, and is believed.
const BELIEVED_S: f64 = 300.0;

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

    /// Takes the time; returns what is to be written down when it jumped: a kind of entry, and why.
    pub(super) fn advance(&mut self, at: Timestamp) -> Option<(&'static str, String)> {
        let ahead_s = at.seconds_since(self.now);
        let is_first = self.now == Timestamp::default();
        let mut said = None;
        if ahead_s < -SLACK_S {
            let doubt = self.doubt.get_or_insert_with(|| {
                let why = format!("the clock went back by {:.0} s", -ahead_s);
                said = Some(("clock.went_back", why.clone()));
                Doubt {
                    why,
                    until: self.now,
                    behind_since: None,
                }
            });
            let since = *doubt.behind_since.get_or_insert(at);
            if at.seconds_since(since) >= BELIEVED_S {
                let why = format!("it has been behind for {BELIEVED_S} s: it was set");
                self.now = at;
                self.doubt = None;
                return Some(("clock.believed", why));
            }
        } else if ahead_s > LEAP_S && !is_first {
            let why = format!("the clock went forward by {ahead_s:.0} s");
            said = Some(("clock.went_forward", why.clone()));
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
        assert_eq!((kind, &*why), ("clock.went_back", "the clock went back by 100 s"));
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
        assert_eq!(clock.advance(at(1300)).unwrap().0, "clock.believed");
        assert_eq!((clock.now(), clock.doubt()), (at(1300), None));
    }

    #[test]
    fn after_a_leap_ahead_it_is_calm_for_a_minute() {
        let mut clock = Clock::new(at(1000));
        assert_eq!(clock.advance(at(9000)).unwrap().0, "clock.went_forward");
        assert!(clock.doubt().is_some());
        clock.advance(at(9059));
        assert!(clock.doubt().is_some());
        clock.advance(at(9060));
        assert_eq!(clock.doubt(), None);
    }
}

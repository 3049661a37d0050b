//! One rule over the series of one thing: from samples to a level, and what is known of it.

use series::{SeriesKey, Timestamp};

use super::arrivals::Arrivals;
use super::crash;
use super::passage::{Foretold, Passage};
use super::rule::{Latch, Role, Rule, Test};
use super::tell::Told;
use crate::EntityId;

/// Samples that are older than the newest by more than this mean that the clock was set back.
const BACK_S: f64 = 3_600.0;
/// Requests and rates are taken together over so many seconds, and this long after the last the level is not known any more.
const BIN_S: f64 = 15.0;
const QUIET_S: f64 = 300.0;
/// Seconds between two looks ahead.
const LOOK_S: f64 = 60.0;
/// The same while the threshold is so far away that no trend of the last half hour gets there within an hour and a half.
const LOOK_FAR_S: f64 = 1_200.0;
/// Starts that differ by less are the same: exporters compute them from two clocks.
const SAME_START_S: f64 = 2.0;

/// One series, and what it is to a watch.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    pub(super) watch: u32,
    /// The next of the same series, or [`super::NONE`].
    pub(super) next: u32,
    pub(super) role: Role,
    /// Whether the requests that it counts failed, if it says so.
    pub(super) outcome: Option<bool>,
    /// The last sample; NaN before the first.
    pub(super) value: f64,
    pub(super) at: Timestamp,
    /// Why something ended, for [`Role::Reason`].
    pub(super) reason: Option<Box<str>>,
}

/// What of late was added up over the series of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    part: f64,
    whole: f64,
    failed: f64,
    says_failed: bool,
    since: Timestamp,
    is_open: bool,
}

/// A rule over the series of one thing.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) rule: u16,
    pub(super) entity: EntityId,
    pub(super) key: SeriesKey,
    /// What is called, where labels name it.
    pub(super) dependency: Option<EntityId>,
    pub(super) newest: Timestamp,
    /// The level, smoothed; NaN before the first.
    pub(super) level: f64,
    /// Share of the requests that failed; NaN when nothing says so.
    pub(super) errors: f64,
    sums: Sums,
    pub(super) latch: Latch,
    /// What was said by rule and by prediction.
    pub(super) told: [Told; 2],
    pub(super) passage: Option<Passage>,
    looked: Timestamp,
    pub(super) foretold: Option<Foretold>,
    /// Whether what is foretold is so likely that it is told.
    pub(super) is_foretold: bool,
    pub(super) arrivals: Option<Box<Arrivals>>,
    /// Until when an anomaly of its series counts.
    pub(super) hunch: Option<Timestamp>,
    /// Whether it may be foretold when it crosses.
    pub(super) foretells: bool,
    /// When it was added, by the clock of whoever ticks.
    pub(super) born: Timestamp,
    /// Why it ended, and with which code, when that is known.
    pub(super) reason: Option<Box<str>>,
    pub(super) exit_code: Option<i16>,
}

impl Watch {
    pub(super) fn new(
        rule: u16,
        entity: EntityId,
        key: SeriesKey,
        dependency: Option<EntityId>,
    ) -> Self {
        Self {
            rule,
            entity,
            key,
            dependency,
            newest: Timestamp::from_micros(i64::MIN),
            level: f64::NAN,
            errors: f64::NAN,
            sums: Sums::default(),
            latch: Latch::default(),
            told: [Told::default(); 2],
            passage: None,
            looked: Timestamp::from_micros(i64::MIN),
            foretold: None,
            is_foretold: false,
            arrivals: None,
            hunch: None,
            foretells: false,
            born: Timestamp::default(),
            reason: None,
            exit_code: None,
        }
    }

    /// Takes in a finite sample. Whether there is something new to be said or looked at.
    pub(super) fn take(&mut self, rule: &Rule, feed: &mut Feed, at: Timestamp, value: f64) -> bool {
        if at < self.newest {
            if self.newest.seconds_since(at) < BACK_S {
                // Of another series of the same scrape, or late: totals may be added, order matters to levels only.
                if matches!(feed.role, Role::Level) || at < feed.at {
                    return false;
                }
            } else {
                self.begin_anew();
            }
        }
        self.newest = self.newest.max(at);
        let (before, passed_s) = (feed.value, at.seconds_since(feed.at));
        (feed.value, feed.at) = (value, at);
        // A total that falls was reset: what it shows came since then, at least.
        let rose = if value >= before {
            value - before
        } else {
            value.max(0.0)
        };
        let is_next = before.is_finite() && passed_s > 0.0 && passed_s < 2.0 * BACK_S;
        match feed.role {
            Role::Level => self.observe(rule, at, value),
            Role::Total | Role::Added if is_next && value >= before => {
                let whole = if feed.role == Role::Total {
                    passed_s
                } else {
                    0.0
                };
                self.sum(rule, at, rose, whole)
            }
            Role::Sum if is_next => self.sum(rule, at, rose, 0.0),
            Role::Count if is_next => {
                self.sums.says_failed |= feed.outcome.is_some();
                self.sums.failed += if feed.outcome == Some(true) {
                    rose
                } else {
                    0.0
                };
                self.sum(rule, at, 0.0, rose)
            }
            Role::Total | Role::Added | Role::Sum | Role::Count => false,
            Role::Part | Role::Whole => self.share(rule, feed.role, at, value),
            Role::Events => self.count(rule, at, if is_next { rose } else { 0.0 }),
            Role::Start => {
                let is_other = is_next && (value - before).abs() > SAME_START_S;
                self.count(rule, at, f64::from(u8::from(is_other)))
            }
            Role::Reason => {
                if value > 0.5 {
                    self.reason.clone_from(&feed.reason);
                }
                self.arrivals.is_some()
            }
            Role::ExitCode => {
                self.exit_code =
                    (value.fract() == 0.0 && value.abs() < 1e4).then_some(value as i16);
                false
            }
            Role::Idle => {
                let idle = if self.level.is_finite() {
                    self.level
                } else {
                    0.0
                };
                self.level = idle + value - if before.is_finite() { before } else { 0.0 };
                false
            }
            Role::Expiry => {
                self.level = value;
                true
            }
        }
    }

    /// Another clock: what was said stays, what was measured goes.
    fn begin_anew(&mut self) {
        self.newest = Timestamp::from_micros(i64::MIN);
        self.looked = self.newest;
        self.sums = Sums::default();
        self.passage = None;
        self.foretold = None;
        self.latch = self.latch.fresh();
        if let Some(arrivals) = &mut self.arrivals {
            **arrivals = Arrivals::new(crash::LOOP.1);
        }
    }

    /// Adds to part and whole, and observes their quotient when a bin is full.
    fn sum(&mut self, rule: &Rule, at: Timestamp, part: f64, whole: f64) -> bool {
        if !self.sums.is_open {
            (self.sums.since, self.sums.is_open) = (at, true);
        }
        let age_s = at.seconds_since(self.sums.since);
        let mut is_new = false;
        // What comes at the time at which the bin began is of the same scrape.
        if age_s >= BIN_S {
            let sums = self.sums;
            if sums.whole > 0.0 {
                let level = sums.part / sums.whole;
                self.errors = if sums.says_failed {
                    (sums.failed / sums.whole).clamp(0.0, 1.0)
                } else {
                    f64::NAN
                };
                is_new = self.observe(rule, at, level);
                self.sums = Sums {
                    since: at,
                    is_open: true,
                    ..Sums::default()
                };
            } else if age_s >= QUIET_S {
                // Nobody asked for five minutes: nothing is slow.
                self.level = f64::NAN;
                is_new = self.observe(rule, at, 0.0);
                self.sums = Sums {
                    since: at,
                    is_open: true,
                    ..Sums::default()
                };
            }
        }
        self.sums.part += part;
        self.sums.whole += whole;
        is_new
    }

    /// Remembers part or whole, and observes their quotient when a part comes.
    fn share(&mut self, rule: &Rule, role: Role, at: Timestamp, value: f64) -> bool {
        if role == Role::Whole {
            (self.sums.whole, self.sums.since) = (value, at);
            return false;
        }
        let is_known = self.sums.whole > 0.0 && at.seconds_since(self.sums.since).abs() < QUIET_S;
        if is_known && rule.test == Test::Never {
            self.level = value / self.sums.whole;
        }
        is_known && self.observe(rule, at, value / self.sums.whole)
    }

    fn count(&mut self, rule: &Rule, at: Timestamp, n: f64) -> bool {
        let Test::Events { within_s, .. } = rule.test else {
            return false;
        };
        if n > 0.0 {
            self.arrivals
                .get_or_insert_with(|| Box::new(Arrivals::new(crash::LOOP.1)))
                .add(at, n);
        }
        let Some(arrivals) = &self.arrivals else {
            return false;
        };
        self.level = arrivals.within(at, within_s);
        true
    }

    /// Takes in a level. Whether there is something to be said: most samples end here.
    fn observe(&mut self, rule: &Rule, at: Timestamp, x: f64) -> bool {
        let Test::Above(threshold) = &rule.test else {
            return false;
        };
        let x = rule.offset + rule.factor * x;
        if !x.is_finite() {
            return false;
        }
        let before = self.latch.newest();
        self.level = if rule.smooth_s > 0.0 && self.level.is_finite() {
            let passed_s = at.seconds_since(before).max(0.0);
            self.level + (x - self.level) * (1.0 - (-passed_s / rule.smooth_s).exp())
        } else {
            x
        };
        if !self.level.is_finite() {
            self.level = x;
        }
        let is_over = self.latch.update(threshold, at, self.level);
        if self.foretells {
            let passage = self.passage.get_or_insert_with(|| Passage::new(at));
            let waited_s = at.seconds_since(self.looked);
            if passage.add(at, x) && waited_s >= LOOK_S {
                // Far from the threshold a slow trend is all there can be.
                let must =
                    waited_s >= LOOK_FAR_S || self.is_foretold || passage.is_near(threshold.above);
                if must {
                    self.looked = at;
                    self.foretold = passage.foretell(threshold.above);
                    return true;
                }
            }
        }
        is_over || self.told[0].is_present || self.told[1].is_present
    }
}

//! What a rule reads, how that becomes a level, and when a level is wrong.

use series::{SeriesKey, Timestamp};

use crate::Class;

/// What a series is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the level.
    Level,
    /// A running total of which the rate is the level; of several series, their mean rate.
    Total,
    /// A running total that is added to that of others, such as the time that a processor waits for a disk to its idle time.
    Added,
    /// A running total of what took part: seconds of requests.
    Sum,
    /// A running total of how many: requests. With a label that says so, those that failed.
    Count,
    /// What is used, of [`Role::Whole`].
    Part,
    /// How much there is.
    Whole,
    /// A running total of events.
    Events,
    /// When something began: another number is another start.
    Start,
    /// 1 while its label `reason` is why something ended.
    Reason,
    /// With what code it ended.
    ExitCode,
    /// How many sessions of a database do nothing.
    Idle,
    /// Seconds since 1970 at which a certificate expires.
    Expiry,
}

/// Which series are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) metric: String,
    /// Labels with the value that they must have; a value that ends in `*` is a beginning.
    pub(super) labels: Vec<(String, String)>,
    pub(super) role: Role,
}

/// When it is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Test {
    /// A level above a threshold.
    Above(Threshold),
    /// Events within some time.
    Events {
        /// So many are wrong.
        at_least: f64,
        /// Seconds.
        within_s: f64,
    },
    /// Less than 30 days until a certificate expires.
    Expiry,
    /// Never: it is read for what it adds to others.
    Never,
}

/// A threshold with hold times: crossed once, it is told once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    /// Above it for `for_s` seconds it is wrong.
    pub(super) above: f64,
    /// Below it for `calm_s` seconds it is well again; at most `above`.
    pub(super) clear_below: f64,
    /// Seconds, at least 0.
    pub(super) for_s: f64,
    /// Seconds, at least 0.
    pub(super) calm_s: f64,
}

impl Threshold {
    /// With the usual hysteresis: well again below 0.95 of it, for as long as it takes to be wrong.
    pub(super) fn usual(above: f64, for_s: f64) -> Self {
        Self {
            above,
            clear_below: above - 0.05 * above.abs(),
            for_s,
            calm_s: for_s,
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) class: Class,
    pub(super) reads: Vec<Read>,
    /// What the series of one level have in common is their labels without these.
    pub(super) summed: Vec<String>,
    /// What several series make together is told under this name; one series is told under its own.
    pub(super) name: Option<String>,
    /// The level is `offset + factor · x`.
    pub(super) offset: f64,
    pub(super) factor: f64,
    /// Seconds over which a level is smoothed before it is looked at.
    pub(super) smooth_s: f64,
    pub(super) test: Test,
    pub(super) unit: String,
    pub(super) cause: String,
    /// Whether it is foretold when the threshold will be crossed.
    pub(super) foretells: bool,
}

impl Rule {
    /// A rule about levels of one metric.
    pub(super) fn gauge(class: Class, metric: &str, threshold: Threshold, unit: &str) -> Self {
        Self {
            class,
            reads: vec![Read::new(metric, &[], Role::Level)],
            summed: Vec::new(),
            name: None,
            offset: 0.0,
            factor: 1.0,
            // A quarter of the hold: a level that shakes about the threshold is wrong if its mean is.
            smooth_s: threshold.for_s / 4.0,
            test: Test::Above(threshold),
            unit: unit.to_owned(),
            cause: String::new(),
            foretells: true,
        }
    }

    /// A rule about how often something happens.
    pub(super) fn events(
        class: Class,
        metric: &str,
        at_least: f64,
        within_s: f64,
        unit: &str,
    ) -> Self {
        let mut rule = Self::gauge(class, metric, Threshold::usual(at_least, 0.0), unit);
        rule.reads[0].role = Role::Events;
        rule.test = Test::Events { at_least, within_s };
        rule
    }

    /// Whether it reads one series only, which then needs no group.
    pub(super) fn is_single(&self) -> bool {
        self.name.is_none()
    }
}

impl Read {
    pub(super) fn new(metric: &str, labels: &[(&str, &str)], role: Role) -> Self {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            metric: metric.to_owned(),
            labels: labels.collect(),
            role,
        }
    }

    /// Whether a series of this metric is one of those that are read.
    pub(super) fn takes(&self, key: &SeriesKey) -> bool {
        self.labels.iter().all(|(name, wanted)| {
            let value = key.label(name).unwrap_or("");
            match wanted.strip_suffix('*') {
                Some(start) => value.starts_with(start),
                None => value == wanted,
            }
        })
    }
}

/// Without a level for so long nothing is known of the time between.
const GAP_S: f64 = 300.0;

/// Whether a threshold holds, with its memory.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Latch {
    /// Since when the level is on the other side of where it was.
    since: Option<Timestamp>,
    newest: Timestamp,
    pub(super) is_over: bool,
}

impl Latch {
    /// What holds, without the memory of how long.
    pub(super) fn fresh(self) -> Self {
        Self {
            is_over: self.is_over,
            ..Self::default()
        }
    }

    /// The time of the last level.
    pub(super) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Takes in a level; times do not fall.
    pub(super) fn update(&mut self, threshold: &Threshold, at: Timestamp, level: f64) -> bool {
        if at.seconds_since(self.newest) > GAP_S {
            self.since = None;
        }
        self.newest = at;
        let (turns, returns, hold_s) = if self.is_over {
            (
                level < threshold.clear_below,
                level > threshold.above,
                threshold.calm_s,
            )
        } else {
            (
                level > threshold.above,
                level < threshold.clear_below,
                threshold.for_s,
            )
        };
        if returns {
            self.since = None;
        } else if turns {
            self.since.get_or_insert(at);
        }
        // Between the two thresholds a hold that has begun goes on: a level that shakes about one of them is not better.
        let held_s = self.since.map(|since| at.seconds_since(since));
        if turns && held_s.is_some_and(|held_s| held_s >= hold_s) {
            self.is_over = !self.is_over;
            self.since = None;
        }
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` well, `!` wrong; a level in tenths every 10 s.
    fn check(levels: &str, expected: &str) {
        let threshold = Threshold::usual(0.75, 20.0);
        let mut latch = Latch::default();
        let told: String = levels
            .chars()
            .enumerate()
            .filter(|(_, level)| *level != ' ')
            .map(|(i, level)| {
                let at = Timestamp::from_millis(1_700_000_000_000 + 10_000 * i as i64);
                let level = f64::from(level.to_digit(10).unwrap()) / 10.0;
                if latch.update(&threshold, at, level) {
                    '!'
                } else {
                    '.'
                }
            })
            .collect();
        assert_eq!(told, expected, "{levels}");
    }

    #[test]
    fn it_holds_before_it_is_told_and_before_it_is_taken_back() {
        check("5558888855555", ".....!!!!!...");
    }

    #[test]
    fn what_flaps_is_neither_told_nor_taken_back() {
        check("585858585858", "............");
        check("888585858588", "..!!!!!!!!!!");
    }

    #[test]
    fn a_gap_is_not_held() {
        check(&format!("88{}88888", " ".repeat(40)), "....!!!");
    }
}

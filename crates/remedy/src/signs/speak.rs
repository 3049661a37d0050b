//! What a watch knows, as findings.

use series::Timestamp;

use super::normal::at_least;
use super::rule::{Rule, Test};
use super::tell::{About, Numbers, clean, facts, finding, number, signal};
use super::watch::Watch;
use super::{ENTER, LEAVE, certificate, crash, queries};
use crate::{Class, Finding, Source};

/// A trend of half an hour goes on for a day only when it is there beyond doubt, and as good as certain to arrive.
const SURE_TREND: f64 = 4.0;
const SURE_DAY: f64 = 0.9;
/// What an anomaly alone foretells of a level that is near its threshold: one in four or so gets there, and that is a guess.
const BY_HUNCH: (f64, f64) = (0.25, 0.4);
/// How far that is relied on.
const HUNCH_CONFIDENCE: f64 = 0.3;
/// An event foretells its like for so many seconds.
const RECENT_S: f64 = 300.0;
/// More events than this are not told apart when they are foretold.
const MOST_EVENTS: u32 = 100;
/// Sample times lag behind their findings by so many seconds at most, or they are not repeated.
const STALE_S: f64 = 300.0;

impl Watch {
    /// Says what is new, as of `now`: the time of a sample or of a tick.
    pub(super) fn speak(&mut self, rule: &Rule, now: Timestamp, out: &mut Vec<Finding>) {
        match rule.test {
            Test::Above(threshold) => self.speak_level(rule, threshold.above, now, out),
            Test::Events { at_least, within_s } => {
                self.speak_events(rule, at_least, within_s, now, out)
            }
            Test::Expiry => self.speak_expiry(now, out),
            Test::Never => {}
        }
    }

    /// Whether it is time to repeat something, and there are samples of late.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.told.iter().any(|told| told.is_due(now)) && now.seconds_since(self.newest) <= STALE_S
    }

    pub(super) fn is_present(&self) -> bool {
        self.told.iter().any(|told| told.is_present)
    }

    fn speak_level(&mut self, rule: &Rule, threshold: f64, now: Timestamp, out: &mut Vec<Finding>) {
        let crossed = Numbers::crossed(self.level, threshold);
        self.say(rule, Source::Rule, self.latch.is_over, &crossed, now, out);
        let (likely, confidence) = match self.foretold {
            Some(foretold) => {
                let (soon, day) = (foretold.soon, foretold.day);
                let is_sure = day >= SURE_DAY && foretold.trend >= SURE_TREND;
                self.is_foretold = if self.is_foretold {
                    soon >= LEAVE || (day >= ENTER && foretold.trend >= 0.5 * SURE_TREND)
                } else {
                    soon >= ENTER || is_sure
                };
                (
                    (soon, day),
                    0.7 * (foretold.seen_s / 1_800.0).clamp(0.0, 1.0).sqrt(),
                )
            }
            None => {
                self.is_foretold = false;
                ((0.0, 0.0), 0.0)
            }
        };
        let mut numbers = Numbers {
            value: self.level,
            threshold,
            probability: likely.0,
            probability_day: likely.1,
            ttf_s: self.foretold.and_then(|foretold| foretold.ttf_s),
            confidence,
        };
        // An anomaly far below the threshold threatens nothing.
        let is_near = threshold > 0.0 && self.level >= 0.5 * threshold;
        let has_hunch = rule.foretells
            && self.hunch.is_some_and(|until| now <= until)
            && is_near
            && matches!(rule.class, Class::NetworkLatency | Class::SlowQueries);
        if has_hunch && !self.is_foretold {
            numbers.probability = numbers.probability.max(BY_HUNCH.0);
            numbers.probability_day = numbers.probability_day.max(BY_HUNCH.1);
            numbers.confidence = HUNCH_CONFIDENCE;
        }
        // What has come to pass is not foretold any more.
        let wanted =
            (self.is_foretold || has_hunch) && !self.latch.is_over && self.level.is_finite();
        self.say(rule, Source::Prediction, wanted, &numbers, now, out);
    }

    fn speak_events(
        &mut self,
        rule: &Rule,
        least: f64,
        within_s: f64,
        now: Timestamp,
        out: &mut Vec<Finding>,
    ) {
        let Some(arrivals) = &self.arrivals else {
            return;
        };
        let n = arrivals.within(self.newest, within_s);
        self.level = n;
        let is_oom = self.reason.as_deref() == Some(crash::OOM);
        // One kill is wrong already; of other restarts it takes a loop.
        let least = if is_oom { 1.0 } else { least };
        // Well again when half of it is forgotten: the oldest of three leaving the window is no recovery.
        self.latch.is_over = n >= least || (self.latch.is_over && n > (0.5 * least).floor());
        let k = (1..MOST_EVENTS).find(|k| f64::from(*k) >= least);
        let (soon, day, ttf_s) = if rule.foretells {
            arrivals.foretell(self.newest, k.unwrap_or(MOST_EVENTS))
        } else {
            (0.0, 0.0, None)
        };
        let is_recent = arrivals.quiet_s(self.newest) <= RECENT_S;
        let crossed = Numbers {
            confidence: 0.9,
            ..Numbers::crossed(n, least)
        };
        let is_over = self.latch.is_over;
        self.say(rule, Source::Rule, is_over, &crossed, now, out);
        // A loop that ended leaves a rate behind: only what happened just now foretells more.
        self.is_foretold = !is_over
            && if self.is_foretold {
                soon >= LEAVE
            } else {
                soon >= ENTER && is_recent
            };
        let numbers = Numbers {
            value: n,
            threshold: least,
            probability: soon,
            probability_day: day,
            ttf_s,
            // A rate from a handful of events; more of them make it surer.
            confidence: 0.3 + 0.4 * at_least(1, n / 3.0),
        };
        let wanted = self.is_foretold;
        self.say(rule, Source::Prediction, wanted, &numbers, now, out);
    }

    fn speak_expiry(&mut self, now: Timestamp, out: &mut Vec<Finding>) {
        let Some(mut expiring) = certificate::of_series(
            &self.key,
            &self.entity,
            self.level,
            self.newest,
            self.latch.is_over,
        ) else {
            return;
        };
        self.latch.is_over = expiring.is_present;
        let numbers = Numbers {
            value: expiring.value,
            threshold: expiring.threshold,
            probability: expiring.probability,
            probability_day: expiring.probability_day,
            ttf_s: None,
            confidence: expiring.confidence,
        };
        if let Some(is_present) = self.told[0].turn(expiring.is_present, now, &numbers) {
            expiring.is_present = is_present;
            out.push(expiring);
        }
    }

    /// Says one thing if it is new, due or over.
    fn say(
        &mut self,
        rule: &Rule,
        source: Source,
        wanted: bool,
        numbers: &Numbers,
        now: Timestamp,
        out: &mut Vec<Finding>,
    ) {
        let told = &mut self.told[usize::from(source == Source::Prediction)];
        let Some(is_present) = told.turn(wanted, now, numbers) else {
            return;
        };
        let is_oom =
            self.reason.as_deref() == Some(crash::OOM) && rule.class == Class::ProcessCrash;
        let about = About {
            entity: &self.entity,
            class: rule.class,
            source,
            signal: &signal(&self.key),
            unit: &rule.unit,
            cause: if is_oom { "oom" } else { &rule.cause },
        };
        let facts = self.facts(rule);
        out.push(finding(&about, is_present, self.newest, numbers, facts));
    }

    /// What strategies want to know.
    fn facts(&self, rule: &Rule) -> std::collections::BTreeMap<String, String> {
        let mut facts = facts(&self.key);
        let mut put = |name: &str, value: String| facts.insert(name.to_owned(), value);
        match rule.class {
            Class::ProcessCrash => {
                match rule.test {
                    Test::Events { .. } if rule.unit == "restarts" => {
                        put("restarts", number(self.level));
                    }
                    Test::Events { .. } if rule.cause == "oom" => {
                        put("reason", crash::OOM.to_owned());
                    }
                    Test::Events { .. } | Test::Above(_) | Test::Expiry | Test::Never => {}
                }
                let reason = self.reason.as_deref().or(self.key.label("reason"));
                if let Some(reason) = reason {
                    put("reason", clean(reason));
                }
                if let Some(code) = self.exit_code {
                    put("exit_code", code.to_string());
                }
                if let Some(unit) = self
                    .key
                    .label("name")
                    .filter(|_| self.key.metric().starts_with("node_systemd"))
                {
                    put("unit", clean(unit));
                }
            }
            Class::NetworkLatency => {
                if let Some(dependency) = &self.dependency {
                    put("dependency", dependency.to_string());
                }
                if self.errors.is_finite() {
                    put("errors_ratio", number(self.errors));
                }
            }
            Class::SlowQueries if queries::is_age(&self.key) => {
                put("longest_s", number(self.level));
            }
            Class::SlowQueries
            | Class::CpuSaturation
            | Class::MemoryExhaustion
            | Class::DiskExhaustion
            | Class::CertificateExpiry
            | Class::Vulnerability
            | Class::ConfigurationDrift => {}
        }
        facts
    }
}

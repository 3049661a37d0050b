//! Rules that users add, and what is wrong with them.

use std::collections::BTreeMap;

use predict::exhaustion::FAMILIES;
use serde::{Deserialize, Serialize};

use super::rule::{Read, Role, Rule, Test, Threshold};
use crate::{Class, Problem};

/// Most rules that may be added.
const MAX_RULES: usize = 1_000;
/// Longest name or value in a rule, in bytes.
const MAX_BYTES: usize = 512;
const DAY_S: f64 = 86_400.0;

/// How the level of a rule is made from the samples of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The value as it is.
    #[default]
    AsIs,
    /// One less the value: what is left becomes what is used.
    OneMinus,
    /// The rate per second of a running total.
    Rate,
    /// The mean of a histogram or summary: the rate of `…_sum` over that of `…_count`. `metric` is the name without them;
    /// series that differ in the outcome, method or path of a request are taken together.
    Mean,
    /// The value over that of the metric `over` with the same labels.
    Ratio,
}

/// A rule, as a table of a configuration: a metric and `above`, or a metric and `increase`, or a family and `above`.
///
/// A rule of a user goes before the built-in ones: for each series and class the first rule that fits counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What is wrong when it holds.
    pub class: Class,
    /// The name of the metric.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metric: String,
    /// Instead of a metric: a family of resources of which the level is looked at, a share of its limit: `memory`, `disk`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// Labels with the values that they must have; one that ends in `*` is a beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Wrong above it, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// Wrong when a running total rose at least so much within `within_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increase: Option<f64>,
    /// Seconds for which it must be above, 0 to a day; 60 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
    /// Well again below it, at most `above`; 0.95 of `above` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_below: Option<f64>,
    /// Seconds within which a total rises, 1 to a day; 900 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_s: Option<f64>,
    /// How samples become a level.
    #[serde(default)]
    pub transform: Transform,
    /// The metric that is the whole, for `transform = "ratio"`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub over: String,
    /// The level is multiplied with it: 0.001 makes seconds of milliseconds.
    #[serde(default = "one")]
    pub scale: f64,
    /// Of the level: `seconds`, `ratio`, …; `value` when left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Why, if the rule knows: `oom`, `dependency`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// Whether it is foretold when the threshold will be crossed.
    #[serde(default = "yes")]
    pub predict: bool,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

/// Rules that make no sense: all of them, with their places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.problems))]
pub struct SignsError {
    /// What is wrong, in the order of the rules.
    pub problems: Vec<Problem>,
}

fn list(problems: &[Problem]) -> String {
    let lines = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.key, problem.message));
    lines.collect::<Vec<_>>().join("; ")
}

/// A level of resources that users set: by the place of the family in [`FAMILIES`].
pub(super) type Levels = [Option<Threshold>; FAMILIES.len()];

/// Rules of users, as they are meant.
pub(super) fn compile(configs: &[RuleConfig]) -> Result<(Vec<Rule>, Levels), SignsError> {
    let (mut rules, mut levels, mut problems) = (Vec::new(), [None; FAMILIES.len()], Vec::new());
    if configs.len() > MAX_RULES {
        let message = format!(
            "there are {}, at most {MAX_RULES} are allowed",
            configs.len()
        );
        problems.push(Problem {
            key: "rules".to_owned(),
            message,
        });
    }
    for (i, config) in configs.iter().take(MAX_RULES).enumerate() {
        let mut place = Place {
            i,
            config,
            problems: &mut problems,
        };
        place.check();
        match FAMILIES
            .iter()
            .position(|family| family.name() == config.family)
        {
            Some(family) => levels[family] = levels[family].or_else(|| place.threshold()),
            None => rules.push(place.rule()),
        }
    }
    if problems.is_empty() {
        Ok((rules, levels))
    } else {
        Err(SignsError { problems })
    }
}

/// One rule, and where its faults go.
struct Place<'a> {
    i: usize,
    config: &'a RuleConfig,
    problems: &'a mut Vec<Problem>,
}

impl Place<'_> {
    fn fault(&mut self, key: &str, message: String) {
        let dot = if key.is_empty() { "" } else { "." };
        let key = format!("rules[{}]{dot}{key}", self.i);
        self.problems.push(Problem { key, message });
    }

    fn check(&mut self) {
        let config = self.config;
        let is_family = !config.family.is_empty();
        if config.metric.is_empty() != is_family {
            self.fault(
                "metric",
                "a rule needs either a metric or a family of resources".to_owned(),
            );
        }
        if is_family && !FAMILIES.iter().any(|family| family.name() == config.family) {
            let known = FAMILIES.map(|family| family.name()).join(", ");
            self.fault("family", format!("{:?} is none of {known}", config.family));
        }
        if is_family {
            self.check_family();
        }
        if config.above.is_some() == config.increase.is_some() {
            self.fault(
                "above",
                "a rule needs either `above` or `increase`".to_owned(),
            );
        }
        let is_ratio = config.transform == Transform::Ratio;
        if is_ratio == config.over.is_empty() {
            self.fault(
                "over",
                "it goes with `transform = \"ratio\"`, and that needs it".to_owned(),
            );
        }
        if config.increase.is_some() && config.transform != Transform::AsIs {
            self.fault(
                "transform",
                "an increase is of a running total as it is".to_owned(),
            );
        }
        let finite = f64::MAX;
        let numbers = [
            ("above", config.above, -finite, finite),
            ("increase", config.increase, 1.0, 1e6),
            ("for_s", config.for_s, 0.0, DAY_S),
            ("within_s", config.within_s, 1.0, DAY_S),
            (
                "clear_below",
                config.clear_below,
                -finite,
                config.above.unwrap_or(finite),
            ),
            ("scale", Some(config.scale), 1e-12, 1e12),
        ];
        for (key, value, low, high) in numbers {
            if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
                self.fault(key, format!("{value} is not between {low:e} and {high:e}"));
            }
        }
        let labels = config
            .labels
            .iter()
            .flat_map(|(name, value)| [("labels", name), ("labels", value)]);
        let texts = [
            ("metric", &config.metric),
            ("over", &config.over),
            ("unit", &config.unit),
            ("cause", &config.cause),
        ];
        for (key, text) in texts.into_iter().chain(labels) {
            if text.len() > MAX_BYTES {
                self.fault(
                    key,
                    format!("{} bytes, at most {MAX_BYTES} are allowed", text.len()),
                );
            }
        }
    }

    /// What a rule over levels of resources cannot have: the class goes with the family, and all of a family are alike.
    fn check_family(&mut self) {
        let config = self.config;
        if !config.labels.is_empty()
            || config.increase.is_some()
            || config.transform != Transform::AsIs
        {
            self.fault(
                "family",
                "only `above`, `for_s` and `clear_below` go with a family".to_owned(),
            );
        }
    }

    fn threshold(&self) -> Option<Threshold> {
        let config = self.config;
        let mut threshold = Threshold::usual(config.above?, config.for_s.unwrap_or(60.0));
        threshold.clear_below = config.clear_below.unwrap_or(threshold.clear_below);
        Some(threshold)
    }

    fn rule(&self) -> Rule {
        let config = self.config;
        let unit = if config.unit.is_empty() {
            "value"
        } else {
            &config.unit
        };
        let metric = &*config.metric;
        let mut rule = match (config.increase, self.threshold()) {
            (Some(at_least), _) => Rule::events(
                config.class,
                metric,
                at_least,
                config.within_s.unwrap_or(900.0),
                unit,
            ),
            (None, threshold) => {
                let threshold = threshold.unwrap_or_else(|| Threshold::usual(0.0, 0.0));
                Rule::gauge(config.class, metric, threshold, unit)
            }
        };
        rule.factor = config.scale;
        match config.transform {
            Transform::AsIs => {}
            Transform::OneMinus => (rule.offset, rule.factor) = (config.scale, -config.scale),
            Transform::Rate => rule.reads[0].role = Role::Total,
            Transform::Mean => super::latency::of_requests(&mut rule, metric, "_sum", "_count"),
            Transform::Ratio => {
                rule.reads[0].role = Role::Part;
                rule.reads.push(Read::new(&config.over, &[], Role::Whole));
                // Not the name of the part: that is another level.
                rule.name = Some(format!("{metric}_over_{}", config.over));
            }
        }
        if let Test::Events { .. } = rule.test {
            rule.factor = 1.0;
        }
        // What is asked for by name is not taken together.
        rule.summed
            .retain(|label| !config.labels.contains_key(label));
        for read in &mut rule.reads {
            read.labels = config.labels.clone().into_iter().collect();
        }
        rule.cause.clone_from(&config.cause);
        rule.foretells = config.predict;
        rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Rule>, String> {
        let configs: Vec<RuleConfig> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        compile(&configs)
            .map(|(rules, _)| rules)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn all_faults_are_told_with_their_places() {
        let error = read(
            r#"[{"class": "slow_queries", "metric": "a", "above": 1},
                {"class": "slow_queries", "above": 1, "increase": 2, "for_s": -1},
                {"class": "disk_exhaustion", "family": "discs", "above": 0.8, "transform": "ratio", "scale": 0}]"#,
        );
        let error = error.unwrap_err();
        for part in [
            "rules[1].metric: a rule needs",
            "rules[1].above: a rule needs either",
            "rules[1].for_s: -1 is not between 0e0 and 8.64e4",
            "rules[2].family: \"discs\" is none of memory, cpu",
            "rules[2].over: it goes with",
            "rules[2].scale: 0 is not",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!error.contains("rules[0]"), "{error}");
        assert!(read(r#"[{"class": "slow_queries", "metric": "a", "abov": 1}]"#).is_err());
    }

    #[test]
    fn a_rule_is_as_it_is_written() {
        let text = r#"[{"class": "network_latency", "metric": "rpc_ms", "transform": "mean", "above": 0.3, "scale": 0.001,
            "labels": {"service": "api*"}, "unit": "seconds", "for_s": 40, "clear_below": 0.1}]"#;
        let rule = &read(text).unwrap()[0];
        let reads: Vec<_> = rule
            .reads
            .iter()
            .map(|read| (&*read.metric, read.role))
            .collect();
        assert_eq!(
            reads,
            [("rpc_ms_sum", Role::Sum), ("rpc_ms_count", Role::Count)]
        );
        assert_eq!((rule.factor, &*rule.unit), (0.001, "seconds"));
        let Test::Above(threshold) = rule.test else {
            panic!()
        };
        assert_eq!(
            (threshold.above, threshold.clear_below, threshold.for_s),
            (0.3, 0.1, 40.0)
        );
    }
}

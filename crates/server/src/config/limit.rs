//! The entries of `[[outlook.limits]]`.

use hotpath::LimitRule;
use predict::exhaustion::{FAMILIES, Family, Measure, Recipe, recipes};
use serde::{Deserialize, Serialize};
use series::SeriesKey;

/// A limit from here on is what kernels and exporters write for none.
const NO_LIMIT: f64 = 1e18;

/// A limit that no metric tells, or tells wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitConfig {
    /// The series of what is used, `metric{label="value"}`: those that have these labels, and maybe others.
    pub of: String,
    /// How much there is, above 0, in the unit of the metric.
    pub limit: f64,
    /// What it is; needed for a metric that is not read from otherwise, empty for others.
    #[serde(default)]
    pub family: String,
}

impl LimitConfig {
    /// The rule that it stands for, or what is wrong with it. A rule that would never apply is wrong too.
    pub(super) fn rule(&self) -> Result<LimitRule, String> {
        let key: SeriesKey = self
            .of
            .parse()
            .map_err(|error| format!("of: {:?} is not a series: {error}", self.of))?;
        if !(self.limit > 0.0 && self.limit.is_finite()) {
            return Err(format!("limit: {} is not above 0", self.limit));
        }
        if self.limit >= NO_LIMIT {
            let what = "is not below 1e18, from where on a limit is taken for none";
            return Err(format!("limit: {} {what}", self.limit));
        }
        let family = match self.family.as_str() {
            "" => None,
            name => Some(family(name).ok_or_else(|| {
                let names = FAMILIES.map(Family::name).join(", ");
                format!("family: {name:?} is none of {names}")
            })?),
        };
        match recipe_of(&key) {
            Some(recipe) => fits(recipe, &key, family)?,
            None => fits_none(&key, family)?,
        }
        let labels = key.labels();
        Ok(LimitRule {
            metric: key.metric().to_owned(),
            labels: labels
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            limit: self.limit,
            family,
        })
    }
}

fn family(name: &str) -> Option<Family> {
    FAMILIES.into_iter().find(|family| family.name() == name)
}

/// The recipe whose resources are named after such series.
fn recipe_of(key: &SeriesKey) -> Option<&'static Recipe> {
    recipes().find(|recipe| {
        let when = recipe.anchor.when;
        let may_be = |(label, value)| key.label(label).is_none_or(|own| own == value);
        recipe.anchor.metric == key.metric() && when.is_none_or(may_be)
    })
}

/// Whether a rule finds resources of this recipe.
fn fits(recipe: &Recipe, key: &SeriesKey, family: Option<Family>) -> Result<(), String> {
    let (metric, own) = (key.metric(), recipe.family.name());
    if let Some(other) = family.filter(|family| *family != recipe.family) {
        let other = other.name();
        return Err(format!("family: {metric} is of {own}, not of {other}"));
    }
    if recipe.measure == Measure::Called {
        return Err(format!(
            "of: {metric} is measured against outlook.objectives, not against a limit"
        ));
    }
    let mut labels = key.labels();
    match labels.find(|(name, _)| recipe.summed.contains(name)) {
        Some((label, _)) => Err(format!(
            "of: {metric} is added up over {label}, so a limit cannot be of one {label}"
        )),
        None => Ok(()),
    }
}

/// Whether a rule can make a resource of what no recipe knows.
fn fits_none(key: &SeriesKey, family: Option<Family>) -> Result<(), String> {
    let metric = key.metric();
    let mut all = recipes();
    if let Some(recipe) = all.find(|recipe| recipe.parts.iter().any(|part| part.metric == metric)) {
        let anchor = recipe.anchor.metric;
        return Err(format!(
            "of: {metric} only tells of a resource that is named after {anchor}: write that"
        ));
    }
    match family {
        None => {
            let names = FAMILIES.into_iter().filter(|family| !is_service(*family));
            let names: Vec<_> = names.map(Family::name).collect();
            let names = names.join(", ");
            Err(format!(
                "family: {metric} is not known by itself, so one of {names} is needed"
            ))
        }
        Some(family) if is_service(family) => {
            let name = family.name();
            Err(format!(
                "family: {name} is read from several metrics, and {metric} is only one"
            ))
        }
        Some(_) => Ok(()),
    }
}

const fn is_service(family: Family) -> bool {
    matches!(family, Family::Cpu | Family::Dependency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn limits_become_rules() {
        let text = "[[outlook.limits]]\nof = 'pool_used{pool=\"db\"}'\nlimit = 50\nfamily = \"connections\"\n\
                    [[outlook.limits]]\nof = 'container_memory_working_set_bytes'\nlimit = 1e9\n";
        let rules = Config::parse(text, "x").unwrap().outlook.lookout().limits;
        let expected = LimitRule {
            metric: "pool_used".to_owned(),
            labels: vec![("pool".to_owned(), "db".to_owned())],
            limit: 50.0,
            family: Some(Family::Connections),
        };
        assert_eq!(rules[0], expected);
        assert_eq!((rules[1].family, rules.len()), (None, 2));
    }

    #[test]
    fn what_is_wrong_with_a_limit_is_told_with_its_place() {
        let check = |limit: &str, message: &str| {
            let text = format!(
                "[[outlook.limits]]\nof = 'a'\nlimit = 1\nfamily = 'disk'\n[[outlook.limits]]\n{limit}"
            );
            let error = Config::parse(&text, "x").unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        check(
            "of = 'a{'\nlimit = 1",
            "outlook.limits[1]: of: \"a{\" is not a series",
        );
        check(
            "of = 'a'\nlimit = 0",
            "outlook.limits[1]: limit: 0 is not above 0",
        );
        check(
            "of = 'a'\nlimit = 1\nfamily = 'ram'",
            "outlook.limits[1]: family: \"ram\" is none of memory, cpu",
        );
        check("of = 'a'", "outlook.limits[1]: missing field `limit`");
    }

    #[test]
    fn a_rule_that_would_do_nothing_is_refused() {
        let check = |of: &str, family: &str, message: &str| {
            let limit = LimitConfig {
                of: of.to_owned(),
                limit: 50.0,
                family: family.to_owned(),
            };
            assert_eq!(limit.rule().err().as_deref().unwrap_or(""), message, "{of}");
        };
        check(
            "container_memory_usage_bytes",
            "",
            "of: container_memory_usage_bytes only tells of a resource that is named after \
             container_memory_working_set_bytes: write that",
        );
        check(
            "pool_used",
            "",
            "family: pool_used is not known by itself, so one of memory, disk, inodes, connections, descriptors, \
             threads is needed",
        );
        check(
            "pool_used",
            "cpu",
            "family: cpu is read from several metrics, and pool_used is only one",
        );
        check(
            "pg_stat_activity_count{state=\"idle\"}",
            "",
            "of: pg_stat_activity_count is added up over state, so a limit cannot be of one state",
        );
        check(
            "process_open_fds{job=\"api\"}",
            "threads",
            "family: process_open_fds is of descriptors, not of threads",
        );
        check(
            "upstream_request_duration_seconds_count",
            "dependency",
            "of: upstream_request_duration_seconds_count is measured against outlook.objectives, not against a limit",
        );
        check("process_open_fds{job=\"api\"}", "descriptors", "");
        check("container_cpu_usage_seconds_total{pod=\"api\"}", "", "");
        check("jvm_memory_used_bytes{area=\"heap\"}", "", "");
        check("jvm_memory_used_bytes{area=\"nonheap\"}", "memory", "");
        check(
            "jvm_memory_used_bytes{area=\"nonheap\"}",
            "",
            "family: jvm_memory_used_bytes is not known by itself, so one of memory, disk, inodes, connections, \
             descriptors, threads is needed",
        );
    }
}

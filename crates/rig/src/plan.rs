//! Plan files: a list of runs.

use std::collections::HashSet;

use serde::Deserialize;

use crate::kind::{Kind, Mechanism};
use crate::quantity::{QuantityError, duration_s};
use crate::shape::Shape;
use crate::spec::{Spec, SpecError};

/// More runs than anybody waits for.
const MOST_RUNS: usize = 10_000;

/// Runs, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Each with an id of its own.
    pub runs: Vec<Spec>,
}

/// What is wrong with a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not TOML, or with keys or words that no plan has. Says the line.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A duration is none.
    #[error("run {run}: {key}")]
    Duration {
        /// Counted from 1.
        run: usize,
        /// The key whose value it is.
        key: &'static str,
        /// What is wrong with it.
        source: QuantityError,
    },
    /// A run that makes no sense.
    #[error("run {run} ({kind})")]
    Run {
        /// Counted from 1.
        run: usize,
        /// What was to run out.
        kind: &'static str,
        /// What is wrong with it.
        source: SpecError,
    },
    /// Two runs would be one and the same.
    #[error("run {0} is the same as one before it: give it another seed")]
    Twice(usize),
    /// None, or too many.
    #[error("a plan has 1 to {MOST_RUNS} runs ([[run]]), this one has {0}")]
    Count(usize),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    run: Vec<Entry>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(rename = "for")]
    length: Option<String>,
    scrape: Option<String>,
    time_scale: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: Kind,
    shape: Shape,
    mechanism: Option<Mechanism>,
    limit: Option<Limit>,
    #[serde(rename = "for")]
    length: Option<String>,
    scrape: Option<String>,
    time_scale: Option<f64>,
    seed: u64,
}

/// `limit = "64MiB"`, `limit = 512` and `limit = 0.2` all read well.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Limit {
    Text(String),
    Whole(u32),
    Number(f64),
}

impl Limit {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// Says which run is wrong, and in what.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let file: File = toml::from_str(text)?;
        if file.run.is_empty() || file.run.len() > MOST_RUNS {
            return Err(PlanError::Count(file.run.len()));
        }
        let mut ids = HashSet::new();
        let mut runs = Vec::new();
        for (entry, run) in file.run.iter().zip(1..) {
            let spec = spec(entry, &file.defaults, run)?;
            if !ids.insert(spec.id()) {
                return Err(PlanError::Twice(run));
            }
            runs.push(spec);
        }
        Ok(Self { runs })
    }
}

fn spec(entry: &Entry, defaults: &Defaults, run: usize) -> Result<Spec, PlanError> {
    let seconds = |key, texts: [&Option<String>; 2], usual_s| {
        let text = texts.into_iter().flatten().next();
        let read = text.map_or(Ok(usual_s), |text| duration_s(text));
        read.map_err(|source| PlanError::Duration { run, key, source })
    };
    let wrong = |source: SpecError| PlanError::Run {
        run,
        kind: entry.kind.name(),
        source,
    };
    let of_kind = |source| wrong(SpecError::Kind(source));
    let mechanism = entry.kind.mechanism(entry.mechanism).map_err(of_kind)?;
    let limit = entry.limit.as_ref().map(Limit::text);
    let limit = entry
        .kind
        .limit(mechanism, limit.as_deref())
        .map_err(of_kind)?;
    let spec = Spec {
        kind: entry.kind,
        mechanism,
        shape: entry.shape,
        limit,
        length_s: seconds("for", [&entry.length, &defaults.length], 300.0)?,
        seed: entry.seed,
        time_scale: entry.time_scale.or(defaults.time_scale).unwrap_or(1.0),
        scrape_s: seconds("scrape", [&entry.scrape, &defaults.scrape], 1.0)?,
    };
    spec.check().map_err(wrong)?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole chain of causes, as a person would read it.
    fn refused(text: &str) -> String {
        let error = Plan::read(text).unwrap_err();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            text = format!("{text}: {next}");
            cause = next.source();
        }
        text
    }

    #[test]
    fn defaults_are_for_all_and_a_run_may_differ() {
        let plan = Plan::read(
            "[defaults]\nfor = \"2m\"\ntime_scale = 20.0\n\
             [[run]]\nkind = \"memory\"\nshape = \"saw-leak\"\nlimit = \"32MiB\"\nseed = 1\n\
             [[run]]\nkind = \"dependency\"\nmechanism = \"errors\"\nshape = \"flat\"\nfor = \"90s\"\nseed = 2\n\
             [[run]]\nkind = \"cpu\"\nshape = \"step\"\nlimit = 0.25\nscrape = \"500ms\"\nseed = 3\n",
        );
        let runs = plan.unwrap().runs;
        let shown: Vec<_> = runs
            .iter()
            .map(|r| {
                format!(
                    "{} {} {} {} {} {}",
                    r.kind.name(),
                    r.variant(),
                    r.limit,
                    r.length_s,
                    r.time_scale,
                    r.scrape_s
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "memory saw_leak 33554432 120 20 1",
                "dependency errors:flat 16 90 20 1",
                "cpu step 0.25 120 20 0.5"
            ]
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let run =
            |more: &str| format!("[[run]]\nkind = \"memory\"\nshape = \"flat\"\nseed = 1\n{more}");
        assert!(refused("").contains("this one has 0"));
        assert!(refused(&run("colour = 1")).contains("line 5"));
        assert!(refused("[[run]]\nkind = \"gpu\"\nshape = \"flat\"\nseed = 1\n").contains("gpu"));
        assert!(refused("[[run]]\nkind = \"cpu\"\nshape = \"flat\"\n").contains("seed"));
        assert_eq!(
            refused(&run("for = \"5 parsecs\"")),
            "run 1: for: \"5 parsecs\" is no duration: write a number and s, m or h, such as 90s or 5m"
        );
        assert_eq!(
            refused(&run("limit = \"9GiB\"")),
            "run 1 (memory): a limit of 9 GiB for memory is out of bounds: between 16 MiB and 2 GiB"
        );
        assert_eq!(
            refused(&format!("{}{}", run(""), run(""))),
            "run 2 is the same as one before it: give it another seed"
        );
    }
}

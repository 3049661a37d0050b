//! Continuous learning: when enough new samples have gathered and they look unlike those that the champion was made
//! for, a candidate is trained on what was captured, and goes through the gate like any other.
//!
//! All of it happens on one thread of the lowest priority. [`Learner::check`] is one round of it: the time is an
//! argument, and nothing in it waits.

mod drift;
mod source;
mod status;
mod thread;
mod trainer;

pub use source::CapturedSource;

pub(crate) use status::{Counts, LearningStatus, Phase};
pub(crate) use thread::LearningThread;
pub(crate) use trainer::{ByRecipe, Job, Trainer};

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use drift::{Drift, Histograms};
use predict::forecast::Model;
use serde::{Deserialize, Serialize};
use series::Timestamp;
use store::models::Version;

use crate::config::LearningConfig;
use crate::models::gate::{self, HeldOut};
use crate::models::{self, Cause, Challenge, HeldBack, Serving, told};

/// After refusals, twice as many new samples are needed each time, up to 2 to this power.
const MAX_BACK_OFF: u32 = 6;

/// What one check came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Too few new samples.
    Waiting,
    /// These are the first of this champion: later ones are compared with them.
    Referenced,
    /// They look as they did.
    Steady,
    /// A candidate took over.
    Promoted(Version),
    /// A candidate was worse.
    Refused(Version),
    /// Somebody wants the thread to end, or the time for training was up.
    Stopped,
}

/// What the champion was made for, as far as it is known: kept beside its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    /// Name and version.
    champion: String,
    histograms: Histograms,
    /// Samples until then were looked at.
    until_us: i64,
    /// Candidates in a row that were worse.
    refusals: u32,
}

/// What learning is made from.
pub(crate) struct Parts {
    pub(crate) config: LearningConfig,
    /// The capture directory, and which part of it is held back.
    pub(crate) held_back: HeldBack,
    pub(crate) serving: Arc<Serving>,
    pub(crate) trainer: Box<dyn Trainer>,
    pub(crate) status: Arc<LearningStatus>,
}

/// Looks, trains, judges.
pub(crate) struct Learner {
    parts: Parts,
}

impl Learner {
    pub(crate) fn new(parts: Parts) -> Self {
        let needed = parts.config.min_new_rows;
        parts.status.update(|counts| counts.needed_rows = needed);
        Self { parts }
    }

    /// One round at the time `now`. `go_on` is asked now and then.
    pub(crate) fn check(&self, now: Timestamp, go_on: &dyn Fn() -> bool) -> Option<Outcome> {
        let status = &self.parts.status;
        status.update(|counts| {
            counts.checks += 1;
            counts.last_check = Some(now);
            counts.phase = Phase::Checking;
        });
        let outcome = self.round(now, go_on);
        let (told, outcome) = match outcome {
            Ok((outcome, told)) => {
                tracing::info!(outcome = %told, "learning");
                (told, Some(outcome))
            }
            Err(cause) => {
                let told = told(cause.as_ref());
                tracing::error!(error = %told, "learning failed; the champion goes on");
                (told, None)
            }
        };
        status.update(|counts| {
            counts.phase = Phase::Idle;
            counts.progress = 0.0;
            counts.last_outcome = told;
            match &outcome {
                Some(Outcome::Promoted(_)) => counts.promotions += 1,
                Some(Outcome::Refused(_)) => counts.refusals += 1,
                Some(
                    Outcome::Waiting | Outcome::Referenced | Outcome::Steady | Outcome::Stopped,
                ) => {}
                None => counts.failures += 1,
            }
        });
        outcome
    }

    fn round(&self, now: Timestamp, go_on: &dyn Fn() -> bool) -> Result<(Outcome, String), Cause> {
        let Parts {
            config,
            held_back,
            serving,
            status,
            ..
        } = &self.parts;
        let champion = serving.model().ok_or("there is no model to learn beside")?;
        let stored = self.reference();
        // What an earlier champion was held against says where to begin, and no more.
        let since = stored.as_ref().map(|r| r.until_us.saturating_add(1));
        let reference = stored.filter(|r| r.champion == champion.version());
        let since = since.map_or(models::ALWAYS.start, Timestamp::from_micros);
        let new = models::survey(&held_back.dir, since..models::ALWAYS.end)?;
        let refusals = reference
            .as_ref()
            .map_or(0, |r| r.refusals)
            .min(MAX_BACK_OFF);
        let needed = config.min_new_rows << refusals;
        status.update(|counts| {
            counts.new_rows = new.rows;
            counts.needed_rows = needed;
        });
        let (Some((_, last)), true) = (new.span, new.rows >= needed) else {
            let told = format!("{} new samples, {needed} are needed", new.rows);
            return Ok((Outcome::Waiting, told));
        };
        let samples = models::held_out(
            &held_back.dir,
            since..models::ALWAYS.end,
            held_back.max_samples,
        )?;
        let histograms = histograms_of(champion.as_ref(), &samples)?;
        let Some(mut reference) = reference else {
            let told = format!(
                "{} samples are what {} is held against",
                samples.rows(),
                champion.version()
            );
            self.remember(champion.as_ref(), histograms, last, 0)?;
            return Ok((Outcome::Referenced, told));
        };
        let drift = reference
            .histograms
            .drift(&histograms, champion.signature().inputs());
        status.update(|counts| {
            counts.drift_features = drift.features;
            counts.drift_feature = drift.feature;
            counts.drift_calibration = drift.calibration;
        });
        let has_drifted = drift.features >= config.drift_features
            || drift.calibration >= config.drift_calibration;
        if !has_drifted {
            reference.until_us = last.micros();
            self.write(&reference)?;
            return Ok((
                Outcome::Steady,
                format!(
                    "{} new samples look as before ({})",
                    new.rows,
                    shown(&drift)
                ),
            ));
        }
        tracing::info!(drift = %shown(&drift), "samples have drifted: training a candidate");
        let (outcome, told) = self.train(now, go_on)?;
        // After a failure or a stop the same samples are tried again; the rest is an answer.
        match (&outcome, serving.model()) {
            (Outcome::Promoted(_), Some(champion)) => {
                let histograms = histograms_of(champion.as_ref(), &samples)?;
                self.remember(champion.as_ref(), histograms, last, 0)?;
            }
            (Outcome::Refused(_), _) => {
                reference.until_us = last.micros();
                reference.refusals += 1;
                self.write(&reference)?;
            }
            _ => {}
        }
        Ok((outcome, told))
    }

    /// Trains on all but what is held back, installs what came of it, and lets the gate decide.
    fn train(&self, now: Timestamp, go_on: &dyn Fn() -> bool) -> Result<(Outcome, String), Cause> {
        let Parts {
            config,
            held_back,
            serving,
            trainer,
            status,
        } = &self.parts;
        let all = models::survey(&held_back.dir, models::ALWAYS)?;
        let until = all
            .last_share(held_back.share)
            .ok_or("what was captured is gone")?;
        let out = self.scratch();
        let job = Job {
            data: held_back.dir.clone(),
            range: models::ALWAYS.start..until,
            out: out.clone(),
            created: jiff::Timestamp::from_microsecond(now.micros())?.to_string(),
        };
        status.update(|counts| {
            counts.trainings += 1;
            counts.phase = Phase::Training;
        });
        clear(&out)?;
        let trained = trainer.train(&job, &mut |done| {
            status.update(|counts| counts.progress = done);
            go_on()
        });
        let bundle = match trained {
            Ok(true) => serving.registry().read_loose(&out).map_err(Cause::from),
            Ok(false) => {
                clear(&out)?;
                return Ok((Outcome::Stopped, "the training was stopped".to_owned()));
            }
            Err(cause) => Err(cause),
        };
        clear(&out)?;
        let why = format!("trained by serve on samples until {until}");
        let name = serving.name();
        let version = serving.registry().install(name, bundle?, &why, now)?;
        status.update(|counts| counts.phase = Phase::Judging);
        let report = serving.compare(&Challenge {
            name: name.clone(),
            candidate: version,
            against: None,
            held_back: HeldBack {
                since: Some(until),
                ..held_back.clone()
            },
        })?;
        let outcome = if report.passed() {
            serving.promote(name, version, &report.summary(), None)?;
            Outcome::Promoted(version)
        } else {
            Outcome::Refused(version)
        };
        serving.registry().gc(name, config.keep.max(1), now)?;
        Ok((outcome, report.summary()))
    }

    /// Where a candidate is made; hidden from lists of models.
    fn scratch(&self) -> PathBuf {
        self.parts.serving.registry().root().join(".learning")
    }

    /// What cannot be read is as good as none: the next samples become the reference.
    fn reference(&self) -> Option<Reference> {
        let (registry, name) = (self.parts.serving.registry(), self.parts.serving.name());
        let bytes = registry.remembered(name).ok().flatten()?;
        let reference: Reference = serde_json::from_slice(&bytes).ok()?;
        reference.histograms.is_whole().then_some(reference)
    }

    fn remember(
        &self,
        champion: &dyn Model,
        histograms: Histograms,
        until: Timestamp,
        refusals: u32,
    ) -> Result<(), Cause> {
        self.write(&Reference {
            champion: champion.version().to_owned(),
            histograms,
            until_us: until.micros(),
            refusals,
        })
    }

    fn write(&self, reference: &Reference) -> Result<(), Cause> {
        let (registry, name) = (self.parts.serving.registry(), self.parts.serving.name());
        Ok(registry.remember(name, &serde_json::to_vec(reference)?)?)
    }
}

fn histograms_of(champion: &dyn Model, samples: &HeldOut) -> Result<Histograms, Cause> {
    let replayed = gate::replay(champion, samples, &[1])?;
    Ok(Histograms::of(samples, replayed.pit))
}

fn shown(drift: &Drift) -> String {
    format!(
        "stability index {:.3} of {}, {:.3} of calibration",
        drift.features, drift.feature, drift.calibration
    )
}

fn clear(dir: &std::path::Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! A candidate before the gate.

use std::path::PathBuf;
use std::sync::Arc;

use predict::forecast::{Model, StepError};
use series::Timestamp;
use store::capture::ReadError;
use store::models::{Action, ChangeError, Name, Record, Registry, Version};

use super::{Busy, Serving};
use crate::models::data;
use crate::models::gate::{self, Report};
use crate::models::loader::{Cause, Loader, VerifyError, told, verify};

/// Which captured samples are held back from training, to judge by.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldBack {
    /// The capture directory.
    pub dir: PathBuf,
    /// The last share of the time that was captured.
    pub share: f64,
    /// Or, in its place, all from this instant on.
    pub since: Option<Timestamp>,
    /// At most so many samples.
    pub max_samples: usize,
}

/// Who is compared with whom.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The model.
    pub name: Name,
    /// The candidate.
    pub candidate: Version,
    /// Who it is compared with; without one, the champion, or the built-in model when there is none.
    pub against: Option<Version>,
    /// On what.
    pub held_back: HeldBack,
}

/// Why two models were not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Somebody else is at work.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A version is not whole.
    #[error(transparent)]
    Bundle(#[from] store::models::ReadError),
    /// The champion does not run.
    #[error("the champion cannot be judged: {0}")]
    Champion(#[source] VerifyError),
    /// There is nobody to compare it with.
    #[error("{0} has no champion and no built-in model to be compared with")]
    NoChampion(Name),
    /// It forecasts nothing.
    #[error("{0} is no model that forecasts: there is nothing to compare; `verify` runs it")]
    Kind(String),
    /// The captured samples cannot be read.
    #[error("reading captured samples: {}", told(.0))]
    Data(#[from] ReadError),
    /// There are no samples.
    #[error("there are no captured samples in {0} to judge by")]
    NoData(PathBuf),
    /// The champion failed while it was judged.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The registry cannot be read or written.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// Replays candidate and champion, and writes what came of it into the history.
///
/// # Errors
/// [`CompareError`]. A candidate that does not load or run is not an error, but refused.
pub fn compare(
    registry: &Registry,
    loader: &dyn Loader,
    built_in: Option<&Arc<dyn Model>>,
    challenge: &Challenge,
    limits: &gate::Limits,
    now: Timestamp,
) -> Result<Report, CompareError> {
    let name = &challenge.name;
    let from = registry.champion(name)?;
    let candidate = registry.read(name, challenge.candidate)?;
    let champion: Arc<dyn Model> = match (challenge.against.or(from), built_in) {
        (Some(version), _) => {
            let bundle = registry.read(name, version)?;
            let verified = verify(loader, &bundle).map_err(CompareError::Champion)?;
            verified.model.ok_or(CompareError::Kind(verified.version))?
        }
        (None, Some(built_in)) => Arc::clone(built_in),
        (None, None) => return Err(CompareError::NoChampion(name.clone())),
    };
    let sha256 = candidate.card.sha256.clone();
    let report = match verify(loader, &candidate) {
        Ok(verified) => {
            let model = verified.model.ok_or(CompareError::Kind(verified.version))?;
            let held_out = held_out(&challenge.held_back)?;
            gate::compare(
                champion.as_ref(),
                model.as_ref(),
                &held_out,
                limits,
                gate::step_us,
            )?
        }
        Err(error) => {
            let names = [
                champion.version(),
                &format!("{name}/{}", challenge.candidate),
            ];
            Report::refused(names, *limits, told(&error))
        }
    };
    // Only what was judged against the present champion speaks for a promotion.
    if challenge
        .against
        .is_none_or(|against| Some(against) == from)
    {
        let action = match report.passed() {
            true => Action::Passed,
            false => Action::Failed,
        };
        registry.note(
            name,
            Record {
                time_us: now.micros(),
                action,
                from,
                to: Some(challenge.candidate),
                why: report.summary(),
                sha256,
            },
        )?;
    }
    Ok(report)
}

fn held_out(held_back: &HeldBack) -> Result<gate::HeldOut, CompareError> {
    let since = match held_back.since {
        Some(since) => since,
        None => data::survey(&held_back.dir, data::ALWAYS)?
            .last_share(held_back.share)
            .ok_or_else(|| CompareError::NoData(held_back.dir.clone()))?,
    };
    let range = since..data::ALWAYS.end;
    Ok(data::held_out(
        &held_back.dir,
        range,
        held_back.max_samples,
    )?)
}

impl Serving {
    /// See [`compare`].
    ///
    /// # Errors
    /// [`CompareError`].
    pub fn compare(&self, challenge: &Challenge) -> Result<Report, CompareError> {
        let _turn = self.turn()?;
        let parts = &self.parts;
        compare(
            &parts.registry,
            parts.loader.as_ref(),
            parts
                .built_in
                .as_ref()
                .filter(|_| challenge.name == parts.name),
            challenge,
            &parts.limits,
            parts.clock.now(),
        )
    }

    /// Reads a version and runs it on its golden inputs; returns the steps that it computed as expected.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn verify(&self, name: &Name, version: Version) -> Result<usize, Cause> {
        let _turn = self.turn()?;
        let bundle = self.parts.registry.read(name, version)?;
        Ok(verify(self.parts.loader.as_ref(), &bundle)?.n_steps)
    }
}

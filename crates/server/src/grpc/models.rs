//! `ModelService`: the repository of models, and the one that forecasts.

use std::sync::Arc;

use proto::v1;
use proto::v1::model_service_server::ModelService;
use series::Timestamp;
use store::models::{Action, Listed, Name, Record, Version};
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use super::State;
use super::from_proto::invalid;
use crate::learning::{LearningStatus, Phase};
use crate::models::gate::{Difference, Figures, Report, Verdict};
use crate::models::{Challenge, CompareError, HeldBack, PromoteError, Serving, told};

/// Records of a history that are shown.
const MAX_RECORDS: usize = 200;
const MAX_WHY_BYTES: usize = 4096;

pub(super) struct Models(pub(super) Arc<State>);

/// What the service needs of the engine.
pub(crate) struct Kept {
    pub(crate) serving: Arc<Serving>,
    pub(crate) held_back: HeldBack,
    /// `None` when learning is off.
    pub(crate) learning: Option<Arc<LearningStatus>>,
}

impl Models {
    fn kept(&self) -> Result<Arc<Kept>, Status> {
        self.0.models.clone().ok_or_else(|| {
            Status::failed_precondition(
                "there is nowhere to keep models: set models.dir or state.enabled in the configuration",
            )
        })
    }

    /// Runs long work where it keeps no other call waiting. It is bounded: `Serving` does one piece at a time.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Kept) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let kept = self.kept()?;
        // The task ends early only when it panics.
        let done = spawn_blocking(move || work(&kept)).await;
        done.map_err(|e| Status::internal(e.to_string()))?
            .map(Response::new)
    }
}

#[tonic::async_trait]
impl ModelService for Models {
    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        self.work(|kept| {
            let listing = kept
                .serving
                .registry()
                .list()
                .map_err(|e| failed(told(&e)))?;
            let models = listing.models.iter().map(|listed| model(kept, listed));
            Ok(v1::ListModelsResponse {
                models: models.collect(),
            })
        })
        .await
    }

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let name = name(&request.get_ref().name)?;
        self.work(move |kept| get(kept, &name)).await
    }

    async fn verify_model(
        &self,
        request: Request<v1::VerifyModelRequest>,
    ) -> Result<Response<v1::VerifyModelResponse>, Status> {
        let request = request.into_inner();
        let (name, version) = (name(&request.name)?, version("version", request.version)?);
        self.work(move |kept| {
            let steps = kept.serving.verify(&name, version);
            let steps = steps.map_err(|cause| failed(told(cause.as_ref())))?;
            Ok(v1::VerifyModelResponse {
                golden_steps_count: steps as u32,
            })
        })
        .await
    }

    async fn compare_models(
        &self,
        request: Request<v1::CompareModelsRequest>,
    ) -> Result<Response<v1::CompareModelsResponse>, Status> {
        let request = request.into_inner();
        let (name, candidate) = (name(&request.name)?, version("version", request.version)?);
        self.work(move |kept| {
            let held_back = HeldBack {
                since: request.since_us.map(Timestamp::from_micros),
                ..kept.held_back.clone()
            };
            if held_back.dir.as_os_str().is_empty() {
                return Err(failed(
                    "nothing is captured to judge by: set capture.dir in the configuration"
                        .to_owned(),
                ));
            }
            let challenge = Challenge {
                name,
                candidate,
                against: Version::new(request.against_version),
                held_back,
            };
            let report = kept.serving.compare(&challenge);
            Ok(compared(report.map_err(|error| not_compared(&error))?))
        })
        .await
    }

    async fn promote_model(
        &self,
        request: Request<v1::PromoteModelRequest>,
    ) -> Result<Response<v1::PromoteModelResponse>, Status> {
        let request = request.into_inner();
        let (name, to) = (name(&request.name)?, version("version", request.version)?);
        let why = why("why", request.why)?;
        let force = why_not_empty("force_reason", request.force_reason)?;
        self.work(move |kept| {
            let previous = kept.serving.promote(&name, to, &why, force.as_deref());
            Ok(v1::PromoteModelResponse {
                previous_version: number(previous.map_err(|error| refused(&error))?),
            })
        })
        .await
    }

    async fn rollback_model(
        &self,
        request: Request<v1::RollbackModelRequest>,
    ) -> Result<Response<v1::RollbackModelResponse>, Status> {
        let request = request.into_inner();
        let (name, why) = (name(&request.name)?, why("why", request.why)?);
        self.work(move |kept| {
            let now = kept.serving.roll_back(&name, &why);
            Ok(v1::RollbackModelResponse {
                version: number(now.map_err(|error| refused(&error))?),
            })
        })
        .await
    }

    async fn get_learning_status(
        &self,
        _: Request<v1::GetLearningStatusRequest>,
    ) -> Result<Response<v1::GetLearningStatusResponse>, Status> {
        let learning = self
            .0
            .models
            .as_ref()
            .and_then(|kept| kept.learning.clone());
        Ok(Response::new(
            learning.map_or_else(Default::default, |status| status_of(&status)),
        ))
    }
}

fn failed(message: String) -> Status {
    Status::failed_precondition(message)
}

fn not_compared(error: &CompareError) -> Status {
    if let CompareError::Busy(_) = error {
        return Status::resource_exhausted(error.to_string());
    }
    failed(told(error))
}

fn refused(error: &PromoteError) -> Status {
    match error {
        PromoteError::Busy(_) => Status::resource_exhausted(error.to_string()),
        PromoteError::Read(_)
        | PromoteError::Verify(_)
        | PromoteError::NoGate { .. }
        | PromoteError::Already { .. }
        | PromoteError::Change(_)
        | PromoteError::Adopt { .. } => failed(told(error)),
    }
}

fn name(text: &str) -> Result<Name, Status> {
    text.parse()
        .map_err(|error| invalid("name", format!("{error}")))
}

fn version(field: &'static str, number: u32) -> Result<Version, Status> {
    Version::new(number).ok_or_else(|| invalid(field, "0, and versions start at 1"))
}

fn number(version: Option<Version>) -> u32 {
    version.map_or(0, Version::get)
}

fn why(field: &'static str, text: String) -> Result<String, Status> {
    match text.len() {
        0..=MAX_WHY_BYTES => Ok(text),
        n => Err(invalid(
            field,
            format!("{n} bytes, at most {MAX_WHY_BYTES} are allowed"),
        )),
    }
}

fn why_not_empty(field: &'static str, text: String) -> Result<Option<String>, Status> {
    Ok(Some(why(field, text)?).filter(|text| !text.trim().is_empty()))
}

fn model(kept: &Kept, listed: &Listed) -> v1::Model {
    let (champion, champion_error) = match &listed.champion {
        Ok(version) => (number(*version), String::new()),
        Err(error) => (0, error.clone()),
    };
    let is_ours = kept.serving.name() == &listed.name;
    v1::Model {
        name: listed.name.to_string(),
        versions: listed
            .versions
            .iter()
            .map(|version| version.get())
            .collect(),
        champion,
        champion_error,
        serving: is_ours.then(|| serving(&kept.serving)),
    }
}

fn serving(serving: &Serving) -> v1::ServingModel {
    let now = serving.now();
    v1::ServingModel {
        model: now.model,
        version: number(now.version),
        since_us: now.since.micros(),
        last_error: now.last_error,
        swaps_count: now.n_swaps,
        refused_count: now.n_refused,
    }
}

fn get(kept: &Kept, name: &Name) -> Result<v1::GetModelResponse, Status> {
    let registry = kept.serving.registry();
    let versions = registry.versions(name).map_err(|e| failed(told(&e)))?;
    let is_ours = kept.serving.name() == name;
    if versions.is_empty() && !is_ours {
        return Err(Status::not_found(format!("there is no model {name}")));
    }
    let listed = Listed {
        name: name.clone(),
        versions: versions.clone(),
        champion: registry.champion(name).map_err(|e| told(&e)),
    };
    let mut history = registry.history(name).map_err(|e| failed(told(&e)))?;
    let shown = history.split_off(history.len().saturating_sub(MAX_RECORDS));
    Ok(v1::GetModelResponse {
        model: Some(model(kept, &listed)),
        versions: versions
            .iter()
            .map(|&number| card(kept, name, number))
            .collect(),
        history: shown.into_iter().map(record).collect(),
    })
}

fn card(kept: &Kept, name: &Name, version: Version) -> v1::ModelVersion {
    match kept.serving.registry().card(name, version) {
        Ok(card) => v1::ModelVersion {
            version: version.get(),
            kind: card.kind.to_string(),
            sha256: card.sha256,
            created: card.created,
            licence: card.licence,
            error: String::new(),
        },
        Err(error) => v1::ModelVersion {
            version: version.get(),
            error: told(&error),
            ..v1::ModelVersion::default()
        },
    }
}

fn record(record: Record) -> v1::ModelRecord {
    let action = match record.action {
        Action::Install => v1::ModelAction::Install,
        Action::Passed => v1::ModelAction::Passed,
        Action::Failed => v1::ModelAction::Failed,
        Action::Promote => v1::ModelAction::Promote,
        Action::Force => v1::ModelAction::Force,
        Action::Rollback => v1::ModelAction::Rollback,
        Action::Refuse => v1::ModelAction::Refuse,
        Action::Remove => v1::ModelAction::Remove,
    };
    v1::ModelRecord {
        time_us: record.time_us,
        action: action.into(),
        from_version: number(record.from),
        to_version: number(record.to),
        why: record.why,
    }
}

fn compared(report: Report) -> v1::CompareModelsResponse {
    let (verdict, reasons) = match report.verdict {
        Verdict::Passed => (v1::GateVerdict::Passed, Vec::new()),
        Verdict::Refused(why) => (v1::GateVerdict::Refused, why),
        Verdict::Undecided(why) => (v1::GateVerdict::Undecided, vec![why]),
    };
    v1::CompareModelsResponse {
        champion: report.champion,
        candidate: report.candidate,
        verdict: verdict.into(),
        reasons,
        series_count: report.n_series as u64,
        samples_count: report.n_samples as u64,
        faults_count: report.n_faults as u64,
        figures: report.figures.as_ref().map(figures),
    }
}

fn figures(figures: &Figures) -> v1::GateFigures {
    let figure =
        |[champion, candidate]: [f64; 2], difference: Option<&Difference>| v1::GateFigure {
            champion,
            candidate,
            difference: difference.map(|difference| difference.value),
            low: difference.map(|difference| difference.low),
            high: difference.map(|difference| difference.high),
        };
    v1::GateFigures {
        nats: Some(figure(figures.nats, Some(&figures.nats_difference))),
        false_alarms: Some(figure(
            figures.false_alarms,
            Some(&figures.false_alarms_difference),
        )),
        coverage: Some(figure(
            figures.coverage,
            Some(&figures.coverage_error_difference),
        )),
        recall: figures.recall.map(|pair| figure(pair, None)),
        rank: figures.rank.map(|pair| figure(pair, None)),
        step_us: Some(figure(figures.step_us, None)),
    }
}

fn status_of(status: &LearningStatus) -> v1::GetLearningStatusResponse {
    let now = status.now();
    let phase = match now.phase {
        Phase::Idle => v1::LearningPhase::Idle,
        Phase::Checking => v1::LearningPhase::Checking,
        Phase::Training => v1::LearningPhase::Training,
        Phase::Judging => v1::LearningPhase::Judging,
    };
    v1::GetLearningStatusResponse {
        enabled: true,
        phase: phase.into(),
        checks_count: now.checks,
        trainings_count: now.trainings,
        promotions_count: now.promotions,
        refusals_count: now.refusals,
        failures_count: now.failures,
        new_samples_count: now.new_rows,
        needed_samples_count: now.needed_rows,
        drift_features: now.drift_features,
        drift_feature: now.drift_feature.to_owned(),
        drift_calibration: now.drift_calibration,
        progress: now.progress,
        last_check_us: now.last_check.map(Timestamp::micros),
        last_outcome: now.last_outcome,
    }
}

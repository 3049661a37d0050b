//! `inference.GRPCInferenceService`: the Open Inference Protocol.

mod read;
mod write;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use proto::inference as oip;
use proto::inference::grpc_inference_service_server::GrpcInferenceService;
use tokio::sync::watch as signal;
use tonic::{Request, Response, Status};

use super::from_proto::invalid;
use super::stopping;
use crate::inference::check::{self, Problem};
use crate::inference::{Failure, Found, Inference, Served, Unavailable};
use crate::metrics::Failed;

/// Parts of the protocol beyond its core.
const EXTENSIONS: [&str; 2] = ["model_repository", "statistics"];

/// The service.
pub(super) struct Inferences {
    pub(super) inference: Arc<Inference>,
    /// Turns to `true` when the server is to stop.
    pub(super) stopping: signal::Receiver<bool>,
}

impl Inferences {
    /// The model that a request is for, loaded if it is its first.
    async fn model(&self, name: &str, version: &str) -> Result<Arc<Served>, Status> {
        match self.inference.repository.find(name, version) {
            Ok(Found::Ready(model)) => Ok(model),
            Ok(Found::Unread(name, version)) => {
                self.change(move |inference| inference.repository.load_version(&name, version))
                    .await
            }
            Err(unavailable) => Err(self.refuse(&unavailable)),
        }
    }

    /// Does something that reads files or runs a model for the first time, where it keeps nobody waiting.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Inference) -> Result<T, Unavailable> + Send + 'static,
    ) -> Result<T, Status> {
        let inference = Arc::clone(&self.inference);
        // The task ends early only when it panics.
        let changed = tokio::task::spawn_blocking(move || change(&inference)).await;
        changed
            .map_err(|e| Status::internal(e.to_string()))?
            .map_err(|unavailable| self.refuse(&unavailable))
    }

    fn refuse(&self, unavailable: &Unavailable) -> Status {
        let text = unavailable.to_string();
        match unavailable {
            Unavailable::Model(_) | Unavailable::Version { .. } => {
                self.inference.unknown.fetch_add(1, Ordering::Relaxed);
                Status::not_found(text)
            }
            Unavailable::NotLoaded { .. } => Status::unavailable(text),
            Unavailable::Limit(_) => Status::resource_exhausted(text),
            Unavailable::Library(_) => Status::internal(text),
        }
    }
}

fn refuse(model: &Served, problem: Problem) -> Status {
    model.metrics.fail(Failed::Invalid);
    invalid(problem.place, problem.what)
}

fn failed(failure: &Failure) -> Status {
    let text = failure.to_string();
    match failure {
        Failure::Full { .. } | Failure::Large { .. } => Status::resource_exhausted(text),
        Failure::Late(_) => Status::deadline_exceeded(text),
        Failure::Model { .. } => Status::internal(text),
    }
}

/// Refuses what is meant for another repository.
fn our_repository(name: &str) -> Result<(), Status> {
    if name.is_empty() {
        return Ok(());
    }
    let what = format!("{name:?}, but there is one repository only: leave it empty");
    Err(invalid("repository_name", what))
}

#[tonic::async_trait]
impl GrpcInferenceService for Inferences {
    async fn server_live(
        &self,
        _: Request<oip::ServerLiveRequest>,
    ) -> Result<Response<oip::ServerLiveResponse>, Status> {
        Ok(Response::new(oip::ServerLiveResponse { live: true }))
    }

    async fn server_ready(
        &self,
        _: Request<oip::ServerReadyRequest>,
    ) -> Result<Response<oip::ServerReadyResponse>, Status> {
        let ready = !*self.stopping.borrow();
        Ok(Response::new(oip::ServerReadyResponse { ready }))
    }

    async fn model_ready(
        &self,
        request: Request<oip::ModelReadyRequest>,
    ) -> Result<Response<oip::ModelReadyResponse>, Status> {
        let oip::ModelReadyRequest { name, version } = request.into_inner();
        let ready = match self.inference.repository.find(&name, &version) {
            Ok(Found::Ready(_) | Found::Unread(..)) => true,
            Err(Unavailable::NotLoaded { .. }) => false,
            Err(other) => return Err(self.refuse(&other)),
        };
        Ok(Response::new(oip::ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<oip::ServerMetadataRequest>,
    ) -> Result<Response<oip::ServerMetadataResponse>, Status> {
        Ok(Response::new(oip::ServerMetadataResponse {
            name: "forestall".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<oip::ModelMetadataRequest>,
    ) -> Result<Response<oip::ModelMetadataResponse>, Status> {
        let request = request.into_inner();
        let model = self.model(&request.name, &request.version).await?;
        let indexed = self.inference.repository.index().into_iter();
        let loaded = indexed.filter(|row| row.name == model.name && row.reason.is_none());
        let description = model.description();
        Ok(Response::new(oip::ModelMetadataResponse {
            name: model.name.clone(),
            versions: loaded.map(|row| row.version).collect(),
            platform: description.platform.clone(),
            inputs: description.inputs.iter().map(write::slot).collect(),
            outputs: description.outputs.iter().map(write::slot).collect(),
        }))
    }

    async fn model_infer(
        &self,
        request: Request<oip::ModelInferRequest>,
    ) -> Result<Response<oip::ModelInferResponse>, Status> {
        let arrived = Instant::now();
        let mut request = request.into_inner();
        let model = self
            .model(&request.model_name, &request.model_version)
            .await?;
        let description = model.description();
        let id = std::mem::take(&mut request.id);
        let read = read::request(request, self.inference.max_tensor_bytes());
        let read = read.map_err(|problem| refuse(&model, problem))?;
        let places = places(&model, &read.outputs)?;
        let inputs = check::inputs(description, read.tensors);
        let inputs = inputs.map_err(|problem| refuse(&model, problem))?;
        let run = self.inference.run(&model, inputs, arrived, read.patience);
        let tensors = run.await.ok_or_else(stopping)?;
        let tensors = tensors.map_err(|failure| failed(&failure))?;
        let picked = places.into_iter().filter_map(|place| {
            let name = description.outputs.get(place)?.name.clone();
            Some((name, tensors.get(place)?.clone()))
        });
        Ok(Response::new(write::response(
            &model, id, read.form, picked,
        )))
    }

    async fn model_statistics(
        &self,
        request: Request<oip::ModelStatisticsRequest>,
    ) -> Result<Response<oip::ModelStatisticsResponse>, Status> {
        let oip::ModelStatisticsRequest { name, version } = request.into_inner();
        let models = if name.is_empty() {
            self.inference.repository.loaded()
        } else if version.is_empty() {
            let mut models = self.inference.repository.loaded();
            models.retain(|model| model.name == name);
            if models.is_empty() {
                models.push(self.model(&name, "").await?);
            }
            models
        } else {
            vec![self.model(&name, &version).await?]
        };
        let model_stats = models.iter().map(|model| statistics(model)).collect();
        Ok(Response::new(oip::ModelStatisticsResponse { model_stats }))
    }

    async fn repository_index(
        &self,
        request: Request<oip::RepositoryIndexRequest>,
    ) -> Result<Response<oip::RepositoryIndexResponse>, Status> {
        let request = request.into_inner();
        our_repository(&request.repository_name)?;
        let rows = self
            .change(|inference| {
                inference.repository.refresh()?;
                Ok(inference.repository.index())
            })
            .await?;
        let rows = rows
            .into_iter()
            .filter(|row| !request.ready || row.reason.is_none());
        let models = rows.map(|row| oip::repository_index_response::ModelIndex {
            name: row.name,
            version: row.version,
            state: row
                .reason
                .as_ref()
                .map_or("READY", |_| "UNAVAILABLE")
                .to_owned(),
            reason: row.reason.unwrap_or_default(),
        });
        Ok(Response::new(oip::RepositoryIndexResponse {
            models: models.collect(),
        }))
    }

    async fn repository_model_load(
        &self,
        request: Request<oip::RepositoryModelLoadRequest>,
    ) -> Result<Response<oip::RepositoryModelLoadResponse>, Status> {
        let request = request.into_inner();
        our_repository(&request.repository_name)?;
        if let Some(name) = request.parameters.keys().next() {
            let what = "not taken: what a model is stands in the repository";
            return Err(invalid(format!("parameters[{name:?}]"), what));
        }
        self.change(move |inference| inference.repository.load(&request.model_name))
            .await?;
        Ok(Response::new(oip::RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<oip::RepositoryModelUnloadRequest>,
    ) -> Result<Response<oip::RepositoryModelUnloadResponse>, Status> {
        let request = request.into_inner();
        our_repository(&request.repository_name)?;
        self.change(move |inference| inference.repository.unload(&request.model_name))
            .await?;
        Ok(Response::new(oip::RepositoryModelUnloadResponse {}))
    }
}

/// Places of the outputs that are wanted, in the order in which they are.
fn places(model: &Served, wanted: &[String]) -> Result<Vec<usize>, Status> {
    let slots = &model.description().outputs;
    if wanted.is_empty() {
        return Ok((0..slots.len()).collect());
    }
    let place = |name: &String| {
        slots
            .iter()
            .position(|slot| slot.name == *name)
            .ok_or_else(|| {
                let known: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
                let what = format!("no such output; there are {}", known.join(", "));
                refuse(model, Problem::new(format!("outputs[{name:?}]"), what))
            })
    };
    wanted.iter().map(place).collect()
}

fn statistics(model: &Served) -> oip::ModelStatistics {
    let metrics = &model.metrics;
    let duration = |(count, ns)| Some(oip::StatisticDuration { count, ns });
    let (batches, rows) = metrics.batch_rows.total();
    let answered = metrics.answered.load(Ordering::Relaxed);
    let computed_ns = metrics.compute_of_requests_ns.load(Ordering::Relaxed);
    oip::ModelStatistics {
        name: model.name.clone(),
        version: model.version.clone(),
        last_inference: 0,
        inference_count: rows,
        execution_count: batches,
        inference_stats: Some(oip::InferStatistics {
            success: duration(metrics.request.total()),
            fail: duration((metrics.failures(), 0)),
            queue: duration(metrics.queue.total()),
            compute_infer: duration((answered, computed_ns)),
            ..Default::default()
        }),
    }
}

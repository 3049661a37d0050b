//! The services of `forestall.v1`, one file each, and that of the Open Inference Protocol. Prost's types end here:
//! `from_proto` checks what comes in, `to_proto` writes what goes out.

mod capture;
mod feedback;
mod from_proto;
mod inference;
mod info;
mod ingest;
mod models;
mod outlook;
mod planning;
mod risk;
mod scoring;
mod to_proto;
mod watch;

pub(crate) use feedback::to_engine as verdict_to_engine;
pub(crate) use models::Kept;
pub use outlook::outlook_message;

use std::sync::Arc;
use std::time::Instant;

use hotpath::Engine;
use parking_lot::Mutex;
use proto::inference as oip;
use proto::v1;
use series::Clock;
use sources::host::Missing;
use store::FeedbackLog;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as signal};
use tonic::Status;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::Config;
use crate::auth::Auth;
use crate::board::Board;
use crate::capture::Recorder;
use crate::culprits::Culprits;
use crate::inference::Inference;
use crate::intake::Intake;
use crate::keeper::SnapshotStatus;
use crate::lookout::Outlooks;
use crate::metrics;
use crate::planning::Planning;
use to_proto::Names;

/// Lists that are put together at once. They walk over all series; more at a time would only take turns.
const CONCURRENT_LISTS: usize = 4;
/// A message is ended when it has grown to this many bytes: clients take 4 MiB unless told otherwise.
const MESSAGE_BYTES: usize = 2 << 20;

/// What the services share.
pub(crate) struct State {
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Intake,
    pub(crate) board: Arc<Board>,
    pub(crate) culprits: Arc<Culprits>,
    pub(crate) names: Names,
    pub(crate) feedback: Option<Mutex<FeedbackLog>>,
    pub(crate) snapshots: Option<Arc<Mutex<SnapshotStatus>>>,
    pub(crate) capture: Option<Arc<Recorder>>,
    pub(crate) outlooks: Option<Arc<Outlooks>>,
    pub(crate) host_missing: Option<Arc<Mutex<Vec<Missing>>>>,
    pub(crate) inference: Option<Arc<Inference>>,
    pub(crate) models: Option<Arc<Kept>>,
    pub(crate) planning: Option<Arc<Planning>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Config,
    pub(crate) started: Instant,
    /// Turns to `true` when the server is to stop.
    pub(crate) stopping: signal::Receiver<bool>,
    streams: Arc<Semaphore>,
    lists: Semaphore,
    scoring: Arc<Semaphore>,
}

/// What the services are made from.
pub(crate) struct Parts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Intake,
    pub(crate) board: Arc<Board>,
    pub(crate) culprits: Arc<Culprits>,
    pub(crate) feedback: Option<FeedbackLog>,
    pub(crate) snapshots: Option<Arc<Mutex<SnapshotStatus>>>,
    pub(crate) capture: Option<Arc<Recorder>>,
    pub(crate) outlooks: Option<Arc<Outlooks>>,
    pub(crate) host_missing: Option<Arc<Mutex<Vec<Missing>>>>,
    pub(crate) inference: Option<Arc<Inference>>,
    pub(crate) models: Option<Arc<Kept>>,
    pub(crate) planning: Option<Arc<Planning>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Config,
    pub(crate) stopping: signal::Receiver<bool>,
}

impl State {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            engine,
            intake,
            board,
            culprits,
            feedback,
            snapshots,
            capture,
            outlooks,
            host_missing,
            inference,
            models,
            planning,
            clock,
            config,
            stopping,
        } = parts;
        Self {
            names: Names::new(engine.member_names()),
            streams: Arc::new(Semaphore::new(config.server.max_streams)),
            lists: Semaphore::new(CONCURRENT_LISTS),
            scoring: Arc::new(Semaphore::new(config.server.max_scoring_streams)),
            started: Instant::now(),
            feedback: feedback.map(Mutex::new),
            engine,
            intake,
            board,
            culprits,
            snapshots,
            capture,
            outlooks,
            host_missing,
            inference,
            models,
            planning,
            clock,
            config,
            stopping,
        }
    }

    /// Leave for one more stream, for as long as the permit lives.
    fn open_stream(&self) -> Result<OwnedSemaphorePermit, Status> {
        let max = self.config.server.max_streams;
        leave(
            &self.streams,
            format!("{max} streams are open, as many as server.max_streams allows"),
        )
    }

    /// Leave to compute scores of one more stream.
    fn open_scoring(&self) -> Result<OwnedSemaphorePermit, Status> {
        let max = self.config.server.max_scoring_streams;
        leave(
            &self.scoring,
            format!("{max} series are being scored, as many as server.max_scoring_streams allows"),
        )
    }

    /// Runs something that walks over all series, where it keeps no other call waiting.
    async fn list<T: Send + 'static>(
        self: &Arc<Self>,
        make: impl FnOnce(&Self) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let _turn = self.lists.acquire().await.map_err(|_| stopping())?;
        let state = Arc::clone(self);
        // The task ends early only when it panics.
        tokio::task::spawn_blocking(move || make(&state))
            .await
            .map_err(|e| Status::internal(e.to_string()))?
    }
}

fn leave(permits: &Arc<Semaphore>, full: String) -> Result<OwnedSemaphorePermit, Status> {
    Arc::clone(permits)
        .try_acquire_owned()
        .map_err(|_| Status::resource_exhausted(full))
}

/// Returns when the server is to stop.
async fn stopped(signal: &mut signal::Receiver<bool>) {
    // A sender that is gone is a server that was dropped: that is a stop too.
    let _ = signal.wait_for(|&stop| stop).await;
}

/// What open streams end with when the server stops: callers should come back.
fn stopping() -> Status {
    Status::unavailable("the server is stopping")
}

/// The names that health is reported under; the empty one stands for the server as a whole. The last one is there
/// when models are served.
const HEALTH_NAMES: [&str; 13] = [
    "",
    v1::ingest_service_server::SERVICE_NAME,
    v1::risk_service_server::SERVICE_NAME,
    v1::outlook_service_server::SERVICE_NAME,
    v1::scoring_service_server::SERVICE_NAME,
    v1::feedback_service_server::SERVICE_NAME,
    v1::server_service_server::SERVICE_NAME,
    v1::capture_service_server::SERVICE_NAME,
    v1::model_service_server::SERVICE_NAME,
    v1::issue_service_server::SERVICE_NAME,
    v1::plan_service_server::SERVICE_NAME,
    v1::safety_service_server::SERVICE_NAME,
    oip::grpc_inference_service_server::SERVICE_NAME,
];

/// Says of services how they are.
pub(crate) struct Health {
    reporter: HealthReporter,
    names: &'static [&'static str],
}

impl Health {
    async fn new(state: &State) -> Self {
        let n = HEALTH_NAMES.len() - usize::from(state.inference.is_none());
        let health = Self {
            reporter: HealthReporter::new(),
            names: &HEALTH_NAMES[..n],
        };
        health.report(ServingStatus::Serving).await;
        health
    }

    /// Says of all services how they are.
    pub(crate) async fn report(&self, status: ServingStatus) {
        for service in self.names {
            self.reporter.set_service_status(*service, status).await;
        }
    }
}

/// All services, and the reporter that says how they are.
pub(crate) async fn routes(
    state: &Arc<State>,
    auth: &Auth,
) -> Result<(Routes, Health), tonic_reflection::server::Error> {
    use oip::grpc_inference_service_server::GrpcInferenceServiceServer;
    use v1::capture_service_server::CaptureServiceServer;
    use v1::feedback_service_server::FeedbackServiceServer;
    use v1::ingest_service_server::IngestServiceServer;
    use v1::issue_service_server::IssueServiceServer;
    use v1::model_service_server::ModelServiceServer;
    use v1::outlook_service_server::OutlookServiceServer;
    use v1::plan_service_server::PlanServiceServer;
    use v1::risk_service_server::RiskServiceServer;
    use v1::safety_service_server::SafetyServiceServer;
    use v1::scoring_service_server::ScoringServiceServer;
    use v1::server_service_server::ServerServiceServer;

    let health = Health::new(state).await;

    let descriptors = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let max = state.config.server.max_message_bytes;
    let mut routes = Routes::builder();
    macro_rules! add {
        ($server:ident, $service:expr) => {
            routes.add_service(InterceptedService::new(
                $server::new($service).max_decoding_message_size(max),
                auth.clone(),
            ))
        };
    }
    add!(IngestServiceServer, ingest::Ingest(Arc::clone(state)));
    add!(RiskServiceServer, risk::Risks(Arc::clone(state)));
    add!(
        OutlookServiceServer,
        outlook::OutlookCalls(Arc::clone(state))
    );
    add!(ScoringServiceServer, scoring::Scoring(Arc::clone(state)));
    add!(
        FeedbackServiceServer,
        feedback::Feedbacks(Arc::clone(state))
    );
    add!(ServerServiceServer, info::Info(Arc::clone(state)));
    add!(ModelServiceServer, models::Models(Arc::clone(state)));
    add!(CaptureServiceServer, capture::Captures(Arc::clone(state)));
    add!(IssueServiceServer, planning::Issues(Arc::clone(state)));
    add!(PlanServiceServer, planning::Plans(Arc::clone(state)));
    add!(SafetyServiceServer, planning::Safety(Arc::clone(state)));
    if let Some(inference) = &state.inference {
        let service = inference::Inferences {
            inference: Arc::clone(inference),
            stopping: state.stopping.clone(),
        };
        add!(GrpcInferenceServiceServer, service);
    }
    routes.add_service(InterceptedService::new(
        descriptors().build_v1()?,
        auth.clone(),
    ));
    routes.add_service(InterceptedService::new(
        descriptors().build_v1alpha()?,
        auth.clone(),
    ));
    // No token here: whoever starts or balances servers asks for their health.
    let reporter = health.reporter.clone();
    routes.add_service(HealthServer::new(HealthService::from_health_reporter(
        reporter,
    )));
    let mut routes = routes.routes();
    if state.config.server.metrics {
        let router = std::mem::take(routes.axum_router_mut());
        *routes.axum_router_mut() = router.merge(metrics::routes(state, auth));
    }
    Ok((routes.prepare(), health))
}

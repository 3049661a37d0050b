//! From a configuration to a running engine, and back to rest.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hotpath::Engine;
use predict::forecast::Model;
use series::Clock;
use store::{FeedbackLog, SaveError, StateDir};
use tokio::net::TcpListener;
use tokio::sync::watch as signal;
use tokio::task::{JoinHandle, spawn_blocking};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic_health::ServingStatus;

use crate::auth::{Auth, TokenError};
use crate::board::Board;
use crate::capture;
use crate::config::{Config, ConfigError, ServerConfig};
use crate::culprits::Culprits;
use crate::grpc;
use crate::host_thread::HostThread;
use crate::inference::{self, Inference};
use crate::intake::Intake;
use crate::keeper::{Keeper, SnapshotStatus};
use crate::learning::LearningThread;
use crate::models;
use crate::sinks::Sinks;

/// What one stream, and one connection, may have on its way: what 500,000 samples a second need at a round trip of
/// some milliseconds, and little enough that a thousand idle clients hold no memory worth the name.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A client that does not answer a ping for this long is gone, and its streams with it.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Streams and calls on one connection.
const CONCURRENT_CALLS: u32 = 1024;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("listening on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Certificate or key cannot be read or used.
    #[error("TLS with {path}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token cannot be read or used.
    #[error("the token in {path}")]
    Token {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TokenError,
    },
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] store::OpenError),
    /// The feedback in the state directory cannot be used.
    #[error(transparent)]
    Feedback(#[from] store::FeedbackError),
    /// The capture directory cannot be used.
    #[error(transparent)]
    Capture(#[from] store::capture::CaptureError),
    /// The engine cannot be built.
    #[error(transparent)]
    Engine(#[from] catalog::BuildError),
    /// The system gives no more threads.
    #[error("starting a thread")]
    Thread(#[source] io::Error),
    /// The descriptors that reflection serves are broken.
    #[error("starting reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A running server. Dropping it stops it at once; [`Running::shutdown`] does so in good order.
#[must_use = "the server stops when this is dropped"]
pub struct Running {
    local_addr: SocketAddr,
    stop: signal::Sender<bool>,
    server: JoinHandle<()>,
    health: grpc::Health,
    intake: Intake,
    host: Option<HostThread>,
    keeper: Option<Keeper>,
    capture: Option<Arc<capture::Recorder>>,
    learning: Option<LearningThread>,
    grace: Duration,
    /// Unlocks last.
    _state_dir: Option<StateDir>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

/// Starts everything that the configuration asks for, within a tokio runtime of more than one thread. `clock` gives the
/// time to host readings and snapshots, and judges which samples are too far ahead.
///
/// # Errors
/// See [`StartError`].
pub async fn start(mut config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConfigError {
            origin: "the configuration".to_owned(),
            problems,
        }
        .into());
    }
    let auth = auth(&config.server)?;
    let builder = builder(&config.server)?.accept_http1(config.server.metrics);
    let address = config.server.listen;
    // Before anything is restored: whoever starts a second server by mistake hears of it at once.
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    let local_addr = listener
        .local_addr()
        .map_err(|source| StartError::Listen { address, source })?;

    let state_dir = match config.state.resolved_dir().filter(|_| config.state.enabled) {
        Some(path) => Some(StateDir::open(&path)?),
        None => None,
    };
    let feedback = state_dir.as_ref().map(StateDir::feedback).transpose()?;
    let board = Arc::new(Board::new(&config.watch));
    let captured = capture::Opened::new(&config.capture, n_shards(&config))?;
    let sink = Arc::new(Sinks {
        board: Arc::clone(&board),
        capture: captured.as_ref().map(capture::Opened::tap),
    });
    // First the model, so that learned state finds the one that it belongs to.
    let built_in = models::setup::built_in(&config);
    config.engine.models.forecaster.clone_from(&built_in);
    let serving = models::setup::open(&config, &clock);
    let serving = serving.await.map_err(StartError::Thread)?;
    if let Some(serving) = &serving {
        config.engine.models.forecaster = serving.model();
    }
    let engine = Arc::new(Engine::start(
        config.engine.clone(),
        n_shards(&config),
        Intake::QUEUE,
        sink,
    )?);
    let keeper = match &state_dir {
        Some(dir) => Some(restore(dir, &engine, &clock, config.state.snapshot_interval_s).await?),
        None => None,
    };
    let snapshots = keeper.as_ref().map(Keeper::status);
    if let (Some(log), Some(status)) = (&feedback, &snapshots) {
        apply_late_feedback(log, &engine, &status.lock());
    }
    let capture = captured
        .map(|opened| opened.start(&config.capture, Arc::downgrade(&engine), Arc::clone(&clock)));
    let capture = capture.transpose().map_err(StartError::Thread)?;
    let capture = capture.map(Arc::new);
    let mut learning = None;
    let models = match &serving {
        Some(serving) => {
            models::setup::attach(serving, Arc::downgrade(&engine));
            let learn =
                models::setup::learn(&config, serving, &clock).map_err(StartError::Thread)?;
            let (thread, status) = learn.unzip();
            learning = thread;
            Some(Arc::new(grpc::Kept {
                serving: Arc::clone(serving),
                held_back: config.models.held_back(config.capture.dir.clone()),
                learning: status,
            }))
        }
        None => None,
    };
    let intake = Intake::new(Arc::clone(&engine), clock, &config.ingest);
    let culprits = Arc::new(Culprits::new(config.watch.closed_events));
    let host = match config.host.enabled {
        true => {
            let (board, culprits) = (Arc::clone(&board), Arc::clone(&culprits));
            let started = HostThread::start(&config.host, intake.clone(), board, culprits);
            Some(started.map_err(StartError::Thread)?)
        }
        false => None,
    };
    let inference = match config.inference.enabled {
        true => Some(serve_models(&config, built_in).await?),
        false => None,
    };
    let (stop, stopping) = signal::channel(false);
    if let Some(inference) = &inference {
        let every = Duration::from_secs_f64(config.models.check_interval_s);
        tokio::spawn(inference::follow(
            Arc::clone(inference),
            every,
            stopping.clone(),
        ));
    }
    if let Some(serving) = serving {
        let every = Duration::from_secs_f64(config.models.check_interval_s);
        models::watch(serving, every, stopping.clone()).map_err(StartError::Thread)?;
    }
    let grace = Duration::from_secs_f64(config.server.shutdown_grace_s);
    let state = Arc::new(grpc::State::new(grpc::Parts {
        engine,
        intake: intake.clone(),
        board,
        culprits,
        feedback,
        snapshots,
        capture: capture.clone(),
        host_missing: host.as_ref().map(HostThread::missing),
        inference,
        models,
        config,
        stopping: stopping.clone(),
    }));
    let (routes, health) = grpc::routes(&state, &auth).await?;
    let server = tokio::spawn(serve(builder, routes, listener, stopping));
    tracing::info!(%local_addr, "serving");
    Ok(Running {
        local_addr,
        stop,
        server,
        health,
        intake,
        host,
        keeper,
        capture,
        learning,
        grace,
        _state_dir: state_dir,
    })
}

async fn serve(
    mut builder: Server,
    routes: tonic::service::Routes,
    listener: TcpListener,
    mut stopping: signal::Receiver<bool>,
) {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = async move {
        // A sender that is gone is a `Running` that was dropped: that is a stop too.
        let _ = stopping.wait_for(|&stop| stop).await;
    };
    let served = builder
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the gRPC server ended");
    }
}

/// Loads the models that are served by default. One that cannot be loaded keeps nobody from starting: its index says why.
async fn serve_models(
    config: &Config,
    built_in: Option<Arc<dyn Model>>,
) -> Result<Arc<Inference>, StartError> {
    let name = config.models.forecaster.parse().ok();
    let library = inference::Models {
        registry: config.models.registry(&config.state),
        built_in: name.zip(built_in),
        options: config.models.loader().options,
    };
    let settings = config.inference.clone();
    let started = spawn_blocking(move || {
        let inference = Inference::start(Box::new(library), &settings)?;
        if let Err(error) = inference.repository.refresh() {
            tracing::warn!(%error, "no models are served");
        }
        Ok(Arc::new(inference))
    });
    started
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(StartError::Thread)
}

async fn restore(
    dir: &StateDir,
    engine: &Arc<Engine>,
    clock: &Arc<dyn Clock>,
    interval_s: f64,
) -> Result<Keeper, StartError> {
    let snapshots = dir.snapshots(features::schema_hash());
    let (engine, clock) = (Arc::clone(engine), Arc::clone(clock));
    let started = spawn_blocking(move || Keeper::start(snapshots, engine, clock, interval_s));
    started
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(StartError::Thread)
}

/// Feedback that came after the snapshot was written is on the disk, but not in what was restored.
fn apply_late_feedback(log: &FeedbackLog, engine: &Engine, status: &SnapshotStatus) {
    if log.torn_bytes() > 0 {
        tracing::warn!(
            bytes = log.torn_bytes(),
            "an unfinished record at the end of the feedback log was cut off"
        );
    }
    let Some(written) = status.restored_from else {
        return;
    };
    for feedback in log
        .records()
        .iter()
        .filter(|feedback| feedback.body.submitted_us > written.micros())
    {
        if let Some(id) = engine.find(&feedback.body.series) {
            engine.feedback(id, grpc::verdict_to_engine(feedback.body.verdict));
        }
    }
}

fn n_shards(config: &Config) -> usize {
    match config.ingest.shards {
        0 => std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(256),
        n => n,
    }
}

fn auth(config: &ServerConfig) -> Result<Auth, StartError> {
    let path = &config.token_file;
    if path.as_os_str().is_empty() {
        return Ok(Auth::default());
    }
    Auth::from_file(path).map_err(|source| StartError::Token {
        path: path.clone(),
        source,
    })
}

fn builder(config: &ServerConfig) -> Result<Server, StartError> {
    let builder = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(CONCURRENT_CALLS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE));
    if config.tls_cert.as_os_str().is_empty() {
        return Ok(builder);
    }
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| StartError::Tls {
            path: path.to_owned(),
            source: error.into(),
        })
    };
    let identity = Identity::from_pem(read(&config.tls_cert)?, read(&config.tls_key)?);
    let broken = |error: tonic::transport::Error| StartError::Tls {
        path: config.tls_cert.clone(),
        source: error.into(),
    };
    builder
        .tls_config(ServerTlsConfig::new().identity(identity))
        .map_err(broken)
}

impl Running {
    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits for SIGINT or SIGTERM, then shuts down.
    ///
    /// # Errors
    /// When signals cannot be waited for, or as [`Running::shutdown`].
    pub async fn until_signal(self) -> io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        self.shutdown().await.map_err(io::Error::other)
    }

    /// Stops taking calls, answers what is under way, scores what was admitted, seals what was captured, and writes a
    /// last snapshot.
    ///
    /// # Errors
    /// When that snapshot cannot be written; the one before is kept, and all else is done.
    pub async fn shutdown(mut self) -> Result<(), SaveError> {
        self.health.report(ServingStatus::NotServing).await;
        self.stop.send_replace(true);
        if tokio::time::timeout(self.grace, &mut self.server)
            .await
            .is_err()
        {
            tracing::warn!("streams were still open after the grace period; they are cut off");
            self.server.abort();
        }
        let (host, keeper, learning) = (self.host.take(), self.keeper.take(), self.learning.take());
        // Joining a thread waits.
        let _ = spawn_blocking(move || drop((host, learning))).await;
        self.intake.drained().await;
        if let Some(capture) = self.capture.take() {
            let _ = spawn_blocking(move || capture.finish()).await;
        }
        let Some(keeper) = keeper else { return Ok(()) };
        // The task ends early only when it panics, which has been printed.
        spawn_blocking(move || keeper.finish())
            .await
            .unwrap_or(Ok(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

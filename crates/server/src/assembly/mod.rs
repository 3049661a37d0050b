//! From a configuration to a running engine, and back to rest.

mod check;
mod running;
mod transport;

pub use check::check;
pub use running::{Hangup, Running, Signals};

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hotpath::Engine;
use predict::forecast::Model;
use series::Clock;
use store::{FeedbackLog, StateDir};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch as signal};
use tokio::task::spawn_blocking;

use crate::auth::TokenError;
use crate::board::Board;
use crate::capture;
use crate::config::{Config, ConfigError};
use crate::culprits::Culprits;
use crate::grpc;
use crate::host_thread::HostThread;
use crate::inference::{self, Inference};
use crate::intake::Intake;
use crate::keeper::{Keeper, SnapshotStatus};
use crate::lookout::{self, LookoutThread};
use crate::models;
use crate::planning;
use crate::sinks::Sinks;

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
    /// The models that say what runs out cannot be used.
    #[error("the models for outlooks")]
    Outlook(#[from] onnx::LoadError),
    /// The planner cannot be brought back.
    #[error(transparent)]
    Planning(#[from] planning::PlanningError),
    /// The rules of the configuration make no sense.
    #[error("findings.rules")]
    Signs(#[from] remedy::signs::SignsError),
    /// The system gives no more threads.
    #[error("starting a thread")]
    Thread(#[source] io::Error),
    /// The descriptors that reflection serves are broken.
    #[error("starting reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Starts everything that the configuration asks for, within a tokio runtime of more than one thread. `clock` gives the
/// time to host readings and snapshots, and judges which samples are too far ahead.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    // All that is put together here is alive at once, and need not lie on the stack of whoever waits for it.
    Box::pin(assemble(config, clock)).await
}

async fn assemble(mut config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConfigError {
            origin: "the configuration".to_owned(),
            problems,
        }
        .into());
    }
    let auth = transport::auth(&config.server)?;
    let builder = transport::builder(&config.server)?.accept_http1(config.server.metrics);
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
    let (stop, stopping) = signal::channel(false);
    let planner = planning::Opened::new(
        &config,
        state_dir.as_ref().map(StateDir::path),
        &clock,
        stopping.clone(),
    )
    .await?;
    let planning = planner.as_ref().map(planning::Opened::planning);
    let people = planning
        .iter()
        .flat_map(|planning| planning.people.tokens());
    let auth = auth.or(people);
    if planning.is_some() && !config.outlook.enabled {
        tracing::warn!(
            "outlook.enabled is false: the planner hears of certificates, reports and files only"
        );
    }
    let reporter = planning.as_ref().map(|planning| {
        lookout::Reporter::new(&config, Arc::clone(&planning.mailbox), Arc::clone(&clock))
    });
    let lookout = lookout::Opened::new(
        &config,
        n_shards(&config),
        state_dir.as_ref().map(StateDir::path),
        reporter.transpose()?,
    )?;
    let sink = Arc::new(Sinks {
        board: Arc::clone(&board),
        lookout: lookout.as_ref().map(lookout::Opened::inlet),
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
    let lookout = lookout.map(|opened| opened.start(Arc::downgrade(&engine)));
    let lookout = lookout.transpose().map_err(StartError::Thread)?;
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
    let intake = Intake::new(Arc::clone(&engine), Arc::clone(&clock), &config.ingest);
    let planner = planner.map(|opened| opened.start(&config));
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
    if let Some(inference) = &inference {
        let every = Duration::from_secs_f64(config.models.check_interval_s);
        tokio::spawn(inference::follow(
            Arc::clone(inference),
            every,
            stopping.clone(),
        ));
    }
    let reload = Arc::new(Notify::new());
    if let Some(serving) = serving {
        let every = Duration::from_secs_f64(config.models.check_interval_s);
        let again = Arc::clone(&reload);
        models::watch(serving, every, again, stopping.clone());
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
        outlooks: lookout.as_ref().map(LookoutThread::outlooks),
        host_missing: host.as_ref().map(HostThread::missing),
        inference,
        models,
        planning,
        clock,
        config,
        stopping: stopping.clone(),
    }));
    let (routes, health) = grpc::routes(&state, &auth).await?;
    let server = tokio::spawn(transport::serve(builder, routes, listener, stopping));
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
        lookout,
        learning,
        planner,
        reload,
        grace,
        _state_dir: state_dir,
    })
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

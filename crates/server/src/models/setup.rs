//! From the configuration to the model that serves, and to the thread that learns.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hotpath::Engine;
use predict::anomaly::AdoptError;
use predict::forecast::Model;
use series::Clock;
use tokio::task::spawn_blocking;

use super::{HeldBack, Onnx, Parts, Serving};
use crate::config::Config;
use crate::learning::{ByRecipe, Learner, LearningStatus, LearningThread};
use crate::{ModelsConfig, learning};

impl ModelsConfig {
    /// How graphs are loaded.
    #[must_use]
    pub fn loader(&self) -> Onnx {
        Onnx {
            options: onnx::Options {
                guard: self.prober.clone().map(onnx::Guard::new),
                ..onnx::Options::default()
            },
        }
    }

    /// What candidates are judged on, out of what is captured to `dir`.
    #[must_use]
    pub fn held_back(&self, dir: PathBuf) -> HeldBack {
        HeldBack {
            dir,
            share: self.held_back_share,
            since: None,
            max_samples: self.held_back_samples,
        }
    }
}

/// What forecasts when no version was promoted.
pub(crate) fn built_in(config: &Config) -> Option<Arc<dyn Model>> {
    if let Some(model) = &config.engine.models.forecaster {
        return Some(Arc::clone(model));
    }
    onnx::default_step_model()
        .inspect_err(|error| tracing::error!(%error, "the built-in model cannot be used"))
        .ok()
}

/// Loads the model that is to forecast, on a thread that may take its time; `None` where nothing is kept on disk. The
/// configuration's own forecaster is what serves when no version was promoted.
pub(crate) async fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> io::Result<Option<Arc<Serving>>> {
    let Some(registry) = config.models.registry(&config.state) else {
        return Ok(None);
    };
    let parts = Parts {
        registry,
        name: config.models.forecaster.parse().map_err(io::Error::other)?,
        loader: Arc::new(config.models.loader()),
        built_in: config.engine.models.forecaster.clone(),
        limits: config.models.gate,
        clock: Arc::clone(clock),
    };
    let started = spawn_blocking(move || Arc::new(Serving::start(parts)));
    started.await.map(Some).map_err(io::Error::other)
}

/// From now on models that take over are handed to the engine.
pub(crate) fn attach(serving: &Serving, engine: Weak<Engine>) {
    serving.attach(Box::new(move |model| {
        let engine = engine.upgrade().ok_or("the server is stopping")?;
        match engine.adopt(model) {
            Err(AdoptError::NobodyTakesIt) => {
                tracing::warn!("no detector forecasts: engine.detectors.lstm is not enabled");
                Ok(())
            }
            other => Ok(other?),
        }
    }));
}

/// Starts the thread that learns, when the configuration asks for it.
pub(crate) fn learn(
    config: &Config,
    serving: &Arc<Serving>,
    clock: &Arc<dyn Clock>,
) -> io::Result<Option<(LearningThread, Arc<LearningStatus>)>> {
    let settings = &config.learning;
    if !settings.enabled {
        return Ok(None);
    }
    let status = Arc::<LearningStatus>::default();
    let learner = Learner::new(learning::Parts {
        config: settings.clone(),
        held_back: config.models.held_back(config.capture.dir.clone()),
        serving: Arc::clone(serving),
        trainer: Box::new(ByRecipe::new(&settings.recipe).map_err(io::Error::other)?),
        status: Arc::clone(&status),
    });
    let thread = LearningThread::start(
        learner,
        Arc::clone(clock),
        Duration::from_secs_f64(settings.check_interval_s),
        Duration::from_secs_f64(settings.max_training_s),
    )?;
    Ok(Some((thread, status)))
}

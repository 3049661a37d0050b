//! From the configuration to the model that serves, and to the thread that learns.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hotpath::Engine;
use predict::anomaly::AdoptError;
use predict::forecast::Model;
use series::Clock;
use store::models::Name;

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

/// Loads the model that is to forecast; `None` where nothing is kept on disk. Blocks.
pub(crate) fn open(
    config: &Config,
    built_in: Option<Arc<dyn Model>>,
    clock: &Arc<dyn Clock>,
) -> Option<Arc<Serving>> {
    let registry = config.models.registry(&config.state)?;
    // The configuration was checked.
    let name: Name = config.models.forecaster.parse().ok()?;
    Some(Arc::new(Serving::start(Parts {
        registry,
        name,
        loader: Arc::new(config.models.loader()),
        built_in,
        limits: config.models.gate,
        clock: Arc::clone(clock),
    })))
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

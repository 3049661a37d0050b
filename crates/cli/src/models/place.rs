//! Where models are, and how they are loaded.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use predict::forecast::Model;
use series::{Clock, Timestamp};
use server::models::Onnx;
use server::{Config, SystemClock};
use store::models::{Name, Registry};

use crate::hint::WithHint;

/// Which repository is meant.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The repository; without it, `models` in the state directory
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Configuration file, of which the sections `[models]`, `[state]` and `[capture]` count
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A repository with its settings.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) loader: Onnx,
}

impl Place {
    /// Reads the configuration; the repository itself is not touched.
    ///
    /// # Errors
    /// When the configuration cannot be used, or there is no place for a repository.
    pub(crate) fn open(&self) -> anyhow::Result<Opened> {
        let mut config = self
            .config
            .as_deref()
            .map(Config::load)
            .transpose()?
            .unwrap_or_default();
        if let Some(dir) = &self.models {
            config.models.dir.clone_from(dir);
        }
        config.models.prober = Some(std::env::current_exe().context("finding this program")?);
        let Some(registry) = config.models.registry(&config.state) else {
            let error = anyhow::anyhow!("there is no repository of models");
            return Err(error.hint("name one with --models DIR"));
        };
        let loader = config.models.loader();
        Ok(Opened {
            config,
            registry,
            loader,
        })
    }
}

impl Opened {
    /// The model that serves when nobody chose a version of `name`.
    ///
    /// # Errors
    /// When it cannot be loaded, which would be a mistake of ours.
    pub(crate) fn built_in(&self, name: &Name) -> anyhow::Result<Option<Arc<dyn Model>>> {
        if name.as_str() != self.config.models.forecaster {
            return Ok(None);
        }
        let model = onnx::default_step_model().context("loading the built-in model")?;
        Ok(Some(model))
    }

    /// When the champion of this model changes, who takes it up.
    pub(crate) fn afterwards(&self) -> String {
        format!(
            "a running server takes it up within {} s",
            self.config.models.check_interval_s
        )
    }
}

/// The time, for histories.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

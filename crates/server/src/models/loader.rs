//! From a bundle to something that runs, and proof that it computes what it did.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use onnx::{Golden, GoldenError};
use predict::forecast::Model;
use store::models::{Bundle, Kind};

/// Makes models of bundles. The engine's loader is [`super::Onnx`]; tests bring their own.
pub trait Loader: Send + Sync + Debug {
    /// A step model, under the version that it is to be known by.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    fn step(&self, bundle: &Bundle, version: &str) -> Result<Arc<dyn Model>, Cause>;

    /// Runs a graph of any other kind on its golden inputs.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    fn run(&self, bundle: &Bundle, golden: &Golden) -> Result<(), Cause>;
}

/// Why something did not work, as whoever did it puts it.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a version does not serve.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be loaded, or its graph does not run.
    #[error("loading {version}: {}", told(.cause.as_ref()))]
    Load {
        /// Name and version.
        version: String,
        /// What is wrong.
        cause: Cause,
    },
    /// Its golden file makes no sense.
    #[error("{version}: {source}")]
    Golden {
        /// Name and version.
        version: String,
        /// What is wrong.
        source: GoldenError,
    },
    /// It computes something else than when it was made.
    #[error("{version} does not compute what its golden file says: {source}")]
    Canary {
        /// Name and version.
        version: String,
        /// What is different.
        source: GoldenError,
    },
}

/// A whole version that was run.
#[derive(Debug)]
pub struct Verified {
    /// Name and version, `lstm/3`.
    pub version: String,
    /// The model, when it is one that forecasts.
    pub model: Option<Arc<dyn Model>>,
    /// Steps of its golden file that it computed as expected.
    pub n_steps: usize,
}

/// Loads a bundle and runs it on its golden inputs.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(loader: &dyn Loader, bundle: &Bundle) -> Result<Verified, VerifyError> {
    let version = format!("{}/{}", bundle.card.name, bundle.card.version);
    let golden = Golden::parse(&bundle.golden).map_err(|source| VerifyError::Golden {
        version: version.clone(),
        source,
    })?;
    let load = |cause| VerifyError::Load {
        version: version.clone(),
        cause,
    };
    let model = match bundle.card.kind {
        Kind::LstmStep => {
            let model = loader.step(bundle, &version).map_err(load)?;
            let verified = golden.verify_step(model.as_ref());
            verified.map_err(|source| VerifyError::Canary {
                version: version.clone(),
                source,
            })?;
            Some(model)
        }
        Kind::Forest | Kind::Calibrator | Kind::Onnx => {
            loader.run(bundle, &golden).map_err(load)?;
            None
        }
    };
    Ok(Verified {
        version,
        model,
        n_steps: golden.steps.len(),
    })
}

/// An error with its causes, on one line; what a cause repeats is said once.
#[must_use]
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

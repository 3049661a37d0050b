//! Which runtime this process uses, and why.
//!
//! One binary holds both: ONNX Runtime when its library is found, tract, in pure Rust, when it is not. The choice is one
//! for the process and for good, because `ort` keeps one table of functions; so it is made once, here.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::places::{default_places, library, version_of};

/// A runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// The native one.
    OnnxRuntime {
        /// The library that was loaded.
        path: PathBuf,
        /// Its version, or what it says of its build.
        version: String,
    },
    /// The one in pure Rust, part of this binary.
    Tract,
}

impl Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnnxRuntime { version, .. } => write!(f, "ONNX Runtime {version}"),
            Self::Tract => f.write_str("tract"),
        }
    }
}

/// What was chosen, and what was tried before.
#[derive(Debug)]
pub struct BackendChoice {
    /// The runtime of this process.
    pub backend: Backend,
    /// Places where no library could be loaded, with the reason, in the order in which they were tried.
    pub tried: Vec<(PathBuf, String)>,
    environment: Result<Environment, String>,
}

impl BackendChoice {
    /// What sessions are made in.
    ///
    /// # Errors
    /// Why the runtime could not start, which leaves this process without one: a library that loads but is broken.
    pub(crate) fn environment(&self) -> Result<&Environment, &str> {
        self.environment.as_ref().map_err(String::as_str)
    }

    /// Why the runtime does not work although it was found.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.environment.as_ref().err().map(String::as_str)
    }
}

/// The runtime of this process; the first call chooses, from these places and no others. No place: tract.
pub fn backend(places: &[PathBuf]) -> &'static BackendChoice {
    static CHOICE: OnceLock<BackendChoice> = OnceLock::new();
    CHOICE.get_or_init(|| choose(places))
}

/// The runtime of this process; if none is chosen yet, from [`default_places`].
pub fn chosen() -> &'static BackendChoice {
    backend(&default_places(None))
}

fn choose(places: &[PathBuf]) -> BackendChoice {
    let mut tried = Vec::new();
    let mut failed = false;
    for place in places {
        let loaded = library(place).and_then(|path| {
            if failed {
                // After one failure ort rc.14 takes a second load for done, and calls into nowhere.
                return Err("was not tried after the failure above".to_owned());
            }
            let loaded = ort::init_from(&path);
            failed = loaded.is_err();
            loaded.map_err(|error| plain(&error.to_string()))
        });
        match loaded {
            Ok(builder) => {
                let path = mapped().unwrap_or_else(|| place.clone());
                return BackendChoice {
                    environment: start(builder),
                    backend: Backend::OnnxRuntime {
                        version: version(&path),
                        path,
                    },
                    tried,
                };
            }
            Err(reason) => tried.push((place.clone(), reason)),
        }
    }
    ort::set_api(ort_tract::api());
    BackendChoice {
        backend: Backend::Tract,
        tried,
        environment: start(ort::init()),
    }
}

fn start(builder: ort::environment::EnvironmentBuilder) -> Result<Environment, String> {
    builder
        .with_name("forestall")
        .with_telemetry(false)
        .with_logger(std::sync::Arc::new(
            |level, category, _id, place, message| {
                match level {
                    LogLevel::Fatal | LogLevel::Error => {
                        // Whoever made the call gets the error too, and knows whether it is one.
                        tracing::debug!(category, place, "onnx: {message}");
                    }
                    LogLevel::Warning => tracing::debug!(category, place, "onnx: {message}"),
                    LogLevel::Info | LogLevel::Verbose => {}
                }
            },
        ))
        .build()
        .map_err(|error| error.to_string())
}

/// The message of the system's loader names the file again, which stands beside it already.
fn plain(message: &str) -> String {
    let message = message
        .strip_prefix("failed to load from `")
        .and_then(|rest| rest.split_once("`: "))
        .map_or(message, |(_, reason)| reason);
    message.to_owned()
}

/// The file that the system's loader took, by what is mapped into this process.
fn mapped() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        .filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])))
        .find(|path| version_of(path).is_some())
        .map(Path::to_owned)
}

fn version(path: &Path) -> String {
    match version_of(path) {
        Some(numbers) if !numbers.is_empty() => {
            let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
            numbers.join(".")
        }
        _ => "of a version that the file's name does not tell".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_do_not_repeat_the_place() {
        assert_eq!(
            plain("failed to load from `/a/b.so`: no such file"),
            "no such file"
        );
        assert_eq!(plain("odd"), "odd");
    }

    /// The first cannot be loaded; the second would be, by a runtime that forgot the first.
    #[test]
    fn one_failure_is_the_last_try() {
        let names = ["libonnxruntime.so.1.0.1", "libonnxruntime.so.1.0.2"];
        let choice = choose(&names.map(PathBuf::from));
        assert_eq!((choice.broken(), &choice.backend), (None, &Backend::Tract));
        let reasons: Vec<_> = choice.tried.iter().map(|(_, reason)| &**reason).collect();
        assert_eq!(reasons.len(), 2);
        assert_eq!(reasons[1], "was not tried after the failure above");
    }

    #[test]
    fn without_places_there_is_tract() {
        let choice = backend(&[]);
        assert_eq!(choice.broken(), None);
        assert_eq!((&choice.backend, choice.tried.len()), (&Backend::Tract, 0));
        // The choice stays.
        assert_eq!(backend(&["/nowhere".into()]).tried.len(), 0);
    }
}

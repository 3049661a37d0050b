//! The configuration: one file, one struct. Unknown keys are refused, and all errors are shown at once.

mod capture;
mod check;
mod engine_text;
mod limit;
mod models;
mod outlook;
mod planner;
mod read;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hotpath::EngineConfig;
use serde::{Deserialize, Serialize};

pub use capture::CaptureConfig;
pub use limit::LimitConfig;
pub use models::{LearningConfig, ModelsConfig};
pub use outlook::{ObjectivesConfig, OutlookConfig};
pub(crate) use planner::{BRAKE_FILE, is_file};
pub use planner::{DriftConfig, FindingsConfig, PersonConfig, PlannerConfig, WebhookConfig};

/// Everything that may be set. [`Config::default_toml`] documents each key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The gRPC server.
    pub server: ServerConfig,
    /// Samples on their way in.
    pub ingest: IngestConfig,
    /// This host's own metrics.
    pub host: HostConfig,
    /// What is kept on disk.
    pub state: StateConfig,
    /// What is kept for readers.
    pub watch: WatchConfig,
    /// What is foretold of resources.
    pub outlook: OutlookConfig,
    /// Issues and plans.
    pub planner: PlannerConfig,
    /// How bold the planner is, and within which bounds.
    pub safety: remedy::Settings,
    /// What is looked at beside metrics, and thresholds of your own.
    pub findings: FindingsConfig,
    /// Which things there are, and what depends on what.
    pub topology: remedy::topology::Declared,
    /// What is written down for learning.
    pub capture: CaptureConfig,
    /// Models kept like code.
    pub models: ModelsConfig,
    /// Models learned from what is captured.
    pub learning: LearningConfig,
    /// Models as a service.
    pub inference: InferenceConfig,
    /// The engine.
    pub engine: EngineConfig,
}

/// The section `[server]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where the services listen.
    pub listen: SocketAddr,
    /// Certificate chain; empty for none.
    pub tls_cert: PathBuf,
    /// Private key; empty for none.
    pub tls_key: PathBuf,
    /// File with the token; empty for none.
    pub token_file: PathBuf,
    /// Whether others may reach it without TLS and token.
    pub allow_insecure_remote: bool,
    /// Largest request, in bytes.
    pub max_message_bytes: usize,
    /// Most streams at once.
    pub max_streams: usize,
    /// Most ScoreSeries streams that compute at once.
    pub max_scoring_streams: usize,
    /// How long streams may go on after a request to stop, in seconds.
    pub shutdown_grace_s: f64,
    /// Whether `GET /metrics` is answered.
    pub metrics: bool,
}

/// The section `[ingest]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Threads that score; 0 is one for each core.
    pub shards: usize,
    /// Samples that may wait for a shard.
    pub queue_samples: usize,
    /// Requests of one stream that may wait for their answer.
    pub in_flight_per_stream: usize,
    /// Largest `series_ref`.
    pub max_series_refs: u32,
    /// How far ahead of the clock a sample may be, in seconds.
    pub max_ahead_s: f64,
}

/// The section `[host]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostConfig {
    /// Whether this host is watched.
    pub enabled: bool,
    /// Seconds between two readings.
    pub interval_s: f64,
    /// How many processes are watched, by each measure.
    pub top_processes: usize,
}

/// The section `[state]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// Whether anything is kept on disk.
    pub enabled: bool,
    /// Where; empty for the usual place.
    pub dir: PathBuf,
    /// Seconds between two snapshots.
    pub snapshot_interval_s: f64,
}

/// The section `[watch]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchConfig {
    /// Most readers of WatchRisks, and of WatchOutlooks.
    pub max_watchers: usize,
    /// Risks, or outlooks, that wait for one reader.
    pub queue_risks: usize,
    /// Recent points kept of each series.
    pub history_points: usize,
    /// Series that get a history.
    pub history_series: usize,
    /// Events remembered after they closed.
    pub closed_events: usize,
}

/// The section `[inference]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceConfig {
    /// Whether models are served.
    pub enabled: bool,
    /// Threads that run models; 0 is half of the cores.
    pub threads: usize,
    /// Most rows of several requests that go through a model together.
    pub max_batch: usize,
    /// How long a request may wait for others to join it, in microseconds.
    pub max_delay_us: u64,
    /// Requests that may wait for one model.
    pub queue: usize,
    /// Bytes of tensors that may wait for one model.
    pub queue_bytes: usize,
    /// Bytes of the tensors of one request, and of one answer.
    pub max_tensor_bytes: usize,
    /// Versions of models that may be loaded at once.
    pub max_models: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            token_file: PathBuf::new(),
            allow_insecure_remote: false,
            max_message_bytes: 8 << 20,
            max_streams: 256,
            max_scoring_streams: 2,
            shutdown_grace_s: 5.0,
            metrics: true,
        }
    }
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            shards: 0,
            queue_samples: 1 << 18,
            in_flight_per_stream: 16,
            max_series_refs: 1 << 20,
            max_ahead_s: 300.0,
        }
    }
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_s: 1.0,
            top_processes: 10,
        }
    }
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: PathBuf::new(),
            snapshot_interval_s: 60.0,
        }
    }
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            max_watchers: 64,
            queue_risks: 1 << 14,
            history_points: 120,
            history_series: 1 << 16,
            closed_events: 4096,
        }
    }
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            threads: 0,
            max_batch: 128,
            max_delay_us: 0,
            queue: 1024,
            queue_bytes: 64 << 20,
            max_tensor_bytes: 4 << 20,
            max_models: 32,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key with its sections, `server.listen`; empty when it is the file as a whole.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// All that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it was read.
    pub origin: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used:", self.origin)?;
        for Problem { key, message } in &self.problems {
            let colon = if key.is_empty() { "" } else { ": " };
            write!(f, "\n  {key}{colon}{message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The documented default configuration, as `forestall config print` shows it.
    #[must_use]
    pub fn default_toml() -> String {
        let mut text = include_str!("default.toml").to_owned();
        text.push_str(&engine_text::default_toml());
        text
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong: an unreadable file, bad TOML, unknown keys, wrong types, values out of
    /// range.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_and(path, |_| Vec::new())
    }

    /// Reads a file, and looks at what could be read of it once more.
    ///
    /// # Errors
    /// As [`Config::load`], and with all that `look` finds.
    pub(crate) fn load_and(
        path: &Path,
        look: impl Fn(&Self) -> Vec<Problem>,
    ) -> Result<Self, ConfigError> {
        let origin = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => {
                read::parse(&text, look).map_err(|problems| ConfigError { origin, problems })
            }
            Err(error) => Err(ConfigError {
                origin,
                problems: vec![Problem {
                    key: String::new(),
                    message: error.to_string(),
                }],
            }),
        }
    }

    /// Reads TOML text; `origin` says in errors where it came from.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        read::parse(text, |_| Vec::new()).map_err(|problems| ConfigError {
            origin: origin.to_owned(),
            problems,
        })
    }

    /// All values that are out of range, for a configuration that was not read from a file.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        check::ranges(self)
    }
}

impl StateConfig {
    /// Where state is kept: `dir`, or the place that the XDG base directory specification gives to it. `None` when
    /// there is neither a `dir` nor a home.
    #[must_use]
    pub fn resolved_dir(&self) -> Option<PathBuf> {
        if !self.dir.as_os_str().is_empty() {
            return Some(self.dir.clone());
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let var = |name| {
            std::env::var(name)
                .ok()
                .filter(|value| Path::new(value).is_absolute())
                .map(PathBuf::from)
        };
        let base =
            var("XDG_STATE_HOME").or_else(|| var("HOME").map(|home| home.join(".local/state")));
        base.map(|base| base.join("forestall"))
    }
}

#[cfg(test)]
mod tests;

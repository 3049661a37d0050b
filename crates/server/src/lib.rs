//! `Config` to running engine, and the gRPC services. A crate because it fences tokio and tonic, and because two users
//! share it: the command line that serves, and the tests that start the real server on a free port.

mod assembly;
mod auth;
mod board;
pub mod capture;
mod config;
mod culprits;
mod grpc;
mod host_thread;
mod inference;
mod intake;
mod keeper;
mod learning;
mod lookout;
mod metrics;
pub mod models;
mod page;
pub mod planning;
mod selector;
mod sinks;
mod system_clock;
mod thread_number;

pub use assembly::{Hangup, Running, Signals, StartError, check, start};
pub use auth::TokenError;
pub use config::{
    CaptureConfig, Config, ConfigError, DriftConfig, FindingsConfig, HostConfig, InferenceConfig,
    IngestConfig, LearningConfig, LimitConfig, ModelsConfig, ObjectivesConfig, OutlookConfig,
    PersonConfig, PlannerConfig, Problem, ServerConfig, StateConfig, WatchConfig, WebhookConfig,
};
pub use grpc::outlook_message;
pub use learning::CapturedSource;
pub use system_clock::SystemClock;

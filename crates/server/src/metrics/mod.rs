//! What operators watch: counters of the engine, of the lookout, of the planner, of capture and learning, and of the models that are served, as a page for Prometheus.

mod capture;
mod engine;
mod histogram;
mod http;
mod learning;
mod model;
mod outlook;
mod planner;
mod text;

pub(crate) use histogram::nanos;
pub(crate) use http::routes;
pub(crate) use model::{Failed, ModelMetrics, ModelRow};

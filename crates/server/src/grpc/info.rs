//! `ServerService`: about the running server itself.

use std::sync::Arc;

use proto::v1;
use proto::v1::server_service_server::ServerService;
use series::REFUSALS;
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};

use super::{State, to_proto};

pub(super) struct Info(pub(super) Arc<State>);

#[tonic::async_trait]
impl ServerService for Info {
    async fn get_server_info(
        &self,
        _: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::GetServerInfoResponse>, Status> {
        let state = &self.0;
        let now = state.intake.now();
        let config =
            toml::to_string(&state.config.engine).map_err(|e| Status::internal(e.to_string()))?;
        Ok(Response::new(v1::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: state.started.elapsed().as_secs_f64(),
            counters: Some(counters(state)),
            detectors: state
                .names
                .detectors()
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            feature_schema_hash: format!("{:016x}", features::schema_hash()),
            config_digest: Sha256::digest(config)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            snapshot: Some(snapshot(state, now)),
            host: Some(host(state)),
            time_us: now.micros(),
        }))
    }
}

fn counters(state: &State) -> v1::EngineCounters {
    let counters = state.engine.counters();
    let refused = REFUSALS.iter().zip(counters.refused);
    v1::EngineCounters {
        series_count: counters.series,
        max_series_count: state.config.engine.max_series as u64,
        taken_count: counters.taken,
        refused: refused
            .map(|(&why, count)| v1::RefusalCount {
                reason: to_proto::refusal(why).into(),
                count,
            })
            .collect(),
        events_opened_count: counters.events_opened,
        open_events_count: state.board.events.n_open() as u64,
        queue_length: counters.queue_len as u64,
        watchers_count: state.board.n_watchers() as u64,
        watch_dropped_count: state.board.n_dropped(),
        shard_panics_count: counters.shard_panics,
    }
}

fn snapshot(state: &State, now: series::Timestamp) -> v1::SnapshotInfo {
    let Some(status) = &state.snapshots else {
        return v1::SnapshotInfo::default();
    };
    let status = status.lock();
    v1::SnapshotInfo {
        enabled: true,
        age_s: status.written.map(|written| now.seconds_since(written)),
        size_bytes: status.bytes,
        restored_series_count: status.restored_series as u64,
        last_error: status.last_error.clone(),
    }
}

fn host(state: &State) -> v1::HostInfo {
    let Some(missing) = &state.host_missing else {
        return v1::HostInfo::default();
    };
    let missing = missing.lock();
    let missing = missing.iter();
    v1::HostInfo {
        enabled: true,
        missing: missing
            .map(|missing| v1::MissingReading {
                name: missing.group.to_owned(),
                reason: missing.reason.clone(),
            })
            .collect(),
    }
}

//! What is counted of the engine and of the server around it.

use series::{REFUSALS, Timestamp};

use super::text::{Kind, Text};
use crate::grpc::State;

/// The families of the engine.
pub(super) fn write(text: &mut Text, state: &State, now: Timestamp) {
    let counters = state.engine.counters();
    let name = "forestall_build_info";
    text.family(name, Kind::Gauge, "Always 1; the labels tell the version.");
    text.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    text.single(
        "forestall_uptime_seconds",
        Kind::Gauge,
        "Since the server started.",
        state.started.elapsed().as_secs_f64(),
    );
    text.single(
        "forestall_samples_taken_total",
        Kind::Counter,
        "Samples that were scored.",
        counters.taken as f64,
    );
    let name = "forestall_samples_refused_total";
    text.family(
        name,
        Kind::Counter,
        "Samples that were not taken, by reason.",
    );
    for (why, count) in REFUSALS.iter().zip(counters.refused) {
        text.sample(name, &[("reason", why.name())], count as f64);
    }
    text.single(
        "forestall_events_opened_total",
        Kind::Counter,
        "Anomalous events that opened.",
        counters.events_opened as f64,
    );
    for (name, help, value) in [
        (
            "forestall_events_open",
            "Anomalous events that go on.",
            state.board.events.n_open() as f64,
        ),
        (
            "forestall_series",
            "Series that are watched.",
            counters.series as f64,
        ),
        (
            "forestall_series_limit",
            "Series that may be watched.",
            state.config.engine.max_series as f64,
        ),
        (
            "forestall_queue_batches",
            "Parts of batches of samples that wait for a shard.",
            counters.queue_len as f64,
        ),
        (
            "forestall_watchers",
            "Readers of WatchRisks.",
            state.board.n_watchers() as f64,
        ),
    ] {
        text.single(name, Kind::Gauge, help, value);
    }
    text.single(
        "forestall_watch_dropped_total",
        Kind::Counter,
        "Risks that slow readers of WatchRisks did not get.",
        state.board.n_dropped() as f64,
    );
    text.single(
        "forestall_shard_panics_total",
        Kind::Counter,
        "Panics caught on shards; above 0 is a bug to report.",
        counters.shard_panics as f64,
    );
    snapshot(text, state, now);
}

/// Nothing where there are no snapshots, and no age before the first one.
fn snapshot(text: &mut Text, state: &State, now: Timestamp) {
    let Some(status) = &state.snapshots else {
        return;
    };
    let status = status.lock();
    if let Some(written) = status.written {
        text.single(
            "forestall_snapshot_age_seconds",
            Kind::Gauge,
            "Since the newest snapshot was written.",
            now.seconds_since(written),
        );
    }
    text.single(
        "forestall_snapshot_bytes",
        Kind::Gauge,
        "Size of the newest snapshot.",
        status.bytes as f64,
    );
    text.single(
        "forestall_snapshot_failing",
        Kind::Gauge,
        "1 while the last attempt to write a snapshot failed.",
        f64::from(u8::from(!status.last_error.is_empty())),
    );
}

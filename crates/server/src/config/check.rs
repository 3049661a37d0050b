//! Finds all values of a configuration that can be read and make no sense.

use std::collections::BTreeMap;

use hotpath::Shard;
use remedy::topology::Topology;

use super::{Config, Problem};

pub(super) fn problem(key: &str, message: impl Into<String>) -> Problem {
    Problem {
        key: key.to_owned(),
        message: message.into(),
    }
}

/// All values that parse and make no sense.
pub(super) fn ranges(config: &Config) -> Vec<Problem> {
    let Config {
        server,
        ingest,
        host,
        state,
        watch,
        outlook,
        planner,
        safety,
        findings,
        topology,
        capture,
        models,
        learning,
        inference,
        engine,
    } = config;
    let mut problems = Vec::new();
    let mut between = |key: &str, value: f64, low: f64, high: f64| {
        if !(low..=high).contains(&value) {
            problems.push(problem(
                key,
                format!("{value} is not between {low} and {high}"),
            ));
        }
    };
    between(
        "server.max_message_bytes",
        server.max_message_bytes as f64,
        65_536.0,
        1_073_741_824.0,
    );
    between(
        "server.max_streams",
        server.max_streams as f64,
        1.0,
        100_000.0,
    );
    between(
        "server.max_scoring_streams",
        server.max_scoring_streams as f64,
        1.0,
        1024.0,
    );
    between(
        "server.shutdown_grace_s",
        server.shutdown_grace_s,
        0.0,
        3600.0,
    );
    between("ingest.shards", ingest.shards as f64, 0.0, 256.0);
    between(
        "ingest.queue_samples",
        ingest.queue_samples as f64,
        1024.0,
        67_108_864.0,
    );
    between(
        "ingest.in_flight_per_stream",
        ingest.in_flight_per_stream as f64,
        1.0,
        1024.0,
    );
    between(
        "ingest.max_series_refs",
        f64::from(ingest.max_series_refs),
        1.0,
        16_777_216.0,
    );
    between("ingest.max_ahead_s", ingest.max_ahead_s, 0.0, 1e9);
    between("host.interval_s", host.interval_s, 0.1, 3600.0);
    between("host.top_processes", host.top_processes as f64, 0.0, 1000.0);
    between(
        "state.snapshot_interval_s",
        state.snapshot_interval_s,
        1.0,
        86_400.0,
    );
    between(
        "watch.max_watchers",
        watch.max_watchers as f64,
        0.0,
        10_000.0,
    );
    between(
        "watch.queue_risks",
        watch.queue_risks as f64,
        16.0,
        1_048_576.0,
    );
    between(
        "watch.history_points",
        watch.history_points as f64,
        0.0,
        100_000.0,
    );
    between(
        "watch.history_series",
        watch.history_series as f64,
        0.0,
        1e8,
    );
    between("watch.closed_events", watch.closed_events as f64, 0.0, 1e6);
    for (key, value, low, high) in [
        ("inference.threads", inference.threads, 0.0, 256.0),
        ("inference.max_batch", inference.max_batch, 1.0, 65_536.0),
        ("inference.queue", inference.queue, 1.0, 1_048_576.0),
        (
            "inference.queue_bytes",
            inference.queue_bytes,
            65_536.0,
            1e11,
        ),
        (
            "inference.max_tensor_bytes",
            inference.max_tensor_bytes,
            4096.0,
            1_073_741_824.0,
        ),
        ("inference.max_models", inference.max_models, 1.0, 10_000.0),
    ] {
        between(key, value as f64, low, high);
    }
    between(
        "inference.max_delay_us",
        inference.max_delay_us as f64,
        0.0,
        1e6,
    );
    let ensemble = &engine.ensemble;
    between(
        "engine.ensemble.event_threshold",
        f64::from(ensemble.event_threshold),
        0.0,
        1.0,
    );
    between(
        "engine.ensemble.refractory_margin",
        f64::from(ensemble.refractory_margin),
        0.0,
        1000.0,
    );
    between("engine.max_series", engine.max_series as f64, 1.0, 4e9);

    let has_tls = !server.tls_cert.as_os_str().is_empty();
    let has_token = !server.token_file.as_os_str().is_empty();
    if has_tls && server.tls_key.as_os_str().is_empty() {
        problems.push(problem(
            "server.tls_key",
            "missing, while server.tls_cert is set",
        ));
    }
    if !has_tls && !server.tls_key.as_os_str().is_empty() {
        problems.push(problem(
            "server.tls_cert",
            "missing, while server.tls_key is set",
        ));
    }
    let is_safe = server.listen.ip().is_loopback() || (has_tls && has_token);
    if !is_safe && !server.allow_insecure_remote {
        problems.push(problem(
            "server.listen",
            format!(
                "others can reach {}: set server.tls_cert, server.tls_key and server.token_file, or \
                 server.allow_insecure_remote = true",
                server.listen
            ),
        ));
    }
    if state.enabled && state.resolved_dir().is_none() {
        problems.push(problem(
            "state.dir",
            "there is no home directory to keep state in: name a directory",
        ));
    }
    problems.extend(
        outlook
            .problems()
            .map(|(key, message)| problem(&key, message)),
    );
    let said = planner.problems().into_iter().chain(findings.problems());
    problems.extend(said.map(|(key, message)| problem(&key, message)));
    let said = safety.problems().into_iter();
    problems.extend(said.map(|said| problem(&format!("safety.{}", said.key), said.message)));
    if let Err(error) = Topology::from_declared(topology) {
        let said = error.0.iter();
        problems.extend(said.map(|said| problem(&said.place, said.mistake.to_string())));
    }
    problems.extend(
        capture
            .problems()
            .map(|(key, message)| problem(key, message)),
    );
    let learning = learning.problems(
        !capture.dir.as_os_str().is_empty(),
        models.resolved_dir(state).is_some(),
    );
    let of_models = models.problems().into_iter().chain(learning);
    problems.extend(of_models.map(|(key, message)| problem(key, message)));
    problems.extend(detectors(config));
    problems
}

/// Each detector's options are tried alone, for the same reason as each key is.
fn detectors(config: &Config) -> Vec<Problem> {
    let mut engine = config.engine.clone();
    let all = std::mem::take(&mut engine.detectors);
    let mut problems = Vec::new();
    if let Err(error) = Shard::new(&engine) {
        problems.push(problem("engine", error.to_string()));
        return problems;
    }
    for (name, options) in &all {
        engine.detectors = BTreeMap::from([(name.clone(), options.clone())]);
        if let Err(error) = Shard::new(&engine) {
            problems.push(problem(
                &format!("engine.detectors.{name}"),
                error.to_string(),
            ));
        }
    }
    if problems.is_empty() {
        engine.detectors = all;
        if let Err(error) = Shard::new(&engine) {
            problems.push(problem("engine.detectors", error.to_string()));
        }
    }
    problems
}

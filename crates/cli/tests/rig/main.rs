//! `forestall rig`: each kind makes a real fault, records what happened, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod endings;
#[expect(dead_code, reason = "recordings are made here by the rig itself")]
#[path = "../run/mod.rs"]
mod run;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use run::forestall;
use serde_json::Value;

/// Whether this process may mount (the bit of CAP_SYS_ADMIN). Where it may not, a user is told and nothing is tested.
fn may_mount() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = u64::from_str_radix(bits.unwrap().trim(), 16).unwrap();
    told(bits & (1 << 21) != 0, "mounting needs root")
}

/// Whether this process may make control groups.
fn may_make_groups() -> bool {
    let name = format!("forestall-rig-probe-{}", std::process::id());
    let may = ["memory", ""].iter().any(|tree| {
        let folder = Path::new("/sys/fs/cgroup").join(tree).join(&name);
        fs::create_dir(&folder)
            .and_then(|()| fs::remove_dir(&folder))
            .is_ok()
    });
    told(
        may,
        "control groups need root, and a machine that lends them",
    )
}

fn told(may: bool, why_not: &str) -> bool {
    if !may {
        eprintln!("skipped: {why_not}");
    }
    may
}

/// Runs one fault to its end; its truth, and the metrics that were recorded.
fn record(args: &[&str]) -> (Value, BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let seed = if args.contains(&"--seed") {
        &[][..]
    } else {
        &["--seed", "5"]
    };
    let run = forestall(&[&["rig"], args, seed, &["--out", out]].concat()).succeeds();
    assert!(run.out.contains("written"), "{}", run.out);
    let (mut truth, mut rows) = (None, None);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            truth = Some(serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
        } else {
            rows = Some(path);
        }
    }
    let truth = truth.unwrap();
    // What everybody reads recordings with reads these too.
    let replay = sources::replay::Replay::open(rows.unwrap(), sources::replay::Options::default());
    let mut replay = replay.unwrap();
    let (mut batch, mut n) = (Vec::new(), 0);
    while replay.next_batch(&mut batch).unwrap() {
        n += batch.len();
    }
    n += batch.len();
    assert_eq!(truth["rows"].as_u64(), u64::try_from(n).ok());
    let metrics = replay.keys().iter().map(|key| key.metric().to_owned());
    (truth, metrics.collect())
}

/// That it ran out, within its recording and after its onset, and what shows it.
fn ran_out(truth: &Value, evidence: &str) {
    let at = |key: &str| truth[key].as_f64().unwrap_or(f64::NAN);
    assert_eq!(truth["exhausted"], true, "{truth}");
    assert_eq!(truth["censored"], false, "{truth}");
    assert!(
        truth["evidence"].as_str().unwrap().contains(evidence),
        "{truth}"
    );
    assert!(at("start_ts") < at("onset_ts"), "{truth}");
    assert!(at("onset_ts") < at("exhaustion_ts"), "{truth}");
    assert!(at("exhaustion_ts") <= at("end_ts"), "{truth}");
}

fn has(metrics: &BTreeSet<String>, wanted: &[&str]) {
    for name in wanted {
        assert!(metrics.contains(*name), "{name} in {metrics:?}");
    }
}

#[test]
fn memory_ends_with_a_kill_by_the_kernel() {
    if !may_make_groups() {
        return;
    }
    let (truth, metrics) = record(&[
        "memory", "--limit", "24MiB", "--for", "6s", "--scrape", "250ms",
    ]);
    ran_out(&truth, "oom_kill=1), process ended by signal 9");
    assert_eq!(truth["capacity"]["limit"], 25_165_824);
    has(
        &metrics,
        &[
            "container_memory_working_set_bytes",
            "container_spec_memory_limit_bytes",
            "container_oom_events_total",
            "process_up",
        ],
    );
}

#[test]
fn memory_that_comes_and_goes_is_recorded_to_its_end() {
    // What is freed must go back to the system: else every tooth stands on the one before.
    let (truth, _) = record(&[
        "memory", "--shape", "saw", "--limit", "16MiB", "--for", "6s", "--seed", "9",
    ]);
    assert_eq!(
        (&truth["exhausted"], &truth["intended_event"]),
        (&Value::Bool(false), &Value::Bool(false))
    );
    let length_s = truth["end_ts"].as_f64().unwrap() - truth["start_ts"].as_f64().unwrap();
    assert!((4.9..8.0).contains(&length_s), "{truth}");
}

#[test]
fn a_small_file_system_fills() {
    if !may_mount() {
        return;
    }
    let (truth, metrics) = record(&["disk", "--limit", "16MiB", "--for", "6s"]);
    ran_out(&truth, "ENOSPC");
    has(
        &metrics,
        &[
            "node_filesystem_avail_bytes",
            "node_filesystem_size_bytes",
            "app_log_bytes_total",
        ],
    );
    let (truth, _) = record(&[
        "disk",
        "--mechanism",
        "inodes",
        "--limit",
        "512",
        "--for",
        "5s",
    ]);
    ran_out(&truth, "ENOSPC");
    assert_eq!(truth["variant"], "inode:linear");
    assert_eq!(truth["capacity"]["limit"], "node_filesystem_files");
}

#[test]
fn descriptors_end_with_emfile() {
    let (truth, metrics) = record(&["descriptors", "--limit", "256", "--for", "6s"]);
    ran_out(&truth, "EMFILE");
    assert_eq!(truth["kind"], "fd");
    has(
        &metrics,
        &["process_open_fds", "process_max_fds", "app_requests_total"],
    );
}

#[test]
fn connections_end_with_a_refusal() {
    let (truth, metrics) = record(&["connections", "--limit", "16", "--for", "6s"]);
    ran_out(&truth, "53300");
    assert_eq!(truth["capacity"]["limit"], 13);
    has(
        &metrics,
        &[
            "pg_stat_activity_count",
            "pg_settings_max_connections",
            "app_db_connect_errors_total",
            "pg_up",
        ],
    );
}

#[test]
fn a_busy_service_breaks_its_objective() {
    let (truth, metrics) = record(&["cpu", "--shape", "accelerating", "--for", "16s"]);
    ran_out(&truth, "p95 latency");
    has(
        &metrics,
        &[
            "http_request_duration_seconds_bucket",
            "http_requests_offered_total",
            "process_cpu_seconds_total",
        ],
    );
}

#[test]
fn a_dependency_that_loses_its_workers_fails_its_callers() {
    let (truth, metrics) = record(&["dependency", "--mechanism", "workers", "--for", "20s"]);
    ran_out(&truth, "failed");
    assert_eq!(truth["variant"], "pool_leak:linear");
    has(
        &metrics,
        &[
            "upstream_requests_total",
            "upstream_workers_busy",
            "upstream_workers_max",
            "up",
        ],
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let cases = [
        (
            "rig memory --limit 9GiB",
            1,
            "a limit of 9 GiB for memory is out of bounds: between 16 MiB and 2 GiB",
        ),
        ("rig memory --limit lots", 1, "\"lots\" is no size"),
        (
            "rig cpu --mechanism errors",
            1,
            "cpu does not run out by errors",
        ),
        (
            "rig memory --for 99h",
            1,
            "out of bounds: between 4 s and 7200 s",
        ),
        ("rig memory --for soon", 2, "\"soon\" is no duration"),
        ("rig memory --shape round", 2, "accelerating"),
        ("rig --plan nowhere.toml --out x", 1, "nowhere.toml"),
        (
            "rig descriptors --for 4s --into 127.0.0.1:1",
            1,
            "cannot reach the server",
        ),
        ("rig", 2, "required"),
        ("rig memory --time-scale 20", 2, "--out <DIR>"),
        ("__rig-driver", 1, "started by `forestall rig`"),
    ];
    for (command, code, said) in cases {
        let words: Vec<&str> = command.split(' ').collect();
        let run = forestall(&words).fails(code);
        assert!(run.err.contains(said), "{command}: {said} in {}", run.err);
    }
}

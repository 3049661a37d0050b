//! Which crate may import which: the picture in ARCHITECTURE.md, held against what the manifests say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// From the floor up: a crate, and those of ours that it may import. Crates of one row never import each other.
const ALLOWED: &[(&str, &[&str])] = &[
    // The floor.
    ("series", &[]),
    ("catalog", &[]),
    ("graph", &[]),
    // Row 0.
    ("features", &["series"]),
    // Row 1.
    ("predict", &["series", "catalog", "features"]),
    // Row 2.
    ("hotpath", &["series", "catalog", "features", "predict"]),
    ("remedy", &["series", "predict"]),
    // Row 3: one outside thing each.
    ("sources", &["series"]),
    ("store", &["series", "features"]),
    ("dayahead", &["series", "predict"]),
    ("eval", &["series"]),
    ("onnx", &["features", "predict", "graph"]),
    ("dataset", &["series", "features"]),
    ("training", &["series", "features", "predict", "graph"]),
    ("proto", &[]),
    ("rig", &[]),
    ("ledger", &["series", "remedy"]),
    ("executor", &["series", "remedy"]),
    ("posture", &["series"]),
    // Row 4.
    (
        "server",
        &[
            "series", "catalog", "features", "predict", "hotpath", "sources", "store", "proto",
            "onnx", "training", "dayahead", "remedy", "ledger", "executor", "posture",
        ],
    ),
    // Row 5: the command line.
    (
        "forestall",
        &[
            "series", "catalog", "features", "predict", "hotpath", "sources", "store", "eval",
            "proto", "server", "onnx", "training", "dataset", "rig", "remedy", "ledger",
        ],
    ),
    // Beside. Nothing imports these, but for tests; benchmarks draw their series and count allocations as tests do.
    ("testkit", &["series"]),
    (
        "benches",
        &[
            "series", "catalog", "features", "predict", "hotpath", "sources", "store", "eval",
            "proto", "server", "testkit", "onnx", "training", "graph",
        ],
    ),
    (
        "e2e",
        &[
            "series", "catalog", "features", "predict", "hotpath", "sources", "store", "eval",
            "proto", "server", "onnx", "graph", "remedy", "ledger",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that promise no async, no network and no storage, and what would break that.
const PURE: [&str; 7] = [
    "series", "catalog", "features", "predict", "hotpath", "dayahead", "remedy",
];
const NEVER_IN_PURE: [&str; 12] = [
    "tokio",
    "tokio-stream",
    "tonic",
    "tonic-prost",
    "prost",
    "ort",
    "polars",
    "sqlx",
    "axum",
    "hyper",
    "parquet",
    "procfs",
];

/// By crate: what it imports in a plain build; tests and build scripts may use more.
fn imports() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            // "kind" is null, "dev" or "build".
            let plain = dependencies.filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                plain.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

/// What is wrong with these imports.
fn broken(imports: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut broken = Vec::new();
    for (from, list) in imports {
        let Some(may) = allowed.get(from.as_str()) else {
            broken.push(format!("{from} has no row in the table of allowed arrows"));
            continue;
        };
        for to in list {
            let ours = imports.contains_key(to);
            if ours && !may.contains(&to.as_str()) {
                broken.push(format!("{from} -> {to} is not an allowed arrow"));
            }
            if PURE.contains(&from.as_str()) && NEVER_IN_PURE.contains(&to.as_str()) {
                broken.push(format!("{from} -> {to} breaks the promise of {from}"));
            }
        }
    }
    broken
}

#[test]
fn every_arrow_is_allowed() {
    assert_eq!(broken(&imports()), Vec::<String>::new());
}

#[test]
fn the_table_names_no_crate_that_is_gone() {
    let imports = imports();
    let gone: Vec<_> = ALLOWED
        .iter()
        .filter(|(name, _)| !imports.contains_key(*name))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn arrows_point_down_the_table() {
    for (row, (from, may)) in ALLOWED.iter().enumerate() {
        for to in *may {
            let below = ALLOWED.iter().position(|(name, _)| name == to);
            assert!(below.is_some_and(|below| below < row), "{from} -> {to}");
        }
    }
}

#[test]
fn a_broken_arrow_is_named() {
    let imports = [
        ("predict", vec!["hotpath", "tokio"]),
        ("hotpath", vec!["predict", "serde"]),
        ("new", vec![]),
    ];
    let owned =
        imports.map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect()));
    let expected = [
        "new has no row in the table of allowed arrows",
        "predict -> hotpath is not an allowed arrow",
        "predict -> tokio breaks the promise of predict",
    ];
    assert_eq!(broken(&owned.into()), expected);
}

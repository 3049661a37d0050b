//! The NAB score must reproduce what published detectors are known to get, on the benchmark's own data.
//!
//! The data is not in the repository. It is looked for in the folder that `FORESTALL_DATA` names, else in
//! `../shared/data` beside the repository; without such a folder these tests say so and pass. A folder that is there but
//! incomplete fails.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use eval::{datasets, nab, vus};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    score: f64,
    threshold: Option<f32>,
}

/// The data folder, or `None` after telling the reader what was not checked.
fn data() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test that needs outside data is told where it is")]
    let named = std::env::var("FORESTALL_DATA").ok().map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = named.unwrap_or(beside);
    if dir.is_dir() {
        return Some(dir);
    }
    println!(
        "skipped, nothing was checked: no data at {}; set FORESTALL_DATA to a folder that holds nab/, \
         cloud-monitoring/ and smap-msl/",
        dir.display()
    );
    None
}

#[test]
fn nab_scores_of_published_detectors() {
    let Some(dir) = data().map(|d| d.join("nab")) else { return };
    let corpus = datasets::nab(&dir).expect("the corpus is complete");
    let text = std::fs::read(dir.join("expected.json")).expect("expected.json is there");
    let expected: BTreeMap<String, BTreeMap<String, Expected>> =
        serde_json::from_slice(&text).expect("detector -> profile -> score");
    assert!(expected.len() > 1);
    for (detector, profiles) in &expected {
        let scores = if detector == "null" {
            corpus.iter().map(|s| vec![0.0; s.times.len()]).collect()
        } else {
            datasets::published(&dir.join("published").join(detector), &corpus).expect("a file for each series")
        };
        let scored: Vec<nab::Scored<'_>> = corpus
            .iter()
            .zip(&scores)
            .map(|(s, scores)| nab::Scored { scores, windows: &s.windows, probation: s.probation })
            .collect();
        for profile in nab::PROFILES {
            let want = &profiles[profile.name];
            let found = nab::best(&scored, profile);
            assert!(
                (found.score - want.score).abs() < 0.01,
                "{detector} {}: {found:?}, published {}",
                profile.name,
                want.score
            );
            if let Some(threshold) = want.threshold {
                let there = nab::score_at(&scored, profile, threshold);
                assert!((there - want.score).abs() < 0.01, "{detector} {} at {threshold}: {there}", profile.name);
            }
        }
    }
}

#[test]
fn labelled_corpora_are_read_whole() {
    let Some(dir) = data() else { return };
    let cloud = datasets::cloud_monitoring(&dir.join("cloud-monitoring")).expect("complete");
    let telemetry = datasets::smap_msl(&dir.join("smap-msl")).expect("complete");
    for series in cloud.iter().chain(&telemetry) {
        assert_eq!(series.times.len(), series.labels.len(), "{}", series.name);
        assert!(series.columns.iter().all(|c| c.len() == series.times.len()), "{}", series.name);
        assert!(series.times.is_sorted() && series.probation < series.times.len(), "{}", series.name);
        assert!((3..=303).contains(&vus::period(series.values())), "{}", series.name);
    }
    // Every telemetry channel is there because it has an anomaly.
    assert!(telemetry.iter().all(|s| !s.windows.is_empty()));
}

//! `forestall eval exhaustion` as a person meets it.

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::fs;
use std::path::Path;

use run::forestall;

/// Two episodes of 100 s at 20 times the speed: memory that leaks into its limit at 95 s, and memory that does not.
fn two_episodes(dir: &Path) {
    for (id, exhausted) in [("leaks", true), ("rests", false)] {
        let at = if exhausted { "1095.0" } else { "null" };
        let truth = format!(
            r#"{{"id":"{id}","kind":"memory","time_scale":20,"start_ts":1000,"end_ts":1100,"exhausted":{exhausted},
                "exhaustion_ts":{at},"onset_ts":null,"driver_stop_ts":null,"rows":500}}"#
        );
        fs::write(dir.join(format!("{id}.truth.json")), truth).expect("written");
        let mut text = "ts,metric,labels,value\n".to_owned();
        for second in 0..=100 {
            let used = if exhausted {
                50_000 + 526 * second
            } else {
                50_000
            };
            let ts = 1_000 + second;
            text += &format!(
                "{ts},container_memory_working_set_bytes,\"container=\"\"a\"\"\",{used}000\n\
                 {ts},container_spec_memory_limit_bytes,\"container=\"\"a\"\"\",100000000\n"
            );
        }
        fs::write(dir.join(format!("{id}.csv")), text).expect("written");
    }
}

#[test]
fn eval_exhaustion_writes_what_it_judges() {
    let dir = tempfile::tempdir().unwrap();
    let episodes = dir.path().join("exhaustion");
    fs::create_dir_all(&episodes).unwrap();
    two_episodes(&episodes);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (data, json, csv) = (path(""), path("out.json"), path("out.csv"));
    let run = forestall(&[
        "eval",
        "exhaustion",
        "--data",
        &data,
        "--json",
        &json,
        "--predictions",
        &csv,
    ])
    .succeeds();
    for row in ["\nforestall ", "\nets ", "\ntarget ", "\nmemory "] {
        assert!(run.out.contains(row), "{row:?} is not in\n{}", run.out);
    }
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let rows = figures["exhaustion"]["predictors"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    // Questions at 25, 30 … 90 s of the one that ends at 95 s, and to 95 s of the other.
    assert_eq!(rows[0]["figures"]["queries"], 29);
    assert_eq!(rows[0]["figures"]["unanswered"], 0);
    assert_eq!(fs::read_to_string(&csv).unwrap().lines().count(), 30);

    // The file is judged as what wrote it was.
    let again = path("again.json");
    forestall(&[
        "eval",
        "exhaustion",
        "--data",
        &data,
        "--no-engine",
        "--no-baselines",
        "--score",
        &csv,
        "--json",
        &again,
    ])
    .succeeds();
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&again).unwrap()).unwrap();
    let judged = &figures["exhaustion"]["predictors"][0];
    assert_eq!(
        (&judged["name"], &judged["figures"]),
        (&"out.csv".into(), &rows[0]["figures"])
    );
}

#[test]
fn eval_exhaustion_says_what_is_wrong() {
    let run = forestall(&["eval", "exhaustion"]).fails(1);
    assert!(
        run.err.contains("hint: give it with --data DIR"),
        "{}",
        run.err
    );
    let run = forestall(&["eval", "exhaustion", "--data", "/nowhere"]).fails(1);
    assert!(
        run.err.contains("reading /nowhere")
            && run.err.contains("hint: an episode is ID.truth.json"),
        "{}",
        run.err
    );
    let dir = tempfile::tempdir().unwrap();
    two_episodes(dir.path());
    let data = dir.path().to_str().unwrap();
    let csv = dir.path().join("p.csv");
    fs::write(
        &csv,
        "episode,ts,p5,p15,p30,ttf_q05,ttf_q50,ttf_q95\nleaks,1025,0,0,2,1,2,3\n",
    )
    .unwrap();
    let score = ["--score", csv.to_str().unwrap()];
    let run = forestall(
        &[
            &["eval", "exhaustion", "--data", data, "--no-engine"],
            &score[..],
        ]
        .concat(),
    )
    .fails(1);
    assert!(
        run.err
            .contains("p.csv, line 2: probabilities [0.0, 0.0, 2.0]"),
        "{}",
        run.err
    );
    let out = dir.path().join("out.csv");
    let unknown = [
        "--predictions",
        out.to_str().unwrap(),
        "--predictor",
        "prophet",
    ];
    let run = forestall(&[&["eval", "exhaustion", "--data", data], &unknown[..]].concat()).fails(1);
    assert!(
        run.err.contains("hint: one of forestall, threshold, "),
        "{}",
        run.err
    );
    fs::remove_file(dir.path().join("rests.csv")).unwrap();
    let run = forestall(&["eval", "exhaustion", "--data", data]).fails(1);
    assert!(run.err.contains("rests.csv.gz"), "{}", run.err);
    let nothing = [
        "eval",
        "exhaustion",
        "--data",
        data,
        "--no-engine",
        "--no-baselines",
    ];
    let run = forestall(&nothing).fails(1);
    assert!(run.err.contains("nothing is to be judged"), "{}", run.err);
}

//! The binary as a person or a script meets it: arguments and files in, text and files out.

mod replay;
#[path = "../run/mod.rs"]
mod run;

use std::fs;

use run::{forestall, forestall_with, made};

#[test]
fn profiles_and_configuration_reach_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let columns = |more: &[&str]| {
        let args = [&["replay", "-", "--scores", "-"], more].concat();
        let run = forestall_with(&args, "timestamp,value\n1,1\n2,2\n").succeeds();
        run.out
            .lines()
            .next()
            .map(|header| header.split(',').map(str::to_owned).collect::<Vec<_>>())
            .unwrap()
    };
    let all = columns(&[]);
    assert!(columns(&["--profile", "lean"]).len() < all.len());
    let config = dir.path().join("f.toml");
    fs::write(
        &config,
        format!("[engine.detectors.{}]\nenabled = false\n", all[6]),
    )
    .unwrap();
    let fewer = columns(&["--config", config.to_str().unwrap()]);
    assert_eq!(fewer.len(), all.len() - 1);
    assert!(!fewer.contains(&all[6]));
}

#[test]
fn configuration_is_printed_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.toml");
    fs::write(&path, forestall(&["config", "print"]).succeeds().out).unwrap();
    let checked = forestall(&["config", "check", path.to_str().unwrap()]).succeeds();
    assert!(checked.out.ends_with("f.toml is fine\n"), "{}", checked.out);
    fs::write(
        &path,
        "[server]\nlisten = \"nowhere\"\nport = 1\n[engine.detectors.psychic]\n",
    )
    .unwrap();
    let run = forestall(&["config", "check", path.to_str().unwrap()]).fails(1);
    for problem in ["server.listen", "server.port", "engine.detectors.psychic"] {
        assert!(run.err.contains(problem), "all errors at once: {}", run.err);
    }
}

#[test]
fn what_there_is_can_be_listed() {
    let detectors = forestall(&["detectors"]).succeeds().out;
    let first = detectors.split(':').next().unwrap();
    assert!(
        forestall(&["detectors", first])
            .succeeds()
            .out
            .starts_with(first)
    );
    let run = forestall(&["detectors", "psychic"]).fails(1);
    assert!(
        run.err.contains("nothing is called \"psychic\"; there are"),
        "{}",
        run.err
    );
    let features = forestall(&["features"]).succeeds().out;
    assert!(
        features.contains("sigma") && features.contains("schema "),
        "{features}"
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            forestall(&["completions", shell])
                .succeeds()
                .out
                .contains("replay"),
            "{shell}"
        );
    }
}

#[test]
fn every_command_teaches() {
    let commands = [
        "serve",
        "watch",
        "risks",
        "outlook",
        "series",
        "feedback",
        "issues",
        "plan",
        "plans",
        "approve",
        "refuse",
        "cancel",
        "undo",
        "outcomes",
        "strategies",
        "health",
        "safety",
        "brake",
        "release",
        "audit",
        "decide",
        "replay",
        "eval",
        "detectors",
        "config",
        "completions",
    ];
    for command in commands {
        let help = forestall(&[command, "--help"]).succeeds().out;
        assert!(help.contains("Examples:\n  forestall"), "{command}: {help}");
    }
    let overview = forestall(&["--help"]).succeeds().out;
    assert!(
        commands.iter().all(|command| overview.contains(command))
            && overview.contains("First steps:")
    );
    forestall(&[]).fails(2);
}

#[test]
fn eval_says_what_is_missing() {
    let run = forestall(&["eval", "nab"]).fails(1);
    assert!(
        run.err
            .contains("hint: give it with --data DIR or FORESTALL_DATA"),
        "{}",
        run.err
    );
    let dir = tempfile::tempdir().unwrap();
    let run = forestall(&["eval", "labelled", "--data", dir.path().to_str().unwrap()]).fails(1);
    assert!(
        run.err.contains("is missing; get the public part"),
        "{}",
        run.err
    );
}

#[test]
fn eval_judges_both_outputs_on_a_small_corpus() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("nab/data/made");
    fs::create_dir_all(&data).unwrap();
    let file = made::wave(&data, "wave.csv", 1_000, 900);
    assert!(file.ends_with("made/wave.csv"));
    let windows =
        r#"{"made/wave.csv": [["2024-05-01 14:50:00.000000", "2024-05-01 15:20:00.000000"]]}"#;
    fs::write(dir.path().join("nab/windows.json"), windows).unwrap();
    let json = dir.path().join("out.json");
    let args = [
        "eval",
        "nab",
        "--ablate",
        "--data",
        dir.path().to_str().unwrap(),
        "--json",
        json.to_str().unwrap(),
    ];
    let run = forestall(&args).succeeds();
    for row in [
        "\nscore ",
        "\nalert_score ",
        "\nscore without ",
        "\nscore, lean profile",
        "\nfloor: random",
    ] {
        assert!(run.out.contains(row), "{row:?} is not in\n{}", run.out);
    }
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let best = &figures["nab"]["rows"][1];
    assert_eq!(best["name"], "alert_score");
    assert!(
        best["cells"][0]["score"]["value"].as_f64().unwrap() > 50.0,
        "one clear spike is found: {best}"
    );
}

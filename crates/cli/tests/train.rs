//! `forestall train` as a person or a script meets it.

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use run::forestall;
use tempfile::TempDir;

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Captured data: one series of 3,000 samples, imported as the Numenta Anomaly Benchmark has it.
fn captured(dir: &Path) -> String {
    let mut csv = "timestamp,value\n".to_owned();
    for i in 0..3_000 {
        let (day, hour, minute) = (1 + i / 288, i % 288 / 12, i % 12 * 5);
        let _ = writeln!(
            csv,
            "2024-05-{day:02} {hour:02}:{minute:02}:00,{}",
            i * 7_919 % 101
        );
    }
    let from = dir.join("nab");
    fs::create_dir_all(from.join("data/made")).expect("a folder");
    fs::write(from.join("data/made/a.csv"), csv).expect("a file");
    fs::write(from.join("windows.json"), r#"{"made/a.csv": []}"#).expect("a file");
    let out = dir.join("captured");
    forestall(&[
        "dataset",
        "import",
        "nab",
        "--from",
        text(&from),
        "--out",
        text(&out),
    ])
    .succeeds();
    text(&out).to_owned()
}

fn whole(dir: &Path) {
    for name in ["model.onnx", "card.toml", "golden.json"] {
        assert!(dir.join(name).is_file(), "{name}");
    }
}

#[test]
fn the_quick_recipe_leaves_a_model_and_a_table() {
    let dir = dir();
    let out = dir.path().join("model");
    let train = [
        "train",
        "--recipe",
        "quick",
        "--generate",
        "--epochs",
        "1",
        "--out",
        text(&out),
    ];
    let run = forestall(&train).succeeds();
    for word in [
        "forecast",
        "model",
        "constant",
        "persistence",
        "best of 1 epochs",
    ] {
        assert!(run.out.contains(word), "{word}: {}", run.out);
    }
    whole(&out);
    let card = fs::read_to_string(out.join("card.toml")).expect("a card");
    assert!(
        card.contains("forestall train --recipe quick --generate --epochs 1"),
        "{card}"
    );
    let again = forestall(&train).fails(1);
    assert!(again.err.contains("has a model already") && again.err.contains("--force"));
}

#[test]
fn captured_data_makes_all_three() {
    let dir = dir();
    let data = captured(dir.path());
    let out = |name: &str| dir.path().join(name);
    let recipe = out("my.toml");
    let quick = include_str!("../../../training/recipes/quick.toml");
    fs::write(&recipe, quick.replace("epochs = 3", "epochs = 1")).expect("a file");
    let step = out("step");
    let named = [
        "--recipe",
        text(&recipe),
        "--data",
        &data,
        "--out",
        text(&step),
    ];
    forestall(&[&["train"], &named[..]].concat()).succeeds();
    whole(&step);
    let card = fs::read_to_string(step.join("card.toml")).expect("a card");
    assert!(
        card.contains("--data captured") && !card.contains(text(dir.path())),
        "{card}"
    );
    for what in ["forest", "calibrator"] {
        let out = out(what);
        forestall(&["train", what, "--data", &data, "--out", text(&out)]).succeeds();
        whole(&out);
    }
    let early = [
        "train",
        "calibrator",
        "--data",
        &data,
        "--to",
        "2024-05-01T01:00:00Z",
    ];
    let run = forestall(&[&early[..], &["--out", text(&out("few"))]].concat()).fails(1);
    assert!(run.err.contains("12 rows are too few"), "{}", run.err);
}

#[test]
fn what_makes_no_sense_is_said() {
    let dir = dir();
    let (out, recipe) = (dir.path().join("m"), dir.path().join("bad.toml"));
    forestall(&["train", "--out", text(&out)]).fails(2);
    forestall(&["train", "--generate", "--data", "x", "--out", text(&out)]).fails(2);
    let run = forestall(&["train", "--data", text(dir.path()), "--out", text(&out)]).fails(1);
    assert!(
        run.err.contains("samples") && run.err.contains("--capture"),
        "{}",
        run.err
    );
    fs::write(&recipe, "seed = 7\nlearning = 1\n").expect("a file");
    let run = forestall(&[
        "train",
        "--generate",
        "--recipe",
        text(&recipe),
        "--out",
        text(&out),
    ]);
    assert!(run.fails(1).err.contains("learning"));
    assert!(!out.exists());
}

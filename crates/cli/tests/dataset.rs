//! `forestall dataset` as a person or a script meets it.

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use run::{forestall, made};
use serde_json::Value;
use series::Timestamp;
use store::capture::{Picker, Provenance, Reader, Rows};
use tempfile::TempDir;

/// A folder as the Numenta Anomaly Benchmark has it: two series over three days, one with a labelled spike.
fn corpus(dir: &Path) -> String {
    let csv = |spike_at: usize| {
        let mut csv = "timestamp,value\n".to_owned();
        for i in 0..700 {
            let (day, hour, minute) = (1 + i / 288, i % 288 / 12, i % 12 * 5);
            let value = if i == spike_at { 500 } else { i % 24 };
            let _ = writeln!(csv, "2024-05-{day:02} {hour:02}:{minute:02}:00,{value}");
        }
        csv
    };
    let data = dir.join("data/made");
    fs::create_dir_all(&data).expect("as the test made it");
    fs::write(data.join("a.csv"), csv(600)).expect("as the test made it");
    fs::write(data.join("b.csv"), csv(usize::MAX)).expect("as the test made it");
    let windows =
        r#"{"made/a.csv": [["2024-05-03 01:50:00", "2024-05-03 02:10:00"]], "made/b.csv": []}"#;
    fs::write(dir.join("windows.json"), windows).expect("as the test made it");
    dir.to_str().expect("as the test made it").to_owned()
}

/// An imported data set, and where it is.
fn imported() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("as the test made it");
    let from = corpus(&dir.path().join("nab"));
    let out = dir.path().join("captured");
    let run = forestall(&[
        "dataset",
        "import",
        "nab",
        "--from",
        &from,
        "--out",
        text(&out),
    ]);
    let run = run.succeeds();
    assert!(
        run.out
            .contains("1,400 samples of 2 recordings, 1,395 of them normal"),
        "{}",
        run.out
    );
    (dir, out)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("as the test made it")
}

fn described(dir: &Path) -> Value {
    let run = forestall(&["dataset", "describe", text(dir), "--json"]).succeeds();
    serde_json::from_str(&run.out).expect("as the test made it")
}

fn anything(_: &str) -> Result<Picker, String> {
    Ok(Box::new(|_| true))
}

/// Time, score and provenance of each sample by series, as the engine's own reader has them. Marks are let pick nothing
/// new: every row carries what it is.
fn rows(dir: &Path) -> BTreeMap<String, Vec<(i64, f64, Provenance)>> {
    let all = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
    let nothing = |_: &str| -> Result<Picker, String> { Ok(Box::new(|_| false)) };
    let mut reader = Reader::open(dir, all, nothing).expect("as the test made it");
    let (mut rows, mut found) = (Rows::default(), BTreeMap::<String, Vec<_>>::new());
    while reader.next(&mut rows).expect("as the test made it") {
        for i in 0..rows.times.len() {
            let series = reader.series()[rows.series[i] as usize].to_string();
            let row = (rows.times[i], rows.scores[i], rows.provenance[i]);
            found.entry(series).or_default().push(row);
        }
    }
    found
}

#[test]
fn a_public_set_becomes_what_the_engine_would_have_captured() {
    let (dir, out) = imported();
    let found = described(&out);
    assert_eq!(
        (&found["rows"], &found["series"]),
        (&1400.into(), &2.into())
    );
    assert_eq!(found["from"], "2024-05-01T00:00:00Z");
    let nab = &found["metrics"][0];
    assert_eq!(
        (&nab["metric"], &nab["step_s"]),
        (&"nab".into(), &300.0.into())
    );
    assert!(
        (nab["provenance"]["fault"].as_f64().unwrap() - 5.0 / 1400.0).abs() < 1e-9,
        "{nab}"
    );
    assert_eq!(found["marks"][0]["count"], 1);
    let fine = forestall(&["dataset", "check", text(&out)]).succeeds();
    assert!(
        fine.out.contains("1,401 rows in 4 files are fine"),
        "{}",
        fine.out
    );

    // Exported and replayed, the same samples get the same scores.
    let csv = dir.path().join("out.csv");
    forestall(&[
        "dataset",
        "export",
        text(&out),
        "--format",
        "csv",
        "--out",
        text(&csv),
    ])
    .succeeds();
    let scores = dir.path().join("scores.csv");
    forestall(&["replay", text(&csv), "--scores", text(&scores)]).succeeds();
    let mut replayed = BTreeMap::<String, Vec<u64>>::new();
    let file = fs::read_to_string(&scores).unwrap();
    for line in file.lines().skip(1) {
        let fields: Vec<&str> = line.split("\",").collect();
        let name = fields[0].split_once(",\"").unwrap().1.replace("\"\"", "\"");
        let score: f64 = fields[1].split(',').nth(2).unwrap().parse().unwrap();
        replayed.entry(name).or_default().push(score.to_bits());
    }
    let captured = rows(&out);
    assert_eq!(captured.len(), 2);
    for (name, rows) in &captured {
        let scores: Vec<u64> = rows.iter().map(|row| row.1.to_bits()).collect();
        assert_eq!(scores, replayed[name], "{name}");
    }
    let faults = captured["nab{file=\"made/a.csv\"}"]
        .iter()
        .filter(|row| row.2 == Provenance::Fault);
    assert_eq!(faults.count(), 5);
}

#[test]
fn cuts_merge_back_and_the_engine_reads_what_was_written() {
    let (dir, out) = imported();
    let (early, late) = (dir.path().join("early"), dir.path().join("late"));
    let noon = "2024-05-02T12:00:00Z";
    forestall(&[
        "dataset",
        "cut",
        text(&out),
        "--to",
        noon,
        "--out",
        text(&early),
    ])
    .succeeds();
    forestall(&[
        "dataset",
        "cut",
        text(&out),
        "--from",
        noon,
        "--out",
        text(&late),
    ])
    .succeeds();
    let both = dir.path().join("both");
    let merge = [
        "dataset",
        "merge",
        text(&late),
        text(&early),
        "--out",
        text(&both),
    ];
    let run = forestall(&merge).succeeds();
    assert!(run.out.contains("1,400 samples"), "{}", run.out);
    assert_eq!(rows(&both), rows(&out));
    forestall(&["dataset", "check", text(&both)]).succeeds();
    let again = forestall(&merge).fails(1);
    assert!(
        again.err.contains("exists already") && again.err.contains("--force"),
        "{}",
        again.err
    );

    let one = dir.path().join("one");
    let only = [
        "dataset",
        "cut",
        text(&out),
        "--selector",
        "{file=\"made/b.csv\"}",
        "--out",
        text(&one),
    ];
    forestall(&only).succeeds();
    assert_eq!(described(&one)["rows"], 700);
    let parquet = dir.path().join("one.parquet");
    forestall(&[
        "dataset",
        "export",
        text(&one),
        "--format",
        "parquet",
        "--out",
        text(&parquet),
    ])
    .succeeds();
    let replay = forestall(&["replay", text(&parquet)]).succeeds();
    assert!(
        replay.out.contains("700 samples of 1 series"),
        "{}",
        replay.out
    );
    let all = Timestamp::from_micros(0)..Timestamp::from_micros(i64::MAX);
    assert!(
        Reader::open(&both, all, anything).is_ok(),
        "marks can be read again"
    );
}

#[test]
fn files_that_were_made_to_harm_are_problems_with_a_name() {
    let (_dir, out) = imported();
    let day = out.join("samples/date=2024-05-02");
    let part = fs::read_dir(&day).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&part).unwrap();
    let mut n_found = 0;
    // Spread over pages and footer; each attempt is a process or two.
    for place in (5..good.len()).step_by(good.len() / 24) {
        let mut bad = good.clone();
        bad[place] ^= 0x7f;
        fs::write(&part, &bad).unwrap();
        let run = forestall(&["dataset", "check", text(&out), "--json"]);
        let checked: Value = serde_json::from_str(&run.out)
            .unwrap_or_else(|e| panic!("byte {place}: {e}: {}{}", run.out, run.err));
        for problem in checked["problems"].as_array().unwrap() {
            n_found += 1;
            assert!(
                problem["file"]
                    .as_str()
                    .unwrap()
                    .contains("date=2024-05-02"),
                "{problem}"
            );
        }
    }
    // A flipped bit in the middle of a value is a value.
    assert!(n_found > 3, "only {n_found} of 24 damages were seen");
    fs::write(&part, &good[..good.len() / 2]).unwrap();
    let run = forestall(&["dataset", "check", text(&out)]).fails(1);
    assert!(
        run.out.contains("not a readable Parquet file"),
        "{}",
        run.out
    );
    assert!(run.err.contains("1 problem in"), "{}", run.err);
}

#[test]
fn what_is_missing_is_said_with_where_to_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = forestall(&["dataset", "list"]).succeeds();
    for name in [
        "nab:",
        "cloud-monitoring:",
        "smap-msl:",
        "exhaustion:",
        "licence",
    ] {
        assert!(run.out.contains(name), "{name}: {}", run.out);
    }
    let out = dir.path().join("out");
    let import = |name: &str| {
        let args = [
            "dataset",
            "import",
            name,
            "--from",
            text(dir.path()),
            "--out",
            text(&out),
        ];
        forestall(&args).fails(1).err
    };
    let error = import("nab");
    assert!(
        error.contains("github.com/numenta/NAB") && error.contains("dataset list nab"),
        "{error}"
    );
    assert!(import("mnist").contains("there are nab, cloud-monitoring"));
    assert!(!out.exists(), "nothing is left behind");
    made::wave(dir.path(), "wave.csv", 3, 1);
    let run = forestall(&["dataset", "describe", text(dir.path())]).fails(1);
    assert!(
        run.err.contains("is not a captured data set"),
        "{}",
        run.err
    );
}

#[test]
fn episodes_are_told_apart_and_faulty_from_the_onset_on() {
    let dir = tempfile::tempdir().unwrap();
    let episodes = dir.path().join("episodes");
    fs::create_dir(&episodes).unwrap();
    for (id, exhausted) in [("ep1", true), ("ep2", false)] {
        let mut csv = "ts,metric,labels,value\n".to_owned();
        for i in 0..20 {
            let _ = writeln!(csv, "{}.25,up,\"job=\"\"app\"\"\",1", 1_795_318_568 + i);
            let _ = writeln!(csv, "{}.25,hits_total,,{}", 1_795_318_568 + i, i * 7);
        }
        fs::write(episodes.join(format!("{id}.csv")), csv).unwrap();
        let truth = format!(
            r#"{{"id": "{id}", "onset_ts": 1795318578.0, "end_ts": 1795318590.0, "exhausted": {exhausted},
                "intended_event": {exhausted}, "driver_stop_ts": null, "kind": "memory"}}"#
        );
        fs::write(episodes.join(format!("{id}.truth.json")), truth).unwrap();
    }
    let out = dir.path().join("out");
    let args = [
        "dataset",
        "import",
        "exhaustion",
        "--from",
        text(dir.path()),
        "--out",
        text(&out),
    ];
    forestall(&args).succeeds();
    let rows = rows(&out);
    let faults = |name: &str| {
        rows[name]
            .iter()
            .filter(|row| row.2 == Provenance::Fault)
            .count()
    };
    assert_eq!(rows.len(), 4);
    assert_eq!(
        rows["hits_total{episode=\"ep2\"}"].len(),
        19,
        "the first of a counter has no rate"
    );
    assert_eq!(faults("up{episode=\"ep1\",job=\"app\"}"), 10);
    assert_eq!(
        faults("up{episode=\"ep2\",job=\"app\"}"),
        0,
        "a harmless load"
    );
}

//! The binary as a person or a script meets it: arguments and files in, text and files out.

mod run;

use std::fs;

use run::{forestall, forestall_with, made};

#[test]
fn scores_have_one_row_per_row_of_input() {
    let dir = tempfile::tempdir().unwrap();
    let input = made::wave(dir.path(), "wave.csv", 700, 650);
    let scores = dir.path().join("scores.csv");
    let run = forestall(&["replay", &input, "--scores", scores.to_str().unwrap()]).succeeds();
    assert!(run.out.contains("wave.csv: 701 samples of 1 series, 2024-05-01 00:00:00 to 2024-05-01 11:39:00 (11h 39m)"), "{}", run.out);
    assert!(
        run.out
            .contains("refused  1: same time as the last sample of this series"),
        "{}",
        run.out
    );
    assert_eq!(run.err, "", "no progress bar when nobody looks");

    let text = fs::read_to_string(&scores).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        rows[0][..6],
        [
            "file",
            "series",
            "timestamp",
            "value",
            "score",
            "alert_score"
        ]
    );
    assert_eq!(rows[0].last(), Some(&"event"));
    assert_eq!(rows.len(), 702);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert_eq!(rows[1][1..4], ["value", "2024-05-01 00:00:00", "0"]);
    let refused = &rows[701];
    assert_eq!(refused[2..4], ["2024-05-01 11:39:00", "7"]);
    let last = rows[0].len() - 1;
    assert_eq!(
        (refused[4], refused[5], refused[last]),
        (rows[700][4], "0", ""),
        "what was refused repeats the score of its series, and is no alert: {refused:?}"
    );
    let alert = |row: &Vec<&str>| row[5].parse::<f64>().unwrap();
    let spike = alert(&rows[651]);
    assert!(
        rows[300..701].iter().all(|row| alert(row) <= spike),
        "nothing stands out more than the spike"
    );
}

#[test]
fn standard_input_and_output_and_plain_numbers() {
    let csv = "ts,metric,labels,value\n1714564800000,up,\"host=\"\"a\"\"\",1\n1714564801500,hits_total,,5\n1714564802500,hits_total,,9\n";
    let run = forestall_with(&["replay", "-", "--scores", "-"], csv).succeeds();
    let rows: Vec<&str> = run.out.lines().collect();
    assert!(
        rows[1].starts_with("-,\"up{host=\"\"a\"\"}\",1714564800000,1,"),
        "{}",
        rows[1]
    );
    let first_of_counter = rows[2];
    assert!(
        first_of_counter.starts_with("-,hits_total,1714564801500,5,0,0,"),
        "no rate yet: {first_of_counter}"
    );
    assert!(
        rows[3].starts_with("-,hits_total,1714564802500,9,"),
        "{}",
        rows[3]
    );
    assert!(
        run.err.contains("3 samples of 2 series"),
        "the summary makes room for the scores: {}",
        run.err
    );
}

#[test]
fn parquet_holds_what_csv_holds() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let dir = tempfile::tempdir().unwrap();
    let input = made::wave(dir.path(), "wave.csv", 300, 250);
    let path = dir.path().join("scores.parquet");
    forestall(&["replay", &input, "--scores", path.to_str().unwrap()]).succeeds();
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap()).unwrap();
    let names: Vec<String> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(
        names[..6],
        [
            "file",
            "series",
            "timestamp",
            "value",
            "score",
            "alert_score"
        ]
    );
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(
        batches
            .iter()
            .map(arrow_array::RecordBatch::num_rows)
            .sum::<usize>(),
        301
    );
    let score = |name: &str| batches[0].column_by_name(name).unwrap().null_count();
    assert_eq!(
        (score("value"), score("score"), score("alert_score")),
        (0, 0, 0),
        "every row has a number, the refused one too"
    );
}

#[test]
fn broken_input_is_told_with_its_place_and_a_way_out() {
    let csv = "timestamp,value\n2024-05-01,1\n2024-05-02,x\n2024-05-03,3\n";
    let run = forestall_with(&["replay", "-"], csv).fails(1);
    let expected = "error: standard input:3: column \"value\": \"x\" is not a number\n\
                    hint: mend the file, or leave such cells out with --lenient\n";
    assert_eq!(run.err, expected);
    let run = forestall_with(&["replay", "-", "--lenient"], csv).succeeds();
    assert!(
        run.out.contains("2 samples") && run.out.contains("unread   1 cells or lines"),
        "{}",
        run.out
    );

    let run = forestall(&["replay", "gone.csv"]).fails(1);
    assert!(
        run.err.starts_with("error: opening gone.csv: No such file"),
        "{}",
        run.err
    );
    let run = forestall_with(&["replay", "-", "--scores", "out.xlsx"], csv).fails(1);
    assert_eq!(
        run.err,
        "error: --scores out.xlsx: name a file that ends in .csv or .parquet\n"
    );
    forestall(&["replay"]).fails(2);
    forestall(&["replay", "-", "--speed", "2"]).fails(2);
    forestall(&["replay", "-", "--into", "x", "--scores", "y.csv"]).fails(2);
}

#[test]
fn rows_may_be_sorted_by_time() {
    let csv = "timestamp,value\n30,3\n10,1\n20,2\n";
    let as_is = forestall_with(&["replay", "-"], csv).succeeds();
    assert!(
        as_is.out.contains("refused  2: older than the last sample"),
        "{}",
        as_is.out
    );
    let sorted = forestall_with(&["replay", "-", "--order", "by-time"], csv).succeeds();
    assert!(sorted.out.contains("scored   all"), "{}", sorted.out);
}

#[test]
fn a_plot_needs_nothing_else_and_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.html");
    let mut csv = "timestamp,value,label\n".to_owned();
    for i in 0..20_000 {
        csv.push_str(&format!(
            "{},{},{}\n",
            i * 60,
            if i == 15_000 { 900 } else { i % 17 },
            u8::from(i == 15_000)
        ));
    }
    forestall_with(&["replay", "-", "--plot", path.to_str().unwrap()], &csv).succeeds();
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(
        page.starts_with("<!doctype html>")
            && page.contains("20,000 samples of 1 series in 1 file")
    );
    assert!(page.contains("class=label"), "labels are drawn");
    let links = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!links.contains("http") && !links.contains("src=") && !links.contains("@import"));
    assert!(
        !page.contains("NaN") && !page.contains("inf "),
        "every coordinate is a number"
    );
}

#[test]
fn what_runs_out_at_the_end_of_a_recording_is_told_and_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let file = made::leak(dir.path(), "leak.csv");
    let page = dir.path().join("out.html");
    let args = [
        "replay",
        &file,
        "--outlook",
        "--plot",
        page.to_str().unwrap(),
    ];
    let out = forestall(&args).succeeds().out;
    for part in [
        "  outlook  1 at the last sample\n",
        "container_memory_working_set_bytes{pod=\"api\"}  memory",
        " of 1 GiB",
        " min (",
        "  missing  1 without a known limit\n",
        "container_memory_working_set_bytes{pod=\"web\"}  memory  container_spec_memory_limit_bytes",
    ] {
        assert!(out.contains(part), "{part:?} is not in\n{out}");
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("data-now") && page.contains("class=dot") && page.contains("What was odd")
    );
    let out = forestall(&["replay", &file]).succeeds().out;
    assert!(!out.contains("outlook"), "{out}");
    forestall(&["replay", &file, "--tempo", "20"]).fails(2);
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.html");
    let csv = "ts,metric,labels,value\n1,m,\"a=\"\"</svg><script>alert(1)</script>\"\"\",1\n2,m,\"a=\"\"</svg><script>alert(1)</script>\"\"\",1\n";
    forestall_with(&["replay", "-", "--plot", path.to_str().unwrap()], csv).succeeds();
    let page = fs::read_to_string(&path).unwrap();
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)"));
}

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

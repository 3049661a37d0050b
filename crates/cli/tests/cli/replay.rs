//! `forestall replay`: recordings in, scores and pages out.

use std::fs;

use crate::run::{forestall, forestall_with, made};

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

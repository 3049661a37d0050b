//! Scores of a replay depend on the past alone, whatever the file goes on to say.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::harness::run;

/// In the middle of a tick: replicas that were not read yet must not count.
const CUT: usize = 5_003;
const ROWS: usize = 9_000;

/// The next of a fixed sequence of numbers from 0 to 1.
fn noise(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as f64 / (1_u64 << 24) as f64
}

/// Rows of three replicas, a counter and a wave; each series gets one row per tick of a minute.
fn rows(n: usize) -> Vec<String> {
    let mut state = 7;
    let mut total = 0.0;
    let mut row = |i: usize| {
        let (tick, which) = (i / 5, i % 5);
        let odd = if tick % 411 == 410 { 6.0 } else { 0.0 };
        let jitter = noise(&mut state);
        let (key, value) = match which {
            0 | 1 => (format!("cpu,\"pod=\"\"{which}\"\"\""), 0.3 + 0.1 * jitter),
            2 => ("cpu,\"pod=\"\"2\"\"\"".to_owned(), 0.3 + 0.1 * jitter + odd),
            3 => {
                total += 100.0 * jitter + 50.0 * odd;
                ("requests_total,".to_owned(), total)
            }
            _ => (
                "wave,".to_owned(),
                (tick as f64 / 30.0).sin() + 0.1 * jitter,
            ),
        };
        format!("{},{key},{value}", 1_700_000_000 + 60 * tick)
    };
    (0..n).map(&mut row).collect()
}

fn write(path: &Path, rows: &[String]) {
    let mut text = "time,metric,labels,value\n".to_owned();
    rows.iter().for_each(|row| writeln!(text, "{row}").unwrap());
    fs::write(path, text).unwrap();
}

/// One line per row of the file, without the file's name; the header first.
fn scores(dir: &Path, name: &str, rows: &[String]) -> Vec<String> {
    let (input, output) = (dir.join(name), dir.join(format!("{name}.scores.csv")));
    write(&input, rows);
    let args = [
        "replay",
        input.to_str().unwrap(),
        "--scores",
        output.to_str().unwrap(),
    ];
    run(&args).succeeds();
    let text = fs::read_to_string(output).unwrap();
    text.lines()
        .map(|line| line.split_once(',').unwrap().1.to_owned())
        .collect()
}

#[test]
fn what_follows_changes_nothing_of_what_was_said_before() {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(ROWS);
    let full = scores(dir.path(), "full.csv", &all);
    assert_eq!(full.len(), 1 + ROWS);
    let opened = full[1..=CUT]
        .iter()
        .filter(|row| !row.ends_with(','))
        .count();
    assert!(opened > 0, "events are part of what is compared");

    let prefix = scores(dir.path(), "prefix.csv", &all[..CUT]);
    assert!(
        prefix[..] == full[..=CUT],
        "{:?}",
        differing(&prefix, &full)
    );

    // The same rows, and from the cut on something else entirely: other values, other series, another pace.
    let mut other = all[..CUT].to_vec();
    let mut state = 99;
    let last = 1_700_000_000 + 60 * (CUT as u64 / 5);
    other.extend((0..4_000).map(|i| {
        let value = 1e9 * (noise(&mut state) - 0.5);
        let metric = ["cpu,\"pod=\"\"1\"\"\"", "wave,", "new,", "requests_total,"][i % 4];
        format!("{},{metric},{value}", last + 1 + i as u64 / 4)
    }));
    let changed = scores(dir.path(), "changed.csv", &other);
    assert!(
        changed[..=CUT] == full[..=CUT],
        "{:?}",
        differing(&changed, &full)
    );
    assert!(changed[CUT + 1..] != full[CUT + 1..]);
}

/// The first two rows that differ.
fn differing<'a>(a: &'a [String], b: &'a [String]) -> Option<(usize, &'a str, &'a str)> {
    let pairs = a.iter().zip(b).enumerate();
    let mut differing = pairs.filter(|(_, (a, b))| a != b);
    differing
        .next()
        .map(|(i, (a, b))| (i, a.as_str(), b.as_str()))
}

#[test]
fn parquet_says_what_csv_says_and_the_plot_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(3_000);
    let csv = scores(dir.path(), "in.csv", &all);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (parquet, plot) = (path("scores.parquet"), path("out.html"));
    run(&[
        "replay",
        &path("in.csv"),
        "--scores",
        &parquet,
        "--plot",
        &plot,
    ])
    .succeeds();

    let header: Vec<&str> = csv[0].split(',').collect();
    let mut line = 1;
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&parquet).unwrap()).unwrap();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let score = batch
            .column_by_name("score")
            .unwrap()
            .as_primitive::<Float64Type>();
        let alert = batch
            .column_by_name("alert_score")
            .unwrap()
            .as_primitive::<Float32Type>();
        for i in 0..batch.num_rows() {
            // From the right: labels, on the left, have commas and quotes of their own.
            let fields: Vec<&str> = csv[line].rsplit(',').collect();
            let field = |name: &str| {
                fields[header.len() - 1 - header.iter().position(|h| *h == name).unwrap()]
            };
            let text = |valid: bool, value: f64, name: &str| {
                let same = match field(name) {
                    "" => !valid,
                    number => valid && (number.parse::<f64>().unwrap() - value).abs() < 1e-6,
                };
                assert!(same, "{name} of {}: {value}", csv[line]);
            };
            use arrow_array::Array;
            text(score.is_valid(i), score.value(i), "score");
            text(alert.is_valid(i), f64::from(alert.value(i)), "alert_score");
            line += 1;
        }
    }
    assert_eq!(line, csv.len());

    let html = fs::read_to_string(plot).unwrap();
    for word in ["<svg", "requests_total", "wave", "in.csv"] {
        assert!(html.contains(word), "{word}");
    }
    for outside in ["src=\"http", "href=\"http", "@import", "fetch("] {
        assert!(
            !html.contains(outside),
            "a plot needs no network: {outside}"
        );
    }
}

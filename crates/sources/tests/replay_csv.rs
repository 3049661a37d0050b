//! CSV files as a user meets them: what comes out, and the exact words when nothing does.

use std::io::Write;

use proptest::prelude::*;
use sources::replay::{Cells, Options, Order, Replay, Row};

/// Every row as `line series@seconds=value label`, then what was refused and what went wrong.
fn read(input: &[u8], options: Options) -> Vec<String> {
    let mut replay =
        match Replay::from_reader("f.csv", std::io::Cursor::new(input.to_vec()), options) {
            Ok(replay) => replay,
            Err(e) => return vec![said(&e)],
        };
    let (mut out, mut rows) = (Vec::new(), Vec::new());
    loop {
        let more = replay.next_batch(&mut rows);
        for Row {
            series,
            at,
            value,
            label,
            line,
        } in &rows
        {
            let label = label.map_or("", |label| if label { " odd" } else { " normal" });
            out.push(format!(
                "{line} {}@{}={value}{label}",
                replay.keys()[*series as usize],
                at.secs_f64()
            ));
        }
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => {
                out.push(said(&e));
                break;
            }
        }
    }
    assert_eq!(
        replay.next_batch(&mut rows).ok(),
        Some(false),
        "an ended replay stays ended"
    );
    out.extend(
        replay
            .refused()
            .first
            .iter()
            .map(|text| format!("refused {text}")),
    );
    out
}

/// The message and its causes.
fn said(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(
        read(text.as_bytes(), Options::default()),
        expected,
        "{text}"
    );
}

fn lenient(text: &str, expected: &[&str]) {
    assert_eq!(
        read(
            text.as_bytes(),
            Options {
                cells: Cells::Lenient,
                ..Options::default()
            }
        ),
        expected,
        "{text}"
    );
}

#[test]
fn one_value_column() {
    check(
        "\"TimeStamp\",\"Value\",\"Label\"\n\"1970-01-01T00:01:00Z\",\"1.5\",\"0\"\n1970-01-01 00:02:00,,1\n180,NaN,\n",
        &[
            "2 value@60=1.5 normal",
            "3 value@120=NaN odd",
            "4 value@180=NaN",
        ],
    );
}

#[test]
fn long_form() {
    check(
        "ts,metric,labels,value\n1.5,up,,1\n1.5,up,\"job=\"\"a\"\"\",0\n2.5,up,,+Inf\n",
        &["2 up@1.5=1", "3 up{job=\"a\"}@1.5=0", "4 up@2.5=inf"],
    );
}

#[test]
fn wide_form() {
    check(
        "cpu,time,mem\n1,0,2\n3,1,\n",
        &["2 cpu@0=1", "2 mem@0=2", "3 cpu@1=3", "3 mem@1=NaN"],
    );
}

#[test]
fn a_bad_cell_is_named_after_what_was_good() {
    let time = "is not a time; expected RFC 3339, YYYY-MM-DD HH:MM:SS, or a number since the epoch";
    check(
        "time,value\n1,1\nnoon,2\n",
        &[
            "2 value@1=1",
            &format!("f.csv:3: column \"time\": \"noon\" {time}"),
        ],
    );
    check(
        "time,value\n1,1\n2,1 234\n",
        &[
            "2 value@1=1",
            "f.csv:3: column \"value\": \"1 234\" is not a number",
        ],
    );
    let label =
        "f.csv:2: column \"Label\": \"2\" is not a label; expected 0, 1, true, false or nothing";
    check("time,value,Label\n1,1,2\n", &[label]);
    check(
        "time,value\n1\n",
        &["f.csv:2: 1 fields, the header names 2"],
    );
    let labels =
        "f.csv:2: column \"labels\": \"a=1\" does not name a series: at byte 2: expected '\"'";
    check("time,metric,labels,value\n1,up,a=1,1\n", &[labels]);
    let metric = "f.csv:2: column \"metric\": \"\" does not name a series: metric name is empty";
    check("time,metric,labels,value\n1,,,1\n", &[metric]);
    let long = format!("time,value\n1,{}\n", "x".repeat(1000));
    check(
        &long,
        &[&format!(
            "f.csv:2: column \"value\": \"{}…\" is not a number",
            "x".repeat(40)
        )],
    );
}

#[test]
fn lenient_goes_on_and_counts() {
    lenient(
        "time,a,b\n1,x,2\n2,3\n3,4,5\n",
        &[
            "2 b@1=2",
            "4 a@3=4",
            "4 b@3=5",
            "refused f.csv:2: column \"a\": \"x\" is not a number",
            "refused f.csv:3: 2 fields, the header names 3",
        ],
    );
    lenient(
        "time,value\n1,1\n2,\"2\n",
        &[
            "2 value@1=1",
            "f.csv:3: column 2: a quote is opened and never closed",
        ],
    );
}

#[test]
fn a_file_without_a_usable_header_is_refused() {
    check(
        "",
        &["f.csv: no header line; expected one such as timestamp,value"],
    );
    let no_time = "f.csv: no time column among \"anomaly_score\"; expected one named time, ts, timestamp, datetime or date";
    check("anomaly_score\n0\n", &[no_time]);
    assert_eq!(
        read(b"time,\xff\n", Options::default()),
        ["f.csv:1: byte 6 is not valid UTF-8"]
    );
    let parquet = "opening f.csv: parquet can only be read from a file, not from a pipe: its index is at the end";
    check("PAR1....PAR1", &[parquet]);
}

#[test]
fn new_series_stop_at_the_limit() {
    let options = Options {
        max_series: 1,
        ..Options::default()
    };
    let got = read(b"time,metric,value\n1,a,1\n1,b,1\n", options);
    let limit =
        "f.csv:3: column \"metric\": a new series, and 1 are known already, which is the limit";
    assert_eq!(got, ["2 a@1=1", limit]);
}

#[test]
fn sorting_is_stable_and_bounded() {
    let options = Options {
        order: Order::ByTime,
        max_sorted_rows: 3,
        ..Options::default()
    };
    let got = read(b"time,value\n2,1\n1,2\n2,3\n", options.clone());
    assert_eq!(got, ["3 value@1=2", "2 value@2=1", "4 value@2=3"]);
    let got = read(b"time,value\n2,1\n1,2\n2,3\n4,4\n", options);
    assert_eq!(
        got,
        ["f.csv: more than 3 samples, too many to sort by time"]
    );
}

#[test]
fn gzip_is_told_from_its_first_bytes() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"time,value\n1,1\n").unwrap();
    let bytes = gzip.finish().unwrap();
    assert_eq!(read(&bytes, Options::default()), ["2 value@1=1"]);
    // Several members in one file, as log rotation leaves them, and one cut short.
    let twice = [bytes.clone(), bytes.clone()].concat();
    let got = read(
        &twice,
        Options {
            cells: Cells::Lenient,
            ..Options::default()
        },
    );
    assert_eq!(got[..2], ["2 value@1=1", "4 value@1=1"]);
    let cut = &bytes[..bytes.len() - 3];
    let got = read(cut, Options::default());
    assert!(
        got.last()
            .unwrap()
            .starts_with("reading f.csv after line 2: "),
        "{got:?}"
    );
}

#[test]
fn files_are_opened_by_content_and_ending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv.gz");
    std::fs::write(&path, "time,value\n").unwrap();
    let error = said(&Replay::open(&path, Options::default()).unwrap_err());
    assert!(
        error.ends_with("x.csv.gz: the name ends in .gz, the content is not gzip"),
        "{error}"
    );
    let error = said(&Replay::open(folder.path(), Options::default()).unwrap_err());
    assert!(
        error.ends_with("is a folder; name the files in it"),
        "{error}"
    );
    let path = folder.path().join("x.csv");
    std::fs::write(&path, "time,value\n1,1\n").unwrap();
    let mut replay = Replay::open(&path, Options::default()).unwrap();
    assert_eq!(replay.next_batch(&mut Vec::new()).ok(), Some(true));
    assert_eq!((replay.bytes_read(), replay.bytes_total()), (15, Some(15)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, Options::default());
    }

    #[test]
    fn arbitrary_lines_never_panic(header in "(time|ts|value|metric|labels|label|x|,|\"){1,9}", body in "[0-9a-z=\",\n.-]{0,200}") {
        let text = format!("{header}\n{body}");
        for cells in [Cells::Strict, Cells::Lenient] {
            let _ = read(text.as_bytes(), Options { cells, ..Options::default() });
        }
    }

    #[test]
    fn values_survive_a_round_trip(values in prop::collection::vec((0i64..1 << 40, any::<f64>(), any::<Option<bool>>()), 0..50)) {
        let line = |(s, x, l): &(i64, f64, Option<bool>)| format!("{s},{x},{}\n", l.map_or(String::new(), |l| l.to_string()));
        let text = format!("time,value,label\n{}", values.iter().map(line).collect::<String>());
        let mut replay = Replay::from_reader("f", std::io::Cursor::new(text), Options::default()).unwrap();
        let (mut rows, mut got) = (Vec::new(), Vec::new());
        while replay.next_batch(&mut rows).unwrap() {
            got.append(&mut rows);
        }
        prop_assert_eq!(got.len(), values.len());
        for (row, (_, value, label)) in got.iter().zip(&values) {
            prop_assert_eq!(row.value.to_bits(), if value.is_nan() { row.value.to_bits() } else { value.to_bits() });
            prop_assert_eq!(row.label, *label);
        }
    }
}

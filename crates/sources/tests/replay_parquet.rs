//! Parquet files as a user meets them: the three shapes, the types that are read, and what is said of the rest.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop the test where they fail"
)]

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use sources::replay::{Cells, Options, Replay, Row};

fn array(array: impl arrow_array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn bytes(columns: &[(&str, ArrayRef)], compression: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// Every row as `row series@seconds=value label`, then what was refused and what went wrong.
fn read(content: &[u8], cells: Cells) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.parquet");
    std::fs::write(&path, content).unwrap();
    let plain = |text: String| text.replace(&*path.to_string_lossy(), "f.parquet");
    read_file(&path, cells).into_iter().map(plain).collect()
}

fn read_file(path: &Path, cells: Cells) -> Vec<String> {
    let mut replay = match Replay::open(
        path,
        Options {
            cells,
            ..Options::default()
        },
    ) {
        Ok(replay) => replay,
        Err(e) => return vec![e.to_string()],
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
                out.push(e.to_string());
                return out;
            }
        }
    }
    assert_eq!(Some(replay.bytes_read()), replay.bytes_total());
    out.extend(
        replay
            .refused()
            .first
            .iter()
            .map(|text| format!("refused {text}")),
    );
    out
}

fn check(columns: &[(&str, ArrayRef)], expected: &[&str]) {
    assert_eq!(
        read(&bytes(columns, Compression::SNAPPY), Cells::Strict),
        expected
    );
}

#[test]
fn one_value_column() {
    let time = array(TimestampMillisecondArray::from(vec![1_500, 2_000]).with_timezone("+02:00"));
    let value = array(Float64Array::from(vec![Some(1.5), None]));
    let label = array(BooleanArray::from(vec![Some(true), None]));
    check(
        &[("Timestamp", time), ("Value", value), ("Label", label)],
        &["1 value@1.5=1.5 odd", "2 value@2=NaN"],
    );
}

#[test]
fn long_form() {
    let metric: DictionaryArray<arrow_array::types::Int8Type> =
        vec!["up", "load", "up"].into_iter().collect();
    let labels = array(LargeStringArray::from(vec![
        Some("job=\"a\""),
        None,
        Some(""),
    ]));
    let value = array(UInt64Array::from(vec![1, 2, 3]));
    let time = array(Int64Array::from(vec![1_795_318_568, 1_795_318_568_281, 3]));
    check(
        &[
            ("ts", time),
            ("metric", array(metric)),
            ("labels", labels),
            ("value", value),
        ],
        &[
            "1 up{job=\"a\"}@1795318568=1",
            "2 load@1795318568.281=2",
            "3 up@3=3",
        ],
    );
}

#[test]
fn wide_form_of_many_types() {
    let decimal = Decimal128Array::from(vec![Some(125), None])
        .with_precision_and_scale(10, 2)
        .unwrap();
    let columns = [
        (
            "time",
            array(StringArray::from(vec![
                "1970-01-01 00:00:01",
                "1970-01-01T00:00:02Z",
            ])),
        ),
        ("a", array(Int32Array::from(vec![1, -2]))),
        ("b", array(Float32Array::from(vec![0.5, f32::NAN]))),
        ("c", array(BooleanArray::from(vec![true, false]))),
        ("d", array(decimal)),
        ("is_anomaly", array(Int32Array::from(vec![0, 1]))),
    ];
    let first = [
        "1 a@1=1 normal",
        "1 b@1=0.5 normal",
        "1 c@1=1 normal",
        "1 d@1=1.25 normal",
    ];
    let second = [
        "2 a@2=-2 odd",
        "2 b@2=NaN odd",
        "2 c@2=0 odd",
        "2 d@2=NaN odd",
    ];
    check(&columns, &[first, second].concat());
}

#[test]
fn times_of_other_types() {
    let value = || ("value", array(Int32Array::from(vec![7])));
    check(
        &[("date", array(Date32Array::from(vec![2]))), value()],
        &["1 value@172800=7"],
    );
    let nanos = array(TimestampNanosecondArray::from(vec![-1]));
    check(&[("time", nanos), value()], &["1 value@-0.000001=7"]);
    check(
        &[("time", array(Float64Array::from(vec![0.25]))), value()],
        &["1 value@0.25=7"],
    );
}

#[test]
fn a_bad_cell_is_named_or_left_out() {
    let columns = [
        ("time", array(Int64Array::from(vec![Some(1), None]))),
        ("value", array(Int32Array::from(vec![1, 2]))),
    ];
    let expected = "RFC 3339, YYYY-MM-DD HH:MM:SS, or a number since the epoch";
    let problem = format!("f.parquet:2: column \"time\": \"\" is not a time; expected {expected}");
    check(&columns, &["1 value@1=1", &problem]);
    let got = read(&bytes(&columns, Compression::UNCOMPRESSED), Cells::Lenient);
    assert_eq!(got, ["1 value@1=1", &format!("refused {problem}")]);
    let columns = [
        ("time", array(Int32Array::from(vec![1]))),
        ("metric", array(StringArray::from(vec!["up"]))),
        ("labels", array(StringArray::from(vec!["a"]))),
        ("value", array(Int32Array::from(vec![1]))),
    ];
    let problem = "\"a\" does not name a series: at byte 0: expected name=\"value\"";
    check(
        &columns,
        &[&format!("f.parquet:1: column \"labels\": {problem}")],
    );
    let columns = [
        ("time", array(Int32Array::from(vec![1]))),
        ("value", array(Int32Array::from(vec![1]))),
        ("label", array(Int32Array::from(vec![3]))),
    ];
    check(
        &columns,
        &[
            "f.parquet:1: column \"label\": \"3\" is not a label; expected 0, 1, true, false or nothing",
        ],
    );
}

#[test]
fn a_column_of_the_wrong_type_is_refused_before_any_row() {
    let columns = [
        ("time", array(Int32Array::from(vec![1]))),
        ("host", array(StringArray::from(vec!["a"]))),
    ];
    check(
        &columns,
        &["f.parquet: column \"host\" is of type Utf8, expected a number"],
    );
    let columns = [
        ("time", array(BooleanArray::from(vec![true]))),
        ("x", array(Int32Array::from(vec![1]))),
    ];
    let expected = "expected a timestamp, a date, a number or text";
    check(
        &columns,
        &[&format!(
            "f.parquet: column \"time\" is of type Boolean, {expected}"
        )],
    );
}

#[test]
fn batches_do_not_split_or_lose_rows() {
    let n = 20_000;
    let columns = [
        ("time", array(Int64Array::from_iter_values(0..n))),
        ("x", array(Int64Array::from_iter_values(0..n))),
        ("y", array(Int64Array::from_iter_values(0..n))),
    ];
    let got = read(
        &bytes(&columns, Compression::ZSTD(ZstdLevel::default())),
        Cells::Strict,
    );
    assert_eq!(got.len(), 40_000);
    assert_eq!(got.last().unwrap(), "20000 y@19999=19999");
}

#[test]
fn a_damaged_file_is_refused() {
    let columns = [
        ("time", array(Int64Array::from(vec![1]))),
        ("value", array(Int64Array::from(vec![1]))),
    ];
    let whole = bytes(&columns, Compression::SNAPPY);
    let got = read(&whole[..whole.len() - 1], Cells::Strict);
    assert!(got[0].starts_with("f.parquet: after row 0: "), "{got:?}");
    let got = read(b"", Cells::Strict);
    assert!(got[0].starts_with("f.parquet: after row 0: "), "{got:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_byte_never_panics(at in any::<prop::sample::Index>(), with in 1..=255_u8, cut in any::<prop::sample::Index>()) {
        let columns = [
            ("time", array(Int64Array::from_iter_values(0..100))),
            ("metric", array(StringArray::from_iter_values((0..100).map(|i| format!("m{}", i % 7))))),
            ("value", array(Float64Array::from_iter_values((0..100).map(f64::from)))),
        ];
        let mut content = bytes(&columns, Compression::SNAPPY);
        let end = content.len();
        content[at.index(end)] ^= with;
        let _ = read_damaged(&content);
        content.truncate(cut.index(end).max(4));
        let _ = read_damaged(&content);
    }

    #[test]
    fn values_survive_a_round_trip(values in prop::collection::vec((0_i64..1 << 36, any::<f64>()), 1..50)) {
        let columns = [
            ("time", array(Int64Array::from_iter_values(values.iter().map(|(t, _)| *t)))),
            ("value", array(Float64Array::from_iter_values(values.iter().map(|(_, x)| *x)))),
        ];
        let got = read(&bytes(&columns, Compression::UNCOMPRESSED), Cells::Strict);
        let expected = values.iter().enumerate().map(|(i, (t, x))| {
            format!("{} value@{}={x}", i + 1, *t as f64)
        });
        prop_assert_eq!(got, expected.collect::<Vec<_>>());
    }
}

/// Reads a file whose bytes are damaged; that it has an end is all that is asked.
fn read_damaged(content: &[u8]) -> u64 {
    let file = tempfile::Builder::new()
        .suffix(".parquet")
        .tempfile()
        .unwrap();
    std::fs::write(file.path(), content).unwrap();
    let Ok(mut replay) = Replay::open(
        file.path(),
        Options {
            cells: Cells::Lenient,
            ..Options::default()
        },
    ) else {
        return 0;
    };
    let mut rows = Vec::new();
    let mut read = 0;
    while let Ok(true) = replay.next_batch(&mut rows) {
        read += rows.len() as u64;
    }
    read
}

//! Files of strangers: each is refused with its place, and the parts after it are read.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::batch::Batch;
use super::*;

/// Ten good rows as a batch.
fn good() -> RecordBatch {
    let mut samples = batch::Samples::new();
    for row in rows(0, 0..10) {
        samples.push(&row, &batch::Name::of(&key(0)), Provenance::Normal);
    }
    samples.take().unwrap()
}

fn with_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name() == name {
            true => (field.name().clone(), Arc::clone(&column), true),
            false => (
                field.name().clone(),
                Arc::clone(batch.column_by_name(field.name()).unwrap()),
                false,
            ),
        });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
}

fn part(dir: &Path) -> PathBuf {
    let folder = layout::day_dir(dir, Table::Samples, layout::Day::of(T0));
    fs::create_dir_all(&folder).unwrap();
    folder.join(layout::part_name(T0, 1))
}

fn put(dir: &Path, batch: &RecordBatch, metadata: Vec<KeyValue>) -> PathBuf {
    let path = part(dir);
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut writer = ArrowWriter::try_new(
        File::create(&path).unwrap(),
        batch.schema(),
        Some(properties),
    )
    .unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    path
}

/// What is said of a directory's first part; the next one is read all the same.
fn refusal(dir: &Path) -> String {
    let good = tempfile::tempdir().unwrap();
    write(good.path(), &rows(1, 0..4));
    let sealed = layout::parts(good.path(), Table::Samples)
        .unwrap()
        .remove(0)
        .path;
    let next = part(dir).with_file_name(layout::part_name(T0, 2));
    fs::copy(sealed, next).unwrap();
    let (mut reader, mut rows) = (reader(dir), Rows::default());
    let error = reader.next(&mut rows).unwrap_err().to_string();
    assert!(rows.is_empty());
    assert!(reader.next(&mut rows).unwrap());
    assert_eq!(rows.len(), 4);
    error
}

#[track_caller]
fn refused(dir: &Path, expected: &str) {
    let error = refusal(dir);
    assert!(
        error.contains("-00000001.parquet") && error.contains(expected),
        "{error}"
    );
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_file_that_others_wrote_with_the_same_columns_is_read() {
    let dir = dir();
    let batch = good();
    // As plain text, which may be null but is not, in another order, with one more column.
    let mut columns: Vec<(String, ArrayRef, bool)> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let column = batch.column_by_name(field.name()).unwrap();
            let plain = if matches!(field.data_type(), DataType::Dictionary(..)) {
                let cells = cells::Cells {
                    path: dir.path(),
                    row_group: None,
                    batch: &batch,
                };
                let texts = cells.texts(field.name()).unwrap();
                let texts = (0..10).map(|i| texts.at(i));
                Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
            } else {
                Arc::clone(column)
            };
            (field.name().clone(), plain, true)
        })
        .collect();
    columns.reverse();
    columns.push((
        "extra".to_owned(),
        Arc::new(Float64Array::from(vec![1.0; 10])),
        true,
    ));
    put(
        dir.path(),
        &RecordBatch::try_from_iter_with_nullable(columns).unwrap(),
        schema::metadata(),
    );
    assert_eq!(read(dir.path()).len(), 10);
}

#[test]
fn another_schema_version_or_writer_is_named() {
    let with = |key: &str, value: &str| {
        let mut all = schema::metadata();
        all.iter_mut()
            .filter(|pair| pair.key == key)
            .for_each(|pair| pair.value = Some(value.to_owned()));
        all
    };
    let one = dir();
    put(one.path(), &good(), with("forestall.schema_hash", "0x1"));
    refused(
        one.path(),
        "forestall.schema_hash is 0x1, this build reads 0xce8f2816c1cdb9fb",
    );
    let two = dir();
    put(two.path(), &good(), with("forestall.format", "9"));
    refused(two.path(), "forestall.format is 9, this build reads 1");
    let three = dir();
    put(three.path(), &good(), Vec::new());
    refused(three.path(), "forestall.format is missing");
}

#[test]
fn columns_that_are_missing_of_another_type_or_null_are_named() {
    let one = dir();
    let mut batch = good();
    batch.remove_column(batch.schema().index_of("score").unwrap());
    put(one.path(), &batch, schema::metadata());
    refused(one.path(), "column score: missing");

    let two = dir();
    put(
        two.path(),
        &with_column(
            &good(),
            "f_rank",
            Arc::new(Float64Array::from(vec![0.5; 10])),
        ),
        schema::metadata(),
    );
    refused(
        two.path(),
        "column f_rank: Float64 cannot be read as Float32",
    );

    let three = dir();
    let holes: Float64Array = (0..10).map(|i| (i != 3).then_some(1.0)).collect();
    put(
        three.path(),
        &with_column(&good(), "level", Arc::new(holes)),
        schema::metadata(),
    );
    refused(
        three.path(),
        "row group 0, column level: 1 nulls, none is allowed",
    );

    let four = dir();
    put(
        four.path(),
        &with_column(&good(), "provenance", batch::words(&["odd"; 10]).unwrap()),
        schema::metadata(),
    );
    refused(
        four.path(),
        "row group 0, column provenance: \"odd\" is none",
    );

    let five = dir();
    put(
        five.path(),
        &with_column(&good(), "labels", batch::words(&["{x"; 10]).unwrap()),
        schema::metadata(),
    );
    refused(five.path(), "column labels: \"load0{x\" is no series");
}

#[test]
fn too_many_columns_are_refused_before_they_are_read() {
    let dir = dir();
    let fields: Vec<Field> = (0..5000)
        .map(|i| Field::new(format!("c{i}"), DataType::Float64, false))
        .collect();
    let columns = (0..5000)
        .map(|_| Arc::new(Float64Array::from(vec![1.0])) as ArrayRef)
        .collect();
    put(
        dir.path(),
        &RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(),
        schema::metadata(),
    );
    refused(dir.path(), "5000 columns, at most 4096 are read");
}

#[test]
fn damage_anywhere_is_an_error_or_harmless_and_never_a_panic() {
    let source = dir();
    write(source.path(), &rows(0, 0..300));
    let sealed = layout::parts(source.path(), Table::Samples)
        .unwrap()
        .remove(0)
        .path;
    let whole = fs::read(sealed).unwrap();
    let dir = dir();
    let path = part(dir.path());
    let mut state = 1_u64;
    for round in 0..400 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % whole.len();
        let mut bytes = whole.clone();
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << (state % 8),
            _ => bytes[at..]
                .iter_mut()
                .take(16)
                .for_each(|byte| *byte = 0xff),
        }
        fs::write(&path, &bytes).unwrap();
        let (mut reader, mut rows) = (reader(dir.path()), Rows::default());
        while let Ok(true) = reader.next(&mut rows) {
            assert!(rows.len() <= 16_384);
        }
    }
    fs::write(&path, b"not parquet").unwrap();
    refused(dir.path(), "");
}

#[test]
fn marks_that_cannot_be_read_stop_reader_and_engine() {
    let dir = dir();
    let (capture, writer) = open(dir.path(), Options::default());
    let body = NewMark {
        kind: MarkKind::Fault,
        selector: String::new(),
        note: String::new(),
        from_us: T0,
        to_us: None,
    };
    capture.start_mark(body).unwrap();
    drop((capture, writer));
    let file = layout::parts(dir.path(), Table::Provenance)
        .unwrap()
        .remove(0)
        .path;
    fs::write(&file, b"torn").unwrap();
    let error = Capture::open(dir.path(), Options::default(), selectors).unwrap_err();
    assert!(matches!(error, CaptureError::Marks { .. }), "{error}");
    let error = Reader::open(dir.path(), at(0)..at(1), selectors).unwrap_err();
    assert!(
        error.to_string().contains("mark-00000001.parquet"),
        "{error}"
    );
}

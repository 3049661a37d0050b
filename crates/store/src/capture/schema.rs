//! The columns of each table, and what a file says of itself.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use features::SCHEMA;
use parquet::file::metadata::KeyValue;

/// The version of the layout that this build writes and reads.
pub(super) const FORMAT: &str = "1";
/// Key of a file's metadata: the version of the layout.
pub(super) const FORMAT_KEY: &str = "forestall.format";
/// Key of a file's metadata: the feature schema, `0x` and 16 hexadecimal digits.
pub(super) const HASH_KEY: &str = "forestall.schema_hash";
/// Key of a file's metadata: the version that wrote it.
const VERSION_KEY: &str = "forestall.version";

/// Which table a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row for each scored sample.
    Samples,
    /// One row for each verdict of a person.
    Feedback,
    /// One row for each mark: an interval in which somebody interfered.
    Provenance,
}

impl Table {
    /// The name of its folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Feedback => "feedback",
            Self::Provenance => "provenance",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Samples, Self::Feedback, Self::Provenance]
            .into_iter()
            .find(|table| table.name() == text)
    }

    pub(super) fn schema(self) -> SchemaRef {
        static ALL: LazyLock<[SchemaRef; 3]> =
            LazyLock::new(|| [samples(), feedback(), provenance()].map(Arc::new));
        Arc::clone(&ALL[self as usize])
    }
}

/// Text that repeats: each value is stored once. Codes of 32 bits throughout, since that is what every reader takes.
pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Microseconds, UTC.
pub(super) fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The name of a feature's column.
pub(super) fn feature_name(i: usize) -> String {
    format!("f_{}", SCHEMA[i].name)
}

fn samples() -> Schema {
    let mut fields = vec![
        Field::new("time", time(), false),
        Field::new("metric", dictionary(), false),
        Field::new("labels", dictionary(), false),
        Field::new("value", DataType::Float64, false),
        Field::new("level", DataType::Float64, false),
    ];
    fields.extend((0..SCHEMA.len()).map(|i| Field::new(feature_name(i), DataType::Float32, false)));
    fields.extend([
        Field::new("score", DataType::Float64, false),
        Field::new("alert_score", DataType::Float32, false),
        Field::new("event", dictionary(), false),
        Field::new("provenance", dictionary(), false),
    ]);
    Schema::new(fields)
}

fn feedback() -> Schema {
    Schema::new(vec![
        Field::new("time", time(), false),
        Field::new("metric", dictionary(), false),
        Field::new("labels", dictionary(), false),
        Field::new("from", time(), false),
        // Null while the event that it is about goes on.
        Field::new("to", time(), true),
        Field::new("verdict", dictionary(), false),
        Field::new("note", DataType::Utf8, false),
    ])
}

fn provenance() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("from", time(), false),
        // Null while it goes on.
        Field::new("to", time(), true),
        Field::new("kind", dictionary(), false),
        Field::new("selector", DataType::Utf8, false),
        Field::new("note", DataType::Utf8, false),
    ])
}

/// The feature schema's hash, as files spell it.
pub(super) fn hash_text() -> String {
    format!("0x{:016x}", features::schema_hash())
}

/// What every file says of itself.
pub(super) fn metadata() -> Vec<KeyValue> {
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    vec![
        pair(FORMAT_KEY, FORMAT.to_owned()),
        pair(HASH_KEY, hash_text()),
        pair(VERSION_KEY, env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

//! A sample stream as rows of numbers, and the schema that models are trained on. A crate because it has two users
//! that share nothing else: the hot path that scores, and the training that reads what was captured.

mod extractor;
pub mod headroom;
mod row;
mod schema;
mod season;
mod state;
mod touch;

pub use extractor::{Extracted, Extractor};
pub use row::{Row, Windows};
pub use schema::{Column, N_COLUMNS, SCHEMA, column, schema_hash};
pub use touch::touch;

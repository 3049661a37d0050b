//! Where what is learned from comes from: generated, or captured and read by whoever calls.

use features::N_COLUMNS;

use crate::spool::SpoolError;

/// Some rows of one series, ascending in time, after those that came in earlier chunks of the same series.
#[derive(Debug, Clone, Copy)]
pub struct SeriesChunk<'a> {
    /// The same number for the same series, in this source and in every other run of it.
    pub series: u64,
    /// Microseconds since 1970, UTC; one per row.
    pub times: &'a [i64],
    /// The features of each row.
    pub columns: &'a [[f32; N_COLUMNS]],
    /// Whether each row may be learned as normal: not so during a known fault, a confirmed anomaly, or a mitigation.
    pub use_as_normal: &'a [bool],
}

/// Why data did not come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be taken.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// It could not be read.
    #[error("reading the training data")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Data to learn from.
pub trait Source {
    /// One line for the model's card: what it is and how to get it again.
    fn description(&self) -> String;

    /// Hands all data to `visit`, chunk by chunk: the same chunks in the same order whenever it is called. Chunks of
    /// different series may be mixed; no chunk need fit anything but memory.
    ///
    /// # Errors
    /// What `visit` returns ends the reading and is returned; so is what goes wrong on the way.
    fn chunks(
        &mut self,
        visit: &mut dyn FnMut(SeriesChunk<'_>) -> Result<(), SpoolError>,
    ) -> Result<(), SourceError>;
}

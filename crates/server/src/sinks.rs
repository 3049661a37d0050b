//! Everything that wants to know what the shards find.

use std::sync::Arc;

use hotpath::{Scored, Sink};

use crate::board::Board;
use crate::capture::Tap;

/// The board always, and capture when it is on.
pub(crate) struct Sinks {
    pub(crate) board: Arc<Board>,
    pub(crate) capture: Option<Arc<Tap>>,
}

impl Sink for Sinks {
    fn risks(&self, scored: &Scored<'_>) {
        self.board.risks(scored);
        if let Some(tap) = &self.capture {
            tap.offer(scored);
        }
    }

    fn wants_columns(&self) -> bool {
        self.capture.is_some()
    }
}

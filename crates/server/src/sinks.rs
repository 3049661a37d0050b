//! Everything that wants to know what the shards find.

use std::sync::Arc;

use hotpath::{Scored, Sink};

use crate::board::Board;
use crate::capture::Tap;
use crate::lookout::Inlet;

/// The board always, the lookout and capture when they are on.
pub(crate) struct Sinks {
    pub(crate) board: Arc<Board>,
    pub(crate) lookout: Option<Arc<Inlet>>,
    pub(crate) capture: Option<Arc<Tap>>,
}

impl Sink for Sinks {
    fn risks(&self, scored: &Scored<'_>) {
        self.board.risks(scored);
        if let Some(inlet) = &self.lookout {
            inlet.offer(scored.risks);
        }
        if let Some(tap) = &self.capture {
            tap.offer(scored);
        }
    }

    fn wants_columns(&self) -> bool {
        self.capture.is_some()
    }
}

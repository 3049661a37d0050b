//! The way to a shard's thread, and what is sent along it.

use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Mutex};

use predict::forecast::Runner;
use series::{Sample, SeriesId};

use crate::batch::{Batch, lock};
use crate::routes::Newcomer;

/// What comes through the queue.
pub(crate) enum Command {
    /// Samples to score.
    Samples(Part),
    /// Look into the inbox.
    Wake,
}

/// A shard's part of a batch.
pub(crate) struct Part {
    /// With the shard's own numbers for series.
    pub(crate) samples: Vec<Sample>,
    /// Place in the batch of each sample; empty when the part is the whole batch.
    pub(crate) places: Vec<u32>,
    pub(crate) batch: Arc<Batch>,
}

/// What comes through the inbox.
pub(crate) enum Letter {
    /// Watch one more series.
    Add(Newcomer),
    /// A person confirmed or dismissed an alert.
    Feedback { series: SeriesId, confirmed: bool },
    /// Reply with the state of these series.
    Save {
        series: Vec<SeriesId>,
        reply: Sender<Saved>,
    },
    /// Take the state of these series from `bytes`, one after the other; reply with the emptied buffer.
    Load {
        series: Vec<SeriesId>,
        bytes: Vec<u8>,
        reply: Sender<Vec<u8>>,
    },
    /// Go on numbering events from here, within the shard's own range.
    NumberEvents(u64),
    /// Forecast by this model from now on.
    Adopt(Runner),
    /// Forget everything.
    Reset,
}

/// The state of some series.
pub(crate) struct Saved {
    /// One after the other.
    pub(crate) bytes: Vec<u8>,
    /// The number of the shard's next event, within its range.
    pub(crate) next_event: u64,
}

/// The way to a shard.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) queue: SyncSender<Command>,
    pub(crate) inbox: Arc<Mutex<Vec<Letter>>>,
}

impl Lane {
    /// Leaves a letter that need not be read before the next batch.
    pub(crate) fn leave(&self, letter: Letter) {
        lock(&self.inbox).push(letter);
    }

    /// Leaves a letter and wakes the shard. A full queue means that it is awake, and looks before its next batch.
    pub(crate) fn send(&self, letter: Letter) {
        self.leave(letter);
        let _ = self.queue.try_send(Command::Wake);
    }
}

//! The two threads of capture: one writes journals, one seals them.

use std::sync::Arc;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hotpath::Engine;
use series::{Clock, SeriesId};
use store::capture::{Capture, Status, Writer};

use super::tap::{Message, Tap};

/// How often the log may be told that rows are missing, or that parts made room.
const REPORT: Duration = Duration::from_secs(10);
/// How long a journal that could not be sealed waits for the next attempt.
const RETRY: Duration = Duration::from_secs(30);

/// Messages that are taken between two looks at the time: shards may send faster than can be written.
const FETCHED_AT_ONCE: usize = 1024;

/// What the writing thread owns.
pub(super) struct Writing {
    pub(super) writer: Writer,
    pub(super) capture: Capture,
    pub(super) tap: Arc<Tap>,
    /// For the names of series. Weak, since the engine owns the tap.
    pub(super) engine: Weak<Engine>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) flush_interval: Duration,
}

impl Writing {
    /// Writes what arrives until it is told to stop, or nobody is left who could send; wakes the sealer through `seal`.
    pub(super) fn run(mut self, messages: &Receiver<Message>, seal: &Sender<()>) {
        let mut next_flush = Instant::now() + self.flush_interval;
        let mut reporter = Reporter::new(self.capture.status());
        loop {
            let left = next_flush.saturating_duration_since(Instant::now());
            let goes_on = match messages.recv_timeout(left) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if !goes_on {
                break;
            }
            let now = Instant::now();
            if now >= next_flush {
                if !self.fetch(messages, FETCHED_AT_ONCE) {
                    break;
                }
                if self.writer.flush(self.clock.now()) {
                    // A sealer that has ended has panicked, which was printed.
                    let _ = seal.send(());
                }
                next_flush = now + self.flush_interval;
                reporter.report(now, self.capture.status(), self.tap.n_dropped());
            }
        }
        self.fetch(messages, usize::MAX);
        self.writer.close(self.clock.now());
    }

    /// Takes what shards have in buffers that are not full, and what waits before them. Returns whether to go on.
    fn fetch(&mut self, messages: &Receiver<Message>, at_most: usize) -> bool {
        self.tap.push_out();
        let mut waiting = messages.try_iter().take(at_most);
        waiting.all(|message| self.take(message))
    }

    /// Returns whether to go on.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Rows(rows) => {
                let engine = &self.engine;
                self.writer.append(&rows, self.clock.now(), |series| {
                    engine.upgrade()?.key(SeriesId(series))
                });
                self.tap.give_back(rows);
            }
            Message::Said(said) => self.writer.say(said, self.clock.now()),
            Message::Stop => return false,
        }
        true
    }
}

/// Seals what a process before left, then whatever is closed, until the writer is gone and nothing is left.
pub(super) fn seal(capture: &Capture, wake: &Receiver<()>) {
    let mut failed = false;
    loop {
        let done = match wake.recv_timeout(if failed { RETRY } else { Duration::MAX }) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        failed = false;
        while let Some(sealed) = capture.seal_next() {
            match sealed {
                Ok(sealed) => {
                    tracing::debug!(
                        rows = sealed.rows,
                        bytes = sealed.bytes,
                        "captured rows sealed"
                    );
                    if sealed.torn_bytes > 0 {
                        let bytes = sealed.torn_bytes;
                        tracing::warn!(
                            bytes,
                            "an unfinished batch at the end of a capture journal was cut off"
                        );
                    }
                }
                Err(error) => {
                    tracing::error!(%error, cause = %error.source, "captured rows stay in their journal; tried again later");
                    failed = true;
                    break;
                }
            }
        }
        if done {
            return;
        }
    }
}

/// A channel by which the sealer is woken, woken once already: there may be journals of a process before.
pub(super) fn wake() -> (Sender<()>, Receiver<()>) {
    let (sender, receiver) = channel();
    let _ = sender.send(());
    (sender, receiver)
}

/// Turns what is counted into lines of the log, few enough to be read.
struct Reporter {
    told: Status,
    told_dropped: u64,
    next: Option<Instant>,
}

impl Reporter {
    fn new(told: Status) -> Self {
        Self {
            told,
            told_dropped: 0,
            next: None,
        }
    }

    fn report(&mut self, now: Instant, status: Status, dropped: u64) {
        if status.is_paused != self.told.is_paused {
            if status.is_paused {
                tracing::error!(reason = %status.last_error, "capture pauses; scoring goes on, and it is tried again every 30 s");
            } else {
                tracing::warn!(rows_lost = status.rows_lost, "capture goes on");
            }
            self.told.is_paused = status.is_paused;
        }
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now + REPORT);
        if dropped > self.told_dropped {
            let rows = dropped - self.told_dropped;
            tracing::warn!(rows, "capture fell behind: rows were left out");
        }
        if status.removed_parts > self.told.removed_parts {
            let parts = status.removed_parts - self.told.removed_parts;
            let bytes = status.removed_bytes - self.told.removed_bytes;
            tracing::info!(
                parts,
                bytes,
                "the oldest captured parts were removed to make room"
            );
        }
        (self.told, self.told_dropped) = (status, dropped);
    }
}

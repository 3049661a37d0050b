//! Where shards leave what is to be captured: copied into a buffer that was used before, handed over without waiting.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use hotpath::Scored;
use parking_lot::Mutex;
use predict::{Phase, Risk};
use store::capture::{EventPhase, Row, Said};

/// Rows of one buffer: 104 KiB, which stays in the second cache between shard and writer.
const BUFFER_ROWS: usize = 1024;
/// Messages that may wait. Small batches, as from hosts that are read once a second, fill few rows each.
const MESSAGES: usize = 1 << 14;

/// What the writer is sent.
#[derive(Debug)]
pub(super) enum Message {
    /// Scored samples.
    Rows(Vec<Row>),
    /// What a person said.
    Said(Said),
    /// Write everything, and end.
    Stop,
}

/// The shards' end. Never waits: what does not fit is left out and counted.
#[derive(Debug)]
pub(crate) struct Tap {
    queue: SyncSender<Message>,
    /// Buffers that the writer has emptied.
    pool: Mutex<Vec<Vec<Row>>>,
    waiting_rows: AtomicUsize,
    max_rows: usize,
    dropped: AtomicU64,
}

impl Tap {
    /// A tap, and where its messages arrive.
    pub(super) fn new(max_rows: usize) -> (Self, Receiver<Message>) {
        let (queue, messages) = sync_channel(MESSAGES);
        let tap = Self {
            queue,
            pool: Mutex::default(),
            waiting_rows: AtomicUsize::new(0),
            max_rows,
            dropped: AtomicU64::new(0),
        };
        (tap, messages)
    }

    /// Takes a copy of what was scored.
    pub(crate) fn offer(&self, scored: &Scored<'_>) {
        let chunks = scored.risks.chunks(BUFFER_ROWS);
        for (risks, columns) in chunks.zip(scored.columns.chunks(BUFFER_ROWS)) {
            let n = risks.len();
            let waiting = self.waiting_rows.fetch_add(n, Ordering::Relaxed);
            if waiting + n > self.max_rows {
                self.drop_rows(n);
                continue;
            }
            // The lock is held for a push or a pop only; who does not get it at once takes a new buffer.
            let pooled = self.pool.try_lock().and_then(|mut pool| pool.pop());
            let mut rows = pooled.unwrap_or_else(|| Vec::with_capacity(BUFFER_ROWS));
            rows.extend(risks.iter().zip(columns).map(|(risk, columns)| Row {
                columns: *columns,
                ..row(risk)
            }));
            if self.queue.try_send(Message::Rows(rows)).is_err() {
                self.drop_rows(n);
            }
        }
    }

    fn drop_rows(&self, n: usize) {
        self.waiting_rows.fetch_sub(n, Ordering::Relaxed);
        self.dropped.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Hands over what a person said. Waits for room: verdicts are few, and worth more than samples.
    pub(super) fn say(&self, said: Said) {
        // A writer that has ended was told to: the server is stopping.
        let _ = self.queue.send(Message::Said(said));
    }

    /// Tells the writer to end.
    pub(super) fn stop(&self) {
        let _ = self.queue.send(Message::Stop);
    }

    /// Takes back a buffer whose rows were written.
    pub(super) fn give_back(&self, mut rows: Vec<Row>) {
        self.waiting_rows.fetch_sub(rows.len(), Ordering::Relaxed);
        rows.clear();
        let mut pool = self.pool.lock();
        if pool.len() < self.max_rows.div_ceil(BUFFER_ROWS) {
            pool.push(rows);
        }
    }

    /// Rows that were left out so far.
    pub(super) fn n_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// All but the features.
fn row(risk: &Risk) -> Row {
    Row {
        series: risk.series.0,
        event: match risk.event.map(|event| event.phase) {
            None => EventPhase::None,
            Some(Phase::Opened) => EventPhase::Opened,
            Some(Phase::Open) => EventPhase::Open,
            Some(Phase::Closed) => EventPhase::Closed,
        },
        alert_score: risk.alert_score,
        time_us: risk.at.micros(),
        value: risk.value,
        level: risk.level,
        score: risk.score.get(),
        columns: [0.0; features::N_COLUMNS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{in_event, risk};

    fn offer(tap: &Tap, risks: &[Risk]) {
        let columns = vec![[0.5; features::N_COLUMNS]; risks.len()];
        tap.offer(&Scored {
            risks,
            members: &[],
            columns: &columns,
        });
    }

    #[test]
    fn rows_are_what_was_scored() {
        let (tap, messages) = Tap::new(10);
        offer(
            &tap,
            &[in_event(risk(3, 7, 0.5), 1, Phase::Opened), risk(4, 8, 0.0)],
        );
        let Ok(Message::Rows(rows)) = messages.try_recv() else {
            panic!("rows")
        };
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.series, row.time_us, row.event))
            .collect();
        let expected = [
            (3, 7_000_000, EventPhase::Opened),
            (4, 8_000_000, EventPhase::None),
        ];
        assert_eq!(seen, expected);
        assert!(
            rows.iter()
                .all(|row| row.columns == [0.5; features::N_COLUMNS])
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_until_there_is_room() {
        let (tap, messages) = Tap::new(2000);
        let many: Vec<Risk> = (0..1500).map(|s| risk(0, s, 0.0)).collect();
        offer(&tap, &many);
        offer(&tap, &many);
        // 1024 + 476 + then 476 of the next: a buffer that fits is taken though the one before it was not.
        assert_eq!(tap.n_dropped(), 1024);
        let mut n = 0;
        while let Ok(Message::Rows(rows)) = messages.try_recv() {
            n += rows.len();
            tap.give_back(rows);
        }
        assert_eq!(n, 1976);
        offer(&tap, &many);
        assert_eq!(tap.n_dropped(), 1024);
        drop(messages);
        offer(&tap, &many);
        assert_eq!(
            tap.n_dropped(),
            2524,
            "a writer that is gone is no reason to fail"
        );
    }
}

//! Where shards leave what is to be captured: copied into a buffer that was used before, handed over without waiting.
//!
//! Each shard fills a buffer of its own, and hands it over when it is full. One message per call would wake the writer
//! for each small batch, which costs a shard more than all its copying. What stays in a buffer that does not fill is
//! fetched at each flush.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use hotpath::Scored;
use parking_lot::Mutex;
use predict::{Phase, Risk};
use store::capture::{EventPhase, Row, Said};

use crate::thread_number::thread_number;

/// Rows of one buffer: 104 KiB, which stays in the second cache between shard and writer.
const BUFFER_ROWS: usize = 1024;
/// Messages that may wait, beyond what the bound on rows lets through.
const SPARE_MESSAGES: usize = 64;

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
    /// Buffers being filled. A thread keeps to one: rows of a series, which is always on the same thread, stay in order.
    open: Box<[Mutex<Vec<Row>>]>,
    /// Buffers that the writer has emptied.
    pool: Mutex<Vec<Vec<Row>>>,
    waiting_rows: AtomicUsize,
    max_rows: usize,
    dropped: AtomicU64,
}

impl Tap {
    /// A tap for so many shards, and where its messages arrive.
    pub(super) fn new(n_shards: usize, max_rows: usize) -> (Self, Receiver<Message>) {
        let n_messages = max_rows.div_ceil(BUFFER_ROWS) + n_shards + SPARE_MESSAGES;
        let (queue, messages) = sync_channel(n_messages);
        let tap = Self {
            queue,
            open: (0..n_shards.max(1)).map(|_| Mutex::default()).collect(),
            pool: Mutex::default(),
            waiting_rows: AtomicUsize::new(0),
            max_rows,
            dropped: AtomicU64::new(0),
        };
        (tap, messages)
    }

    /// Takes a copy of what was scored.
    pub(crate) fn offer(&self, scored: &Scored<'_>) {
        let (mut risks, mut columns) = (scored.risks, scored.columns);
        // Others hold this lock for as long as it takes to hand a buffer over.
        let mut buffer = self.open[thread_number() % self.open.len()].lock();
        while !risks.is_empty() && !columns.is_empty() {
            let n = risks.len().min(columns.len());
            let n = n.min(BUFFER_ROWS.saturating_sub(buffer.len()).max(1));
            let waiting = self.waiting_rows.fetch_add(n, Ordering::Relaxed);
            if waiting + n > self.max_rows {
                self.drop_rows(n);
            } else {
                let rows = risks[..n].iter().zip(&columns[..n]);
                buffer.extend(rows.map(|(risk, columns)| Row {
                    columns: *columns,
                    ..row(risk)
                }));
                if buffer.len() >= BUFFER_ROWS {
                    self.hand_over(&mut buffer);
                }
            }
            (risks, columns) = (&risks[n..], &columns[n..]);
        }
    }

    /// Hands over what is in buffers that are not full.
    pub(super) fn push_out(&self) {
        for buffer in &self.open {
            let mut buffer = buffer.lock();
            if !buffer.is_empty() {
                self.hand_over(&mut buffer);
            }
        }
    }

    /// Under the buffer's lock, so that buffers arrive in the order in which they were filled.
    fn hand_over(&self, buffer: &mut Vec<Row>) {
        // Who does not get the pool at once takes a new buffer.
        let pooled = self.pool.try_lock().and_then(|mut pool| pool.pop());
        let empty = pooled.unwrap_or_else(|| Vec::with_capacity(BUFFER_ROWS));
        let full = std::mem::replace(buffer, empty);
        let n = full.len();
        if self.queue.try_send(Message::Rows(full)).is_err() {
            self.drop_rows(n);
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

    fn arrived(tap: &Tap, messages: &Receiver<Message>) -> Vec<Row> {
        let mut all = Vec::new();
        while let Ok(Message::Rows(rows)) = messages.try_recv() {
            all.extend_from_slice(&rows);
            tap.give_back(rows);
        }
        all
    }

    #[test]
    fn rows_are_what_was_scored() {
        let (tap, messages) = Tap::new(2, 10);
        let risks = [in_event(risk(3, 7, 0.5), 1, Phase::Opened), risk(4, 8, 0.0)];
        offer(&tap, &risks);
        assert_eq!(arrived(&tap, &messages), [], "the buffer is not full");
        tap.push_out();
        let rows = arrived(&tap, &messages);
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.series, row.time_us, row.event))
            .collect();
        let expected = [
            (3, 7_000_000, EventPhase::Opened),
            (4, 8_000_000, EventPhase::None),
        ];
        assert_eq!(seen, expected);
        let columns = rows.iter().flat_map(|row| row.columns);
        assert!(
            columns
                .map(f32::to_bits)
                .all(|bits| bits == 0.5_f32.to_bits())
        );
        tap.push_out();
        assert_eq!(arrived(&tap, &messages), []);
    }

    #[test]
    fn full_buffers_arrive_by_themselves_and_in_order() {
        let (tap, messages) = Tap::new(1, 1 << 20);
        let many: Vec<Risk> = (0..100).map(|s| risk(0, s, 0.0)).collect();
        for _ in 0..41 {
            offer(&tap, &many);
        }
        let rows = arrived(&tap, &messages);
        assert_eq!(rows.len(), 4 * BUFFER_ROWS);
        let in_order = (0..)
            .zip(&rows)
            .all(|(i, row)| row.time_us == i % 100 * 1_000_000);
        assert!(in_order);
        tap.push_out();
        assert_eq!(arrived(&tap, &messages).len(), 4);
    }

    #[test]
    fn what_does_not_fit_is_left_out_until_there_is_room() {
        let (tap, messages) = Tap::new(1, 2000);
        let many: Vec<Risk> = (0..1500).map(|s| risk(0, s, 0.0)).collect();
        offer(&tap, &many);
        assert_eq!(tap.n_dropped(), 0);
        offer(&tap, &many);
        let dropped = tap.n_dropped();
        assert!(dropped >= 1000);
        tap.push_out();
        assert_eq!(arrived(&tap, &messages).len() as u64, 3000 - dropped);
        offer(&tap, &many);
        assert_eq!(tap.n_dropped(), dropped);
        // A writer that is gone is no reason to fail; the buffer that it was sent before is not seen to be lost.
        drop(messages);
        offer(&tap, &many);
        tap.push_out();
        let lost = tap.n_dropped() - dropped;
        assert_eq!(lost, 3000 - BUFFER_ROWS as u64);
    }
}

//! Rows into requests, each when it is due.

use std::time::{Duration, Instant};

use proto::v1;
use series::{SeriesKey, Timestamp};
use sources::replay::{Replay, Row};
use tokio::sync::mpsc::Sender;

use super::super::judge::with_advice;
use crate::progress;
use crate::wire;

/// Declarations of one request, so that it stays far below what a server takes.
const DECLARED: usize = 1_000;
const DECLARED_BYTES: usize = 1 << 20;
/// Rows that are due within so long go out together.
const TOGETHER: Duration = Duration::from_millis(10);

/// How fast the recording runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    /// So many times as fast as it was recorded.
    Times(f64),
    /// As fast as the server takes it.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text
            .parse::<f64>()
            .ok()
            .filter(|n| *n > 0.0 && n.is_finite());
        times
            .map(Self::Times)
            .ok_or_else(|| "expected a number above 0, or max".to_owned())
    }
}

/// Turns rows into requests, each when it is due.
pub(super) struct Pusher {
    sender: Sender<v1::PushRequest>,
    /// The value of the label `file` that each series gets, if any.
    label: Option<String>,
    speed: Speed,
    /// When the recording began: on this machine, and by its own times.
    begin: Option<(Instant, Timestamp)>,
    sequence: u64,
    n_declared: usize,
    batch: v1::SampleBatch,
}

/// The other side is gone; it tells why.
struct HungUp;

impl Pusher {
    /// `label`: the value of the label `file` that each series gets.
    pub(super) fn new(
        sender: Sender<v1::PushRequest>,
        label: Option<String>,
        speed: Speed,
    ) -> Self {
        Self {
            sender,
            label,
            speed,
            begin: None,
            sequence: 0,
            n_declared: 0,
            batch: v1::SampleBatch::default(),
        }
    }

    /// Sends the whole recording. That the server hung up is no error here: its answer says why.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub(super) fn run(mut self, mut replay: Replay) -> anyhow::Result<()> {
        let bar = progress::bytes(replay.file(), replay.bytes_total());
        let mut rows = Vec::new();
        loop {
            let more = replay.next_batch(&mut rows).map_err(with_advice);
            if self
                .declare(replay.keys())
                .and_then(|()| self.rows(&rows))
                .is_err()
            {
                break;
            }
            bar.set_position(replay.bytes_read());
            if !more? {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Tells the server of series that are new since the batch before.
    fn declare(&mut self, keys: &[impl AsRef<SeriesKey>]) -> Result<(), HungUp> {
        let (mut series, mut bytes) = (Vec::new(), 0);
        for key in keys.iter().skip(self.n_declared) {
            let mut declared = wire::of(key.as_ref());
            if let Some(file) = &self.label {
                declared
                    .labels
                    .entry("file".to_owned())
                    .or_insert_with(|| file.clone());
            }
            bytes += declared.metric.len()
                + declared
                    .labels
                    .iter()
                    .map(|(n, v)| n.len() + v.len() + 8)
                    .sum::<usize>();
            let series_ref = u32::try_from(self.n_declared).unwrap_or(u32::MAX);
            series.push(v1::SeriesDeclaration {
                series_ref,
                series: Some(declared),
            });
            self.n_declared += 1;
            if series.len() >= DECLARED || bytes >= DECLARED_BYTES {
                self.send(std::mem::take(&mut series))?;
                bytes = 0;
            }
        }
        if series.is_empty() {
            Ok(())
        } else {
            self.send(series)
        }
    }

    fn rows(&mut self, rows: &[Row]) -> Result<(), HungUp> {
        for row in rows {
            let wait = self.due_in(row.at);
            if wait > TOGETHER {
                self.send(Vec::new())?;
                std::thread::sleep(self.due_in(row.at));
            }
            self.batch.series_ref.push(row.series);
            self.batch.time_us.push(row.at.micros());
            self.batch.value.push(row.value);
        }
        self.send(Vec::new())
    }

    /// How long until the moment at which a row is to be sent; the first row sets the clock.
    fn due_in(&mut self, at: Timestamp) -> Duration {
        let Speed::Times(times) = self.speed else {
            return Duration::ZERO;
        };
        let (begin, first) = *self.begin.get_or_insert_with(|| (Instant::now(), at));
        let after_s = at.seconds_since(first).max(0.0) / times;
        Duration::try_from_secs_f64(after_s)
            .unwrap_or(Duration::MAX)
            .saturating_sub(begin.elapsed())
    }

    /// Sends declarations and what is gathered; nothing if there is neither.
    fn send(&mut self, series: Vec<v1::SeriesDeclaration>) -> Result<(), HungUp> {
        let batch = std::mem::take(&mut self.batch);
        if series.is_empty() && batch.value.is_empty() {
            return Ok(());
        }
        self.sequence += 1;
        let request = v1::PushRequest {
            sequence: self.sequence,
            series,
            batch: Some(batch),
            samples: Vec::new(),
        };
        self.sender.blocking_send(request).map_err(|_| HungUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sources::replay::Options;
    use tokio::sync::mpsc::channel;

    #[test]
    fn speeds() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
        for text in ["0", "-1", "nan", "inf", "fast"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }

    #[test]
    fn rows_come_in_order_and_series_before_their_samples() {
        let csv = "time,metric,labels,value\n1,a,,1\n1,b,,2\n2,a,,3\n";
        let replay = Replay::from_reader("made", csv.as_bytes(), Options::default()).unwrap();
        let (sender, mut receiver) = channel(8);
        Pusher::new(sender, Some("f.csv".to_owned()), Speed::Max)
            .run(replay)
            .unwrap();
        let (mut declared, mut samples) = (Vec::new(), Vec::new());
        while let Ok(request) = receiver.try_recv() {
            declared.extend(
                request
                    .series
                    .iter()
                    .map(|s| (s.series_ref, wire::text(s.series.as_ref()))),
            );
            let batch = request.batch.unwrap_or_default();
            assert!(
                batch
                    .series_ref
                    .iter()
                    .all(|r| declared.iter().any(|(d, _)| d == r)),
                "declared first"
            );
            samples.extend(
                batch
                    .series_ref
                    .into_iter()
                    .zip(batch.time_us)
                    .zip(batch.value),
            );
        }
        assert_eq!(
            declared,
            [
                (0, "a{file=\"f.csv\"}".to_owned()),
                (1, "b{file=\"f.csv\"}".to_owned())
            ]
        );
        assert_eq!(
            samples,
            [
                ((0, 1_000_000), 1.0),
                ((1, 1_000_000), 2.0),
                ((0, 2_000_000), 3.0)
            ]
        );
    }

    #[test]
    fn pace_follows_the_recording() {
        let (sender, _receiver) = channel(1);
        let mut pusher = Pusher::new(sender, None, Speed::Times(10.0));
        let at = Timestamp::from_millis;
        assert_eq!(
            pusher.due_in(at(5_000)),
            Duration::ZERO,
            "the first row sets the clock"
        );
        let due = pusher.due_in(at(1_005_000)).as_secs_f64();
        assert!((90.0..=100.0).contains(&due), "{due}");
        assert_eq!(
            pusher.due_in(at(0)),
            Duration::ZERO,
            "what goes back in time is not waited for"
        );
    }
}

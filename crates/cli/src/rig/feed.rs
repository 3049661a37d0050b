//! What is scraped, pushed to a running server as it comes. A server that stalls holds nothing up for longer than a few seconds:
//! the run then ends, with what it has recorded.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ::rig::Sample;
use anyhow::{Context, anyhow};
use proto::v1;
use proto::v1::ingest_service_client::IngestServiceClient;
use series::{SeriesKey, Timestamp};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::connect::{TrustArgs, connect, refused};
use crate::runtime::block_on;
use crate::wire;

/// Scrapes that wait to be sent. One more waits for the server, which is then far behind.
const AHEAD: usize = 16;
/// Longer than connecting may take.
const CONNECTS_WITHIN: Duration = Duration::from_secs(15);
/// A server that takes nothing for so long has stalled, and one that does not say within this what it took says nothing.
const TAKES_WITHIN: Duration = Duration::from_secs(5);
const SUMS_UP_WITHIN: Duration = Duration::from_secs(10);

/// An open stream to a server.
pub(super) struct Feed {
    sender: Option<Sender<v1::PushRequest>>,
    /// Gives the number of samples taken, once the stream is over.
    taken: Receiver<anyhow::Result<u64>>,
    declared: HashMap<(String, String), u32>,
    /// Tells these series from those of the machine itself, and of other runs.
    instance: String,
    sequence: u64,
}

impl Feed {
    /// Connects, so that a wrong address is told at once. All series get `instance` as a label, as whatever is scraped
    /// has one.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) fn open(address: &str, trust: &TrustArgs, instance: String) -> anyhow::Result<Self> {
        let (sender, receiver) = channel(AHEAD);
        let (connected, told) = std::sync::mpsc::channel();
        let (sum, taken) = std::sync::mpsc::channel();
        let (address, trust) = (address.to_owned(), trust.clone());
        let pushing = async move {
            let connection = match connect(&address, &trust).await {
                Ok(connection) => connection,
                Err(error) => {
                    let _ = connected.send(Err(error));
                    return Ok(0);
                }
            };
            let _ = connected.send(Ok(()));
            let mut client = IngestServiceClient::new(connection);
            let answers = client.push(ReceiverStream::new(receiver)).await;
            let mut answers = answers.map_err(|status| refused(&status))?.into_inner();
            let mut taken = 0;
            while let Some(answer) = answers.next().await {
                taken += answer.map_err(|status| refused(&status))?.taken_count;
            }
            Ok(taken)
        };
        thread::Builder::new()
            .name("feed".to_owned())
            // Nobody waits for it: a connection that hangs would hold up the end of the run.
            .spawn(move || drop(sum.send(block_on(pushing))))
            .context("starting the thread that pushes")?;
        told.recv_timeout(CONNECTS_WITHIN)
            .context("connecting to the server")??;
        Ok(Self {
            sender: Some(sender),
            taken,
            declared: HashMap::new(),
            instance,
            sequence: 0,
        })
    }

    /// Sends one scrape.
    ///
    /// # Errors
    /// When the server has hung up; says why.
    pub(super) fn push(&mut self, at_s: f64, samples: &[Sample]) -> anyhow::Result<()> {
        let at = Timestamp::from_secs_f64(at_s).context("an instant that is none")?;
        let (mut series, mut batch) = (Vec::new(), v1::SampleBatch::default());
        for sample in samples {
            let place = (sample.metric.clone(), sample.labels.clone());
            let next = u32::try_from(self.declared.len()).unwrap_or(u32::MAX);
            let series_ref = *self.declared.entry(place).or_insert(next);
            if series_ref == next {
                series.push(v1::SeriesDeclaration {
                    series_ref,
                    series: Some(wire::of(&key(sample, &self.instance)?)),
                });
            }
            batch.series_ref.push(series_ref);
            batch.time_us.push(at.micros());
            batch.value.push(sample.value);
        }
        self.sequence += 1;
        let request = v1::PushRequest {
            sequence: self.sequence,
            series,
            batch: Some(batch),
            samples: Vec::new(),
        };
        let sender = self.sender.as_ref();
        match sender.map_or(Ok(()), |sender| offer(sender, request, TAKES_WITHIN)) {
            Ok(()) => Ok(()),
            Err(NotSent::Full) => Err(anyhow!(
                "the server has taken nothing for {} s: {AHEAD} scrapes wait",
                TAKES_WITHIN.as_secs()
            )),
            // The thread knows why nobody listens any more.
            Err(NotSent::Closed) => {
                self.end(SUMS_UP_WITHIN)?;
                Err(anyhow!("the server hung up"))
            }
        }
    }

    /// Ends the stream; the samples that the server took.
    ///
    /// # Errors
    /// When the server refused the stream, or does not say what it took.
    pub(super) fn close(mut self) -> anyhow::Result<u64> {
        self.end(SUMS_UP_WITHIN)
    }

    fn end(&mut self, patience: Duration) -> anyhow::Result<u64> {
        self.sender = None;
        match self.taken.recv_timeout(patience) {
            Ok(taken) => taken.context("pushing to the server"),
            Err(RecvTimeoutError::Timeout) => Err(anyhow!(
                "the server does not say within {} s what it took",
                patience.as_secs_f64()
            )),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("the thread that pushes failed")),
        }
    }
}

/// Why something was not sent.
#[derive(Debug, PartialEq, Eq)]
enum NotSent {
    /// There was no room in time.
    Full,
    /// Nobody listens.
    Closed,
}

/// Sends if there is room within `patience`.
fn offer<T>(sender: &Sender<T>, what: T, patience: Duration) -> Result<(), NotSent> {
    let begin = Instant::now();
    let mut what = what;
    loop {
        what = match sender.try_send(what) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(NotSent::Closed),
            Err(TrySendError::Full(_)) if begin.elapsed() >= patience => return Err(NotSent::Full),
            Err(TrySendError::Full(back)) => back,
        };
        thread::sleep(Duration::from_millis(10));
    }
}

fn key(sample: &Sample, instance: &str) -> anyhow::Result<SeriesKey> {
    let comma = if sample.labels.is_empty() { "" } else { "," };
    let text = format!(
        "{}{{{}{comma}instance={instance:?}}}",
        sample.metric, sample.labels
    );
    text.parse()
        .with_context(|| format!("{text} is not a series"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_text_becomes_labels() {
        let text = r#"{"metric":"up","labels":"job=\"app\"","value":1.0}"#;
        let mut sample: Sample = serde_json::from_str(text).unwrap();
        let shown = |sample: &Sample| key(sample, "rig-1").unwrap().to_string();
        assert_eq!(shown(&sample), r#"up{instance="rig-1",job="app"}"#);
        sample.labels.clear();
        assert_eq!(shown(&sample), r#"up{instance="rig-1"}"#);
    }

    #[test]
    fn nobody_waits_for_a_server_that_stalls() {
        let (sender, mut receiver) = channel(1);
        let patience = Duration::from_millis(30);
        assert_eq!(offer(&sender, 1, patience), Ok(()));
        assert_eq!(offer(&sender, 2, patience), Err(NotSent::Full));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(offer(&sender, 3, patience), Ok(()));
        drop(receiver);
        assert_eq!(offer(&sender, 4, patience), Err(NotSent::Closed));
    }

    #[test]
    fn a_server_that_never_sums_up_is_given_up() {
        let (_sum, taken) = std::sync::mpsc::channel();
        let mut feed = Feed {
            sender: None,
            taken,
            declared: HashMap::new(),
            instance: "rig-1".to_owned(),
            sequence: 0,
        };
        let error = feed.end(Duration::from_millis(20)).unwrap_err().to_string();
        assert_eq!(error, "the server does not say within 0.02 s what it took");
    }
}

//! What is scraped, pushed to a running server as it comes.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};

use ::rig::Sample;
use anyhow::{Context, anyhow};
use proto::v1;
use proto::v1::ingest_service_client::IngestServiceClient;
use series::{SeriesKey, Timestamp};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::connect::{TrustArgs, connect, refused};
use crate::runtime::block_on;
use crate::wire;

/// Scrapes that wait to be sent. One more waits for the server, which is then far behind.
const AHEAD: usize = 16;

/// An open stream to a server.
pub(super) struct Feed {
    sender: Option<Sender<v1::PushRequest>>,
    /// Gives the number of samples taken.
    thread: Option<JoinHandle<anyhow::Result<u64>>>,
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
        let (address, trust) = (address.to_owned(), trust.clone());
        let thread = thread::spawn(move || {
            block_on(async move {
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
            })
        });
        told.recv().context("connecting to the server")??;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
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
        if sender.is_some_and(|sender| sender.blocking_send(request).is_ok()) {
            return Ok(());
        }
        // The thread knows why nobody listens any more.
        self.end()?;
        Err(anyhow!("the server hung up"))
    }

    /// Ends the stream; the samples that the server took.
    ///
    /// # Errors
    /// When the server refused the stream.
    pub(super) fn close(mut self) -> anyhow::Result<u64> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<u64> {
        self.sender = None;
        let thread = self.thread.take().map(JoinHandle::join);
        let taken = thread.unwrap_or(Ok(Ok(0)));
        taken
            .map_err(|_| anyhow!("the thread that pushes"))?
            .context("pushing to the server")
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
}

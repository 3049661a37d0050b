//! What clients send, and how they listen.

use std::collections::HashMap;

use proto::v1;
use proto::v1::ingest_service_client::IngestServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{Server, within};

/// One stream of pushes.
pub(crate) struct Push {
    pub(crate) sender: mpsc::Sender<v1::PushRequest>,
    pub(crate) responses: Streaming<v1::PushResponse>,
}

impl Push {
    pub(crate) async fn open(server: &Server) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let mut client = IngestServiceClient::new(server.channel.clone());
        let call = client.push(ReceiverStream::new(receiver));
        let responses = within("a stream of pushes", call)
            .await
            .unwrap()
            .into_inner();
        Self { sender, responses }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(
        &mut self,
        request: v1::PushRequest,
    ) -> Result<v1::PushResponse, Status> {
        within("a push", self.sender.send(request)).await.unwrap();
        let answer = within("an answer to a push", self.responses.message()).await?;
        Ok(answer.expect("the stream goes on"))
    }

    /// Pushes rows of one series, second and value; returns how many were taken.
    pub(crate) async fn rows(
        &mut self,
        metric: &str,
        rows: impl IntoIterator<Item = (i64, f64)>,
    ) -> u64 {
        let samples = rows
            .into_iter()
            .map(|(s, value)| named(metric, s, value))
            .collect();
        let request = v1::PushRequest {
            samples,
            ..Default::default()
        };
        self.ask(request).await.unwrap().taken_count
    }
}

/// A stream of risks, with their names put back.
pub(crate) struct Watch {
    stream: Streaming<v1::WatchRisksResponse>,
    names: HashMap<u32, v1::SeriesKey>,
    /// Told by the server so far.
    pub(crate) dropped: u64,
}

impl Watch {
    pub(crate) async fn open(server: &Server, request: v1::WatchRisksRequest) -> Self {
        let mut client = server.risks();
        let call = client.watch_risks(request);
        Self {
            stream: within("a stream of risks", call)
                .await
                .unwrap()
                .into_inner(),
            names: HashMap::new(),
            dropped: 0,
        }
    }

    /// The risks of the next message.
    pub(crate) async fn next(&mut self) -> Vec<(v1::SeriesKey, v1::Risk)> {
        let message = within("risks", self.stream.message()).await.unwrap();
        let message = message.expect("the stream goes on");
        self.dropped += message.dropped_count;
        for series in message.series {
            self.names.insert(series.series_ref, series.series.unwrap());
        }
        let risks = message.risks.into_iter();
        risks
            .map(|risk| (self.names[&risk.series_ref].clone(), risk))
            .collect()
    }
}

/// A key without labels.
pub(crate) fn key(metric: &str) -> Option<v1::SeriesKey> {
    Some(v1::SeriesKey {
        metric: metric.to_owned(),
        ..Default::default()
    })
}

/// Microseconds at second `s` of the recordings that the tests push: long ago, so that none is ahead of the clock.
pub(crate) const fn us(s: i64) -> i64 {
    (1_700_000_000 + s) * 1_000_000
}

pub(crate) fn named(metric: &str, s: i64, value: f64) -> v1::NamedSample {
    v1::NamedSample {
        series: key(metric),
        time_us: us(s),
        value,
    }
}

pub(crate) fn declare(series_ref: u32, metric: &str) -> v1::SeriesDeclaration {
    v1::SeriesDeclaration {
        series_ref,
        series: key(metric),
    }
}

/// A batch of rows of reference, second and value.
pub(crate) fn batch(rows: impl IntoIterator<Item = (u32, i64, f64)>) -> Option<v1::SampleBatch> {
    let mut batch = v1::SampleBatch::default();
    for (series_ref, s, value) in rows {
        batch.series_ref.push(series_ref);
        batch.time_us.push(us(s));
        batch.value.push(value);
    }
    Some(batch)
}

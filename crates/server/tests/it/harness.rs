//! Starts servers and talks to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use proto::v1;
use proto::v1::feedback_service_client::FeedbackServiceClient;
use proto::v1::ingest_service_client::IngestServiceClient;
use proto::v1::outlook_service_client::OutlookServiceClient;
use proto::v1::risk_service_client::RiskServiceClient;
use proto::v1::scoring_service_client::ScoringServiceClient;
use proto::v1::server_service_client::ServerServiceClient;
use series::{Clock, Timestamp};
use server::{Config, Running};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

/// The time that every test begins at, in seconds since 1970.
pub(crate) const START_S: i64 = 1_700_000_000;

/// A clock that stands still unless told otherwise.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn at_start() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START_S * 1_000_000)))
    }

    pub(crate) fn advance_s(&self, s: i64) {
        self.0.fetch_add(s * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A running server and a connection to it.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) channel: Channel,
    pub(crate) clock: Arc<TestClock>,
}

/// A server without host readings or state, changed by `edit`.
pub(crate) fn config(edit: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.server.shutdown_grace_s = 30.0;
    config.host.enabled = false;
    config.state.enabled = false;
    config.ingest.shards = 2;
    edit(&mut config);
    config
}

pub(crate) async fn start(edit: impl FnOnce(&mut Config)) -> Server {
    let clock = TestClock::at_start();
    let running = server::start(config(edit), Arc::clone(&clock) as Arc<dyn Clock>)
        .await
        .unwrap();
    let address = format!("http://{}", running.local_addr());
    let channel = Endpoint::from_shared(address)
        .unwrap()
        .connect()
        .await
        .unwrap();
    Server {
        running,
        channel,
        clock,
    }
}

impl Server {
    pub(crate) fn risks(&self) -> RiskServiceClient<Channel> {
        RiskServiceClient::new(self.channel.clone())
    }

    pub(crate) fn outlooks(&self) -> OutlookServiceClient<Channel> {
        OutlookServiceClient::new(self.channel.clone())
    }

    pub(crate) fn scoring(&self) -> ScoringServiceClient<Channel> {
        ScoringServiceClient::new(self.channel.clone())
    }

    pub(crate) fn feedback(&self) -> FeedbackServiceClient<Channel> {
        FeedbackServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn info(&self) -> v1::GetServerInfoResponse {
        let mut client = ServerServiceClient::new(self.channel.clone());
        client
            .get_server_info(v1::GetServerInfoRequest {})
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn counters(&self) -> v1::EngineCounters {
        self.info().await.counters.unwrap()
    }

    /// Opens a stream of pushes.
    pub(crate) async fn push(&self) -> Push {
        let (sender, receiver) = mpsc::channel(1);
        let mut client = IngestServiceClient::new(self.channel.clone());
        let responses = client
            .push(ReceiverStream::new(receiver))
            .await
            .unwrap()
            .into_inner();
        Push { sender, responses }
    }

    /// Pushes rows of series, second after the start, and value; waits until they are scored.
    pub(crate) async fn push_rows(
        &self,
        rows: impl IntoIterator<Item = (&str, i64, f64)>,
    ) -> v1::PushResponse {
        let samples = rows
            .into_iter()
            .map(|(series, s, value)| named(series, s, value))
            .collect();
        self.push()
            .await
            .ask(v1::PushRequest {
                samples,
                ..Default::default()
            })
            .await
            .unwrap()
    }

    /// The page for Prometheus, over HTTP/1.1, as `curl` gets it.
    pub(crate) async fn metrics(&self, token: Option<&str>) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = self.running.local_addr();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let token = token.map_or_else(String::new, |t| format!("Authorization: Bearer {t}\r\n"));
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{token}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        // A server that does not speak HTTP/1.1 hangs up.
        match within(stream.read_to_string(&mut page)).await {
            Ok(_) => page,
            Err(error) => error.to_string(),
        }
    }
}

/// One stream of pushes.
pub(crate) struct Push {
    pub(crate) sender: mpsc::Sender<v1::PushRequest>,
    pub(crate) responses: Streaming<v1::PushResponse>,
}

impl Push {
    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(
        &mut self,
        request: v1::PushRequest,
    ) -> Result<v1::PushResponse, Status> {
        self.sender.send(request).await.unwrap();
        self.next().await
    }

    pub(crate) async fn next(&mut self) -> Result<v1::PushResponse, Status> {
        Ok(within(self.responses.message())
            .await?
            .expect("the stream goes on"))
    }
}

/// Fails a test that would hang.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("an answer within 30 s")
}

/// A key from its text form.
pub(crate) fn key(text: &str) -> v1::SeriesKey {
    let key: series::SeriesKey = text.parse().unwrap();
    let labels = key
        .labels()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    v1::SeriesKey {
        metric: key.metric().to_owned(),
        labels,
    }
}

/// Microseconds at second `s` after the start.
pub(crate) fn us(s: i64) -> i64 {
    (START_S + s) * 1_000_000
}

pub(crate) fn named(series: &str, s: i64, value: f64) -> v1::NamedSample {
    v1::NamedSample {
        series: Some(key(series)),
        time_us: us(s),
        value,
    }
}

pub(crate) fn declare(series_ref: u32, series: &str) -> v1::SeriesDeclaration {
    v1::SeriesDeclaration {
        series_ref,
        series: Some(key(series)),
    }
}

/// A batch of rows of reference, second after the start, and value.
pub(crate) fn batch(rows: impl IntoIterator<Item = (u32, i64, f64)>) -> Option<v1::SampleBatch> {
    let mut batch = v1::SampleBatch::default();
    for (series_ref, s, value) in rows {
        batch.series_ref.push(series_ref);
        batch.time_us.push(us(s));
        batch.value.push(value);
    }
    Some(batch)
}

/// Asserts that a call was refused with INVALID_ARGUMENT and this field.
#[track_caller]
pub(crate) fn assert_invalid(status: &Status, field: &str) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let details = status.get_error_details();
    let violations = &details
        .bad_request()
        .expect("a bad request")
        .field_violations;
    assert_eq!(violations[0].field, field);
}

/// Seconds `0..n` of a noisy level with one far outlier at `odd_at`: the same numbers on every run.
pub(crate) fn with_outlier(n: i64, odd_at: i64) -> impl Iterator<Item = (i64, f64)> {
    let mut state = 7_u32;
    (0..n).map(move |s| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state >> 16) / 65_536.0;
        (s - n, if s == odd_at { 1e4 } else { 100.0 + noise })
    })
}

/// Whether an event's peak is the sample that stands out in [`with_outlier`].
pub(crate) fn is_outlier(event: &&v1::EventRecord) -> bool {
    event.peak.as_ref().is_some_and(|peak| peak.value > 9e3)
}

//! A real server on a free port of this machine, and the client's end of it.

use std::error::Error;
use std::sync::Arc;

use hotpath::Profile;
use proto::v1;
use proto::v1::ingest_service_client::IngestServiceClient;
use proto::v1::risk_service_client::RiskServiceClient;
use server::{Config, Running, SystemClock};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::Fleet;
use crate::resources::SERVER_THREADS;

/// Requests that the client hands over before they are written: what the server takes ahead of its answers.
const SEND_AHEAD: usize = 16;
/// Series declared in one request.
const DECLARED_AT_ONCE: u32 = 5_000;

/// Runs the client's part on a runtime of its own; the server gets another, so that the two can be told apart.
///
/// # Errors
/// What `client` returns, or that there is no runtime.
pub fn run<F: Future<Output = Result<(), Box<dyn Error>>>>(
    client: impl FnOnce(Handle) -> F,
) -> Result<(), Box<dyn Error>> {
    let server = runtime(SERVER_THREADS)?;
    let result = runtime("client")?.block_on(client(server.handle().clone()));
    server.shutdown_background();
    result
}

fn runtime(threads: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .thread_name(threads)
        .enable_all()
        .build()
}

/// The server, and one stream of pushes on which a whole fleet is declared.
#[derive(Debug)]
pub struct Serving {
    running: Running,
    channel: Channel,
    requests: mpsc::Sender<v1::PushRequest>,
    responses: Streaming<v1::PushResponse>,
}

impl Serving {
    /// Starts a server with its default configuration, but for the host's metrics and for state on disk, which would
    /// add work that is not measured.
    ///
    /// # Errors
    /// Whatever keeps it from starting or answering.
    pub async fn start(
        runtime: &Handle,
        profile: Profile,
        fleet: Fleet,
    ) -> Result<Self, Box<dyn Error>> {
        let mut config = Config::default();
        config.server.listen.set_port(0);
        config.host.enabled = false;
        config.state.enabled = false;
        config.engine.profile = profile;
        let running = runtime
            .spawn(server::start(config, Arc::new(SystemClock)))
            .await??;
        let address = format!("http://{}", running.local_addr());
        let channel = Endpoint::from_shared(address)?.connect().await?;
        let (requests, receiver) = mpsc::channel(SEND_AHEAD);
        let responses = IngestServiceClient::new(channel.clone())
            .push(ReceiverStream::new(receiver))
            .await?
            .into_inner();
        let mut serving = Self {
            running,
            channel,
            requests,
            responses,
        };
        serving.declare(fleet).await?;
        Ok(serving)
    }

    async fn declare(&mut self, fleet: Fleet) -> Result<(), Box<dyn Error>> {
        for first in (0..fleet.n_series).step_by(DECLARED_AT_ONCE as usize) {
            let some = first..(first + DECLARED_AT_ONCE).min(fleet.n_series);
            let series = some.map(|i| v1::SeriesDeclaration {
                series_ref: i,
                series: Some(fleet.key(i)),
            });
            let request = v1::PushRequest {
                series: series.collect(),
                ..Default::default()
            };
            self.push(vec![request]).await?;
        }
        Ok(())
    }

    /// Sends requests, as far ahead of the answers as the server lets it, and waits for the last answer.
    ///
    /// # Errors
    /// When the stream ends, or a sample is refused.
    pub async fn push(&mut self, requests: Vec<v1::PushRequest>) -> Result<(), Box<dyn Error>> {
        let (n, sender) = (requests.len(), self.requests.clone());
        let sending = tokio::spawn(async move {
            for request in requests {
                sender.send(request).await?;
            }
            Ok::<_, mpsc::error::SendError<_>>(())
        });
        for _ in 0..n {
            self.answer().await?;
        }
        Ok(sending.await??)
    }

    /// The next answer.
    ///
    /// # Errors
    /// When the stream ends, or a sample is refused.
    pub async fn answer(&mut self) -> Result<(), Box<dyn Error>> {
        let answer = self.responses.message().await?;
        let answer = answer.ok_or("the server ended the stream")?;
        match answer.refusal_counts.first() {
            Some(refused) => Err(format!("the server refused samples: {refused:?}").into()),
            None => Ok(()),
        }
    }

    /// Where requests go in.
    #[must_use]
    pub fn sender(&self) -> mpsc::Sender<v1::PushRequest> {
        self.requests.clone()
    }

    /// All risks from now on.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn watch(&self) -> Result<Streaming<v1::WatchRisksResponse>, tonic::Status> {
        let everything = v1::WatchRisksRequest::default();
        let mut client = RiskServiceClient::new(self.channel.clone());
        Ok(client.watch_risks(everything).await?.into_inner())
    }

    /// Ends the stream of pushes, then the server.
    ///
    /// # Errors
    /// When the server does not end in good order.
    pub async fn stop(self) -> Result<(), Box<dyn Error>> {
        let Self {
            running,
            requests,
            responses,
            channel,
        } = self;
        drop((requests, responses, channel));
        Ok(running.shutdown().await?)
    }
}

//! Many clients of the Open Inference Protocol, each with one request on its way: the same load for any server.

use std::error::Error;
use std::time::{Duration, Instant};

use proto::inference as oip;
use proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::quantile;

/// Clients that share one HTTP/2 connection: as in a service that calls another.
const CLIENTS_PER_CONNECTION: usize = 8;

/// Who asks for what.
#[derive(Debug, Clone)]
pub struct Load {
    /// What every client sends, over and over.
    pub request: oip::ModelInferRequest,
    /// How many clients there are.
    pub clients: usize,
}

/// What one run of a load saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Answers per second.
    pub per_second: f64,
    /// Half of the answers took longer, in milliseconds.
    pub p50_ms: f64,
    /// One in a hundred took longer.
    pub p99_ms: f64,
    /// Answers in all.
    pub answers: usize,
}

/// Connections to a server, and the load that goes over them.
#[derive(Debug, Clone)]
pub struct Clients {
    load: Load,
    channels: Vec<Channel>,
}

impl Clients {
    /// Connects.
    ///
    /// # Errors
    /// When the server does not take a connection.
    pub async fn connect(address: &str, load: Load) -> Result<Self, Box<dyn Error>> {
        let mut channels = Vec::new();
        for _ in 0..load.clients.div_ceil(CLIENTS_PER_CONNECTION) {
            let endpoint = Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true);
            channels.push(endpoint.connect().await?);
        }
        Ok(Self { load, channels })
    }

    /// Keeps every client asking for this long.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn run(&self, time: Duration) -> Result<Seen, Box<dyn Error>> {
        let begun = Instant::now();
        let mut running = Vec::new();
        for i in 0..self.load.clients {
            let channel = self.channels[i % self.channels.len()].clone();
            let client = GrpcInferenceServiceClient::new(channel);
            running.push(tokio::spawn(one(
                client,
                self.load.request.clone(),
                begun + time,
            )));
        }
        let mut times_ms = Vec::new();
        for client in running {
            times_ms.extend(client.await??);
        }
        let took = begun.elapsed().as_secs_f64();
        times_ms.sort_by(f64::total_cmp);
        Ok(Seen {
            per_second: times_ms.len() as f64 / took,
            p50_ms: quantile(&times_ms, 0.5),
            p99_ms: quantile(&times_ms, 0.99),
            answers: times_ms.len(),
        })
    }
}

/// One client: how long each of its requests took, in milliseconds.
async fn one(
    mut client: GrpcInferenceServiceClient<Channel>,
    request: oip::ModelInferRequest,
    until: Instant,
) -> Result<Vec<f64>, tonic::Status> {
    let mut times_ms = Vec::new();
    let mut before = Instant::now();
    while before < until {
        let answer = client.model_infer(request.clone()).await?.into_inner();
        if answer.outputs.is_empty() {
            return Err(tonic::Status::internal("an answer without outputs"));
        }
        let now = Instant::now();
        times_ms.push((now - before).as_secs_f64() * 1e3);
        before = now;
    }
    Ok(times_ms)
}

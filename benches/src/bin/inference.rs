//! How many requests for one row a second the inference service answers, and how long each takes: the small LSTM, many
//! clients, each with one request on its way.
//!
//! Clients and server share the cores of this machine. With `--python` the same load goes to MLServer with the same file
//! on ONNX Runtime, and the ratio is printed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use benches::{Clients, CpuByThread, Figure, Load, MlServer, Seen};
use clap::Parser;
use onnx::FORECASTER;
use proto::inference as oip;
use proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use server::{Config, SystemClock};
use tokio::runtime::Handle;
use tonic::transport::Endpoint;

const RUNS: usize = 5;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    /// A second per run: shows that it works.
    #[arg(long)]
    quick: bool,
    /// Clients, each with one request on its way.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How long a request may wait for others, in microseconds; the server's default when left out.
    #[arg(long)]
    max_delay_us: Option<u64>,
    /// Threads that run models; the server's default when left out.
    #[arg(long)]
    threads: Option<usize>,
    /// A Python interpreter with mlserver and onnxruntime, to compare with.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    benches::run(|server| async move {
        let (ours, cpu, request) = ours(&server, &cli).await?;
        print("forestall", &ours, cli.clients);
        let answers: usize = ours.iter().map(|seen| seen.answers).sum();
        for (what, spent) in [("server", cpu.server + cpu.shards), ("client", cpu.client)] {
            Figure::new(
                format!("inference/forestall/cost_of_{what}"),
                "us/request",
                &[spent * 1e6 / answers as f64],
                "processor time",
            )
            .print();
        }
        if let Some(python) = &cli.python {
            let theirs = theirs(python, &cli, request).await?;
            print("mlserver", &theirs, cli.clients);
            let median = |all: &[Seen]| {
                let mut all: Vec<f64> = all.iter().map(|seen| seen.per_second).collect();
                all.sort_by(f64::total_cmp);
                benches::quantile(&all, 0.5)
            };
            Figure::new(
                "inference/ratio".to_owned(),
                "times",
                &[median(&ours) / median(&theirs)],
                "requests/s of forestall over those of MLServer with ONNX Runtime, same file and load",
            )
            .print();
        }
        Ok(())
    })
}

fn print(name: &str, all: &[Seen], clients: usize) {
    let figure = |what: &str, unit, of: fn(&Seen) -> f64, note: String| {
        let runs: Vec<f64> = all.iter().map(of).collect();
        Figure::new(format!("inference/{name}/{what}"), unit, &runs, note).print();
    };
    let target = if name == "forestall" {
        "; target at least 20,000"
    } else {
        ""
    };
    let note = format!("one row each, {clients} clients on the same cores{target}");
    figure("throughput", "requests/s", |seen| seen.per_second, note);
    figure(
        "p50",
        "ms",
        |seen| seen.p50_ms,
        "as clients see it".to_owned(),
    );
    let target = if name == "forestall" {
        "; target under 5"
    } else {
        ""
    };
    figure(
        "p99",
        "ms",
        |seen| seen.p99_ms,
        format!("as clients see it{target}"),
    );
}

/// One row of each input of a model, as tritonclient sends it.
async fn request(address: &str) -> Result<oip::ModelInferRequest, Box<dyn Error>> {
    let channel = Endpoint::from_shared(address.to_owned())?.connect().await?;
    let asked = oip::ModelMetadataRequest {
        name: FORECASTER.name.to_owned(),
        version: String::new(),
    };
    let mut client = GrpcInferenceServiceClient::new(channel);
    let about = client.model_metadata(asked).await?.into_inner();
    let mut request = oip::ModelInferRequest {
        model_name: about.name,
        ..Default::default()
    };
    for input in about.inputs {
        // Any length is 1: the batch.
        let shape: Vec<i64> = input.shape.iter().map(|&length| length.max(1)).collect();
        let values = (0..shape.iter().product()).map(|i: i64| (i as f32 * 0.37).sin());
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        request.raw_input_contents.push(bytes.into());
        request
            .inputs
            .push(oip::model_infer_request::InferInputTensor {
                name: input.name,
                datatype: input.datatype,
                shape,
                ..Default::default()
            });
    }
    Ok(request)
}

/// What was seen of our own server, the processor time that it took, and the request that it was asked.
async fn ours(
    runtime: &Handle,
    cli: &Cli,
) -> Result<(Vec<Seen>, CpuByThread, oip::ModelInferRequest), Box<dyn Error>> {
    let mut config = Config::default();
    config.server.listen.set_port(0);
    config.host.enabled = false;
    config.state.enabled = false;
    if let Some(us) = cli.max_delay_us {
        config.inference.max_delay_us = us;
    }
    if let Some(threads) = cli.threads {
        config.inference.threads = threads;
    }
    let running = runtime
        .spawn(server::start(config, Arc::new(SystemClock)))
        .await??;
    let address = format!("http://{}", running.local_addr());
    eprintln!("forestall at {address}");
    let request = request(&address).await?;
    let (seen, cpu) = measure(&address, cli, request.clone()).await?;
    running.shutdown().await?;
    Ok((seen, cpu, request))
}

async fn theirs(
    python: &Path,
    cli: &Cli,
    request: oip::ModelInferRequest,
) -> Result<Vec<Seen>, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let (model, name) = (FORECASTER.model, FORECASTER.name);
    let server = MlServer::start(python, dir.path(), model, name).await?;
    eprintln!("MLServer at {}", server.address());
    Ok(measure(server.address(), cli, request).await?.0)
}

/// The runs after one that warms up, and the processor time that they took.
async fn measure(
    address: &str,
    cli: &Cli,
    request: oip::ModelInferRequest,
) -> Result<(Vec<Seen>, CpuByThread), Box<dyn Error>> {
    let load = Load {
        request,
        clients: cli.clients,
    };
    let clients = Clients::connect(address, load).await?;
    let time = Duration::from_secs(if cli.quick { 1 } else { 4 });
    clients.run(time / 2).await?;
    let before = CpuByThread::now();
    let mut all = Vec::new();
    for _ in 0..RUNS {
        let seen = clients.run(time).await?;
        eprintln!(
            "{:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms",
            seen.per_second, seen.p50_ms, seen.p99_ms
        );
        all.push(seen);
    }
    Ok((all, CpuByThread::now().since(&before)))
}

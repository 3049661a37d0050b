//! MLServer on a free port, serving one ONNX file: the yardstick beside our own server.

use std::error::Error;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use proto::inference::ModelReadyRequest;
use proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use serde_json::json;
use tonic::transport::Endpoint;

/// How long Python may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// The file that runs a model there.
const RUNTIME: &str = include_str!("../python/mlserver_onnx.py");

/// A running MLServer; killed when dropped.
#[derive(Debug)]
pub struct MlServer {
    process: Child,
    address: String,
}

impl MlServer {
    /// Starts it with `python`, an interpreter that has `mlserver` and `onnxruntime`, in an empty directory of its own.
    ///
    /// # Errors
    /// When it does not start, or does not serve the model within a minute.
    pub async fn start(
        python: &Path,
        dir: &Path,
        model: &[u8],
        name: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let [http, grpc, metrics] = [free_port()?, free_port()?, free_port()?];
        let write = |file: &str, bytes: &[u8]| fs::write(dir.join(file), bytes);
        write("model.onnx", model)?;
        write("mlserver_onnx.py", RUNTIME.as_bytes())?;
        let settings = json!({
            "host": "127.0.0.1",
            "http_port": http,
            "grpc_port": grpc,
            "metrics_port": metrics,
            // No processes beside it: the model takes microseconds, and handing a request over takes many more.
            "parallel_workers": 0,
            "debug": false,
            "logging_settings": serde_json::Value::Null,
        });
        write("settings.json", settings.to_string().as_bytes())?;
        let model = json!({
            "name": name,
            "implementation": "mlserver_onnx.OnnxModel",
            "parameters": {"uri": "./model.onnx"},
        });
        write("model-settings.json", model.to_string().as_bytes())?;
        let log = fs::File::create(dir.join("log"))?;
        let process = Command::new(absolute(python)?)
            .args(["-c", "from mlserver.cli import main; main()", "start", "."])
            .current_dir(dir)
            .env("PYTHONPATH", dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            process,
            address: format!("http://127.0.0.1:{grpc}"),
        };
        server.ready(name, &dir.join("log")).await?;
        Ok(server)
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks until the model is ready: there is nothing to wait on in another program.
    async fn ready(&mut self, name: &str, log: &Path) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && self.process.try_wait()?.is_none() {
            let endpoint = Endpoint::from_shared(self.address.clone())?;
            if let Ok(channel) = endpoint.connect().await {
                let mut client = GrpcInferenceServiceClient::new(channel);
                let request = ModelReadyRequest {
                    name: name.to_owned(),
                    version: String::new(),
                };
                let ready = client.model_ready(request).await;
                if ready.is_ok_and(|ready| ready.into_inner().ready) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(format!("MLServer does not serve the model; it said:\n{said}").into())
    }
}

impl Drop for MlServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Of an interpreter that may be named relative to here; a link of a virtual environment is not followed.
fn absolute(python: &Path) -> io::Result<PathBuf> {
    std::path::absolute(python)
}

/// A port that is free now, and most likely still is when it is used.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

//! A server of one's own: `forestall serve` on a port that the system chooses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};

use proto::v1;
use proto::v1::risk_service_client::RiskServiceClient;
use proto::v1::server_service_client::ServerServiceClient;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use super::{command, eventually, within};

/// A running server and a connection to it. Killed when dropped.
pub(crate) struct Server {
    pub(crate) channel: Channel,
    pub(crate) address: String,
    /// What it said when it was ready.
    pub(crate) welcome: String,
    child: Child,
    /// Kept open: a server that cannot write is another test.
    _stdout: BufReader<ChildStdout>,
    /// Configuration and state.
    dir: TempDir,
}

impl Server {
    /// Starts one with this configuration, in TOML, on top of what makes it harmless to others.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_on("127.0.0.1:0", config).await
    }

    /// Starts one that listens here.
    pub(crate) async fn start_on(listen: &str, config: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), listen, config).await
    }

    async fn start_in(dir: TempDir, listen: &str, config: &str) -> Self {
        let path = dir.path().join("forestall.toml");
        fs::write(&path, config).unwrap();
        let state = dir.path().join("state");
        let args = [
            "serve",
            "--config",
            path.to_str().unwrap(),
            "--listen",
            listen,
            "--state-dir",
            state.to_str().unwrap(),
        ];
        let mut child = command(&args)
            .stderr(std::process::Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // Reading blocks; a server that says nothing must not hang the test.
        let (stdout, welcome) = within(
            "a word of welcome",
            tokio::task::spawn_blocking(move || {
                let mut welcome = String::new();
                while !welcome.contains("Ctrl-C stops.") {
                    let n = stdout.read_line(&mut welcome).unwrap();
                    assert!(n > 0, "the server ended: {welcome:?}");
                }
                (stdout, welcome)
            }),
        )
        .await
        .unwrap();
        let first = welcome.lines().next().unwrap();
        let address = first.rsplit(' ').next().unwrap().to_owned();
        let channel = Endpoint::from_shared(address.clone())
            .unwrap()
            .connect_lazy();
        Self {
            channel,
            address,
            welcome,
            child,
            _stdout: stdout,
            dir,
        }
    }

    pub(crate) fn risks(&self) -> RiskServiceClient<Channel> {
        RiskServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn info(&self) -> v1::GetServerInfoResponse {
        let mut client = ServerServiceClient::new(self.channel.clone());
        let request = v1::GetServerInfoRequest {};
        let response = within("server info", client.get_server_info(request)).await;
        response.unwrap().into_inner()
    }

    pub(crate) async fn counters(&self) -> v1::EngineCounters {
        self.info().await.counters.unwrap()
    }

    /// Stops it as the power company would.
    pub(crate) fn kill(mut self) -> Killed {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // `Drop` does no harm to a child that was waited for, but it keeps fields from being moved out.
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        Killed { dir }
    }

    /// Stops it as Ctrl-C does, and waits for its end.
    pub(crate) async fn interrupt(mut self) -> Killed {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        let status = eventually("the end after Ctrl-C", async || {
            self.child.try_wait().unwrap()
        })
        .await;
        assert_eq!(status.code(), Some(0));
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        Killed { dir }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server leaves behind.
pub(crate) struct Killed {
    dir: TempDir,
}

impl Killed {
    /// Starts again from there.
    pub(crate) async fn restart(self, config: &str) -> Server {
        Server::start_in(self.dir, "127.0.0.1:0", config).await
    }
}

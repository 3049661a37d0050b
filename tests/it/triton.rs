//! The inference service as the public client of Triton meets it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Server, within};

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[tokio::test(flavor = "multi_thread")]
async fn tritonclient_gets_what_onnx_runtime_computes() {
    let root = Path::new(ROOT);
    let python = root.join("target/python/bin/python3");
    assert!(
        python.exists(),
        "{} is not there: run `cargo xtask test`, or `cargo xtask python` once",
        python.display()
    );
    let server = Server::start("").await;
    let address = server.address.trim_start_matches("http://");
    let mut client = Command::new(python);
    client
        .arg(root.join("tests/python/triton.py"))
        .arg(address)
        .arg(root.join("models/lstm/1/model.onnx"))
        .stdin(Stdio::null());
    // Waiting blocks. Every call of the client has a limit of its own.
    let asked = tokio::task::spawn_blocking(move || client.output());
    let output = within("the client's verdict", asked)
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    assert_eq!(said.trim(), "all well");
}

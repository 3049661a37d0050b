//! Who else may listen in: nobody, unless the configuration says how they are kept out.

use std::fs;

use crate::harness::{Server, run};

#[test]
fn an_address_that_others_reach_is_refused_without_tls_and_token() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let args = [
            "serve",
            "--no-host",
            "--listen",
            listen,
            "--state-dir",
            state.to_str().unwrap(),
        ];
        let complaint = run(&args).fails();
        for word in [
            "server.listen",
            "others can reach",
            "server.tls_cert",
            "server.token_file",
            "allow_insecure_remote",
        ] {
            assert!(complaint.contains(word), "{word}: {complaint}");
        }
    }
    assert!(!state.exists(), "nothing was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_and_token_others_are_let_in_by_both_and_by_neither_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    fs::write(path("token"), "open sesame, open sesame\n").unwrap();
    fs::write(path("guess"), "open barley, open barley\n").unwrap();
    let config = format!(
        "host.enabled = false\n[server]\ntls_cert = {:?}\ntls_key = {:?}\ntoken_file = {:?}\n",
        path("cert.pem"),
        path("key.pem"),
        path("token")
    );
    let server = Server::start_on("0.0.0.0:0", &config).await;
    assert!(
        server.address.starts_with("https://0.0.0.0:"),
        "{}",
        server.welcome
    );
    let port = server.address.rsplit(':').next().unwrap();
    let ask = |scheme: &str, more: &[&str]| {
        let address = format!("{scheme}://localhost:{port}");
        run(&[&["series", "--addr", &address], more].concat())
    };
    let (ca, token, guess) = (path("cert.pem"), path("token"), path("guess"));
    let ca = ["--tls-ca", &ca];
    ask("https", &[&ca[..], &["--token-file", &token]].concat()).succeeds();

    let no_token = ask("https", &ca).fails();
    assert!(no_token.contains("UNAUTHENTICATED"), "{no_token}");
    let wrong = ask("https", &[&ca[..], &["--token-file", &guess]].concat()).fails();
    assert!(
        wrong.contains("UNAUTHENTICATED") && !wrong.contains("barley"),
        "{wrong}"
    );
    ask("http", &["--token-file", &token]).fails();
    let untrusted = ask("https", &["--token-file", &token]).fails();
    assert!(untrusted.contains("--tls-ca"), "{untrusted}");
}

//! Real connections that break: what a kernel says of them is what the answer rests on.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use executor::webhook::{Limits, Secret, WebhookConfig};
use executor::{About, Executor, Webhook};
use remedy::order::{Answer, Order};
use series::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_694_400_000)
    }
}

async fn carry_out(port: u16, timeout_s: f64) -> Answer {
    let limits = Limits {
        back_off_first_s: 0.01,
        back_off_max_s: 0.01,
        ..Limits::default()
    };
    let config = WebhookConfig {
        url: format!("http://localhost:{port}/"),
        secrets: vec![Secret::parse(&"k".repeat(32)).unwrap()],
        ca_file: None,
        allow_insecure: false,
        actions: Vec::new(),
        limits,
    };
    let webhook = Webhook::new(config, Arc::new(Noon)).unwrap();
    let order = serde_json::json!({
        "key": "p17-0-do", "plan": 17, "issue": 4, "step": 0, "is_undo": false, "fence": 3, "timeout_s": timeout_s,
        "at": 0, "action": {"do": "reload", "target": "service/api"},
    });
    let order: Order = serde_json::from_value(order).unwrap();
    webhook.carry_out(&order, &About::default()).await
}

/// Reads each request, and resets the connection for the first `n_resets` of them.
async fn listen(n_resets: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut n_seen = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 && !bytes.ends_with(b"}") {}
            n_seen += 1;
            if n_seen <= n_resets {
                // Closed without lingering, a connection is reset.
                stream.set_zero_linger().unwrap();
                continue;
            }
            let _ = stream.write_all(b"HTTP/1.1 204 X\r\n\r\n").await;
        }
    });
    port
}

#[tokio::test]
async fn a_reset_is_no_refusal() {
    let answer = carry_out(listen(3).await, 30.0).await;
    assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    let answer = carry_out(listen(usize::MAX).await, 0.2).await;
    assert!(matches!(answer, Answer::InDoubt { .. }), "{answer:?}");
}

#[tokio::test]
async fn nobody_listens_and_nothing_was_changed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let answer = carry_out(port, 0.2).await;
    assert!(matches!(answer, Answer::NotSent { .. }), "{answer:?}");
    assert!(answer.said().contains("cannot connect"), "{answer:?}");
}

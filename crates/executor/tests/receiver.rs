//! The webhook against the example of a receiver, over real connections: what both say of the convention is the same.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use executor::webhook::{Limits, Secret, WebhookConfig};
use executor::{About, Config, Executor, build};
use remedy::order::{Answer, Order};
use series::{Clock, Timestamp};
use tokio::net::TcpListener;

#[path = "../examples/receiver.rs"]
#[expect(dead_code, reason = "its main function is not called here")]
mod receiver;

/// Noon of 2026-11-26, moved by some seconds.
struct Noon(i64);

const NOON_S: i64 = 1_795_694_400;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis((NOON_S + self.0) * 1_000)
    }
}

fn secret(letter: &str) -> Secret {
    Secret::parse(&letter.repeat(32)).unwrap()
}

async fn listen(secrets: &[&str], log: Option<&Path>) -> String {
    let secrets = secrets.iter().map(|letter| secret(letter)).collect();
    let receiver = receiver::Receiver::open(secrets, || NOON_S, log).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    tokio::spawn(Arc::new(receiver).serve(listener));
    url
}

fn webhook(url: &str, letter: &str, late_s: i64) -> Arc<dyn Executor> {
    let webhook = WebhookConfig {
        url: url.to_owned(),
        secrets: vec![secret(letter)],
        ca_file: None,
        allow_insecure: false,
        actions: Vec::new(),
        limits: Limits::default(),
    };
    let config = Config {
        webhook: Some(webhook),
        clock: Arc::new(Noon(late_s)),
    };
    build("webhook", config).unwrap()
}

fn order(key: &str, fence: u64) -> Order {
    let order = serde_json::json!({
        "key": key, "plan": 17, "issue": 4, "step": 0, "is_undo": false, "fence": fence, "timeout_s": 30.0,
        "at": NOON_S * 1_000_000,
        "action": {"do": "scale", "target": "service/api", "from": 3, "to": 5},
    });
    serde_json::from_value(order).unwrap()
}

async fn carry_out(executor: &dyn Executor, key: &str, fence: u64) -> Answer {
    executor
        .carry_out(&order(key, fence), &About::default())
        .await
}

#[tokio::test]
async fn an_order_is_carried_out_once_whatever_comes_between() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("orders.jsonl");
    let url = listen(&["a"], Some(&log)).await;
    let done = Answer::Done {
        said: "received: scale service/api from 3 to 5".to_owned(),
    };
    let first = webhook(&url, "a", 0);
    assert_eq!(carry_out(&*first, "p17-0-do", 3).await, done);
    assert_eq!(carry_out(&*first, "p17-0-do", 3).await, done);
    // A second engine, which knows nothing, and then a second receiver, which has the log.
    let second = webhook(&url, "a", 200);
    assert_eq!(second.ask(&order("p17-0-do", 3)).await, Some(done.clone()));
    let url = listen(&["b", "a"], Some(&log)).await;
    let third = webhook(&url, "b", -200);
    assert_eq!(carry_out(&*third, "p17-0-do", 3).await, done);
    let never = third.ask(&order("p17-1-do", 3)).await;
    assert!(matches!(never, Some(Answer::Failed { .. })), "{never:?}");
    // A fourth whose lease was lost, and which does not know that.
    let stale = carry_out(&*webhook(&url, "a", 0), "p16-0-do", 2).await;
    assert!(
        matches!(stale, Answer::Failed { .. }) && stale.said().contains("higher fence"),
        "{stale:?}"
    );
    // An engine that counts from one again.
    let mut other = order("p17-0-do", 9);
    other.action = serde_json::from_str(r#"{"do": "reload", "target": "service/api"}"#).unwrap();
    let refused = third.carry_out(&other, &About::default()).await;
    assert!(
        matches!(refused, Answer::Failed { .. }) && refused.said().contains("another order"),
        "{refused:?}"
    );
    assert!(matches!(
        third.ask(&other).await,
        Some(Answer::Failed { .. })
    ));
    let written = std::fs::read_to_string(&log).unwrap();
    assert_eq!(written.lines().count(), 1, "{written}");
}

#[tokio::test]
async fn a_stranger_and_a_letter_of_long_ago_are_refused() {
    let url = listen(&["a"], None).await;
    let check = async |letter, late_s, says| {
        let answer = carry_out(&*webhook(&url, letter, late_s), "p1-0-do", 1).await;
        assert!(
            matches!(answer, Answer::Failed { .. }) && answer.said().contains(says),
            "{answer:?}"
        );
    };
    check("x", 0, "answered 401: no signature fits").await;
    check("a", -301, "answered 401: too old").await;
    check("a", 301, "answered 401: too old, or from the future").await;
}

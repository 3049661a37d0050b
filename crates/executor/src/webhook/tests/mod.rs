//! A webhook against receivers within the process, where time stands still until something waits for it.

mod answers;
mod line;
mod losses;

use std::sync::Arc;

use remedy::order::Answer;

use super::*;
use crate::samples::{self, Noon};
use line::{Act, Line};

fn secret(letter: &str) -> Secret {
    Secret::parse(&letter.repeat(32)).unwrap()
}

fn config() -> WebhookConfig {
    WebhookConfig {
        url: "http://localhost:9000/hook".into(),
        secrets: vec![secret("a"), secret("b")],
        ca_file: None,
        allow_insecure: false,
        actions: Vec::new(),
        limits: Limits::default(),
    }
}

fn webhook_with(config: WebhookConfig, acts: Vec<Act>) -> (Webhook, Line) {
    let line = Line::new(acts);
    let endpoint = config.check().unwrap();
    let webhook = Webhook::with(config, endpoint, Arc::new(Noon), Box::new(line.clone()));
    (webhook, line)
}

fn webhook(acts: Vec<Act>) -> (Webhook, Line) {
    webhook_with(config(), acts)
}

/// Hands one order over: what came of it, and what the receiver saw.
async fn carry_out(acts: Vec<Act>) -> (Answer, Line) {
    let (webhook, line) = webhook(acts);
    let order = samples::order(samples::scale("service/api", 3, 5));
    let answer = webhook.carry_out(&order, &About::default()).await;
    (answer, line)
}

fn done(said: &str) -> Answer {
    Answer::Done { said: said.into() }
}

/// Whether it is one of these, and says that.
fn check(answer: &Answer, kind: &str, says: &str) {
    let is = match answer {
        Answer::Done { .. } => "done",
        Answer::Failed { .. } => "failed",
        Answer::NotSent { .. } => "not sent",
        Answer::InDoubt { .. } => "in doubt",
    };
    assert_eq!(is, kind, "{answer:?}");
    assert!(
        answer.said().contains(says),
        "{says:?} is not in {answer:?}"
    );
}

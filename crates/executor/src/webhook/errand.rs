//! One order on its way: attempt after attempt, until something is known or its time is up.

use std::time::Duration;

use remedy::order::Answer;
use tokio::time::{Instant, sleep};

use super::back_off::pause;
use super::body::Bodies;
use super::post::{Outcome, post, request};
use super::reply::Reply;
use super::{Signature, Webhook};

/// How it ended; texts are for people.
#[derive(Debug)]
pub(super) enum End {
    /// The receiver said what became of the order.
    Said(Answer),
    /// The receiver does not know it.
    Unknown(String),
    /// The receiver refused it.
    Refused(String),
    /// The receiver took it, and what became of it cannot be read.
    Unclear(String),
    /// Time was up.
    GivenUp(String),
}

/// An order on its way.
#[derive(Debug)]
pub(super) struct Errand<'a> {
    pub(super) webhook: &'a Webhook,
    pub(super) key: &'a str,
    pub(super) bodies: Bodies,
}

impl Errand<'_> {
    /// Hands the order over, or with `is_question` asks what became of it.
    ///
    /// Beside the end: of an order, whether it may have been carried out; of a question, whether the order is under way.
    pub(super) async fn run(&self, is_question: bool, deadline: Instant) -> (End, bool) {
        let limits = &self.webhook.limits;
        // Once an order is accepted it is only asked about: sending it again would test what need not be tested.
        let mut is_accepted = false;
        let mut may_be_done = false;
        let (mut attempt, mut n_failed) = (0_u32, 0_u32);
        let hand_over = Instant::now() + Duration::from_secs_f64(limits.hand_over_s);
        let mut last = String::new();
        loop {
            let against = self.against_sending(hand_over);
            let is_sent = is_question || is_accepted || may_be_done;
            if let Some(why) = against.as_ref().filter(|_| !is_sent) {
                let why = if last.is_empty() {
                    why.clone()
                } else {
                    format!("{last}; {why}")
                };
                return (End::GivenUp(self.told(&why)), false);
            }
            let is_ask = is_question || is_accepted || against.is_some();
            let outcome = self.attempt(is_ask, deadline).await;
            let mut rest = pause(
                self.key,
                attempt,
                n_failed,
                limits.back_off_first_s,
                limits.back_off_max_s,
            );
            attempt = attempt.saturating_add(1);
            n_failed = n_failed.saturating_add(1);
            let (reply, retry_after) = match outcome {
                Outcome::NotSent(why) => (Err(why), None),
                Outcome::Lost(why) => {
                    may_be_done |= !is_question;
                    (Err(why), None)
                }
                Outcome::Answered { reply, retry_after } => (Ok(reply), retry_after),
            };
            let has_worked = match &reply {
                // To a question that is an answer as good as any.
                Ok(Reply::Unknown(_)) if is_ask => true,
                Ok(reply) => reply.has_worked(),
                Err(_) => false,
            };
            self.webhook.circuit.note(has_worked);
            if let Some(wanted) = retry_after {
                let longest = Duration::from_secs_f64(limits.retry_after_max_s);
                rest = rest.max(wanted.min(longest));
            }
            last = match reply {
                Ok(Reply::Said(answer)) => return (End::Said(answer), may_be_done),
                Ok(Reply::Unknown(said)) => return (End::Unknown(self.told(&said)), may_be_done),
                Ok(Reply::Refused { said, .. }) => {
                    return (End::Refused(self.told(&said)), may_be_done);
                }
                Ok(Reply::Unclear(said)) => return (End::Unclear(self.told(&said)), may_be_done),
                Ok(Reply::Accepted) => {
                    (is_accepted, may_be_done, n_failed) = (true, true, 0);
                    let wanted = retry_after.unwrap_or_default();
                    let longest = Duration::from_secs_f64(limits.retry_after_max_s);
                    let poll = Duration::from_secs_f64(limits.poll_s);
                    rest = poll.max(wanted.min(longest));
                    "accepted it, and has not said what became of it".to_owned()
                }
                Ok(Reply::Busy) => "answered 429: not now".to_owned(),
                Ok(Reply::Troubled(said)) => {
                    may_be_done |= !is_question;
                    said
                }
                Err(why) => why,
            };
            // A pause that would end too late is not worth waiting for.
            if deadline.saturating_duration_since(Instant::now()) <= rest {
                let given_up = format!("{last}; given up after {attempt} attempts");
                return (End::GivenUp(self.told(&given_up)), may_be_done);
            }
            sleep(rest).await;
        }
    }

    /// Why an order must not be sent now.
    fn against_sending(&self, hand_over: Instant) -> Option<String> {
        if let Some(why) = &*self.webhook.held.lock() {
            return Some(why.clone());
        }
        let is_late = Instant::now() >= hand_over;
        is_late.then(|| {
            format!(
                "it could not be handed over within {} s",
                self.webhook.limits.hand_over_s
            )
        })
    }

    fn told(&self, what: &str) -> String {
        format!("{}: {what}", self.webhook.endpoint)
    }

    async fn attempt(&self, is_ask: bool, deadline: Instant) -> Outcome {
        let webhook = self.webhook;
        let now = webhook.clock.now();
        let body = if is_ask {
            &self.bodies.ask
        } else {
            &self.bodies.order
        };
        let timestamp = now.micros().div_euclid(1_000_000).to_string();
        let signature = Signature {
            id: self.key,
            timestamp: &timestamp,
            body,
        };
        let signature = signature.header(&webhook.secrets);
        let line = [&*webhook.endpoint.authority, &*webhook.endpoint.path];
        let request = match request(line, [self.key, &timestamp, &signature], body) {
            Ok(request) => request,
            Err(error) => return Outcome::NotSent(format!("cannot be written: {error}")),
        };
        let time = Duration::from_secs_f64(webhook.limits.attempt_timeout_s);
        let until = deadline.min(Instant::now() + time);
        post(&*webhook.dial, request, now, until).await
    }
}

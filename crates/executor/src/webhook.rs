//! Hands orders to a program of somebody else, by HTTP: after the convention of [Standard Webhooks] 1.0.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
//!
//! # What a receiver must do
//!
//! An order comes as a `POST` with a body of JSON and three headers:
//!
//! | header | holds |
//! |---|---|
//! | `webhook-id` | the key of the order; the same for each repetition of it |
//! | `webhook-timestamp` | when this attempt was made: seconds since 1970, as a whole number |
//! | `webhook-signature` | one or more of `v1,SIGNATURE`, with a space between them |
//!
//! 1. **Verify.** What is signed is the text `webhook-id`, a full stop, `webhook-timestamp`, a full stop, and the bytes of the
//!    body as they came, before anything parses them:
//!
//!    ```text
//!    p17-0-do-1f0c9a3e.1795694400.{"type":"order.carry_out","timestamp":"2026-11-26T12:00:00Z",…}
//!    ```
//!
//!    `SIGNATURE` is the base64 of HMAC-SHA256 over it; the key is the secret: what follows `whsec_`, decoded from base64, or
//!    the bytes of the secret as they are when it does not begin so. One signature that fits is enough: there are several while
//!    a secret is changed. Compare in constant time. Refuse a timestamp more than five minutes from now.
//! 2. **Look at `ask`.** When it is `true`, carry nothing out: answer what became of the order with this id, or `404` if it
//!    never came.
//! 3. **Drop repetitions by `webhook-id`**: what was carried out under an id is never carried out again; answer what was
//!    answered before. Ids must outlive a restart of the receiver. They end with what tells one ledger from another; an id
//!    under which another action came before is refused with `422` all the same.
//! 4. **Check `order.fence`**: answer `409` when a higher one was seen for `order.action.target`. Another engine has the lease.
//! 5. **Carry out `order.action`** within `order.timeout_s` seconds, and answer:
//!
//! | answer | means |
//! |---|---|
//! | `200` with `{"status": "done", "said": "…"}`, or with an empty body | it was carried out |
//! | `200` with `{"status": "failed", "said": "…"}` | it was not, and nothing was changed |
//! | `200` with `{"status": "in_doubt", "said": "…"}` | it may have been, or in part |
//! | `202` | it is under way: asked again with `"ask": true` until the order's time is up |
//! | `409` | the fence is too low; nothing was changed |
//! | another `4xx`, or `3xx` | refused; nothing was changed. Redirects are not followed |
//! | `429` | later: `Retry-After` is honoured, up to a bound; nothing was changed |
//! | `5xx`, or no answer | sent again, with the same id, for a minute at most; then asked about until the order's time is up |
//!
//! `examples/receiver.rs` does all of this in one file.
//!
//! # What is promised of the answers
//!
//! An order of which no answer came is in doubt as soon as one byte of it can have left: only a receiver that said so makes it
//! [`Answer::Failed`], and only a connection that was never made, or a receiver that said "later" to the last,
//! [`Answer::NotSent`]. What was not sent within a minute, or before [`Executor::hold`], is not sent any more: the planner
//! decides anew, and another order has another id (`p17-0-do2-1f0c9a3e`). Each request has a connection of its own for that reason: a pool
//! may find out after writing that the connection was dead, and send again by itself.

mod back_off;
mod body;
mod circuit;
mod config;
mod dial;
mod endpoint;
mod errand;
mod limits;
mod post;
mod reply;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use remedy::action::Action;
use remedy::order::{Answer, Order};
use series::Clock;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

pub use body::{MAX_BODY_BYTES, SCHEMA};
pub use config::{ConfigError, WebhookConfig};
pub use limits::Limits;
pub use reply::{MAX_REPLY_BYTES, MAX_SAID_BYTES};
pub use secret::{MAX_SECRETS, MIN_SECRET_BYTES, Secret, SecretError, Signature};

use crate::check::check;
use crate::preview::quote::plain;
use crate::{About, Executor, Fences, Later};
use body::Bodies;
use circuit::Circuit;
use dial::Dial;
use endpoint::Endpoint;
use errand::{End, Errand};

/// Hands orders to a URL.
pub struct Webhook {
    endpoint: Endpoint,
    secrets: Vec<Secret>,
    actions: Vec<String>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    dial: Box<dyn Dial>,
    places: Semaphore,
    circuit: Circuit,
    fences: Fences,
    /// Why nothing is handed over now.
    held: Mutex<Option<String>>,
}

impl fmt::Debug for Webhook {
    /// Without secrets, and without the path of the URL, which may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("endpoint", &self.endpoint)
            .field("secrets", &self.secrets)
            .field("limits", &self.limits)
            .field("circuit", &self.circuit)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// For a receiver. Reads the file of certificates, if one is configured; connects to nobody yet.
    ///
    /// # Errors
    /// What is wrong with the configuration: see [`ConfigError`].
    pub fn new(config: WebhookConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let endpoint = config.check()?;
        let dial = config.dial(&endpoint)?;
        Ok(Self::with(config, endpoint, clock, Box::new(dial)))
    }

    fn with(
        config: WebhookConfig,
        endpoint: Endpoint,
        clock: Arc<dyn Clock>,
        dial: Box<dyn Dial>,
    ) -> Self {
        let limits = config.limits;
        Self {
            endpoint,
            secrets: config.secrets,
            actions: config.actions,
            clock,
            dial,
            places: Semaphore::new(limits.at_once),
            circuit: Circuit::new(limits.circuit_failures, limits.circuit_rest_s),
            fences: Fences::default(),
            held: Mutex::default(),
            limits,
        }
    }

    fn errand<'a>(&'a self, order: &'a Order, about: &'a About) -> Result<Errand<'a>, String> {
        check(order).map_err(|error| error.to_string())?;
        Ok(Errand {
            webhook: self,
            key: &order.key,
            bodies: Bodies::of(order, about)?,
        })
    }

    async fn hand_over(&self, order: &Order, about: &About) -> Result<Answer, String> {
        self.can(&order.action)?;
        let errand = self.errand(order, about)?;
        let not_sent = |why: &str| Answer::NotSent {
            said: plain(why, MAX_SAID_BYTES / 4),
        };
        if let Err(why) = self.available() {
            return Ok(not_sent(&why));
        }
        let deadline = Instant::now() + Duration::from_secs_f64(order.timeout_s);
        let Ok(Ok(_place)) = timeout_at(deadline, self.places.acquire()).await else {
            return Ok(not_sent(&format!(
                "{} orders were under way, and no place came free within {} s",
                self.limits.at_once, order.timeout_s
            )));
        };
        // Not before there is a place: meanwhile the lease may have gone to another.
        let fresh = self.fences.admit(order.action.target(), order.fence);
        fresh.map_err(|error| error.to_string())?;
        let (end, may_be_done) = errand.run(false, deadline).await;
        Ok(match end {
            End::Said(answer) => answer,
            // It is in doubt that there is anything to be said of it; that it was sent is not.
            End::Unclear(said) => Answer::InDoubt { said },
            End::Unknown(said) | End::Refused(said) | End::GivenUp(said) if may_be_done => {
                Answer::InDoubt { said }
            }
            End::Unknown(said) | End::Refused(said) => Answer::Failed { said },
            End::GivenUp(said) => Answer::NotSent { said },
        })
    }

    async fn ask_for(&self, order: &Order) -> Option<Answer> {
        let about = About::default();
        let errand = self.errand(order, &about).ok()?;
        let time_s = order.timeout_s.min(self.limits.ask_timeout_s);
        let deadline = Instant::now() + Duration::from_secs_f64(time_s);
        let _place = timeout_at(deadline, self.places.acquire())
            .await
            .ok()?
            .ok()?;
        let (end, is_accepted) = errand.run(true, deadline).await;
        match end {
            End::Said(answer) => Some(answer),
            End::Unknown(_) => Some(Answer::Failed {
                said: format!("{} never received order {}", self.endpoint, order.key),
            }),
            End::GivenUp(said) if is_accepted => Some(Answer::InDoubt { said }),
            End::GivenUp(_) | End::Refused(_) | End::Unclear(_) => None,
        }
    }
}

impl Executor for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn can(&self, action: &Action) -> Result<(), String> {
        let name = action.name();
        if self.actions.is_empty() || self.actions.iter().any(|can| can == name) {
            return Ok(());
        }
        Err(format!(
            "the receiver at {} is not configured for {name}, only for {}",
            self.endpoint,
            self.actions.join(", ")
        ))
    }

    fn available(&self) -> Result<(), String> {
        let open = self.circuit.check();
        open.map_err(|why| format!("{} is not sent to: {why}", self.endpoint))
    }

    fn hold(&self, why: Option<&str>) {
        *self.held.lock() = why.map(str::to_owned);
    }

    fn carry_out<'a>(&'a self, order: &'a Order, about: &'a About) -> Later<'a, Answer> {
        Box::pin(async move {
            let answer = self.hand_over(order, about).await;
            answer.unwrap_or_else(|why| Answer::Failed {
                said: plain(&why, MAX_SAID_BYTES / 4),
            })
        })
    }

    fn ask<'a>(&'a self, order: &'a Order) -> Later<'a, Option<Answer>> {
        Box::pin(self.ask_for(order))
    }
}

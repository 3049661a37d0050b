//! Executors by name.

use std::fmt;
use std::sync::Arc;

use series::Clock;

use crate::webhook::{ConfigError, WebhookConfig};
use crate::{DryRun, Executor, Webhook};

/// All executors: the name in configuration and in plans, and one line for people.
pub const EXECUTORS: [(&str, &str); 2] = [
    ("dry_run", "carry nothing out, and say what would be done"),
    (
        "webhook",
        "hand each order to a URL of your own, signed, until it is answered",
    ),
];

/// What executors are built from.
#[derive(Clone)]
pub struct Config {
    /// Of the webhook; `None` when there is none.
    pub webhook: Option<WebhookConfig>,
    /// What tells the time of each attempt.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Config");
        shown
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

/// Why an executor cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is none of this name.
    #[error("{name:?} is no executor; executors are {known}", known = known())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The webhook is chosen and not configured.
    #[error(
        "the executor is \"webhook\", and nothing is configured for it: url and secrets at least"
    )]
    NoWebhook,
    /// The webhook is configured wrongly.
    #[error("configuring the executor \"webhook\"")]
    Webhook(#[from] ConfigError),
}

fn known() -> String {
    EXECUTORS.map(|(name, _)| name).join(", ")
}

/// The executor of this name.
///
/// # Errors
/// See [`BuildError`].
pub fn build(name: &str, config: Config) -> Result<Arc<dyn Executor>, BuildError> {
    match name {
        "dry_run" => Ok(Arc::new(DryRun::new())),
        "webhook" => {
            let webhook = config.webhook.ok_or(BuildError::NoWebhook)?;
            Ok(Arc::new(Webhook::new(webhook, config.clock)?))
        }
        other => Err(BuildError::Unknown {
            name: other.chars().take(80).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Noon;
    use crate::webhook::{Limits, Secret};

    fn config(webhook: Option<WebhookConfig>) -> Config {
        Config {
            webhook,
            clock: Arc::new(Noon),
        }
    }

    #[test]
    fn every_executor_is_built_by_its_name() {
        let webhook = WebhookConfig {
            url: "http://127.0.0.1:1/".into(),
            secrets: vec![Secret::parse(&"k".repeat(32)).unwrap()],
            ca_file: None,
            allow_insecure: false,
            actions: Vec::new(),
            limits: Limits::default(),
        };
        for (name, about) in EXECUTORS {
            let executor = build(name, config(Some(webhook.clone()))).unwrap();
            assert_eq!(executor.name(), name);
            assert!(!about.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_built_says_what_could_be() {
        let error = build("shell", config(None)).unwrap_err().to_string();
        assert_eq!(
            error,
            "\"shell\" is no executor; executors are dry_run, webhook"
        );
        assert!(matches!(
            build("webhook", config(None)),
            Err(BuildError::NoWebhook)
        ));
    }
}

//! What a webhook needs to be told, and what it refuses to be told.

use std::fmt;
use std::path::PathBuf;

use super::dial::TcpDial;
use super::endpoint::Endpoint;
use super::limits::Limits;
use super::secret::{MAX_SECRETS, Secret};
use crate::ACTIONS;

/// Where orders are sent, and how.
#[derive(Clone)]
pub struct WebhookConfig {
    /// `https://host[:port]/path`; `http://` for this machine only, unless `allow_insecure`.
    pub url: String,
    /// What requests are signed with: each of them, so that a receiver may know either while they change. 1 to
    /// [`MAX_SECRETS`].
    pub secrets: Vec<Secret>,
    /// A PEM file of the authorities that may vouch for the receiver; `None` trusts those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether `http://` to another machine is allowed: orders are signed, but can be read on the way.
    pub allow_insecure: bool,
    /// Names of the actions that the receiver can carry out; empty for all.
    pub actions: Vec<String>,
    /// How often, how long, how many.
    pub limits: Limits,
}

impl fmt::Debug for WebhookConfig {
    /// Without secrets, and without the URL, whose path may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("secrets", &self.secrets)
            .field("ca_file", &self.ca_file)
            .field("allow_insecure", &self.allow_insecure)
            .field("actions", &self.actions)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why a webhook cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The URL is not one. It is not told: its path may be a secret.
    #[error("the webhook's URL {problem}")]
    Url {
        /// What is wrong with it.
        problem: String,
    },
    /// Plain HTTP to another machine.
    #[error(
        "the webhook's URL is http:// to {host}, which is not this machine: use https://, or set allow_insecure"
    )]
    Insecure {
        /// The host.
        host: String,
    },
    /// No secret, or too many.
    #[error("the webhook has {n} secrets, expected 1 to {MAX_SECRETS}")]
    Secrets {
        /// How many.
        n: usize,
    },
    /// An action that there is not.
    #[error("{name:?} in the webhook's actions is none; actions are {actions}", actions = ACTIONS.join(", "))]
    Action {
        /// The name.
        name: String,
    },
    /// A limit out of range.
    #[error("{name} of the webhook is {value}, expected {expected}")]
    Limit {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// The file of authorities cannot be read.
    #[error("reading the authorities in {path}: {problem}")]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// No authority is trusted.
    #[error("the system has no certificates of authorities: {problem}; set ca_file")]
    NoRoots {
        /// What the system says.
        problem: String,
    },
    /// TLS cannot be set up.
    #[error("setting up TLS for the webhook")]
    Tls(#[source] rustls::Error),
}

impl WebhookConfig {
    /// All that is wrong with it: what [`Webhook::new`](super::Webhook::new) would refuse. Reads the file of authorities, and
    /// connects to nobody.
    #[must_use]
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut out = self.mistakes();
        let endpoint = self.endpoint();
        let dial = endpoint.and_then(|endpoint| self.dial(&endpoint));
        out.extend(dial.err());
        out
    }

    /// Refuses what cannot be meant, and takes the URL apart.
    pub(super) fn check(&self) -> Result<Endpoint, ConfigError> {
        match self.mistakes().into_iter().next() {
            Some(first) => Err(first),
            None => self.endpoint(),
        }
    }

    /// What makes its connections.
    pub(super) fn dial(&self, endpoint: &Endpoint) -> Result<TcpDial, ConfigError> {
        TcpDial::new(endpoint, self.ca_file.as_deref(), self.allow_insecure)
    }

    /// What cannot be meant, but for the URL.
    fn mistakes(&self) -> Vec<ConfigError> {
        let mut out = Vec::new();
        let n = self.secrets.len();
        if !(1..=MAX_SECRETS).contains(&n) {
            out.push(ConfigError::Secrets { n });
        }
        let actions = self.actions.iter();
        let unknown = actions.filter(|name| !ACTIONS.contains(&name.as_str()));
        out.extend(unknown.map(|name| ConfigError::Action {
            name: name.chars().take(80).collect(),
        }));
        out.extend(self.limits.check().err());
        out
    }

    fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        let endpoint = Endpoint::read(&self.url)?;
        if !endpoint.is_tls && !self.allow_insecure && !endpoint.is_here() {
            let host = endpoint.host;
            return Err(ConfigError::Insecure { host });
        }
        Ok(endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> WebhookConfig {
        WebhookConfig {
            url: url.into(),
            secrets: vec![Secret::parse(&"k".repeat(32)).unwrap()],
            ca_file: None,
            allow_insecure: false,
            actions: Vec::new(),
            limits: Limits::default(),
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_telling_a_secret() {
        let check = |config: WebhookConfig, says: &str| {
            let error = config.check().map(|_| ()).unwrap_err().to_string();
            assert!(
                error.contains(says) && !error.contains("hunter2"),
                "{error}"
            );
        };
        check(
            config("ftp://example.org/hunter2"),
            "neither https:// nor http://",
        );
        check(config("/hunter2"), "neither");
        check(
            config("https://a:hunter2@example.org/"),
            "a user or a password",
        );
        check(config("https:// /hunter2"), "cannot be read");
        check(config("https://example.org:0/"), "no port");
        check(config("http://example.org/hunter2"), "allow_insecure");
        check(config("http://10.0.0.1/"), "not this machine");
        check(config("http://localhost.example.org/"), "not this machine");
        let mut many = config("https://a/");
        many.secrets = vec![many.secrets[0].clone(); 5];
        check(many, "has 5 secrets");
        let mut none = config("https://a/");
        none.secrets.clear();
        check(none, "has 0 secrets");
        let mut other = config("https://a/");
        other.actions = vec!["reboot".into()];
        check(
            other,
            "\"reboot\" in the webhook's actions is none; actions are restart,",
        );
        let mut never = config("https://a/");
        never.limits.poll_s = f64::NAN;
        check(never, "poll_s of the webhook is NaN");
        let shown = format!("{:?}", config("https://example.org/hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let mut wrong = config("http://10.0.0.1/");
        wrong.actions = vec!["restart".into(), "restrt".into(), "reboot".into()];
        wrong.secrets.clear();
        let told = wrong.problems();
        assert!(
            matches!(
                &told[..],
                [
                    ConfigError::Secrets { n: 0 },
                    ConfigError::Action { name },
                    ConfigError::Action { .. },
                    ConfigError::Insecure { .. },
                ] if name == "restrt"
            ),
            "{told:?}"
        );
        let mut unread = config("https://example.org/");
        unread.ca_file = Some("none/ca.pem".into());
        assert!(matches!(
            &unread.problems()[..],
            [ConfigError::CaFile { .. }]
        ));
        assert!(config("http://127.0.0.1:1/").problems().is_empty());
    }

    #[test]
    fn plain_http_to_another_machine_must_be_allowed() {
        let mut config = config("http://10.0.0.1:8080/");
        config.allow_insecure = true;
        assert_eq!(config.check().unwrap().to_string(), "http://10.0.0.1:8080");
    }
}

//! What would keep a planner from opening, found without its ledger and without a network.

use executor::webhook::ConfigError;
use remedy::topology::Topology;

use super::open::{secret, slips, webhook};
use super::people::token;
use crate::config::{Config, PlannerConfig, Problem, WebhookConfig};
use crate::models::told;

/// What opening would refuse: people's tokens, and the webhook with its secrets, whether it is the executor or not yet.
pub(crate) fn problems(planner: &PlannerConfig) -> Vec<Problem> {
    if !planner.enabled {
        return Vec::new();
    }
    let people = planner.people.iter().enumerate();
    let people = people.filter_map(|(i, person)| {
        let error = token(person).err()?;
        Some(Problem {
            key: format!("planner.people[{i}].token_file"),
            message: told(&error),
        })
    });
    people.chain(of_webhook(&planner.webhook)).collect()
}

/// What opening would warn of.
pub(crate) fn warnings(config: &Config) -> Vec<String> {
    let topology = config
        .planner
        .enabled
        .then(|| Topology::from_declared(&config.topology));
    match topology {
        Some(Ok(topology)) => slips(&topology).collect(),
        Some(Err(_)) | None => Vec::new(),
    }
}

fn of_webhook(config: &WebhookConfig) -> Vec<Problem> {
    let (mut out, mut secrets) = (Vec::new(), Vec::new());
    for (i, path) in config.secret_files.iter().enumerate() {
        match secret(path) {
            Ok(secret) => secrets.push(secret),
            Err(error) => out.push(Problem {
                key: format!("planner.webhook.secret_files[{i}]"),
                message: told(&error),
            }),
        }
    }
    let said = webhook(config, secrets).map(|webhook| webhook.problems());
    for error in said.into_iter().flatten() {
        // That none can be read has been told, and one is named when it is needed.
        if !matches!(error, ConfigError::Secrets { n: 0 }) {
            out.push(Problem {
                key: format!("planner.webhook.{}", field(&error, config)),
                message: told(&error),
            });
        }
    }
    out
}

/// Which key of the section an error is about.
fn field(error: &ConfigError, config: &WebhookConfig) -> String {
    match error {
        ConfigError::Action { name } => {
            let mut actions = config.actions.iter();
            let i = actions.position(|action| action.starts_with(name.as_str()));
            format!("actions[{}]", i.unwrap_or_default())
        }
        ConfigError::Secrets { .. } => "secret_files".to_owned(),
        ConfigError::CaFile { .. } | ConfigError::NoRoots { .. } => "ca_file".to_owned(),
        ConfigError::Url { .. }
        | ConfigError::Insecure { .. }
        | ConfigError::Limit { .. }
        | ConfigError::Tls(_) => "url".to_owned(),
    }
}

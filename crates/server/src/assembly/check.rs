//! What would keep a server from starting, found without starting one.

use std::path::Path;

use super::{StartError, transport};
use crate::config::{Config, ConfigError, Problem, ServerConfig};
use crate::models::told;
use crate::planning;

/// Reads a configuration, and the tokens, secrets and certificates that it names; nothing is opened for writing, and nobody is
/// called. Returns what a server would warn of.
///
/// # Errors
/// As [`Config::load`], and with what a server would refuse at its start.
pub fn check(path: &Path) -> Result<Vec<String>, ConfigError> {
    let config = Config::load_and(path, problems)?;
    Ok(planning::warnings(&config))
}

fn problems(config: &Config) -> Vec<Problem> {
    let mut out = Vec::new();
    let server = &config.server;
    let transport = [
        transport::auth(server).err(),
        // Without a key it has been refused.
        transport::builder(server)
            .err()
            .filter(|_| !server.tls_key.as_os_str().is_empty()),
    ];
    out.extend(transport.into_iter().flatten().map(|error| Problem {
        key: key(&error, server).to_owned(),
        message: told(&error),
    }));
    out.extend(planning::problems(&config.planner));
    out
}

/// The key that names the file an error is about.
fn key(error: &StartError, server: &ServerConfig) -> &'static str {
    let is_key = matches!(error, StartError::Tls { path, .. } if *path == server.tls_key);
    match (error, is_key) {
        (StartError::Token { .. }, _) => "server.token_file",
        (_, true) => "server.tls_key",
        (_, false) => "server.tls_cert",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;

    use super::*;

    #[test]
    fn what_a_server_would_refuse_is_found_without_starting_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("forestall.toml");
        let short = dir.path().join("short");
        fs::write(&short, "secret\n").unwrap();
        let text = r#"
            [server]
            token_file = "none/token"
            tls_cert = "none/cert"
            tls_key = "none/key"
            [planner]
            executor = "webhook"
            [planner.webhook]
            url = "http://10.0.0.1/"
            secret_files = ["none/secret", "SHORT"]
            actions = ["restart", "restrt"]
            [[planner.people]]
            name = "ben"
            authority = "root"
            [[planner.people]]
            name = "ana"
            authority = "owner"
            token_file = "SHORT"
            [findings]
            certificates = ["a:99999", "shop.example:443", "/etc/a.pem", "ftp://x"]
        "#;
        fs::write(&path, text.replace("SHORT", &short.display().to_string())).unwrap();
        let error = check(&path).unwrap_err().to_string();
        let error = error.replace(&dir.path().display().to_string(), "DIR");
        expect![[r#"
            DIR/forestall.toml cannot be used:
              planner.people[0].authority: unknown variant `root`, expected one of `operator`, `owner`, `administrator`
              findings.certificates[0]: "99999" is not a port; expected 1 to 65535; a file begins with / or ./
              findings.certificates[3]: scheme "ftp" is not known; expected host:port or postgres://host:port; a file begins with / or ./
              server.token_file: the token in none/token: reading it: No such file or directory (os error 2)
              server.tls_cert: TLS with none/cert: No such file or directory (os error 2)
              planner.people[1].token_file: the token of ana in DIR/short: its first line has 6 bytes, at least 16 are needed
              planner.webhook.secret_files[0]: the secret in none/secret: No such file or directory (os error 2)
              planner.webhook.secret_files[1]: the secret in DIR/short: the secret has 6 bytes, expected 24 to 512
              planner.webhook.actions[1]: "restrt" in the webhook's actions is none; actions are restart, scale, set_limit, set_parameter, drain, undrain, clear_cache, remove_files, rotate_logs, grow_volume, snapshot, restore_snapshot, create_index, drop_index, cancel_queries, end_idle_sessions, analyze, renew_certificate, restore_certificate, reload, quarantine, release, set_package, apply_configuration, revert_configuration, shed_load, admit_load, open_breaker, close_breaker, fail_over, pause_jobs, resume_jobs, capture, notify
              planner.webhook.url: the webhook's URL is http:// to 10.0.0.1, which is not this machine: use https://, or set allow_insecure"#]].assert_eq(&error);
    }

    #[test]
    fn what_is_not_declared_is_warned_of() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("forestall.toml");
        let text = "[[topology.services]]\nname = 'api'\ndepends_on = ['service/pya']";
        fs::write(&path, text).unwrap();
        let warning = "topology.services[0].depends_on[0]: service/pya is not declared: is it a slip of the pen?";
        assert_eq!(check(&path).unwrap(), [warning]);
    }
}

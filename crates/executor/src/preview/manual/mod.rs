//! How a person would do it by hand: a command, a query, or words where neither is known.
//!
//! What is known of the entity decides: its attribute `manager` (`systemd`, `kubernetes`, `docker`, `certbot`, `patroni`),
//! `engine` of a database (`postgres`, `mysql`), `package_manager`. What is not known is not guessed: words are no command.

mod database;
mod machine;
mod settings;
mod traffic;
mod workload;

use std::collections::BTreeMap;

use remedy::EntityId;
use remedy::action::Action;
use serde::Serialize;

use super::quote::plain;

/// What a text of [`Manual`] is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Commands of a POSIX shell.
    Shell,
    /// Statements of the database's SQL.
    Sql,
    /// Words for a person.
    Words,
}

/// How one action is done by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manual {
    /// What the text is written in.
    pub language: Language,
    /// One line.
    pub text: String,
}

/// The longest command or query that is shown, in bytes. A longer one is not cut, for it would be another command.
pub const MAX_MANUAL_BYTES: usize = 4_096;

impl Manual {
    /// Of an action. `attributes` are those of the entity `own`: names of units, paths and devices in them are not taken
    /// for those of another target.
    #[must_use]
    pub fn of(action: &Action, own: &EntityId, attributes: &BTreeMap<String, String>) -> Self {
        let target = action.target();
        let subject = Subject {
            target,
            attributes,
            is_own: target == own,
        };
        let manual = by_hand(action, &subject);
        if manual.text.len() <= MAX_MANUAL_BYTES {
            return manual;
        }
        words(format!(
            "{} {}: the command has {} bytes, too many to be read here",
            action.name().replace('_', " "),
            plain(target.as_str(), 200),
            manual.text.len()
        ))
    }

    fn shell(text: String) -> Self {
        Self {
            language: Language::Shell,
            text,
        }
    }

    fn sql(text: String) -> Self {
        Self {
            language: Language::Sql,
            text,
        }
    }
}

fn words(text: impl AsRef<str>) -> Manual {
    Manual {
        language: Language::Words,
        text: plain(text.as_ref(), MAX_MANUAL_BYTES / 4),
    }
}

/// What an action is done to, with what is known of it.
struct Subject<'a> {
    target: &'a EntityId,
    attributes: &'a BTreeMap<String, String>,
    is_own: bool,
}

/// Who keeps it running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Systemd,
    Kubernetes,
    Docker,
    Other,
}

impl<'a> Subject<'a> {
    /// What is true of all that is near it: the manager, the namespace, the engine.
    fn shared(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes.get(name).map(String::as_str);
        found.filter(|value| !value.is_empty())
    }

    /// What is true of the plan's entity alone.
    fn own(&self, name: &str) -> Option<&'a str> {
        self.shared(name).filter(|_| self.is_own)
    }

    fn name(&self) -> &'a str {
        self.target.name()
    }

    fn manager(&self) -> Manager {
        match self.shared("manager") {
            // `systemctl` takes patterns: a unit that is called `*` would be all of them.
            Some("systemd") if workload::unit(self).contains(['*', '?', '[']) => Manager::Other,
            Some("systemd") => Manager::Systemd,
            Some("kubernetes" | "k8s") => Manager::Kubernetes,
            Some("docker" | "podman") => Manager::Docker,
            _ => Manager::Other,
        }
    }
}

/// Whether it can be nothing but a name, number or version: no pattern, path, address or option, which some commands take
/// in the place of one.
fn is_token(text: &str) -> bool {
    let is_ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_ends(text.chars().next())
        && is_ends(text.chars().next_back())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+._:~-".contains(c))
}

/// All actions, without a catch-all: a new one must say how it is done.
fn by_hand(action: &Action, subject: &Subject) -> Manual {
    match action {
        Action::Restart { back_off_s, .. } => workload::restart(subject, *back_off_s),
        Action::Scale { from, to, .. } => workload::scale(subject, *from, *to),
        Action::SetLimit { limit, to, .. } => settings::set_limit(subject, limit, *to),
        Action::SetParameter { parameter, to, .. } => {
            settings::set_parameter(subject, parameter, to)
        }
        Action::Reload { .. } => settings::reload(subject),
        Action::Quarantine { .. } => workload::quarantine(subject, true),
        Action::Release { .. } => workload::quarantine(subject, false),
        Action::PauseJobs { .. } => workload::jobs(subject, true),
        Action::ResumeJobs { .. } => workload::jobs(subject, false),
        Action::Drain { timeout_s, .. } => traffic::drain(subject, *timeout_s),
        Action::Undrain { .. } => traffic::undrain(subject),
        Action::ShedLoad { share, .. } => traffic::shed(subject, *share),
        Action::AdmitLoad { .. } => traffic::admit(subject),
        Action::OpenBreaker { callee, .. } => traffic::breaker(subject, callee, "open"),
        Action::CloseBreaker { callee, .. } => traffic::breaker(subject, callee, "close"),
        Action::FailOver { from, to, .. } => traffic::fail_over(subject, from, to),
        Action::Capture { what, .. } => traffic::capture(subject, what),
        Action::Notify { whom, message, .. } => words(format!(
            "tell {} about {}: {}",
            plain(whom, 100),
            subject.target,
            plain(message, 500)
        )),
        Action::ClearCache { .. } => machine::clear_cache(subject),
        Action::RemoveFiles {
            pattern,
            older_than_s,
            ..
        } => machine::remove_files(subject, pattern, *older_than_s),
        Action::RotateLogs { .. } => machine::rotate_logs(subject),
        Action::GrowVolume { to_bytes, .. } => machine::grow(subject, *to_bytes),
        Action::Snapshot { .. } => machine::snapshot(subject),
        Action::RestoreSnapshot { .. } => machine::restore_snapshot(subject),
        Action::RenewCertificate { .. } => machine::renew(subject),
        Action::RestoreCertificate { .. } => machine::put_back(subject, "certificate"),
        Action::SetPackage { package, to, .. } => machine::set_package(subject, package, to),
        Action::ApplyConfiguration { .. } => machine::apply(subject),
        Action::RevertConfiguration { .. } => machine::put_back(subject, "file"),
        Action::CreateIndex { table, columns, .. } => {
            database::create_index(subject, table, columns)
        }
        Action::DropIndex { table, columns, .. } => database::drop_index(subject, table, columns),
        Action::CancelQueries { longer_than_s, .. } => database::cancel(subject, *longer_than_s),
        Action::EndIdleSessions { longer_than_s, .. } => {
            database::end_idle(subject, *longer_than_s)
        }
        Action::Analyze { table, .. } => database::analyze(subject, table),
    }
}

#[cfg(test)]
mod tests;

//! What can be done to the world, as data: each action names its target, what it changes from what to what, and is
//! undone by another.

mod disruption;
mod words;

pub use disruption::Disruption;

use serde::{Deserialize, Serialize};

use crate::EntityId;

/// One change. A closed set: an executor must say of each whether it can do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Stops a process in good order and starts it again, after `back_off_s` seconds.
    Restart {
        /// Which.
        target: EntityId,
        /// Seconds that it is left stopped.
        back_off_s: f64,
    },
    /// Sets the number of replicas.
    Scale {
        /// Which service.
        target: EntityId,
        /// How many there are.
        from: u32,
        /// How many there shall be.
        to: u32,
    },
    /// Sets a limit of a resource: `memory_bytes`, `cpu_cores`, `open_files`, `max_connections`, …
    SetLimit {
        /// Whose.
        target: EntityId,
        /// Of what, with its unit.
        limit: String,
        /// What it is.
        from: f64,
        /// What it shall be.
        to: f64,
    },
    /// Sets a parameter: the size of a pool, a timeout, a sampling rate.
    SetParameter {
        /// Whose.
        target: EntityId,
        /// Which, with its unit.
        parameter: String,
        /// What it is.
        from: String,
        /// What it shall be.
        to: String,
    },
    /// Takes an instance, or all on a host, out of the balance and waits until what it was doing is done.
    Drain {
        /// Which.
        target: EntityId,
        /// Seconds after which it is given up.
        timeout_s: f64,
    },
    /// Puts it back.
    Undrain {
        /// Which.
        target: EntityId,
    },
    /// Drops what can be computed again: a cache of an application or of the kernel.
    ClearCache {
        /// Whose.
        target: EntityId,
    },
    /// Removes files that match a pattern and are older than some age. Temporary files and rotated logs only.
    RemoveFiles {
        /// Of which volume.
        target: EntityId,
        /// A glob below the mount point.
        pattern: String,
        /// Seconds since they were last written.
        older_than_s: f64,
    },
    /// Rotates and compresses logs now.
    RotateLogs {
        /// Of which volume.
        target: EntityId,
    },
    /// Makes a volume larger.
    GrowVolume {
        /// Which.
        target: EntityId,
        /// Bytes that it has.
        from_bytes: f64,
        /// Bytes that it shall have.
        to_bytes: f64,
    },
    /// Copies a volume or a database aside, so that what follows can be undone.
    Snapshot {
        /// Which.
        target: EntityId,
    },
    /// Brings back a copy.
    RestoreSnapshot {
        /// Which.
        target: EntityId,
    },
    /// Builds an index without locking the table.
    CreateIndex {
        /// Which database.
        target: EntityId,
        /// Of which table.
        table: String,
        /// Over which columns, in order.
        columns: Vec<String>,
    },
    /// Drops an index without locking the table.
    DropIndex {
        /// Which database.
        target: EntityId,
        /// Of which table.
        table: String,
        /// Over which columns, in order.
        columns: Vec<String>,
    },
    /// Cancels queries that have run for longer; their sessions stay.
    CancelQueries {
        /// Which database.
        target: EntityId,
        /// Seconds.
        longer_than_s: f64,
    },
    /// Ends sessions that have been idle, in a transaction or not, for longer.
    EndIdleSessions {
        /// Which database.
        target: EntityId,
        /// Seconds.
        longer_than_s: f64,
    },
    /// Collects dead rows and statistics of a table, or of all when it is empty.
    Analyze {
        /// Which database.
        target: EntityId,
        /// Which table.
        table: String,
    },
    /// Gets a new certificate from its issuer and puts it in place; the old one is kept beside it.
    RenewCertificate {
        /// Which.
        target: EntityId,
    },
    /// Puts the kept certificate back.
    RestoreCertificate {
        /// Which.
        target: EntityId,
    },
    /// Makes a process read its configuration, or certificate, again.
    Reload {
        /// Which.
        target: EntityId,
    },
    /// Lets nobody reach something but for administration.
    Quarantine {
        /// Which.
        target: EntityId,
    },
    /// Ends a quarantine.
    Release {
        /// Which.
        target: EntityId,
    },
    /// Brings a package to a version.
    SetPackage {
        /// Where.
        target: EntityId,
        /// Which.
        package: String,
        /// The version that is installed.
        from: String,
        /// The version that shall be.
        to: String,
    },
    /// Makes a file what is declared; what it was is kept beside it.
    ApplyConfiguration {
        /// Which.
        target: EntityId,
        /// Digest of what it is.
        from: String,
        /// Digest of what is declared.
        to: String,
    },
    /// Puts the kept file back.
    RevertConfiguration {
        /// Which.
        target: EntityId,
        /// Digest of what it is.
        from: String,
        /// Digest of what was kept.
        to: String,
    },
    /// Refuses a share of the requests, those of least priority first.
    ShedLoad {
        /// Of which service.
        target: EntityId,
        /// 0 to 1.
        share: f64,
    },
    /// Refuses none any more.
    AdmitLoad {
        /// Of which service.
        target: EntityId,
    },
    /// Stops calls to something that fails, so that callers do not wait for it.
    OpenBreaker {
        /// Who calls.
        target: EntityId,
        /// What is called.
        callee: EntityId,
    },
    /// Lets them pass again.
    CloseBreaker {
        /// Who calls.
        target: EntityId,
        /// What is called.
        callee: EntityId,
    },
    /// Makes another instance or site the one that serves.
    FailOver {
        /// Which service or database.
        target: EntityId,
        /// Who serves.
        from: EntityId,
        /// Who shall serve.
        to: EntityId,
    },
    /// Holds back work that can wait: batches, backups, builds.
    PauseJobs {
        /// Where.
        target: EntityId,
    },
    /// Lets it go on.
    ResumeJobs {
        /// Where.
        target: EntityId,
    },
    /// Writes down what people need to find the cause: heap, stacks, query plans. Changes nothing.
    Capture {
        /// Of what.
        target: EntityId,
        /// What is written down.
        what: String,
    },
    /// Tells a person, with what was found.
    Notify {
        /// About what.
        target: EntityId,
        /// Whom: an owner or a team.
        whom: String,
        /// What for.
        message: String,
    },
}

impl Action {
    /// What it is done to.
    #[must_use]
    pub const fn target(&self) -> &EntityId {
        match self {
            Self::Restart { target, .. }
            | Self::Scale { target, .. }
            | Self::SetLimit { target, .. }
            | Self::SetParameter { target, .. }
            | Self::Drain { target, .. }
            | Self::Undrain { target }
            | Self::ClearCache { target }
            | Self::RemoveFiles { target, .. }
            | Self::RotateLogs { target }
            | Self::GrowVolume { target, .. }
            | Self::Snapshot { target }
            | Self::RestoreSnapshot { target }
            | Self::CreateIndex { target, .. }
            | Self::DropIndex { target, .. }
            | Self::CancelQueries { target, .. }
            | Self::EndIdleSessions { target, .. }
            | Self::Analyze { target, .. }
            | Self::RenewCertificate { target }
            | Self::RestoreCertificate { target }
            | Self::Reload { target }
            | Self::Quarantine { target }
            | Self::Release { target }
            | Self::SetPackage { target, .. }
            | Self::ApplyConfiguration { target, .. }
            | Self::RevertConfiguration { target, .. }
            | Self::ShedLoad { target, .. }
            | Self::AdmitLoad { target }
            | Self::OpenBreaker { target, .. }
            | Self::CloseBreaker { target, .. }
            | Self::FailOver { target, .. }
            | Self::PauseJobs { target }
            | Self::ResumeJobs { target }
            | Self::Capture { target, .. }
            | Self::Notify { target, .. } => target,
        }
    }

    /// The name on the wire, in policies and in the audit: as `do` says in its written form.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Restart { .. } => "restart",
            Self::Scale { .. } => "scale",
            Self::SetLimit { .. } => "set_limit",
            Self::SetParameter { .. } => "set_parameter",
            Self::Drain { .. } => "drain",
            Self::Undrain { .. } => "undrain",
            Self::ClearCache { .. } => "clear_cache",
            Self::RemoveFiles { .. } => "remove_files",
            Self::RotateLogs { .. } => "rotate_logs",
            Self::GrowVolume { .. } => "grow_volume",
            Self::Snapshot { .. } => "snapshot",
            Self::RestoreSnapshot { .. } => "restore_snapshot",
            Self::CreateIndex { .. } => "create_index",
            Self::DropIndex { .. } => "drop_index",
            Self::CancelQueries { .. } => "cancel_queries",
            Self::EndIdleSessions { .. } => "end_idle_sessions",
            Self::Analyze { .. } => "analyze",
            Self::RenewCertificate { .. } => "renew_certificate",
            Self::RestoreCertificate { .. } => "restore_certificate",
            Self::Reload { .. } => "reload",
            Self::Quarantine { .. } => "quarantine",
            Self::Release { .. } => "release",
            Self::SetPackage { .. } => "set_package",
            Self::ApplyConfiguration { .. } => "apply_configuration",
            Self::RevertConfiguration { .. } => "revert_configuration",
            Self::ShedLoad { .. } => "shed_load",
            Self::AdmitLoad { .. } => "admit_load",
            Self::OpenBreaker { .. } => "open_breaker",
            Self::CloseBreaker { .. } => "close_breaker",
            Self::FailOver { .. } => "fail_over",
            Self::PauseJobs { .. } => "pause_jobs",
            Self::ResumeJobs { .. } => "resume_jobs",
            Self::Capture { .. } => "capture",
            Self::Notify { .. } => "notify",
        }
    }

    /// What it takes for granted: itself, but of its numbers only those that it starts from. In the others two drafts of one
    /// remedy differ as measurements do; when they differ in these, the world has changed. `None` of what changes nothing.
    pub(crate) fn premise(&self) -> Option<serde_json::Value> {
        let is_number = |value: &serde_json::Value| {
            let text = value.as_str().map(str::parse::<f64>);
            value.is_number() || text.is_some_and(|number| number.is_ok())
        };
        let mut all = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = all.as_object_mut() {
            fields.retain(|name, value| !is_number(value) || name.starts_with("from"));
        }
        (!self.is_harmless()).then_some(all)
    }

    /// Whether it is a crutch: taken away again when what it was for is over.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::ShedLoad { .. }
                | Self::OpenBreaker { .. }
                | Self::PauseJobs { .. }
                | Self::Drain { .. }
        )
    }

    /// Whether it leaves the world as it was: it needs no inverse, and no limit counts it.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        matches!(self, Self::Capture { .. } | Self::Notify { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_no_premise_and_what_it_starts_from_is() {
        let target: EntityId = "service/api".parse().unwrap();
        let tune = |from: &str, to: &str| Action::SetParameter {
            target: target.clone(),
            parameter: "pool_size".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        assert_eq!(tune("20", "34").premise(), tune("20", "38").premise());
        assert_ne!(tune("20", "34").premise(), tune("24", "34").premise());
        let fail_over = |to: &str| Action::FailOver {
            target: target.clone(),
            from: "database/a".parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let other = fail_over("database/c").premise();
        assert_ne!(fail_over("database/b").premise(), other);
        let notify = Action::Notify {
            target,
            whom: "shop-team".to_owned(),
            message: "92 % is used".to_owned(),
        };
        assert_eq!(notify.premise(), None);
    }
}

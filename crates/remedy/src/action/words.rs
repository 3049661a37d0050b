//! An action in words, for people.

use std::fmt;

use super::Action;

impl fmt::Display for Action {
    /// One line for people: `scale service/api from 3 to 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target();
        match self {
            Self::Restart { back_off_s, .. } if *back_off_s > 0.0 => {
                write!(f, "restart {target}, {back_off_s} s apart")
            }
            Self::Scale { from, to, .. } => write!(f, "scale {target} from {from} to {to}"),
            Self::SetLimit {
                limit, from, to, ..
            } => {
                write!(f, "set {limit} of {target} from {from} to {to}")
            }
            Self::SetParameter {
                parameter,
                from,
                to,
                ..
            } => write!(f, "set {parameter} of {target} from {from:?} to {to:?}"),
            Self::Drain { timeout_s, .. } => {
                write!(f, "drain {target}, for {timeout_s} s at most")
            }
            Self::RemoveFiles {
                pattern,
                older_than_s,
                ..
            } => write!(
                f,
                "remove {pattern:?} older than {older_than_s} s on {target}"
            ),
            Self::GrowVolume {
                from_bytes,
                to_bytes,
                ..
            } => write!(f, "grow {target} from {from_bytes} to {to_bytes} bytes"),
            Self::CreateIndex { table, columns, .. } => write!(
                f,
                "create an index on {table}({}) of {target}, concurrently",
                columns.join(", ")
            ),
            Self::DropIndex { table, columns, .. } => write!(
                f,
                "drop the index on {table}({}) of {target}, concurrently",
                columns.join(", ")
            ),
            Self::CancelQueries { longer_than_s, .. } => {
                write!(f, "cancel queries over {longer_than_s} s on {target}")
            }
            Self::EndIdleSessions { longer_than_s, .. } => {
                write!(f, "end sessions idle over {longer_than_s} s on {target}")
            }
            Self::Analyze { table, .. } if !table.is_empty() => {
                write!(f, "vacuum and analyze {table} of {target}")
            }
            Self::SetPackage {
                package, from, to, ..
            } => write!(f, "bring {package} on {target} from {from} to {to}"),
            Self::ApplyConfiguration { from, to, .. } => {
                write!(f, "make {target} what is declared ({from} -> {to})")
            }
            Self::RevertConfiguration { from, to, .. } => {
                write!(f, "put the kept {target} back ({from} -> {to})")
            }
            Self::ShedLoad { share, .. } => {
                write!(
                    f,
                    "refuse {:.0} % of the requests to {target}",
                    share * 100.0
                )
            }
            Self::OpenBreaker { callee, .. } => {
                write!(f, "open the breaker of {target} towards {callee}")
            }
            Self::CloseBreaker { callee, .. } => {
                write!(f, "close the breaker of {target} towards {callee}")
            }
            Self::FailOver { from, to, .. } => write!(f, "fail {target} over from {from} to {to}"),
            Self::Capture { what, .. } => write!(f, "write down {what} of {target}"),
            Self::Notify { whom, message, .. } => {
                write!(f, "tell {whom} about {target}: {message}")
            }
            Self::Restart { .. }
            | Self::Undrain { .. }
            | Self::ClearCache { .. }
            | Self::RotateLogs { .. }
            | Self::Snapshot { .. }
            | Self::RestoreSnapshot { .. }
            | Self::Analyze { .. }
            | Self::RenewCertificate { .. }
            | Self::RestoreCertificate { .. }
            | Self::Reload { .. }
            | Self::Quarantine { .. }
            | Self::Release { .. }
            | Self::AdmitLoad { .. }
            | Self::PauseJobs { .. }
            | Self::ResumeJobs { .. } => {
                write!(f, "{} {target}", self.name().replace('_', " "))
            }
        }
    }
}

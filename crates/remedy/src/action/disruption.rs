//! What an action does to those who rely on its target.

use serde::{Deserialize, Serialize};

use super::Action;

/// What an action can do to those who rely on its target, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disruption {
    /// Bytes that somebody may want back are gone.
    LosesData,
    /// Requests fail or wait meanwhile.
    Interrupts,
    /// There is less capacity meanwhile.
    Degrades,
    /// Nobody notices.
    None,
}

impl Disruption {
    /// How much of the capacity that it is done to is missed meanwhile, 0 to 1: what is only less serves on, more slowly.
    #[must_use]
    pub const fn missed(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Degrades => 0.3,
            Self::Interrupts | Self::LosesData => 1.0,
        }
    }
}

impl Action {
    /// The worst that it does while it is done.
    #[must_use]
    pub fn disruption(&self) -> Disruption {
        match self {
            Self::RemoveFiles { .. } | Self::RestoreSnapshot { .. } => Disruption::LosesData,
            Self::Restart { .. }
            | Self::FailOver { .. }
            | Self::Quarantine { .. }
            | Self::CancelQueries { .. }
            | Self::EndIdleSessions { .. }
            | Self::ShedLoad { .. }
            | Self::OpenBreaker { .. }
            | Self::SetPackage { .. } => Disruption::Interrupts,
            Self::Scale { from, to, .. } if to < from => Disruption::Degrades,
            Self::SetLimit { from, to, .. } if to < from => Disruption::Degrades,
            Self::Drain { .. }
            | Self::ClearCache { .. }
            | Self::PauseJobs { .. }
            | Self::DropIndex { .. }
            | Self::ApplyConfiguration { .. }
            | Self::RevertConfiguration { .. }
            | Self::SetParameter { .. } => Disruption::Degrades,
            Self::Scale { .. }
            | Self::SetLimit { .. }
            | Self::Undrain { .. }
            | Self::RotateLogs { .. }
            | Self::GrowVolume { .. }
            | Self::Snapshot { .. }
            | Self::CreateIndex { .. }
            | Self::Analyze { .. }
            | Self::RenewCertificate { .. }
            | Self::RestoreCertificate { .. }
            | Self::Reload { .. }
            | Self::Release { .. }
            | Self::AdmitLoad { .. }
            | Self::CloseBreaker { .. }
            | Self::ResumeJobs { .. }
            | Self::Capture { .. }
            | Self::Notify { .. } => Disruption::None,
        }
    }
}

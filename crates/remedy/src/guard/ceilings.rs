//! The third rule: nothing grows beyond a multiple of what it was, nor beyond what was said of it.

use super::{Layer, Proposal, Stop, Veto};
use crate::Settings;
use crate::action::Action;

pub(super) fn check(proposal: &Proposal<'_>, settings: &Settings, out: &mut Vec<Veto>) {
    let factor = settings.ceiling_factor;
    let mut check = |what: String, from: f64, to: f64, declared: Option<f64>| {
        let ceiling = declared.map_or(from * factor, |max| max.min(from * factor));
        // A number that is none is above every ceiling.
        let is_fine = to <= ceiling || to <= from;
        if !is_fine {
            let why = format!("{what} would become {to}, at most {ceiling} is allowed");
            let rule = "resource_ceiling";
            out.push(Veto::new(Layer::FiveRules, rule, Stop::ForGood, why));
        }
    };
    // By attributes alone: whoever may send a finding must not be able to permit anything.
    let declared = |name: &str| proposal.case.ceiling(name);
    for action in proposal.changes() {
        match action {
            Action::Scale { from, to, .. } => {
                let declared = declared("replicas_max");
                // One more is always within the factor, or one alone could never have a second.
                let from = f64::from(*from);
                let to = f64::from(*to);
                if declared.is_some_and(|max| to > max) || to > from + 1.0 {
                    check("replicas".to_owned(), from, to, declared);
                }
            }
            Action::SetLimit {
                limit, from, to, ..
            } => {
                let declared = match limit.as_str() {
                    "memory_bytes" => declared("memory_max_bytes"),
                    "cpu_cores" => declared("cpu_max_cores"),
                    "max_connections" => declared("connections_max"),
                    other => declared(&format!("{other}_max")),
                };
                check(limit.clone(), *from, *to, declared);
            }
            Action::SetParameter {
                parameter,
                from,
                to,
                ..
            } => {
                let declared = declared("pool_max").filter(|_| parameter.contains("pool"));
                if let (Ok(from), Ok(to)) = (from.parse(), to.parse()) {
                    check(parameter.clone(), from, to, declared);
                }
            }
            Action::GrowVolume {
                from_bytes,
                to_bytes,
                ..
            } => {
                let declared = declared("volume_max_bytes");
                check("the volume".to_owned(), *from_bytes, *to_bytes, declared);
            }
            Action::Restart { .. }
            | Action::Drain { .. }
            | Action::Undrain { .. }
            | Action::ClearCache { .. }
            | Action::RemoveFiles { .. }
            | Action::RotateLogs { .. }
            | Action::Snapshot { .. }
            | Action::RestoreSnapshot { .. }
            | Action::CreateIndex { .. }
            | Action::DropIndex { .. }
            | Action::CancelQueries { .. }
            | Action::EndIdleSessions { .. }
            | Action::Analyze { .. }
            | Action::RenewCertificate { .. }
            | Action::RestoreCertificate { .. }
            | Action::Reload { .. }
            | Action::Quarantine { .. }
            | Action::Release { .. }
            | Action::SetPackage { .. }
            | Action::ApplyConfiguration { .. }
            | Action::RevertConfiguration { .. }
            | Action::ShedLoad { .. }
            | Action::AdmitLoad { .. }
            | Action::OpenBreaker { .. }
            | Action::CloseBreaker { .. }
            | Action::FailOver { .. }
            | Action::PauseJobs { .. }
            | Action::ResumeJobs { .. }
            | Action::Capture { .. }
            | Action::Notify { .. } => {}
        }
    }
}

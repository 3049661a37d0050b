//! The fourth rule: security is not weakened. What touches who may do what is for a person; what opens something up, or
//! goes back to a version with known holes, is not done at all.

use super::{Layer, Proposal, Stop, Veto};
use crate::Class;
use crate::action::Action;

pub(super) fn check(proposal: &Proposal<'_>, out: &mut Vec<Veto>) {
    let mut stop = |stop, why: String| {
        out.push(Veto::new(Layer::FiveRules, "security_integrity", stop, why));
    };
    for action in proposal.changes() {
        match action {
            Action::ApplyConfiguration { .. } | Action::RevertConfiguration { .. }
                if proposal.case.warns("sensitive") =>
            {
                stop(
                    Stop::UntilApproved,
                    "the difference touches access or secrets".to_owned(),
                );
            }
            Action::SetPackage { package, to, .. }
                if proposal.case.class == Class::Vulnerability =>
            {
                if proposal.case.fact("fixed") != Some(to.as_str()) {
                    stop(
                        Stop::ForGood,
                        format!("{to} of {package} is not the version that is said to be fixed"),
                    );
                }
            }
            Action::Release { target } => stop(
                Stop::UntilApproved,
                format!("it ends the quarantine of {target}"),
            ),
            Action::RestoreCertificate { target } => stop(
                Stop::UntilApproved,
                format!("it puts an older certificate of {target} back"),
            ),
            Action::SetParameter { parameter, .. } if is_about_access(parameter) => stop(
                Stop::ForGood,
                format!("{parameter:?} is about access, which no plan may change"),
            ),
            Action::Restart { .. }
            | Action::Scale { .. }
            | Action::SetLimit { .. }
            | Action::SetParameter { .. }
            | Action::Drain { .. }
            | Action::Undrain { .. }
            | Action::ClearCache { .. }
            | Action::RemoveFiles { .. }
            | Action::RotateLogs { .. }
            | Action::GrowVolume { .. }
            | Action::Snapshot { .. }
            | Action::RestoreSnapshot { .. }
            | Action::CreateIndex { .. }
            | Action::DropIndex { .. }
            | Action::CancelQueries { .. }
            | Action::EndIdleSessions { .. }
            | Action::Analyze { .. }
            | Action::RenewCertificate { .. }
            | Action::Reload { .. }
            | Action::Quarantine { .. }
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

fn is_about_access(parameter: &str) -> bool {
    let parameter = parameter.to_ascii_lowercase();
    let words = [
        "auth",
        "password",
        "secret",
        "token",
        "tls",
        "ssl",
        "acl",
        "role",
        "permission",
    ];
    words.iter().any(|word| parameter.contains(word))
}

//! Tells people.

use super::draft::{finding_gone, notify};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::Class;

/// Tells people: the last resort, and the first for what is theirs to decide.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "notify_owner",
    about: "tell the owner, or who is on call where nobody owns it",
    classes: &Class::ALL,
    // Nothing is changed.
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // A person stops what they were doing.
    cost_min: 10.0,
    duration_s: 30.0,
    // People find most things; not always in time.
    prior: [5.0, 3.0],
    harm: 0.001,
    fallbacks: &[],
    draft,
};

/// Fits always: somebody must be told when nothing else does.
fn draft(case: &Case) -> Result<Draft, Unfit> {
    let asked = match case.class {
        Class::ProcessCrash => "Please look at what it said last",
        Class::CpuSaturation | Class::MemoryExhaustion => {
            "Please give it more, make it need less, or say what may be done by adding attributes"
        }
        Class::DiskExhaustion => {
            "Please remove what is not needed, make it larger, or say by attributes what is temporary"
        }
        Class::NetworkLatency => "Please look at what it waits for",
        Class::SlowQueries if case.fact("family") == Some("connections") => {
            "Please look at who holds the connections"
        }
        Class::SlowQueries => "Please look at the query and its plan",
        Class::CertificateExpiry => "Please renew it before it expires",
        Class::Vulnerability => {
            "Please bring in the version that mends it, or write down why it does not matter here"
        }
        Class::ConfigurationDrift => "Please declare what it is now, or have it put back",
    };
    Ok(Draft {
        steps: vec![notify(case, asked)],
        effect: finding_gone(case, 86_400.0),
        because: "people know what is not written down".to_owned(),
        // Under whatever fits, above whatever does not: a machine's 0.1 is worse than asking.
        fit: 0.25,
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn somebody_is_always_told() {
        let mut case = case("volume/a:/data", Class::DiskExhaustion, 0.97);
        let message = |case: &Case| draft(case).unwrap().steps[0].action.to_string();
        assert_eq!(
            message(&case),
            "tell on-call about volume/a:/data: disk exhaustion: used_ratio at 97 % (threshold 90 %), 10 min left. \
             Please remove what is not needed, make it larger, or say by attributes what is temporary"
        );
        case.around.owner = Some("team\n-storage".into());
        case.value = f64::NAN;
        assert!(message(&case).starts_with("tell team-storage about"));
    }
}

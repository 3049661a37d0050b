//! Cuts something off until it is mended.

use super::draft::{capture, one_of, step};
use super::{Authority, Case, Draft, Effect, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, EntityId, Kind};

/// CVSS score from which a vulnerability is critical.
const CRITICAL: f64 = 9.0;

/// Cuts off what an attacker can use, or may have used, until it is mended.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "quarantine",
    about: "let nobody reach what has a critical vulnerability, or whose access or secrets were changed",
    classes: &[Class::Vulnerability, Class::ConfigurationDrift],
    reversibility: Reversibility::Reversible,
    authority: Authority::Administrator,
    // An outage on purpose.
    cost_min: 30.0,
    duration_s: 60.0,
    prior: [8.5, 1.5],
    harm: 0.1,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let is_drift = case.class == Class::ConfigurationDrift;
    let (fit, because) = if is_drift && case.is("sensitive") {
        (0.3, "access or secrets were changed by nobody knows whom")
    } else if is_drift {
        return Err(Unfit::because(
            "what was changed touches neither access nor secrets",
        ));
    } else if case.is("exploited") {
        (0.9, "attackers are known to use the vulnerability")
    } else if is_critical(case) {
        (0.3, "the vulnerability is critical")
    } else {
        return Err(Unfit::because(
            "the vulnerability is neither critical nor known to be used",
        ));
    };
    let target = place(case)?;
    // The others of the service, or of the pool of hosts, remain.
    let away = if target.kind() == Kind::Instance {
        one_of(case.around.replicas)
    } else {
        one_of(case.count("pool_hosts").unwrap_or(1))
    };
    let evidence = capture(target, "processes, connections and log-ins");
    let quarantine = Action::Quarantine {
        target: target.clone(),
    };
    // Everything relies on tier 1: cutting that off is what an attacker would do.
    let share = if case.around.tier <= 1 && away > 0.5 {
        0.3
    } else {
        1.0
    };
    Ok(Draft {
        steps: vec![evidence, step(quarantine, 120.0)],
        // It mends nothing: the finding stays, but nobody can make use of it.
        effect: Effect {
            signal: format!("reachable {target}"),
            unit: "ratio".to_owned(),
            from: 1.0,
            to: 0.0,
            least: 0.9,
            within_s: 300.0,
        },
        because: format!("{because}, and what cannot be reached cannot be attacked"),
        fit: fit * share,
        capacity_away: away,
    })
}

fn is_critical(case: &Case) -> bool {
    let severity = case.fact("severity").unwrap_or_default();
    severity.eq_ignore_ascii_case("critical")
        || case.number("score").is_some_and(|score| score >= CRITICAL)
}

/// What is cut off: the instance, or the host that something is on.
fn place(case: &Case) -> Result<&EntityId, Unfit> {
    if matches!(case.entity.kind(), Kind::Instance | Kind::Host) {
        return Ok(&case.entity);
    }
    case.around
        .host
        .as_ref()
        .ok_or_else(|| Unfit::because(format!("on which host {} is, is not known", case.entity)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn only_what_is_dangerous_is_cut_off() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("instance/api-1", Class::Vulnerability, 9.8, facts))
        };
        assert!(drafted(&[("severity", "HIGH")]).is_err());
        let critical = drafted(&[("severity", "CRITICAL")]).unwrap();
        assert_eq!(
            critical.steps[1].inverse.as_ref().unwrap().to_string(),
            "release instance/api-1"
        );
        assert!(drafted(&[("exploited", "yes")]).unwrap().fit > critical.fit);
        let file = with(
            "configuration/sudoers",
            Class::ConfigurationDrift,
            1.0,
            &[("sensitive", "true")],
        );
        assert!(draft(&file).unwrap_err().why.contains("which host"));
    }
}

//! Goes back to the release before.

use super::draft::{calm, fresh, may_restart, one_of, only, package_word, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Seconds after a release within which what begins is most likely its doing.
const SUSPECT_S: f64 = 3600.0;
/// Seconds after which it no longer is.
const ACQUITTED_S: f64 = 86_400.0;

/// Goes back to the release before, when the trouble began after the last one.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "roll_back_release",
    about: "go back to the attribute `previous_version`, when the trouble began within a day of a release",
    classes: &[
        Class::ProcessCrash,
        Class::CpuSaturation,
        Class::MemoryExhaustion,
        Class::NetworkLatency,
        Class::SlowQueries,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Owner,
    // Somebody wanted what the release brought.
    cost_min: 6.0,
    duration_s: 300.0,
    prior: [8.5, 1.5],
    harm: 0.04,
    fallbacks: &[
        "scale_out",
        "restart_rolling",
        "escalate_crash_loop",
        "notify_owner",
    ],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance])?;
    may_restart(case)?;
    if case.warns("migrated") {
        return Err(Unfit::because(format!(
            "the data of {} were migrated, and the release before cannot read them",
            case.entity
        )));
    }
    let age_s = case
        .number("deployed_s")
        .or_else(|| case.number("release_age_s"));
    let age_s = age_s
        .filter(|&age_s| age_s >= 0.0)
        .ok_or_else(|| Unfit::because(format!("when {} was released is not known", case.entity)))?;
    let since_s = case.number("since_s").filter(|&since_s| since_s >= 0.0);
    if since_s.is_some_and(|since_s| since_s > age_s) {
        return Err(Unfit::because(format!(
            "{} was in trouble before it was released",
            case.entity
        )));
    }
    // How long the release was well.
    let well_s = age_s - since_s.unwrap_or(0.0);
    if well_s > ACQUITTED_S {
        return Err(Unfit::because(format!(
            "the release of {} was well for {:.0} hours, and is hardly to blame",
            case.entity,
            well_s / 3600.0
        )));
    }
    let (from, to) = (
        package_word(case, "version")?,
        package_word(case, "previous_version")?,
    );
    if from == to {
        return Err(Unfit::because(format!(
            "{from} is what it would go back to"
        )));
    }
    let target = case.around.service.as_ref().unwrap_or(&case.entity);
    let set = Action::SetParameter {
        target: target.clone(),
        parameter: "version".to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    Ok(Draft {
        steps: vec![step(set, 900.0)],
        // A new version is a start: memory is what it is after one, and what crashed stays up.
        effect: match case.class {
            Class::ProcessCrash | Class::MemoryExhaustion => fresh(case)?,
            Class::CpuSaturation
            | Class::DiskExhaustion
            | Class::NetworkLatency
            | Class::SlowQueries
            | Class::CertificateExpiry
            | Class::Vulnerability
            | Class::ConfigurationDrift => calm(case, 900.0)?,
        },
        because: match since_s {
            Some(_) => format!(
                "it began {:.0} minutes after the release of {from}, and did not with {to}",
                well_s / 60.0
            ),
            None => format!(
                "{from} was released {:.0} minutes ago, and {to} is known to have run",
                age_s / 60.0
            ),
        },
        fit: match &*case.cause {
            // What others do is not its doing.
            "burst" | "dependency" | "cycle" => 0.15,
            // A leak takes hours to be seen.
            "leak" => 0.75,
            _ if well_s <= SUSPECT_S => 0.85,
            _ => 0.4,
        },
        capacity_away: one_of(case.around.replicas.max(2)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn the_release_must_be_older_than_the_trouble_but_not_much() {
        let drafted = |deployed_s, since_s| {
            let facts = [
                ("version", "2.4.0"),
                ("previous_version", "2.3.7"),
                ("deployed_s", deployed_s),
                ("since_s", since_s),
            ];
            draft(&with("service/shop", Class::NetworkLatency, 1.2, &facts))
        };
        let fresh = drafted("1500", "600").unwrap();
        assert_eq!(
            fresh.steps[0].action.to_string(),
            "set version of service/shop from \"2.4.0\" to \"2.3.7\""
        );
        assert_eq!(
            fresh.because,
            "it began 15 minutes after the release of 2.4.0, and did not with 2.3.7"
        );
        assert!(
            drafted("600", "1500")
                .unwrap_err()
                .why
                .contains("before it was released")
        );
        assert!(
            drafted("864000", "600")
                .unwrap_err()
                .why
                .contains("240 hours")
        );
        assert!(drafted("40000", "600").unwrap().fit < fresh.fit);
    }
}

//! Refuses some to serve the rest.

use super::draft::{amount, by_cause, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Share that may be refused when it is only said that some may.
const USUAL_SHARE: f64 = 0.2;
/// Share of the threshold at which it is calm again.
const CALM: f64 = 0.8;

/// Refuses some requests, those of least priority first, so that the rest are served.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "shed_load",
    about: "refuse as many requests as it takes, at most the attribute `sheddable`",
    classes: &[
        Class::CpuSaturation,
        Class::MemoryExhaustion,
        Class::NetworkLatency,
        Class::SlowQueries,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // People are turned away for as long as it lasts.
    cost_min: 12.0,
    duration_s: 10.0,
    prior: [9.0, 1.0],
    harm: 0.03,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance])?;
    let most = match case.attribute("sheddable") {
        Some("yes" | "true") => Some(USUAL_SHARE),
        _ => case.ceiling("sheddable").filter(|&share| share <= 1.0),
    };
    let most = most.ok_or_else(|| {
        Unfit::lacks(
            &case.entity,
            "sheddable",
            format!(
                "nothing says that requests to {} may be refused",
                case.entity
            ),
        )
    })?;
    // In steps of 5 %: nobody can measure more finely.
    let needed = 1.0 - CALM * case.threshold / case.value;
    let needed = (needed * 20.0).ceil() / 20.0;
    let share = needed.max(0.05).min(most);
    let target = case.around.service.as_ref().unwrap_or(&case.entity);
    let shed = Action::ShedLoad {
        target: target.clone(),
        share,
    };
    // Half of what it takes is no cure.
    let is_enough = share >= needed;
    let table = [
        ("burst", 0.8),
        ("growth", 0.5),
        ("dependency", 0.3),
        ("leak", 0.1),
    ];
    let fit = by_cause(case, &table, 0.4);
    Ok(Draft {
        steps: vec![step(shed, 30.0)],
        effect: effect(case, case.value * (1.0 - share), 120.0)?,
        because: format!(
            "{} of the requests to {target} are refused so that the rest are served",
            amount(share, "ratio")
        ),
        fit: if is_enough { fit } else { fit * 0.6 },
        capacity_away: share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn as_few_as_it_takes() {
        let drafted = |value, sheddable| {
            draft(&with(
                "service/api",
                Class::CpuSaturation,
                value,
                &[("sheddable", sheddable)],
            ))
        };
        let shown = |value, sheddable| {
            drafted(value, sheddable).unwrap().steps[0]
                .action
                .to_string()
        };
        assert_eq!(
            shown(0.74, "yes"),
            "refuse 10 % of the requests to service/api"
        );
        assert_eq!(
            shown(0.98, "yes"),
            "refuse 20 % of the requests to service/api"
        );
        assert_eq!(
            shown(0.95, "0.5"),
            "refuse 30 % of the requests to service/api"
        );
        assert!(drafted(0.98, "").is_err());
        assert!(drafted(0.98, "7").is_err());
        assert!(drafted(f64::NAN, "yes").is_err());
        assert!(drafted(0.0, "yes").is_err());
    }
}

//! Keeps a slow dependency from taking everything with it.

use super::draft::{by_cause, calm, dependency, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Keeps a slow dependency from taking everything with it: fewer calls to it at once, so that the threads of the caller are
/// left for what does not need it. A bulkhead.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "isolate_dependency",
    about: "halve the calls to a slow dependency that may be under way at once",
    classes: &[Class::NetworkLatency],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 2.0,
    duration_s: 15.0,
    prior: [7.5, 2.5],
    harm: 0.02,
    fallbacks: &["open_breaker", "shed_load", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance])?;
    let callee = dependency(case)?;
    let calls = case.ceiling("calls_max").filter(|&calls| calls >= 2.0);
    let from = calls.ok_or_else(|| {
        Unfit::because(format!(
            "how many calls {} may have under way to {callee} is not known, or is one",
            case.entity
        ))
    })?;
    let limit = Action::SetLimit {
        target: case.entity.clone(),
        limit: format!("calls_at_once:{callee}"),
        from,
        to: (from / 2.0).floor(),
    };
    Ok(Draft {
        steps: vec![step(limit, 60.0)],
        effect: calm(case, 180.0)?,
        because: format!(
            "{callee} answers slowly, and what of {} waits for it is not there for the rest",
            case.entity
        ),
        fit: by_cause(case, &[("dependency", 0.9)], 0.3),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn half_of_the_calls_are_left() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("service/shop", Class::NetworkLatency, 0.4, facts))
        };
        let facts = [("dependency", "service/stock"), ("calls_max", "25")];
        assert_eq!(
            drafted(&facts).unwrap().steps[0].action.to_string(),
            "set calls_at_once:service/stock of service/shop from 25 to 12"
        );
        assert!(drafted(&facts[..1]).is_err());
        assert!(drafted(&[("dependency", "service/shop"), ("calls_max", "25")]).is_err());
    }
}

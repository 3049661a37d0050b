//! Stops calling what fails.

use super::draft::{amount, by_cause, calm, dependency, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Share of failing calls from which those that still pass are given up too.
const FAILING: f64 = 0.5;

/// Stops calling what fails, so that nobody waits for an answer that does not come.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "open_breaker",
    about: "stop the calls to a dependency of which more than half fail",
    classes: &[Class::NetworkLatency],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // The calls that still pass.
    cost_min: 3.0,
    duration_s: 10.0,
    prior: [8.5, 1.5],
    harm: 0.04,
    fallbacks: &["shed_load", "fail_over", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance])?;
    let callee = dependency(case)?;
    let errors = case.number("errors_ratio");
    let errors = errors.ok_or_else(|| {
        Unfit::because(format!(
            "how many of the calls to {callee} fail is not known"
        ))
    })?;
    if errors < FAILING {
        return Err(Unfit::because(format!(
            "{} of the calls to {callee} fail, and that is too few to give up the rest",
            amount(errors, "ratio")
        )));
    }
    let optional = case.attribute("optional").unwrap_or_default();
    let is_optional = optional
        .split(',')
        .any(|name| name.trim() == callee.as_str());
    let open = Action::OpenBreaker {
        target: case.entity.clone(),
        callee: callee.clone(),
    };
    // Without what it must have, the caller fails at once instead of late: better for all but those who ask.
    let fit = if is_optional { 0.95 } else { 0.7 };
    Ok(Draft {
        steps: vec![step(open, 30.0)],
        effect: calm(case, 120.0)?,
        because: format!(
            "{} of the calls to {callee} fail, and {} waits for each of them",
            amount(errors, "ratio"),
            case.entity
        ),
        fit: by_cause(case, &[("dependency", fit)], fit * 0.6),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn what_mostly_works_is_called_on() {
        let drafted = |errors, optional| {
            let facts = [
                ("dependency", "service/stock"),
                ("errors_ratio", errors),
                ("optional", optional),
            ];
            draft(&with("service/shop", Class::NetworkLatency, 0.4, &facts))
        };
        assert_eq!(
            drafted("0.8", "").unwrap().steps[0]
                .inverse
                .as_ref()
                .unwrap()
                .to_string(),
            "close the breaker of service/shop towards service/stock"
        );
        assert!(drafted("0.2", "").unwrap_err().why.contains("20 %"));
        let fit = |optional| drafted("0.8", optional).unwrap().fit;
        assert!(fit("service/ads, service/stock") > fit("service/ads"));
    }
}

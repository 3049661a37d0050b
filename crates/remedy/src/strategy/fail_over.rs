//! Lets the standby serve.

use super::draft::{by_cause, calm, only, reader, stays_up};
use super::restart::is_loop;
use super::{Authority, Case, Draft, Reversibility, Step, Strategy, Unfit};
use crate::action::Action;
use crate::guard::data::{MAX_LAG_S, holds_data};
use crate::{Class, EntityId, Kind};

/// Lets the standby serve: for one that is broken, not for one that has too much to do.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "fail_over",
    about: "let the known standby serve, when it is not behind",
    classes: &[
        Class::ProcessCrash,
        Class::NetworkLatency,
        Class::SlowQueries,
    ],
    // What is written from then on is at the new one; the way back is another failover, and a decision of its own.
    reversibility: Reversibility::Irreversible,
    authority: Authority::Owner,
    cost_min: 10.0,
    duration_s: 60.0,
    prior: [8.5, 1.5],
    harm: 0.06,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Database])?;
    let standby: Option<EntityId> = case.attribute("standby").and_then(|text| text.parse().ok());
    let standby = standby.filter(|standby| *standby != case.entity);
    let standby = standby.ok_or_else(|| {
        Unfit::because(format!(
            "nobody is known who can take over from {}",
            case.entity
        ))
    })?;
    match case.number("standby_lag_s") {
        Some(lag_s) if (0.0..=MAX_LAG_S).contains(&lag_s) => {}
        Some(lag_s) => {
            return Err(Unfit::because(format!(
                "{standby} is {lag_s} s behind, and what was written since would be lost"
            )));
        }
        None if holds_data(case) => {
            return Err(Unfit::because(format!(
                "how far {standby} is behind is not known"
            )));
        }
        None => {}
    }
    let is_crash = case.class == Class::ProcessCrash;
    let fail_over = Action::FailOver {
        target: reader(case).clone(),
        from: case.entity.clone(),
        to: standby.clone(),
    };
    Ok(Draft {
        // Not undone: the old one has not got what was written since.
        steps: vec![Step {
            action: fail_over,
            inverse: None,
            timeout_s: 300.0,
        }],
        effect: if is_crash {
            stays_up(case)
        } else {
            calm(case, 300.0)?
        },
        because: format!(
            "{standby} has what {} has, and is not affected as far as is known",
            case.entity
        ),
        fit: match is_crash {
            // One crash is mended by a restart, and nobody is asked for that.
            true if is_loop(case) => 0.8,
            true => 0.55,
            // Load and waiting go with the callers to the new one.
            false => by_cause(
                case,
                &[("growth", 0.1), ("burst", 0.1), ("dependency", 0.05)],
                0.35,
            ),
        },
        // Nobody serves until the standby does.
        capacity_away: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn only_to_a_standby_that_is_not_behind() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("database/orders", Class::ProcessCrash, 1.0, facts))
        };
        let standby = ("standby", "database/orders-2");
        assert_eq!(
            drafted(&[standby, ("standby_lag_s", "0.2")]).unwrap().steps[0]
                .action
                .to_string(),
            "fail database/orders over from database/orders to database/orders-2"
        );
        assert!(drafted(&[]).unwrap_err().why.contains("nobody"));
        assert!(drafted(&[standby]).unwrap_err().why.contains("not known"));
        assert!(
            drafted(&[standby, ("standby_lag_s", "40")])
                .unwrap_err()
                .why
                .contains("40 s behind")
        );
        assert!(drafted(&[("standby", "database/orders"), ("standby_lag_s", "0")]).is_err());
    }
}

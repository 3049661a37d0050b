//! Holds back work that can wait.

use super::draft::{by_cause, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// What batches, backups and builds take when nobody says.
const USUAL_SHARE: f64 = 0.2;

/// Holds back work that can wait: batches, backups, builds. Not for disks: what was written stays there.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "pause_jobs",
    about: "hold back batches, backups and builds where the attribute `jobs` says that there are some",
    classes: &[
        Class::CpuSaturation,
        Class::MemoryExhaustion,
        Class::NetworkLatency,
        Class::SlowQueries,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // A backup that comes late is a risk of its own.
    cost_min: 1.5,
    duration_s: 15.0,
    prior: [7.5, 2.5],
    harm: 0.01,
    fallbacks: &["shed_load", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(
        case,
        &[Kind::Service, Kind::Instance, Kind::Host, Kind::Database],
    )?;
    if case
        .attribute("jobs")
        .is_none_or(|jobs| matches!(jobs, "no" | "false"))
    {
        return Err(Unfit::because(format!(
            "no work is known on {} that can wait",
            case.entity
        )));
    }
    let known = case
        .number("jobs_share")
        .filter(|share| (0.0..=1.0).contains(share));
    let share = known.unwrap_or(USUAL_SHARE);
    if share < 0.05 {
        return Err(Unfit::because(format!(
            "the jobs on {} take next to nothing",
            case.entity
        )));
    }
    let pause = Action::PauseJobs {
        target: case.entity.clone(),
    };
    let table = [
        ("burst", 0.65),
        ("cycle", 0.45),
        ("growth", 0.35),
        ("leak", 0.1),
    ];
    let fit = by_cause(case, &table, 0.4);
    Ok(Draft {
        steps: vec![step(pause, 60.0)],
        effect: effect(case, case.value * (1.0 - share), 300.0)?,
        because: format!(
            "the jobs on {} can wait, and those who ask cannot",
            case.entity
        ),
        fit: match known {
            Some(share) if share > 0.3 => fit * 1.4,
            Some(_) | None => fit,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn there_must_be_jobs_and_they_must_matter() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("host/build-1", Class::CpuSaturation, 0.95, facts))
        };
        assert!(drafted(&[]).is_err());
        assert!(drafted(&[("jobs", "no")]).is_err());
        assert!(drafted(&[("jobs", "nightly"), ("jobs_share", "0.01")]).is_err());
        let drafted = drafted(&[("jobs", "nightly"), ("jobs_share", "0.4")]).unwrap();
        assert_eq!(
            drafted.steps[0].action.to_string(),
            "pause jobs host/build-1"
        );
        assert!((drafted.effect.to - 0.57).abs() < 1e-9);
    }
}

//! Drops what can be computed again.

use super::draft::{by_cause, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// What a cache takes when nobody says.
const USUAL_SHARE: f64 = 0.15;
/// Load above which what stands behind the cache is better not asked for everything at once.
const MAX_LOAD: f64 = 0.8;

/// Drops what can be computed again, in memory or on disk.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "clear_cache",
    about: "drop the cache that the attribute `cache` speaks of; it fills again",
    classes: &[Class::MemoryExhaustion, Class::DiskExhaustion],
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    // Everybody is slower until it is warm.
    cost_min: 2.0,
    duration_s: 15.0,
    prior: [7.0, 3.0],
    harm: 0.04,
    fallbacks: &[
        "raise_memory_limit",
        "clean_temporary_files",
        "grow_volume",
        "restart_rolling",
        "notify_owner",
    ],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(
        case,
        &[
            Kind::Service,
            Kind::Instance,
            Kind::Host,
            Kind::Volume,
            Kind::Database,
        ],
    )?;
    if !case.allows("cache") {
        return Err(Unfit::lacks(
            &case.entity,
            "cache",
            format!(
                "nothing says that {} holds a cache that may be dropped",
                case.entity
            ),
        ));
    }
    if case
        .number("load_ratio")
        .is_some_and(|load| load > MAX_LOAD)
    {
        return Err(Unfit::because(format!(
            "{} is under full load, and what stands behind its cache would have to carry all of it",
            case.entity
        )));
    }
    let limit = case.number("limit").filter(|&limit| limit > 0.0);
    let known = case.number("cache_bytes").zip(limit);
    let share = known.map_or(USUAL_SHARE, |(bytes, limit)| bytes / limit);
    // Of what is left of a level in another unit the share is taken, not subtracted.
    let to = match &*case.unit {
        "ratio" => case.value - share,
        "percent" => case.value - share * 100.0,
        _ => case.value * (1.0 - share),
    };
    let clear = Action::ClearCache {
        target: case.entity.clone(),
    };
    let fit = by_cause(
        case,
        &[("burst", 0.6), ("growth", 0.55), ("leak", 0.25)],
        0.45,
    );
    Ok(Draft {
        steps: vec![step(clear, 60.0)],
        effect: effect(case, to.max(0.0), 120.0)?,
        because: format!("what {} has cached can be computed again", case.entity),
        fit: if known.is_some() { fit * 1.5 } else { fit },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn a_cache_is_dropped_where_there_is_one_and_time_to_fill_it() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with(
                "instance/api-1",
                Class::MemoryExhaustion,
                0.95,
                facts,
            ))
        };
        let known = [("cache", "yes"), ("cache_bytes", "250"), ("limit", "1000")];
        assert!((drafted(&known).unwrap().effect.to - 0.7).abs() < 1e-9);
        assert!(drafted(&[]).is_err());
        assert!(drafted(&[("cache", "yes"), ("load_ratio", "0.95")]).is_err());
    }
}

//! Makes a volume larger.

use super::draft::{amount, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// How much larger, when the headroom that growth needs is not known.
const GROWTH: f64 = 1.5;

/// Makes a volume larger: for disks that fill with what somebody wants to keep.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "grow_volume",
    about: "make the volume half as large again, when its attribute `growable` says that it can",
    classes: &[Class::DiskExhaustion],
    // Volumes cannot be shrunk while they are in use.
    reversibility: Reversibility::Irreversible,
    authority: Authority::Owner,
    cost_min: 8.0,
    duration_s: 120.0,
    prior: [9.0, 1.0],
    harm: 0.005,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Volume])?;
    if !case.allows("growable") {
        return Err(Unfit::because(format!(
            "nothing says that {} is growable",
            case.entity
        )));
    }
    if case.fact("family") == Some("inodes") {
        return Err(Unfit::because(format!(
            "{} runs out of inodes, and its size in bytes is not known",
            case.entity
        )));
    }
    let from_bytes = case.number("limit").filter(|&bytes| bytes > 0.0);
    let to_bytes = from_bytes.map(|bytes| (bytes * GROWTH).ceil());
    let (Some(from_bytes), Some(to_bytes)) = (from_bytes, to_bytes.filter(|to| to.is_finite()))
    else {
        return Err(Unfit::because(format!(
            "the size of {} is not known",
            case.entity
        )));
    };
    let grow = Action::GrowVolume {
        target: case.entity.clone(),
        from_bytes,
        to_bytes,
    };
    Ok(Draft {
        steps: vec![step(grow, 600.0)],
        effect: effect(case, case.value / GROWTH, 300.0)?,
        because: format!(
            "{} fills with data that nobody marked as temporary; from {} full, half as much again gives time to look at it",
            case.entity,
            amount(case.value, &case.unit)
        ),
        fit: match &*case.cause {
            "growth" => 0.95,
            // Space for a log that runs wild is soon gone too.
            "leak" | "burst" => 0.6,
            "steady" | "cycle" => 0.5,
            _ => 0.85,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn it_grows_what_is_growable_and_nothing_else() {
        let mut case = case("volume/web-1:/data", Class::DiskExhaustion, 0.96);
        case.facts.insert("growable".into(), "true".into());
        assert!(
            draft(&case).unwrap_err().0.contains("growable"),
            "a label permits nothing"
        );
        case.around
            .attributes
            .insert("growable".into(), "true".into());
        assert!(draft(&case).unwrap_err().0.contains("size"));
        case.facts.insert("limit".into(), "1000".into());
        let drafted = draft(&case).unwrap();
        assert_eq!(
            drafted.steps[0].action.to_string(),
            "grow volume/web-1:/data from 1000 to 1500 bytes"
        );
        assert!((drafted.effect.to - 0.64).abs() < 1e-9);
        case.facts.insert("family".into(), "inodes".into());
        assert!(draft(&case).is_err());
    }
}

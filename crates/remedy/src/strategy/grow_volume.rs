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
    about: "make the volume half as large again, where its attribute `growable` or its device says that it can",
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

/// Whether it can be made larger in use: so it is declared, or it lies on a device that is made for it. A label can be false;
/// but a volume cannot be shrunk again, so a person looks at the plan in any case.
fn can_grow(case: &Case) -> bool {
    const MADE_FOR_IT: [&str; 3] = ["/dev/mapper/", "/dev/dm-", "/dev/loop"];
    let device = case.fact("device").unwrap_or_default();
    let declared = case.attribute("growable");
    match declared {
        Some(_) => case.allows("growable"),
        None => MADE_FOR_IT.iter().any(|begins| device.starts_with(begins)),
    }
}

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Volume])?;
    if !can_grow(case) {
        return Err(Unfit::lacks(
            &case.entity,
            "growable",
            format!("nothing says that {} is growable", case.entity),
        ));
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
            "leak" | "burst" => 0.8,
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
    fn a_device_that_is_made_for_it_is_growable_unless_it_is_said_not_to_be() {
        let mut case = case("volume/web-1:/data", Class::DiskExhaustion, 0.96);
        case.facts.insert("limit".into(), "1000".into());
        case.facts
            .insert("device".into(), "/dev/mapper/vg-data".into());
        assert!(draft(&case).is_ok());
        let attributes = &mut case.around.attributes;
        attributes.insert("growable".into(), "false".into());
        assert!(draft(&case).is_err());
    }

    #[test]
    fn it_grows_what_is_growable_and_nothing_else() {
        let mut case = case("volume/web-1:/data", Class::DiskExhaustion, 0.96);
        case.facts.insert("growable".into(), "true".into());
        assert!(
            draft(&case).unwrap_err().why.contains("growable"),
            "a label permits nothing"
        );
        case.around
            .attributes
            .insert("growable".into(), "true".into());
        assert!(draft(&case).unwrap_err().why.contains("size"));
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

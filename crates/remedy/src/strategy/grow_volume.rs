//! Makes a volume larger.

use super::{Authority, Case, Draft, Effect, Reversibility, Step, Strategy, Unfit};
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
    fallbacks: &["clean_temporary_files", "rotate_logs"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    if case.entity.kind() != Kind::Volume {
        return Err(Unfit::because(format!("{} is no volume", case.entity)));
    }
    if !case.is("growable") {
        return Err(Unfit::because(format!(
            "nothing says that {} is growable",
            case.entity
        )));
    }
    let from_bytes = case.number("limit").filter(|&bytes| bytes > 0.0);
    let from_bytes = from_bytes.ok_or_else(|| {
        Unfit::because(format!("the size of {} is not known", case.entity))
    })?;
    Ok(Draft {
        steps: vec![Step {
            action: Action::GrowVolume {
                target: case.entity.clone(),
                from_bytes,
                to_bytes: (from_bytes * GROWTH).ceil(),
            },
            inverse: None,
            timeout_s: 600.0,
        }],
        effect: Effect {
            signal: case.signal.clone(),
            unit: case.unit.clone(),
            from: case.value,
            to: case.value / GROWTH,
            least: case.value * 0.1,
            within_s: 300.0,
        },
        because: format!(
            "{} fills with data that nobody marked as temporary; half as much again gives time to look at it",
            case.entity
        ),
        fit: if case.cause == "growth" { 0.95 } else { 0.85 },
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
        assert!(draft(&case).unwrap_err().0.contains("growable"));
        case.facts.insert("growable".into(), "true".into());
        assert!(draft(&case).unwrap_err().0.contains("size"));
        case.facts.insert("limit".into(), "1000".into());
        let draft = draft(&case).unwrap();
        assert_eq!(
            draft.steps[0].action.to_string(),
            "grow volume/web-1:/data from 1000 to 1500 bytes"
        );
        assert_eq!(draft.effect.to, 0.64);
    }
}

//! Patches what keeps data, with a copy at hand.

use super::draft::{one_of, step};
use super::patch_package::Patch;
use super::{Authority, Case, Draft, Reversibility, Step, Strategy, Unfit};
use crate::Class;
use crate::action::Action;

/// Copies the data aside, then brings the package to the version that mends it.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "patch_with_snapshot",
    about: "copy the data aside, then bring the package to the version that mends it",
    classes: &[Class::Vulnerability],
    // Bringing the copy back would lose what was written since: that is for people.
    reversibility: Reversibility::Irreversible,
    authority: Authority::Administrator,
    cost_min: 12.0,
    duration_s: 900.0,
    prior: [9.0, 1.0],
    harm: 0.04,
    fallbacks: &["quarantine", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    if !case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{} keeps no data, and needs no copy",
            case.entity
        )));
    }
    let patch = Patch::of(case)?;
    let target = patch.step.action.target().clone();
    let snapshot = step(Action::Snapshot { target }, 3600.0);
    Ok(Draft {
        because: format!(
            "{}, and with a copy a newer version may change how data are written",
            patch.because(case)
        ),
        fit: if patch.is_small() { 0.8 } else { 0.4 },
        effect: patch.effect,
        steps: vec![
            snapshot,
            // The old version may not read what the new one wrote.
            Step {
                inverse: None,
                ..patch.step
            },
        ],
        capacity_away: one_of(case.count("pool_hosts").unwrap_or(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn the_copy_comes_first() {
        let mut case = with(
            "package/db-1:postgresql-16",
            Class::Vulnerability,
            8.8,
            &[
                ("package", "postgresql-16"),
                ("installed", "16.1-1"),
                ("fixed", "16.4-1"),
            ],
        );
        assert!(draft(&case).is_err());
        case.around
            .attributes
            .insert("stateful".into(), "yes".into());
        case.around.host = Some("host/db-1".parse().unwrap());
        let steps = draft(&case).unwrap().steps;
        assert_eq!(steps[0].action.to_string(), "snapshot host/db-1");
        assert_eq!(steps[1].action.name(), "set_package");
        assert_eq!(steps[1].inverse, None);
    }
}

//! What is scored: the engine as configured, without each of its detectors, with each other one, and lean.

use anyhow::{Context, bail};
use hotpath::{EngineConfig, Profile, Shard};
use predict::anomaly::DETECTORS;

/// One way to build the engine, and which of its scores are judged.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    /// Follows the names of the scores; empty for the engine as configured.
    pub(super) suffix: String,
    /// How it is built.
    pub(super) config: EngineConfig,
    /// Whether each member is judged alone too.
    pub(super) with_members: bool,
    /// Whether all variables of a series are scored, or the first alone.
    pub(super) variables: Variables,
}

/// Which variables of a series the engine sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    /// The metric itself.
    First,
    /// All of them: the surprise of the first plus the mean surprise of the others; the highest alert score.
    All,
}

/// The engine as configured.
pub(super) fn whole(engine: &EngineConfig, variables: Variables, with_members: bool) -> Variant {
    let suffix = if variables == Variables::All {
        ", all variables"
    } else {
        ""
    };
    Variant {
        suffix: suffix.to_owned(),
        config: engine.clone(),
        with_members,
        variables,
    }
}

/// The engine as configured, without each of its detectors in turn, with each that it leaves out, and lean.
///
/// # Errors
/// When it cannot be built, or has one detector only.
pub(super) fn ablations(engine: &EngineConfig, with_members: bool) -> anyhow::Result<Vec<Variant>> {
    let members = Shard::new(engine)
        .context("building the engine")?
        .member_names();
    if members.len() < 2 {
        bail!(
            "--ablate: the engine has {} detectors, so there is none that it could do without",
            members.len()
        );
    }
    let variant = |suffix: String, config| Variant {
        suffix,
        config,
        with_members: false,
        variables: Variables::First,
    };
    let mut variants = vec![whole(engine, Variables::First, with_members)];
    for &member in &members {
        let mut without = engine.clone();
        without
            .detectors
            .entry(member.to_owned())
            .or_default()
            .insert("enabled".to_owned(), false.into());
        variants.push(variant(format!(" without {member}"), without));
    }
    for entry in DETECTORS {
        if members.contains(&entry.name) {
            continue;
        }
        let mut with = engine.clone();
        with.detectors
            .entry(entry.name.to_owned())
            .or_default()
            .insert("enabled".to_owned(), true.into());
        variants.push(variant(format!(" with {}", entry.name), with));
    }
    if engine.profile != Profile::Lean {
        let lean = EngineConfig {
            profile: Profile::Lean,
            ..engine.clone()
        };
        variants.push(variant(", lean profile".to_owned(), lean));
    }
    Ok(variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ablation_differs_by_one_detector() {
        let mut engine = EngineConfig::default();
        engine.models.forecaster = Some(onnx::default_step_model().unwrap());
        let count = |variant: &Variant| Shard::new(&variant.config).unwrap().member_names().len();
        let variants = ablations(&engine, true).unwrap();
        let all = count(&variants[0]);
        let at_hand = DETECTORS.len() - all;
        assert_eq!(variants.len(), all + at_hand + 2);
        assert!(
            variants[1..=all]
                .iter()
                .all(|variant| count(variant) == all - 1)
        );
        assert!(
            variants[all + 1..][..at_hand]
                .iter()
                .all(|variant| count(variant) == all + 1)
        );
        assert!(count(&variants[all + at_hand + 1]) < all, "lean is less");
        assert!(
            variants[0].with_members && variants[1..].iter().all(|variant| !variant.with_members)
        );
    }
}

//! What holds for every strategy, and for whatever any of them drafts of whatever case.

use std::collections::BTreeSet;

use proptest::prelude::{ProptestConfig, TestCaseError, prop};
use proptest::{prop_assert, prop_assert_eq, prop_assert_ne, proptest};

use super::any_case::{bent, cases, read};
use super::draft::inverse;
use super::{Case, Draft, Reversibility, STRATEGIES, Strategy, attribute, strategy};
use crate::Class;

#[test]
fn names_are_keys_in_order() {
    let names: Vec<&str> = STRATEGIES.iter().map(|strategy| strategy.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for name in names {
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert_eq!(strategy(name).unwrap().name, name);
    }
    assert!(strategy("reboot_everything").is_none());
}

#[test]
fn numbers_are_in_range() {
    for strategy in STRATEGIES {
        let name = strategy.name;
        assert!((0.0..=60.0).contains(&strategy.cost_min), "{name}");
        assert!((1.0..=3600.0).contains(&strategy.duration_s), "{name}");
        assert!((0.0..=0.2).contains(&strategy.harm), "{name}");
        assert!(
            strategy.prior.iter().all(|n| (1.0..=10.0).contains(n)),
            "{name}"
        );
        assert!(
            !strategy.about.is_empty() && !strategy.about.ends_with('.'),
            "{name}"
        );
    }
}

#[test]
fn every_class_has_a_choice_and_a_way_back() {
    for class in Class::ALL {
        let of_class = STRATEGIES
            .iter()
            .filter(|strategy| strategy.classes.contains(&class));
        let of_class: Vec<_> = of_class.collect();
        assert!(of_class.len() >= 3, "{class:?}");
        // Telling people is no choice of its own.
        let is_cheap = |strategy: &&&Strategy| {
            strategy.reversibility < Reversibility::Irreversible
                && strategy.cost_min <= 6.0
                && strategy.name != "notify_owner"
        };
        assert!(of_class.iter().any(is_cheap), "{class:?}");
        assert!(
            of_class
                .iter()
                .any(|strategy| strategy.name == "notify_owner"),
            "{class:?}"
        );
    }
}

#[test]
fn fallbacks_end_with_people_and_never_come_back() {
    /// Whether a walk along fallbacks comes to a strategy that it came through.
    fn comes_back(strategy: &'static Strategy, through: &mut Vec<&'static str>) -> bool {
        if through.contains(&strategy.name) {
            return true;
        }
        through.push(strategy.name);
        let next = strategy
            .fallbacks
            .iter()
            .filter_map(|name| super::strategy(name));
        let found = next.into_iter().any(|next| comes_back(next, through));
        through.pop();
        found
    }

    for strategy in STRATEGIES {
        let name = strategy.name;
        if name == "notify_owner" {
            assert!(strategy.fallbacks.is_empty());
            continue;
        }
        assert_eq!(strategy.fallbacks.last(), Some(&"notify_owner"), "{name}");
        for fallback in strategy.fallbacks {
            let next = super::strategy(fallback).unwrap_or_else(|| panic!("{name}: {fallback}"));
            let is_shared = next
                .classes
                .iter()
                .any(|class| strategy.classes.contains(class));
            assert!(is_shared, "{name}: {fallback} is for other classes");
        }
        assert!(!comes_back(strategy, &mut Vec::new()), "{name}");
        // What can be undone comes before what cannot.
        let rank = |name: &&str| {
            super::strategy(name).unwrap().reversibility == Reversibility::Irreversible
        };
        let but_people = strategy.fallbacks.split_last().unwrap().1;
        let first_last = but_people.iter().position(rank).unwrap_or(but_people.len());
        let reversible_after = but_people[first_last..].iter().filter(|name| !rank(name));
        // A restart hurts more than an empty tmp; and who only tells people is the last before them.
        let is_late = |name: &str| {
            ["restart", "escalate", "capture"]
                .iter()
                .any(|late| name.starts_with(late))
        };
        assert!(
            reversible_after.copied().all(is_late),
            "{name}: {but_people:?}"
        );
    }
}

/// What every draft keeps to, whoever made it of whatever.
fn check(strategy: &Strategy, draft: &Draft) -> Result<(), TestCaseError> {
    let name = strategy.name;
    prop_assert!(!draft.steps.is_empty(), "{name}");
    prop_assert!(
        (0.0..=1.0).contains(&draft.fit),
        "{name}: fit {}",
        draft.fit
    );
    prop_assert!(
        (0.0..=1.0).contains(&draft.capacity_away),
        "{name}: {}",
        draft.capacity_away
    );
    prop_assert!(
        !draft.because.is_empty() && !draft.because.contains(char::is_control),
        "{name}"
    );

    let effect = &draft.effect;
    prop_assert!(
        effect.from.is_finite() && effect.to.is_finite(),
        "{name}: {effect:?}"
    );
    prop_assert!(effect.least > 0.0, "{name}: {effect:?}");
    prop_assert!(
        effect.least < (effect.to - effect.from).abs(),
        "{name}: {effect:?}"
    );
    prop_assert!(
        effect.within_s.is_finite() && effect.within_s > 0.0,
        "{name}: {effect:?}"
    );

    for step in &draft.steps {
        prop_assert!(
            step.timeout_s.is_finite() && step.timeout_s > 0.0,
            "{name}: {step:?}"
        );
        // What is written down must be read again the same: numbers that JSON does not know become null.
        let written = serde_json::to_string(&step.action).unwrap();
        prop_assert_eq!(
            &serde_json::from_str::<crate::action::Action>(&written).unwrap(),
            &step.action
        );
        if let Some(inverse) = &step.inverse {
            prop_assert_eq!(inverse.target(), step.action.target(), "{}", name);
        }
        if strategy.reversibility == Reversibility::Reversible && !step.action.is_harmless() {
            prop_assert!(step.inverse.is_some(), "{name}: {step:?}");
        }
        if let Some(twice) = inverse(&step.action).as_ref().and_then(inverse) {
            prop_assert_eq!(&twice, &step.action, "{}", name);
        }
        prop_assert!(
            !step.action.to_string().contains(char::is_control),
            "{name}: {step:?}"
        );
    }
    Ok(())
}

/// Drafts a case by every strategy, also by those of other classes.
fn check_all(case: &Case) -> Result<(), TestCaseError> {
    for strategy in STRATEGIES {
        match (strategy.draft)(case) {
            Ok(draft) => check(strategy, &draft)?,
            Err(unfit) => {
                prop_assert_ne!(strategy.name, "notify_owner");
                prop_assert!(!unfit.why.is_empty());
                // What is asked for is listed, with a value that it may have.
                let lacks = unfit.lacks.as_ref().map(|lack| attribute(&lack.attribute));
                let is_known =
                    lacks.is_none_or(|known| known.is_some_and(|it| it.example.is_some()));
                prop_assert!(is_known, "{}: {:?}", strategy.name, unfit.lacks);
                prop_assert!(
                    !unfit.why.contains(char::is_control),
                    "{}: {:?}",
                    strategy.name,
                    unfit.why
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_drafted_of_anything_can_be_signed(case in cases()) {
        check_all(&case)?;
    }

    #[test]
    fn whatever_is_drafted_of_what_is_nearly_typical_can_be_signed(cases in prop::collection::vec(bent(), 4)) {
        for case in &cases {
            check_all(case)?;
        }
    }
}

#[test]
fn the_table_names_all_that_is_read() {
    let docs = include_str!("mod.rs");
    let is_told = |name: &&str| attribute(name).is_some() || docs.contains(&format!("`{name}`"));
    let untold: BTreeSet<_> = read().into_iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

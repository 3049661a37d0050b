//! What holds for every strategy, and for whatever any of them drafts of whatever case.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{ProptestConfig, TestCaseError, any, prop, prop_oneof};
use proptest::strategy::Strategy as Generator;
use proptest::{prop_assert, prop_assert_eq, prop_assert_ne, proptest};

use super::draft::inverse;
use super::review_tests::typical;
use super::{Case, Draft, Reversibility, STRATEGIES, Strategy, strategy};
use crate::{Class, EntityId, Kind, Surroundings};

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

/// Numbers as they come from outside: most are plausible, some are not.
fn number() -> impl Generator<Value = f64> {
    prop_oneof![
        4 => 0.0..1.2f64,
        2 => 0.0..100.0f64,
        1 => 0.0..1e12f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX, -1.0]),
    ]
}

/// Values of facts and attributes.
fn text() -> impl Generator<Value = String> {
    let plausible = vec![
        "yes",
        "true",
        "no",
        "memory",
        "cpu",
        "disk",
        "inodes",
        "connections",
        "descriptors",
        "acme",
        "manual",
        "service/stock",
        "database/orders-2",
        "tmp/**",
        "../**",
        "1.2.3",
        "1.2.4",
        "OOMKilled",
        "CrashLoopBackOff",
        "critical",
        "orders",
        "customer_id,created_at",
        "production",
        "127",
        "-1",
        "1e400",
        "NaN",
        "inf",
        "",
    ];
    prop_oneof![
        4 => prop::sample::select(plausible).prop_map(str::to_owned),
        4 => number().prop_map(|number| number.to_string()),
        2 => (0u32..20).prop_map(|count| count.to_string()),
        1 => any::<u32>().prop_map(|count| count.to_string()),
        1 => "[0-9a-f]{64}",
        1 => ".{0,40}",
        1 => "[\\x00-\\x7f]{0,300}",
    ]
}

/// All that strategies read, by name.
const READ: &str = "\
    actual_sha256 baseline cache cache_bytes calls_max columns connections_max \
    connections_online cpu_max_cores data days_left dead_rows_ratio declared_sha256 dependency \
    deployed_s errors_ratio exit_code exploited family fixed growable id idle_max_s immutable \
    installed jobs jobs_share leader level_after_start limit lines_changed load_ratio \
    log_bytes logs long_queries longest_s memory_max_bytes migrated newer_on_disk \
    open_files_max optional package path pool_hosts pool_max pool_size previous_version \
    raised_before reason reclaimable_bytes release_age_s reload renewal replicas_max \
    replicas_min restart restarts rotated_bytes score sensitive sessions_idle severity \
    sheddable since_s standby standby_lag_s stateful table temporary validity_days version \
    writes_ratio";

fn read() -> Vec<&'static str> {
    READ.split_whitespace().collect()
}

fn texts() -> impl Generator<Value = BTreeMap<String, String>> {
    let name = prop::sample::select(read()).prop_map(str::to_owned);
    prop::collection::btree_map(name, text(), 0..60)
}

fn entity() -> impl Generator<Value = EntityId> {
    let name = prop_oneof![
        "[a-z]{1,8}",
        "[a-z]{1,8}:/(data|tmp|var)?",
        "[^\\p{Cc}]{1,60}"
    ];
    (prop::sample::select(Kind::ALL.to_vec()), name).prop_map(|(kind, name)| {
        EntityId::new(kind, &name).expect("a name without control characters")
    })
}

fn around() -> impl Generator<Value = Surroundings> {
    let replicas = prop_oneof![4 => 0u32..12, 1 => any::<u32>()];
    (
        texts(),
        prop::option::of(entity()),
        prop::option::of(entity()),
        replicas,
        prop::option::of(text()),
        any::<u8>(),
    )
        .prop_map(
            |(attributes, service, host, replicas, owner, tier)| Surroundings {
                attributes,
                service,
                host,
                replicas,
                owner,
                tier,
                ..Surroundings::default()
            },
        )
}

fn cases() -> impl Generator<Value = Case> {
    let cause = prop::sample::select(vec![
        "",
        "leak",
        "growth",
        "burst",
        "cycle",
        "warm-up",
        "steady",
        "dependency",
        "oom",
        "bad configuration",
        "\u{1b}",
    ]);
    let unit = prop::sample::select(vec![
        "ratio", "percent", "seconds", "days", "bytes", "restarts", "score", "", "\n",
    ]);
    let ttf_s = prop::option::of([number(), number(), number()]);
    (
        (
            entity(),
            prop::sample::select(Class::ALL.to_vec()),
            cause,
            unit,
            ".{0,200}",
        ),
        (number(), number(), number(), ttf_s, any::<bool>()),
        (texts(), around()),
    )
        .prop_map(|(what, level, (facts, around))| {
            let (entity, class, cause, unit, signal) = what;
            let (value, threshold, probability, ttf_s, is_present) = level;
            Case {
                entity,
                class,
                cause: cause.to_owned(),
                value,
                threshold,
                unit: unit.to_owned(),
                signal,
                probability,
                probability_day: probability,
                ttf_s,
                is_present,
                is_at_hand: is_present,
                facts,
                around,
            }
        })
}

/// A typical case of which some is otherwise: most of these are drafted by somebody, and few as it was meant.
fn bent() -> impl Generator<Value = Case> {
    let typical: Vec<Case> = typical().into_iter().map(|told| told.case).collect();
    let few = || {
        prop::collection::btree_map(
            prop::sample::select(read()).prop_map(str::to_owned),
            text(),
            0..4,
        )
    };
    let level = prop::option::of((number(), number()));
    let replicas = prop::option::of(prop_oneof![0u32..12, any::<u32>()]);
    (prop::sample::select(typical), level, replicas, few(), few()).prop_map(
        |(mut case, level, replicas, facts, attributes)| {
            (case.value, case.threshold) = level.unwrap_or((case.value, case.threshold));
            case.around.replicas = replicas.unwrap_or(case.around.replicas);
            case.facts.extend(facts);
            case.around.attributes.extend(attributes);
            case
        },
    )
}

/// Drafts a case by every strategy, also by those of other classes.
fn check_all(case: &Case) -> Result<(), TestCaseError> {
    for strategy in STRATEGIES {
        match (strategy.draft)(case) {
            Ok(draft) => check(strategy, &draft)?,
            Err(unfit) => {
                prop_assert_ne!(strategy.name, "notify_owner");
                prop_assert!(!unfit.0.is_empty());
                prop_assert!(
                    !unfit.0.contains(char::is_control),
                    "{}: {:?}",
                    strategy.name,
                    unfit.0
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
    let is_told = |name: &&str| docs.contains(&format!("`{name}`"));
    let untold: BTreeSet<_> = read().into_iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

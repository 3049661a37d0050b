//! Any case at all: for tests of what holds of every strategy.

use std::collections::BTreeMap;

use proptest::prelude::{any, prop, prop_oneof};
use proptest::strategy::Strategy as Generator;

use super::Case;
use super::typical_cases::typical;
use crate::{Class, EntityId, Kind, Surroundings};

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

pub(super) fn read() -> Vec<&'static str> {
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

pub(super) fn cases() -> impl Generator<Value = Case> {
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
pub(super) fn bent() -> impl Generator<Value = Case> {
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

//! What the world of the tests is made of: a shop, its people, and what can be wrong with it.

use std::collections::BTreeMap;

use series::Timestamp;

use crate::strategy::Authority;
use crate::topology::{Declared, Topology};
use crate::{Class, EntityId, Finding, Phase, Settings, Source};

pub(super) fn id(text: &str) -> EntityId {
    text.parse().unwrap()
}

/// Three replicas of an api on two hosts, which keep their data in a database on a third.
pub(super) fn shop() -> Topology {
    let attributes = serde_json::json!({
        "replicas_max": "12", "memory_max_bytes": "8000", "limit": "1000", "sheddable": "0.5", "cache": "yes",
        "cpu_max_cores": "8",
    });
    let declared = serde_json::json!({
        "services": [
            {"name": "api", "owner": "shop", "tier": 2, "instances": ["api-1", "api-2", "api-3"],
             "depends_on": ["database/orders"], "attributes": attributes},
            {"name": "gate", "tier": 2, "instances": ["gate-1"], "attributes": {"sheddable": "0.5"}},
        ],
        "instances": [
            {"name": "api-1", "runs_on": ["web-1"]}, {"name": "api-2", "runs_on": ["web-2"]},
            {"name": "api-3", "runs_on": ["web-2"]},
        ],
        "hosts": [{"name": "web-1"}, {"name": "web-2"}, {"name": "db-1"}],
        "databases": [{"name": "orders", "runs_on": ["db-1"], "stores_on": ["db-1:/data"]}],
        "volumes": [{"name": "db-1:/data", "attributes": {"growable": "yes", "temporary": "tmp/**"}}],
    });
    let declared: Declared = serde_json::from_value(declared).unwrap();
    Topology::from_declared(&declared).unwrap()
}

pub(super) fn people() -> BTreeMap<String, Authority> {
    let people = [
        ("olga", Authority::Operator),
        ("owen", Authority::Owner),
        ("ada", Authority::Administrator),
    ];
    people
        .map(|(name, authority)| (name.to_owned(), authority))
        .into()
}

pub(super) fn settings(phase: Phase) -> Settings {
    Settings {
        phase,
        ..Settings::default()
    }
}

/// Something is wrong, surely.
pub(super) fn finding(entity: &str, class: Class, cause: &str, value: f64) -> Finding {
    Finding {
        entity: id(entity),
        class,
        source: Source::Probe,
        is_present: true,
        at: Timestamp::default(),
        signal: format!("{}{{of=\"{entity}\"}}", class.name()),
        value,
        threshold: 0.85,
        unit: "ratio".to_owned(),
        probability: 0.97,
        probability_day: 0.99,
        ttf_s: Some([600.0, 1200.0, 2400.0]),
        confidence: 1.0,
        cause: cause.to_owned(),
        facts: [("limit".to_owned(), "1000".to_owned())].into(),
    }
}

pub(super) fn leak() -> Finding {
    finding("instance/api-1", Class::MemoryExhaustion, "leak", 0.92)
}

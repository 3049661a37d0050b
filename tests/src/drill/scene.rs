//! What goes wrong, what ends it, and what the executor cannot do.

use remedy::action::Action;
use remedy::order::Order;
use remedy::record::Rate;
use remedy::strategy::STRATEGIES;
use remedy::topology::{Declared, Topology};
use remedy::{Bar, Class, Finding, Phase, Settings, Source};
use series::Timestamp;

use crate::arm::Arm;

/// Between turns of scenes that take hours: an order that is under way for two is not lost yet.
const LONG_TURN_S: i64 = 30;

/// One story.
pub(crate) struct Scene {
    /// Seconds between two turns.
    pub(crate) turn_s: i64,
    pub(crate) settings: Settings,
    finding: Finding,
    /// The action after which it is not found any more.
    cure: fn(&Action) -> bool,
    /// The actions that the executor cannot do.
    failing: fn(&Action) -> bool,
}

impl Scene {
    /// # Panics
    /// When there is none of this name.
    pub(crate) fn named(name: &str) -> Self {
        let leak = finding("instance/api-1", Class::MemoryExhaustion, "leak", 0.92);
        let is_restart = |action: &Action| matches!(action, Action::Restart { .. });
        let never = |_: &Action| false;
        match name {
            // Drained, looked into, restarted (which nothing undoes), put back: four steps, approved.
            "approved" => Self {
                turn_s: 5,
                settings: settings(Phase::Approve, 5),
                finding: leak,
                cure: is_restart,
                failing: never,
            },
            // The second step fails, and the first is undone.
            "undone" => Self {
                turn_s: 5,
                settings: settings(Phase::Approve, 5),
                finding: leak,
                cure: is_restart,
                failing: |action| matches!(action, Action::Capture { .. }),
            },
            // A copy, then a package that no older one follows.
            "irreversible" => {
                let mut report = finding("host/db-1", Class::Vulnerability, "", 7.5);
                report.source = Source::Probe;
                (report.threshold, report.unit) = (7.0, "score".to_owned());
                report.ttf_s = None;
                let facts = [
                    ("package", "openssl"),
                    ("installed", "3.0.11-1"),
                    ("fixed", "3.0.13-1"),
                    ("id", "CVE-2026-1"),
                    ("severity", "HIGH"),
                    ("score", "7.5"),
                ];
                let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned()));
                report.facts = facts.into();
                Self {
                    turn_s: LONG_TURN_S,
                    settings: settings(Phase::Approve, LONG_TURN_S),
                    finding: report,
                    cure: |action| matches!(action, Action::SetPackage { .. }),
                    failing: never,
                }
            }
            // Nobody is asked: looked into and drained, and put back when it is over.
            "alone" => Self {
                turn_s: 5,
                settings: settings(Phase::Autonomous, 5),
                finding: finding("instance/gate-1", Class::NetworkLatency, "", 1.8),
                cure: |action| matches!(action, Action::Drain { .. }),
                failing: never,
            },
            // Nothing helps: done, undone, something else done, and undone; the last waits for the limit of the hour.
            "in_vain" => Self {
                turn_s: LONG_TURN_S,
                settings: Settings {
                    actions_per_target: 3,
                    // It is renewed while the limit is waited for.
                    lease_s: 1800.0,
                    ..settings(Phase::Autonomous, LONG_TURN_S)
                },
                finding: finding("service/api", Class::CpuSaturation, "burst", 0.97),
                cure: never,
                failing: never,
            },
            other => panic!("there is no scene {other}"),
        }
    }

    /// What is told now.
    pub(crate) fn found(&self, now: Timestamp, arm: &Arm) -> Finding {
        let orders = arm.orders();
        Finding {
            at: now,
            is_present: !orders.iter().any(|order| (self.cure)(&order.action)),
            ..self.finding.clone()
        }
    }

    /// Whether the executor says that it cannot.
    pub(crate) fn fails(&self, order: &Order) -> bool {
        (self.failing)(&order.action)
    }
}

fn settings(phase: Phase, turn_s: i64) -> Settings {
    Settings {
        phase,
        // Of whatever is believed in.
        act: Bar {
            confidence: 0.1,
            risk: 0.9,
        },
        ask: Bar {
            confidence: 0.05,
            risk: 0.95,
        },
        // Renewed every other turn.
        lease_s: 3.0 * turn_s as f64,
        health_every_s: 86_400.0,
        ..Settings::default()
    }
}

/// Three replicas of an api, three of a gate, and a database, on hosts of their own.
pub(crate) fn topology() -> Topology {
    let api = serde_json::json!({
        "replicas_max": "12", "limit": "1000", "sheddable": "0.5", "memory_max_bytes": "8000",
    });
    let declared = serde_json::json!({
        "services": [
            {"name": "api", "tier": 2, "instances": ["api-1", "api-2", "api-3"], "attributes": api},
            {"name": "gate", "tier": 2, "instances": ["gate-1", "gate-2", "gate-3", "gate-4"],
             "attributes": {"restart": "no"}},
        ],
        "instances": [
            {"name": "api-1", "runs_on": ["web-1"]}, {"name": "api-2", "runs_on": ["web-2"]},
            {"name": "gate-1", "runs_on": ["web-1"]},
        ],
        "hosts": [{"name": "web-1"}, {"name": "web-2"}, {"name": "db-1", "attributes": {"stateful": "yes"}}],
        "databases": [{"name": "orders", "runs_on": ["db-1"]}],
    });
    let declared: Declared = serde_json::from_value(declared).unwrap();
    Topology::from_declared(&declared).unwrap()
}

fn finding(entity: &str, class: Class, cause: &str, value: f64) -> Finding {
    Finding {
        entity: entity.parse().unwrap(),
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

/// Every strategy has always helped, in the contexts of the scenes.
pub(crate) fn rates(at: Timestamp) -> Vec<Rate> {
    let contexts = [
        (Class::MemoryExhaustion, "instance", "leak"),
        (Class::Vulnerability, "host", ""),
        (Class::NetworkLatency, "instance", ""),
        (Class::CpuSaturation, "service", "burst"),
    ];
    let mut rates = Vec::new();
    for (class, kind, cause) in contexts {
        let fitting = STRATEGIES
            .iter()
            .filter(|known| known.classes.contains(&class));
        rates.extend(fitting.map(|strategy| Rate {
            strategy: strategy.name.to_owned(),
            context: format!("{}/{kind}/{cause}", class.name()),
            successes: 1e9,
            failures: 0.0,
            harms: 0.0,
            at,
        }));
    }
    rates
}

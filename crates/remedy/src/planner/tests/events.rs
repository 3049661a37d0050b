//! What can happen to a planner, at random: half of it what is usual, so that plans get far enough for the rest to hurt.

use proptest::prelude::*;

use super::shop::{finding, settings};
use super::world::Conduct;
use crate::guard::window::{Freeze, Window};
use crate::issue::IssueId;
use crate::plan::PlanId;
use crate::planner::Command;
use crate::{Bar, Class, Finding, Phase, Settings, Source};

#[derive(Debug, Clone)]
pub(super) enum Event {
    Find(Box<Finding>),
    /// Something is wrong for a while, and somebody approves what is planned for it.
    Mend(Box<Finding>, &'static str),
    /// Somebody approves all that waits.
    Approve(&'static str),
    TakeBack(Box<Finding>),
    /// So many things are wrong at once.
    Flood(usize),
    Ask(&'static str, Command),
    Turn(f64),
    /// Time passes for the planner; nobody carries out or answers anything.
    Tick(f64),
    Deliver,
    Answer,
    /// Answers that come again, or to what nobody asked.
    Stray(u64, usize, bool),
    Conduct(Conduct),
    /// The clock is set.
    Jump(f64),
    /// Somebody may decide nothing any more, or again.
    People(&'static str, bool),
    /// A batch was taken, and not written.
    KillUnwritten,
    /// A batch was written, and no order went out.
    KillUnsent,
    /// Orders went out, and nobody was there for the answers.
    KillUnanswered,
    /// The same, and the settings are others then.
    Reconfigure(Phase),
}

const ENTITIES: [&str; 8] = [
    "service/api",
    "service/gate",
    "instance/api-1",
    "instance/api-2",
    "host/web-2",
    "host/db-1",
    "database/orders",
    "volume/db-1:/data",
];
const CLASSES: [Class; 6] = [
    Class::CpuSaturation,
    Class::MemoryExhaustion,
    Class::DiskExhaustion,
    Class::NetworkLatency,
    Class::SlowQueries,
    Class::ProcessCrash,
];

fn found() -> impl Strategy<Value = Box<Finding>> {
    let cause = prop::sample::select(vec!["", "leak", "burst", "growth"]);
    let source = prop::sample::select(vec![Source::Rule, Source::Probe, Source::Prediction]);
    let entity = prop::sample::select(&ENTITIES[..]);
    let class = prop::sample::select(&CLASSES[..]);
    let odd = (entity, class, cause, source, 0.3..1.0).prop_map(
        |(entity, class, cause, source, value)| {
            let mut finding = finding(entity, class, cause, value);
            finding.source = source;
            Box::new(finding)
        },
    );
    prop_oneof![1 => odd, 3 => usual()]
}

/// What can be mended.
fn usual() -> impl Strategy<Value = Box<Finding>> {
    let all = [
        finding("instance/api-1", Class::MemoryExhaustion, "leak", 0.92),
        finding("instance/api-2", Class::MemoryExhaustion, "growth", 0.95),
        finding("service/gate", Class::CpuSaturation, "burst", 0.97),
        finding("instance/gate-1", Class::CpuSaturation, "burst", 0.97),
        finding("service/api", Class::CpuSaturation, "burst", 0.99),
        finding("volume/db-1:/data", Class::DiskExhaustion, "growth", 0.97),
        finding("database/orders", Class::SlowQueries, "", 0.95),
    ];
    prop::sample::select(all.map(Box::new).to_vec())
}

fn command() -> impl Strategy<Value = Command> {
    let text = || prop::sample::select(vec!["", "because"]).prop_map(str::to_owned);
    let issue = || (1..8_u64).prop_map(IssueId);
    let plan = || (1..8_u64).prop_map(PlanId);
    prop_oneof![
        1 => (issue(), text()).prop_map(|(issue, note)| Command::Acknowledge { issue, note }),
        1 => (issue(), text()).prop_map(|(issue, note)| Command::Reopen { issue, note }),
        1 => (issue(), text()).prop_map(|(issue, note)| Command::Resolve { issue, note }),
        1 => (issue(), 1.0..3000.0, text())
            .prop_map(|(issue, for_s, note)| Command::Suppress { issue, for_s, note }),
        1 => issue().prop_map(|issue| Command::Plan { issue }),
        6 => (plan(), text()).prop_map(|(plan, reason)| Command::Approve { plan, reason }),
        1 => (plan(), text()).prop_map(|(plan, reason)| Command::Refuse { plan, reason }),
        1 => (plan(), text()).prop_map(|(plan, reason)| Command::Cancel { plan, reason }),
        1 => (plan(), text()).prop_map(|(plan, reason)| Command::Undo { plan, reason }),
        1 => text().prop_map(|reason| Command::Brake { reason }),
        2 => text().prop_map(|reason| Command::Release { reason }),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let who = || prop::sample::select(vec!["olga", "owen", "ada", "ada", "mallory"]);
    let conduct = vec![
        Conduct::Does,
        Conduct::Does,
        Conduct::Fails,
        Conduct::Doubts,
        Conduct::Hangs,
    ];
    let jump = vec![-40_000.0, -400.0, -100.0, -0.5, 100.0, 4000.0, 40_000.0];
    prop_oneof![
        48 => found().prop_map(Event::Find),
        30 => (usual(), who()).prop_map(|(finding, who)| Event::Mend(finding, who)),
        10 => who().prop_map(Event::Approve),
        10 => found().prop_map(Event::TakeBack),
        1 => (2..15_usize).prop_map(Event::Flood),
        12 => (who(), command()).prop_map(|(who, command)| Event::Ask(who, command)),
        40 => (0.1..30.0).prop_map(Event::Turn),
        6 => (30.0..2000.0).prop_map(Event::Turn),
        10 => (0.1..100.0).prop_map(Event::Tick),
        10 => Just(Event::Deliver),
        10 => Just(Event::Answer),
        6 => (1..8_u64, 0..4_usize, any::<bool>()).prop_map(|(plan, step, is_undo)| Event::Stray(plan, step, is_undo)),
        10 => prop::sample::select(conduct).prop_map(Event::Conduct),
        1 => prop::sample::select(jump).prop_map(Event::Jump),
        4 => (who(), prop::bool::weighted(0.8)).prop_map(|(who, is_back)| Event::People(who, is_back)),
        4 => Just(Event::KillUnwritten),
        4 => Just(Event::KillUnsent),
        4 => Just(Event::KillUnanswered),
        2 => prop::sample::select(&Phase::ALL[..]).prop_map(Event::Reconfigure),
    ]
}

pub(super) fn configured() -> impl Strategy<Value = Settings> {
    let bounds = (1..10_u32, 1..20_u32, 1..4_u32, 1..4_u32, 6..40_u32);
    let window = prop::option::weighted(0.2, 0..23_i8);
    let freeze = prop::option::weighted(0.2, (0..30_i64, 1..60_i64, any::<bool>()));
    let phase = prop_oneof![1 => prop::sample::select(&Phase::ALL[..]), 2 => Just(Phase::Approve), 2 => Just(Phase::Autonomous)];
    let bold = (prop::sample::select(vec![0.0, 0.5]), any::<bool>());
    (phase, bounds, bold, window, freeze).prop_map(
        |(
            phase,
            (per_target, per_hour, concurrent, attempts, storm),
            (control_share, is_bold),
            window,
            freeze,
        )| {
            let bar = |confidence, risk| Bar { confidence, risk };
            // 2026-11-26T12:00Z: the world begins.
            let minutes = |n: i64| jiff::Timestamp::from_second(1_795_694_400 + 60 * n).unwrap();
            Settings {
                actions_per_target: per_target,
                actions_per_hour: per_hour,
                concurrent,
                attempts,
                storm_issues: storm,
                control_share,
                act: if is_bold {
                    bar(0.4, 0.7)
                } else {
                    bar(0.8, 0.3)
                },
                ask: if is_bold {
                    bar(0.2, 0.9)
                } else {
                    bar(0.6, 0.5)
                },
                windows: window
                    .into_iter()
                    .map(|hour| Window {
                        days: Vec::new(),
                        from: jiff::civil::time(hour, 0, 0, 0),
                        to: jiff::civil::time(hour + 1, 0, 0, 0),
                    })
                    .collect(),
                freezes: freeze
                    .into_iter()
                    .map(|(from, length, allow_critical)| Freeze {
                        from: minutes(from),
                        to: minutes(from + length),
                        reason: "moving house".to_owned(),
                        allow_critical,
                    })
                    .collect(),
                ..settings(phase)
            }
        },
    )
}

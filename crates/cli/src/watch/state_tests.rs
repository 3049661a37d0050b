//! Keys and answers in, state and actions out.

use proto::v1::{EngineCounters, Event, RiskPoint};

use super::*;

fn key(metric: &str) -> SeriesKey {
    crate::wire::key(metric).unwrap()
}

fn risk(metric: &str, alert_score: f32, event_id: Option<u64>) -> Risk {
    let event = event_id.map(|id| Event {
        id,
        peak_alert_score: alert_score,
        ..Event::default()
    });
    Risk {
        series: Some(key(metric)),
        alert_score,
        event,
        time_us: 5,
        ..Risk::default()
    }
}

fn snapshot(risks: Vec<Risk>, taken_count: u64, uptime_s: f64) -> Snapshot {
    let counters = Some(EngineCounters {
        taken_count,
        ..EngineCounters::default()
    });
    let info = GetServerInfoResponse {
        uptime_s,
        counters,
        time_us: 5,
        ..GetServerInfoResponse::default()
    };
    Snapshot {
        info,
        n_matching: risks.len() as u64,
        risks,
        ..Snapshot::default()
    }
}

fn order(state: &State) -> Vec<String> {
    state.risks().iter().map(name).collect()
}

#[test]
fn events_come_first_then_alerts_then_names() {
    let mut state = State::new("here", Query::default());
    let risks = vec![
        risk("quiet_b", 0.0, None),
        risk("alert", 0.9, None),
        risk("event", 0.3, Some(1)),
        risk("quiet_a", 0.0, None),
    ];
    state.update(snapshot([risks.clone(), risks].concat(), 100, 10.0));
    assert_eq!(order(&state), ["event", "alert", "quiet_a", "quiet_b"]);
    assert_eq!(state.rate.map(|rate| rate as i64), Some(10));
    state.update(snapshot(Vec::new(), 150, 11.0));
    assert_eq!(state.rate.map(|rate| rate as i64), Some(50));
}

#[test]
fn the_cursor_stays_on_its_series() {
    let mut state = State::new("here", Query::default());
    state.update(snapshot(
        vec![
            risk("a", 0.9, None),
            risk("b", 0.5, None),
            risk("c", 0.1, None),
        ],
        0,
        1.0,
    ));
    assert_eq!(state.selected_idx(), Some(0));
    state.key(KeyCode::Down);
    assert_eq!(state.selected, Some(key("b")));
    state.update(snapshot(
        vec![
            risk("a", 0.1, None),
            risk("b", 0.5, None),
            risk("c", 0.9, None),
        ],
        0,
        2.0,
    ));
    assert_eq!(
        (state.selected_idx(), &order(&state)[1]),
        (Some(1), &"b".to_owned())
    );
    state.key(KeyCode::End);
    assert_eq!(state.selected, Some(key("a")));
    state.key(KeyCode::PageDown);
    assert_eq!(state.selected, Some(key("a")), "the end is the end");
    state.update(snapshot(vec![risk("z", 0.1, None)], 0, 3.0));
    assert_eq!(
        state.selected,
        Some(key("z")),
        "a series that is gone gives the cursor up"
    );
}

#[test]
fn a_paused_list_stands_still_and_counters_go_on() {
    let mut state = State::new("here", Query::default());
    state.update(snapshot(vec![risk("a", 0.9, None)], 10, 1.0));
    state.key(KeyCode::Char('p'));
    state.update(snapshot(vec![risk("b", 0.9, None)], 30, 2.0));
    assert_eq!(
        (order(&state), state.rate.map(|rate| rate as i64)),
        (vec!["a".to_owned()], Some(20))
    );
    state.key(KeyCode::Char('p'));
    state.update(snapshot(vec![risk("b", 0.9, None)], 60, 3.0));
    assert_eq!(order(&state), ["b"]);
}

#[test]
fn a_filter_is_typed_and_may_be_given_up() {
    let mut state = State::new(
        "here",
        Query {
            filter: "up".to_owned(),
            min_score: 0.5,
        },
    );
    state.key(KeyCode::Char('/'));
    for c in ['q', 'x'] {
        assert_eq!(
            state.key(KeyCode::Char(c)),
            None,
            "letters are text now, not commands"
        );
    }
    state.key(KeyCode::Backspace);
    assert_eq!(state.typing.as_deref(), Some("upq"));
    let asked = state.key(KeyCode::Enter);
    assert_eq!(
        asked,
        Some(Action::Ask(Query {
            filter: "upq".to_owned(),
            min_score: 0.5
        }))
    );
    state.key(KeyCode::Char('/'));
    state.key(KeyCode::Char('z'));
    state.key(KeyCode::Esc);
    assert_eq!(
        (state.typing.as_deref(), state.query.filter.as_str()),
        (None, "upq")
    );
}

#[test]
fn counters_are_shown_as_rates() {
    let mut state = State::new("here", Query::default());
    let point = |i: i64, value| RiskPoint {
        time_us: i * 2_000_000,
        value,
        ..RiskPoint::default()
    };
    let mut counter = risk("requests_total", 0.0, None);
    counter.history = vec![
        point(0, 10.0),
        point(1, 14.0),
        point(2, 14.0),
        point(3, 6.0),
    ];
    state.update(snapshot(vec![counter], 0, 1.0));
    let shown: Vec<f64> = state.risks()[0]
        .history
        .iter()
        .map(|point| point.value)
        .collect();
    assert_eq!(shown, [2.0, 0.0, 3.0]);
}

#[test]
fn feedback_names_the_event_or_the_time() {
    let mut state = State::new("here", Query::default());
    assert_eq!(state.key(KeyCode::Char('c')), None, "nothing to judge yet");
    state.update(snapshot(
        vec![risk("a", 0.9, Some(7)), risk("b", 0.5, None)],
        0,
        1.0,
    ));
    let judge = |series, event_id, verdict| {
        Some(Action::Judge {
            series: key(series),
            event_id,
            time_us: 5,
            verdict,
        })
    };
    assert_eq!(
        state.key(KeyCode::Char('c')),
        judge("a", 7, Verdict::Confirmed)
    );
    state.key(KeyCode::Down);
    assert_eq!(
        state.key(KeyCode::Char('d')),
        judge("b", 0, Verdict::Dismissed)
    );
}

#[test]
fn escape_closes_panes_before_it_leaves() {
    let mut state = State::new("here", Query::default());
    state.key(KeyCode::Enter);
    assert!(state.detail);
    assert_eq!(state.key(KeyCode::Esc), None);
    assert!(!state.detail);
    assert_eq!(state.key(KeyCode::Esc), Some(Action::Quit));
    assert_eq!(state.key(KeyCode::Char('q')), Some(Action::Quit));
}

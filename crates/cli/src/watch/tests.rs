//! Frames, drawn without a terminal.

use proto::v1::{
    Contributor, Culprit, EngineCounters, Event, GetServerInfoResponse, Refusal, RefusalCount,
    Risk, RiskPoint,
};
use ratatui::style::Color;

use super::runs_out::RunsOut;
use super::state::Snapshot;
use super::*;
use crate::wire;

const NOW_US: i64 = 1_714_564_800_000_000;

fn risk(series: &str, level: f64, event: bool) -> Risk {
    let point = |i: i64| RiskPoint {
        time_us: NOW_US - (19 - i) * 1_000_000,
        value: if i == 19 { level } else { level / 4.0 },
        score: 0.5,
        alert_score: if event && i == 19 { 0.9 } else { 0.0 },
    };
    let contributor = |name: &str, share| Contributor {
        name: name.to_owned(),
        share,
    };
    Risk {
        series: Some(wire::key(series).unwrap()),
        time_us: NOW_US,
        value: level,
        level,
        expected: level / 4.0,
        band: level / 10.0,
        score: if event { 0.9999 } else { 0.5 },
        alert_score: if event { 0.9 } else { 0.0 },
        confidence: 1.0,
        detectors: vec![contributor("residual", 0.75), contributor("novelty", 0.25)],
        features: vec![contributor("level", 0.6)],
        event: event.then(|| Event {
            id: 7,
            since_us: NOW_US - 65_000_000,
            peak_alert_score: 0.95,
            ..Event::default()
        }),
        history: (0..20).map(point).collect(),
        ..Risk::default()
    }
}

fn state() -> State {
    let counters = EngineCounters {
        series_count: 1_412,
        taken_count: 5_000,
        refused: vec![RefusalCount {
            reason: Refusal::Duplicate.into(),
            count: 3,
        }],
        open_events_count: 1,
        ..EngineCounters::default()
    };
    let info = GetServerInfoResponse {
        version: "0.1.0".to_owned(),
        uptime_s: 10.0,
        counters: Some(counters),
        time_us: NOW_US,
        ..GetServerInfoResponse::default()
    };
    let risks = vec![
        risk("node_load1", 0.5, false),
        risk("mem_used_bytes{host=\"a\"}", 4_294_967_296.0, true),
    ];
    let mut state = State::new("http://127.0.0.1:7878", Query::default());
    state.update(Snapshot {
        info,
        risks,
        n_matching: 2,
        runs_out: RunsOut::default(),
    });
    state
}

#[test]
fn the_riskiest_series_stands_on_top_with_its_reasons() {
    let text = frame(&state(), 150, 12).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        " forestall 0.1.0 up 10s · 1,412 series · 500 samples/s · 3 refused · 1 open event"
    );
    assert!(
        lines[2].starts_with("series") && lines[2].contains("because of"),
        "{text}"
    );
    let expected = [
        "mem_used_bytes{host=\"a\"}",
        "4 GiB",
        "1 GiB",
        "1 in 10k",
        "0.90",
        "▁▁▁█",
        "1m 05s",
        "residual 75 %",
    ];
    let mut rest = lines[3];
    for part in expected {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} is not in {rest:?} of\n{text}"));
        rest = &rest[at + part.len()..];
    }
    assert!(
        lines[4].contains("node_load1") && lines[4].contains("usual"),
        "{text}"
    );
    assert!(
        !lines[4].contains("residual"),
        "what is usual needs no reasons"
    );
}

#[test]
fn an_event_is_red() {
    let mut terminal = Terminal::new(TestBackend::new(150, 12)).unwrap();
    let state = state();
    terminal.draw(|frame| render::draw(frame, &state)).unwrap();
    let colour = |y: u16| terminal.backend().buffer().cell((30, y)).unwrap().fg;
    assert_eq!((colour(3), colour(4)), (Color::Red, Color::Reset));
}

#[test]
fn the_detail_pane_tells_all() {
    let mut state = state();
    state.key(KeyCode::Enter);
    let text = frame(&state, 150, 40).unwrap();
    for part in [
        "2024-05-01 12:00:00 UTC",
        "1 GiB ± 409.6 MiB",
        "7 since 2024-05-01 11:58:55 UTC, peak 0.950",
        "▇▇▇▇▇▇▇▇··  75 % residual",
        "60 % level",
        "19s ago",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_process_behind_an_event_is_named() {
    let mut state = state();
    let mut snapshot = state.snapshot.clone().unwrap();
    snapshot.risks[0].culprits = vec![Culprit {
        series: Some(wire::key("process_cpu_ratio{comm=\"stress-ng\",pid=\"4242\"}").unwrap()),
        value: 0.991,
        increase: 0.981,
        share: 0.97,
    }];
    state.update(snapshot);
    let text = frame(&state, 150, 12).unwrap();
    let named = text.lines().nth(3).unwrap();
    assert!(named.contains("← stress-ng (pid 4242) +98 %"), "{text}");
    state.key(KeyCode::Enter);
    let text = frame(&state, 180, 40).unwrap();
    assert!(
        text.contains("stress-ng (pid 4242) +98 % to 99 %, 97 % of the change"),
        "{text}"
    );
}

#[test]
fn states_are_told() {
    let mut state = state();
    state.key(KeyCode::Char('p'));
    take(&mut state, Update::Lost("UNAVAILABLE: gone".to_owned()));
    let text = frame(&state, 110, 12).unwrap();
    assert!(
        text.contains("· paused · connection lost, trying again"),
        "{text}"
    );
    assert!(text.contains("UNAVAILABLE: gone"), "{text}");
    state.key(KeyCode::Char('/'));
    state.key(KeyCode::Char('x'));
    assert!(frame(&state, 110, 12).unwrap().contains("filter: x▏"));
    state.key(KeyCode::Esc);
    state.key(KeyCode::Char('?'));
    assert!(
        frame(&state, 110, 24)
            .unwrap()
            .contains("hold the list still")
    );
}

#[test]
fn an_empty_list_says_why_and_small_screens_do_not_panic() {
    let empty = State::new("there", Query::default());
    assert!(frame(&empty, 80, 12).unwrap().contains("asking there"));
    let mut none = state();
    none.update(Snapshot::default());
    assert!(
        frame(&none, 80, 12)
            .unwrap()
            .contains("No series match yet")
    );
    let mut full = state();
    for keys in ["", "\n", "?"] {
        keys.chars().for_each(|c| {
            drop(full.key(if c == '\n' {
                KeyCode::Enter
            } else {
                KeyCode::Char(c)
            }))
        });
        for (cols, rows) in [(1, 1), (10, 3), (40, 8), (300, 100)] {
            frame(&full, cols, rows).unwrap();
        }
    }
}

#[test]
fn sizes_and_intervals_are_checked() {
    assert_eq!(
        (size("80x24"), interval("0.5")),
        (Ok((80, 24)), Ok(Duration::from_millis(500)))
    );
    for text in ["80", "0x0", "x", "99999x20"] {
        assert!(size(text).is_err(), "{text}");
    }
    for text in ["0", "-1", "nan", "fast"] {
        assert!(interval(text).is_err(), "{text}");
    }
}

/// The state with so many resources that leak, and so many without a limit.
fn with_resources(n: usize, n_missing: u64) -> State {
    let mut state = state();
    let mut snapshot = state.snapshot.clone().unwrap();
    snapshot.runs_out = RunsOut {
        soonest: vec![crate::outlook::tests::leak(); n],
        n_forecast: n as u64,
        n_missing,
    };
    state.update(snapshot);
    state
}

#[test]
fn what_runs_out_stands_above_the_series() {
    let text = frame(&with_resources(2, 0), 190, 30).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].starts_with("runs out"), "{text}");
    let expected = [
        "in 12 min (7–20)",
        "container_memory_working_set_bytes{pod=\"api\"}",
        "█████████░░░   75 %",
        "1.5 GiB of 2 GiB",
        "98 %",
        "▁",
        "█",
        "leak",
        "restart, raise limit",
    ];
    let mut rest = lines[3];
    for part in expected {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} is not in {rest:?} of\n{text}"));
        rest = &rest[at + part.len()..];
    }
    assert!(
        lines[5].is_empty() && lines[6].starts_with("series"),
        "{text}"
    );
}

#[test]
fn few_rows_have_one_line_for_what_runs_out() {
    let text = frame(&with_resources(2, 0), 150, 12).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[2].starts_with(" runs out in 12 min (7–20): container_memory"),
        "{text}"
    );
    assert!(lines[3].starts_with("series"), "{text}");
    for (cols, rows) in [(1, 1), (10, 3), (40, 8), (300, 100)] {
        frame(&with_resources(5, 1), cols, rows).unwrap();
    }
}

#[test]
fn that_nothing_runs_out_is_said_in_a_line() {
    let mut state = with_resources(1, 3);
    let mut snapshot = state.snapshot.clone().unwrap();
    snapshot.runs_out.soonest[0].time_to_exhaustion = Some(Default::default());
    state.update(snapshot);
    let text = frame(&state, 150, 30).unwrap();
    let line = text.lines().nth(2).unwrap();
    assert!(
        line.starts_with(" 1 resource watched, which does not run out within a day · 3 without"),
        "{text}"
    );
}

//! The screen as a function of the state.

use proto::v1::Risk;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Table, TableState, Wrap};
use series::Unit;

use super::state::{State, is_counter};
use super::{detail, runs_out, spark};
use crate::dates::duration;
use crate::numbers::{grouped, human, rarity};
use crate::risks::reasons;
use crate::wire;

const KEYS: &str = " q quit  ↑↓ select  ⏎ detail  c confirm  d dismiss  / filter  p pause  ? help";
/// Cells of a sparkline, one per sample.
const SPARK_CELLS: usize = 20;
const HELP: &str = "\
↑ ↓ j k PgUp PgDn    select a series
Enter                all about it: recent values, what contributed
c                    confirm: this alert was worth having
d                    dismiss: this alert was not worth having
/                    show only what matches, such as  process_cpu_ratio{comm=~\"post.*\"}
p or blank           hold the list still
q or Esc             leave

score   how rarely normal behaviour of this series goes so far: 1 in so many samples
alert   0 to 1: how much something new stands out; an event opens when it is high
event   how long the event has been open
runs out   when a limit is met: in 12 min (7–20) is as likely before as after, with 90 % between 7 and 20";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let detail_rows = if state.detail {
        frame.area().height.saturating_mul(2) / 5
    } else {
        0
    };
    let areas = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(runs_out::height(state, frame.area().height)),
        Constraint::Min(3),
        Constraint::Length(detail_rows),
        Constraint::Length(1),
    ]);
    let [head, outlooks, list, pane, foot] = areas.areas(frame.area());
    frame.render_widget(Paragraph::new(heading(state)), head);
    runs_out::draw(frame, outlooks, state);
    risks(frame, list, state);
    if let (true, Some(risk)) = (state.detail, state.selected_risk()) {
        detail::draw(frame, pane, risk);
    }
    frame.render_widget(Paragraph::new(footing(state)), foot);
    if state.help {
        let area = frame.area();
        let (width, height) = (area.width.min(110), area.height.min(15));
        let centred = Rect {
            x: (area.width - width) / 2,
            y: (area.height - height) / 2,
            width,
            height,
        };
        frame.render_widget(Clear, centred);
        frame.render_widget(
            Paragraph::new(HELP).block(Block::bordered().title(" keys ")),
            centred,
        );
    }
}

fn heading(state: &State) -> Text<'static> {
    let Some(snapshot) = &state.snapshot else {
        return Text::from(vec![
            Line::from(format!(" forestall · asking {} …", state.addr)).bold(),
        ]);
    };
    let info = &snapshot.info;
    let counters = info.counters.clone().unwrap_or_default();
    let refused: u64 = counters.refused.iter().map(|r| r.count).sum();
    let mut first = vec![
        Span::from(format!(" forestall {} ", info.version)).bold(),
        Span::from(format!("up {} · ", duration(info.uptime_s))),
        Span::from(format!("{} series · ", grouped(counters.series_count))),
        Span::from(
            state
                .rate
                .map_or("-".to_owned(), |rate| human(rate.round(), Unit::None))
                + " samples/s · ",
        ),
    ];
    let refused_text = format!("{} refused · ", grouped(refused));
    first.push(if refused > 0 {
        Span::from(refused_text).yellow()
    } else {
        Span::from(refused_text)
    });
    let events = match counters.open_events_count {
        1 => "1 open event".to_owned(),
        n => format!("{} open events", grouped(n)),
    };
    first.push(if counters.open_events_count > 0 {
        Span::from(events).red().bold()
    } else {
        Span::from(events)
    });
    let mut second = vec![Span::from(format!(" {}", state.addr)).dim()];
    if !state.query.filter.is_empty() {
        second.push(
            Span::from(format!(
                " · {} match {}",
                grouped(snapshot.n_matching),
                state.query.filter
            ))
            .cyan(),
        );
    }
    if state.query.min_score > 0.0 {
        second.push(Span::from(format!(" · score from {}", state.query.min_score)).cyan());
    }
    if state.paused {
        second.push(Span::from(" · paused").yellow().bold());
    }
    if state.lost {
        second.push(Span::from(" · connection lost, trying again").red().bold());
    }
    Text::from(vec![Line::from(first), Line::from(second)])
}

fn footing(state: &State) -> Line<'static> {
    if let Some(text) = &state.typing {
        return Line::from(vec![
            Span::from(" filter: ").bold(),
            Span::from(text.clone()),
            Span::from("▏"),
        ]);
    }
    if state.message.is_empty() {
        Line::from(KEYS).dim()
    } else {
        Line::from(format!(" {}", state.message)).yellow()
    }
}

fn risks(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if state.snapshot.is_some() && state.risks().is_empty() {
        let nothing = "\n No series match yet.\n A fresh server needs a moment; a filter may be too narrow (press / to change it).";
        frame.render_widget(
            Paragraph::new(nothing).dim().wrap(Wrap { trim: false }),
            area,
        );
        return;
    }
    let now = state
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.info.time_us);
    let heading = [
        "series",
        "value",
        "expected",
        "score",
        "alert",
        "recent",
        "event",
        "because of",
    ];
    let heading = Row::new(heading.map(|text| {
        Cell::from(
            if matches!(text, "value" | "expected" | "score" | "alert") {
                Line::from(text).right_aligned()
            } else {
                Line::from(text)
            },
        )
    }));
    let widths = [
        Constraint::Fill(3),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(10),
        Constraint::Length(5),
        Constraint::Length(u16::try_from(SPARK_CELLS).unwrap_or(20)),
        Constraint::Length(8),
        Constraint::Fill(2),
    ];
    let rows = state.risks().iter().map(|risk| row(risk, now));
    let table = Table::new(rows, widths)
        .header(heading.style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut place = TableState::default().with_selected(state.selected_idx());
    frame.render_stateful_widget(table, area, &mut place);
}

fn row(risk: &Risk, now_us: i64) -> Row<'static> {
    let unit = risk
        .series
        .as_ref()
        .map_or(Unit::None, |key| Unit::of_metric(&key.metric));
    let per_second = if is_counter(risk) { "/s" } else { "" };
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let age = |since_us: i64| duration((now_us - since_us).max(0) as f64 / 1e6);
    let event = risk
        .event
        .as_ref()
        .map(|event| age(event.since_us))
        .unwrap_or_default();
    // What did not stand out has no reasons worth reading.
    let stands_out = risk.event.is_some() || risk.score > 0.99 || risk.alert_score > 0.3;
    let because_of = if stands_out {
        reasons(risk)
    } else {
        String::new()
    };
    let colour = match (&risk.event, risk.score) {
        (Some(_), _) => Color::Red,
        (None, 0.999..) => Color::Yellow,
        (None, _) => Color::Reset,
    };
    Row::new([
        Cell::from(wire::text(risk.series.as_ref())),
        right(human(risk.level, unit) + per_second),
        right(human(risk.expected, unit) + per_second),
        right(rarity(risk.score)),
        right(format!("{:.2}", risk.alert_score)),
        Cell::from(spark::line(&risk.history, SPARK_CELLS)),
        Cell::from(event),
        Cell::from(because_of),
    ])
    .style(Style::new().fg(colour))
}

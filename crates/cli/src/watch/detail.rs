//! All about one series.

use proto::v1::{Contributor, Risk};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};
use series::{Timestamp, Unit};

use super::state::is_counter;
use crate::culprits;
use crate::dates::{TimeForm, duration};
use crate::numbers::{human, rarity};
use crate::wire;

/// Draws the recent past to the left, figures and reasons to the right.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, risk: &Risk) {
    let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(area);
    let unit = risk
        .series
        .as_ref()
        .map_or(Unit::None, |key| Unit::of_metric(&key.metric));
    chart(frame, left, risk, unit);
    let block = Block::bordered().border_style(Style::new().dim());
    frame.render_widget(Paragraph::new(figures(risk, unit)).block(block), right);
}

fn chart(frame: &mut Frame<'_>, area: Rect, risk: &Risk, unit: Unit) {
    let at = |time_us: i64| (time_us - risk.time_us) as f64 / 1e6;
    let values: Vec<(f64, f64)> = risk
        .history
        .iter()
        .filter(|p| p.value.is_finite())
        .map(|p| (at(p.time_us), p.value))
        .collect();
    let alerts: Vec<(f64, f64)> = risk
        .history
        .iter()
        .filter(|p| p.value.is_finite() && p.alert_score >= 0.5)
        .map(|p| (at(p.time_us), p.value))
        .collect();
    let low = values.iter().map(|(_, v)| *v).fold(f64::INFINITY, f64::min);
    let high = values
        .iter()
        .map(|(_, v)| *v)
        .fold(f64::NEG_INFINITY, f64::max);
    let title = format!(" {} ", wire::text(risk.series.as_ref()));
    let block = Block::bordered()
        .border_style(Style::new().dim())
        .title(Span::from(title).bold());
    let (Some(first), true) = (values.first(), values.len() > 1) else {
        frame.render_widget(
            Paragraph::new(" no recent past is kept of this series")
                .dim()
                .block(block),
            area,
        );
        return;
    };
    let pad = if high > low {
        (high - low) * 0.05
    } else {
        low.abs().max(1.0) * 0.1
    };
    let lines = vec![
        Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(Color::Cyan))
            .data(&values),
        Dataset::default()
            .marker(Marker::Dot)
            .graph_type(GraphType::Scatter)
            .style(Style::new().fg(Color::Red))
            .data(&alerts),
    ];
    let ago = format!("{} ago", duration(-first.0));
    let chart = Chart::new(lines)
        .block(block)
        .x_axis(
            Axis::default()
                .bounds([first.0, 0.0])
                .labels([ago, "newest".to_owned()])
                .style(Style::new().dim()),
        )
        .y_axis(
            Axis::default()
                .bounds([low - pad, high + pad])
                .labels([human(low, unit), human(high, unit)])
                .style(Style::new().dim()),
        );
    frame.render_widget(chart, area);
}

fn figures(risk: &Risk, unit: Unit) -> Text<'static> {
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| {
        lines.push(Line::from(vec![
            Span::from(format!(" {name:<9}")).dim(),
            Span::from(value),
        ]));
    };
    fact(
        "at",
        TimeForm::Date.write(Timestamp::from_micros(risk.time_us)) + " UTC",
    );
    let per_second = if is_counter(risk) { " per second" } else { "" };
    fact("value", human(risk.level, unit) + per_second);
    fact(
        "expected",
        format!(
            "{} ± {}{per_second}",
            human(risk.expected, unit),
            human(risk.band, unit)
        ),
    );
    let warm = if risk.confidence < 1.0 {
        format!(", warm-up {:.0} %", risk.confidence * 100.0)
    } else {
        String::new()
    };
    fact("score", format!("{}{warm}", rarity(risk.score)));
    fact("alert", format!("{:.3}", risk.alert_score));
    if let Some(event) = &risk.event {
        let since = TimeForm::Date.write(Timestamp::from_micros(event.since_us));
        fact(
            "event",
            format!(
                "{} since {since} UTC, peak {:.3}",
                event.id, event.peak_alert_score
            ),
        );
    }
    for (i, culprit) in risk.culprits.iter().enumerate() {
        fact(
            if i == 0 { "due to" } else { "" },
            culprits::in_full(culprit),
        );
    }
    for (title, all) in [("detectors", &risk.detectors), ("features", &risk.features)] {
        lines.push(Line::from(format!(" {title}")).dim());
        lines.extend(all.iter().map(bar));
    }
    Text::from(lines)
}

/// `▇▇▇▇▇▇·  62 % residual`.
fn bar(contributor: &Contributor) -> Line<'static> {
    const CELLS: usize = 10;
    let share = f64::from(contributor.share).clamp(0.0, 1.0);
    #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
    let full = (share * CELLS as f64).round() as usize;
    let cells = format!(
        " {}{}",
        "▇".repeat(full),
        "·".repeat(CELLS.saturating_sub(full))
    );
    Line::from(vec![
        Span::from(cells).yellow(),
        Span::from(format!(" {:>3.0} % {}", share * 100.0, contributor.name)),
    ])
}

//! What runs out soonest, above the list of series.

use proto::v1::{Outlook, RiskPoint};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::spark;
use super::state::State;
use crate::numbers::grouped;
use crate::outlook::words;
use crate::wire;

/// Resources that are shown at most, where there is room.
const MAX_ROWS: usize = 5;
/// A screen with fewer rows than this has one line for all of it.
const LEAST_HEIGHT: u16 = 20;
/// Cells of a bar.
const BAR_CELLS: usize = 12;
/// Cells of a sparkline, one per point of the past.
const SPARK_CELLS: usize = 16;

/// What a server says of its resources; empty of one that foretells nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RunsOut {
    /// The soonest first, with their recent past.
    pub(super) soonest: Vec<Outlook>,
    /// Resources with a forecast.
    pub(super) n_forecast: u64,
    /// Resources without a known limit.
    pub(super) n_missing: u64,
}

impl RunsOut {
    /// What is worth a row: something is foreseen of it within a day.
    fn rows(&self) -> impl Iterator<Item = &Outlook> {
        let foreseen = |outlook: &&Outlook| words::is_foreseen(outlook);
        self.soonest.iter().filter(foreseen).take(MAX_ROWS)
    }
}

fn shown(state: &State) -> Option<&RunsOut> {
    let runs_out = &state.snapshot.as_ref()?.runs_out;
    (runs_out.n_forecast + runs_out.n_missing > 0).then_some(runs_out)
}

/// Rows of the screen that it takes, of `height`.
pub(super) fn height(state: &State, height: u16) -> u16 {
    let Some(runs_out) = shown(state) else {
        return 0;
    };
    match u16::try_from(runs_out.rows().count()).unwrap_or(0) {
        0 => 1,
        _ if height < LEAST_HEIGHT => 1,
        // The heading, the rows, and a blank line.
        n => n + 2,
    }
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let Some(runs_out) = shown(state) else { return };
    let soonest = runs_out.rows().next();
    if area.height < 3 {
        let line = match soonest {
            None => calm(runs_out),
            Some(soonest) => brief(soonest),
        };
        frame.render_widget(Paragraph::new(line), area);
        return;
    }
    let [table, _] = Layout::vertical([Constraint::Min(1), Constraint::Length(1)]).areas(area);
    let heading = Row::new([
        Cell::from("runs out"),
        Cell::from(""),
        Cell::from("used"),
        Cell::from(""),
        Cell::from(Line::from("in 30 min").right_aligned()),
        Cell::from("recent"),
        Cell::from("cause"),
        Cell::from("what to do"),
    ]);
    let widths = [
        Constraint::Length(26),
        Constraint::Fill(3),
        Constraint::Length(BAR_CELLS as u16 + 8),
        Constraint::Length(24),
        Constraint::Length(9),
        Constraint::Length(SPARK_CELLS as u16),
        Constraint::Length(10),
        Constraint::Fill(2),
    ];
    let heading = heading.style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
    let rows = runs_out.rows().map(row);
    frame.render_widget(Table::new(rows, widths).header(heading), table);
}

/// One line when nothing is foreseen.
fn calm(runs_out: &RunsOut) -> Line<'static> {
    let n = grouped(runs_out.n_forecast);
    let mut text = match runs_out.n_forecast {
        0 => " no forecast yet".to_owned(),
        1 => " 1 resource watched, which does not run out within a day".to_owned(),
        _ => format!(" {n} resources watched, none runs out within a day"),
    };
    if runs_out.n_missing > 0 {
        let n = grouped(runs_out.n_missing);
        text.push_str(&format!(
            " · {n} without a known limit (forestall outlook --missing)"
        ));
    }
    Line::from(text).dim()
}

/// One line where there is no room for more.
fn brief(outlook: &Outlook) -> Line<'static> {
    let name = wire::text(outlook.resource.as_ref());
    let text = format!(" runs out {}: {name}", words::when(outlook));
    Line::from(text).style(style(outlook))
}

fn row(outlook: &Outlook) -> Row<'static> {
    let soon = words::probability(outlook, words::BRIEF_HORIZON_S).map(words::percent);
    let points: Vec<RiskPoint> = outlook
        .history
        .iter()
        .map(|point| RiskPoint {
            value: point.level_ratio,
            ..RiskPoint::default()
        })
        .collect();
    Row::new([
        Cell::from(words::when(outlook)),
        Cell::from(wire::text(outlook.resource.as_ref())),
        Cell::from(bar(outlook.level_ratio)),
        Cell::from(words::used(outlook)),
        Cell::from(Line::from(soon.unwrap_or_default()).right_aligned()),
        Cell::from(spark::line(&points, SPARK_CELLS)),
        Cell::from(words::cause(outlook)),
        Cell::from(words::actions(outlook)),
    ])
    .style(style(outlook))
}

/// Red for what is exhausted within half an hour more likely than not, yellow for what may well be.
fn style(outlook: &Outlook) -> Style {
    let soon = words::probability(outlook, words::BRIEF_HORIZON_S).unwrap_or(0.0);
    Style::new().fg(match soon {
        0.5.. => Color::Red,
        0.1.. => Color::Yellow,
        _ => Color::Reset,
    })
}

/// `███████▌░░░░  63 %`, in eighths of a cell.
fn bar(ratio: f64) -> Line<'static> {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
    let eighths = (ratio.clamp(0.0, 1.0) * (BAR_CELLS * 8) as f64).round() as usize;
    let (full, part) = (eighths / 8, EIGHTHS[eighths % 8]);
    let rest = BAR_CELLS - full - usize::from(!part.is_empty());
    Line::from(vec![
        Span::from("█".repeat(full) + part),
        Span::from("░".repeat(rest)).dim(),
        Span::from(format!("{:>5.0} %", ratio * 100.0)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_what_is_used() {
        let text = |ratio| bar(ratio).to_string();
        assert_eq!(text(0.0), "░░░░░░░░░░░░    0 %");
        assert_eq!(text(0.5), "██████░░░░░░   50 %");
        assert_eq!(text(0.55), "██████▋░░░░░   55 %");
        assert_eq!(text(1.0), "████████████  100 %");
        assert_eq!(text(3.0), "████████████  300 %");
    }
}

//! A series in one line of text.

use proto::v1::RiskPoint;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `cells` points, scaled to their own range; red where the alert score was high, yellow where it rose.
pub(super) fn line(points: &[RiskPoint], cells: usize) -> Line<'static> {
    let shown = &points[points.len().saturating_sub(cells)..];
    let finite = || shown.iter().map(|p| p.value).filter(|v| v.is_finite());
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let spans = shown.iter().map(|point| {
        let colour = match point.alert_score {
            0.5.. => Some(Color::Red),
            0.2.. => Some(Color::Yellow),
            _ => None,
        };
        let style = colour.map_or_else(Style::new, |colour| Style::new().fg(colour));
        Span::styled(block(point.value, low, high).to_string(), style)
    });
    // New samples come in at the right, so that short histories line up with long ones.
    let gap = Span::from(" ".repeat(cells - shown.len()));
    Line::from_iter(std::iter::once(gap).chain(spans))
}

/// How high a value stands between two others; where these are the same, a low line.
pub(crate) fn block(value: f64, low: f64, high: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    let share = if high > low {
        (value - low) / (high - low)
    } else {
        0.0
    };
    #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
    let step = (share * (BLOCKS.len() - 1) as f64).round() as usize;
    BLOCKS[step.min(BLOCKS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], expected: &str) {
        let points: Vec<RiskPoint> = values
            .iter()
            .map(|&value| RiskPoint {
                value,
                ..RiskPoint::default()
            })
            .collect();
        assert_eq!(line(&points, 6).to_string(), expected);
    }

    #[test]
    fn shapes() {
        check(&[0.0, 1.0, 2.0, 3.0, 4.0, 7.0], "▁▂▃▄▅█");
        check(&[99.0, 0.0, 1.0, 2.0, 3.0, 4.0, 7.0], "▁▂▃▄▅█");
        check(&[5.0, 5.0], "    ▁▁");
        check(&[f64::NAN, 1.0, f64::INFINITY, 2.0], "   ▁ █");
        check(&[], "      ");
    }
}

//! Columns as strokes and areas.

use std::fmt::Write;

use super::lanes::{Across, LABELS, Lane, VALUE};
use super::track::Column;

/// A strip below the values where the file calls them anomalous.
pub(super) fn labels(page: &mut String, columns: &[Column], across: Across) {
    for run in columns
        .chunk_by(|a, b| a.labelled == b.labelled)
        .filter(|run| run[0].labelled)
    {
        let x = across.x(run[0].from);
        let width = (across.x(run[run.len() - 1].to) - x).max(2.0);
        let height = LABELS.bottom - LABELS.top;
        let _ = write!(
            page,
            "<rect class=label x={x:.1} y={} width={width:.1} height={height}>",
            LABELS.top
        );
        page.push_str("<title>labelled an anomaly in the file</title></rect>");
    }
}

/// Runs of columns without a hole between them. A hole is eight times the usual distance: a line across it would claim
/// samples that nobody took.
fn unbroken(columns: &[Column]) -> impl Iterator<Item = &[Column]> {
    let mut steps: Vec<i64> = columns
        .windows(2)
        .map(|pair| pair[1].from - pair[0].to)
        .collect();
    let usual = if steps.is_empty() {
        0
    } else {
        let middle = steps.len() / 2;
        *steps.select_nth_unstable(middle).1
    };
    let hole = usual.saturating_mul(8).max(1);
    columns.chunk_by(move |a, b| b.from - a.to <= hole)
}

pub(super) fn line(columns: &[Column], across: Across, share: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for run in unbroken(columns) {
        for (i, column) in run.iter().enumerate() {
            let (x, high, low) = (
                across.x(column.from),
                VALUE.y(share(column.high)),
                VALUE.y(share(column.low)),
            );
            let _ = write!(path, "{}{x:.2} {high:.1}", if i == 0 { 'M' } else { 'L' });
            // A lone sample needs a stroke of some length to show.
            if run.len() == 1 {
                path.push_str("h1");
            }
            if low - high >= 0.05 {
                let _ = write!(path, "V{low:.1}");
            }
        }
    }
    path
}

pub(super) fn band(columns: &[Column], across: Across, share: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for run in unbroken(columns) {
        let edge = |column: &Column, side: f64| {
            let y = VALUE
                .y(share(column.expected + side * column.band))
                .clamp(VALUE.top, VALUE.bottom);
            format!("{:.2} {y:.1}", across.x(column.from))
        };
        let known: Vec<&Column> = run
            .iter()
            .filter(|c| (c.expected + c.band).is_finite())
            .collect();
        let above = known.iter().map(|c| edge(c, 1.0));
        let below = known.iter().rev().map(|c| edge(c, -1.0));
        for (i, place) in above.chain(below).enumerate() {
            let _ = write!(path, "{}{place}", if i == 0 { 'M' } else { 'L' });
        }
        if !known.is_empty() {
            path.push('Z');
        }
    }
    path
}

/// Upright strokes from the bottom of a lane. What is under a hundredth of the lane is left out: it cannot be seen, and
/// most columns are quiet.
pub(super) fn bars(
    columns: &[Column],
    across: Across,
    lane: Lane,
    share: impl Fn(&Column) -> f64,
) -> String {
    let mut path = String::new();
    for (column, share) in columns
        .iter()
        .map(|c| (c, share(c)))
        .filter(|(_, share)| *share >= 0.01)
    {
        let _ = write!(
            path,
            "M{:.2} {}V{:.1}",
            across.x(column.from),
            lane.bottom,
            lane.y(share)
        );
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use series::Timestamp;

    fn columns(seconds: &[i64]) -> Vec<Column> {
        let column = |&s: &i64| Column {
            from: Timestamp::from_millis(s * 1_000),
            to: Timestamp::from_millis(s * 1_000),
            low: 0.0,
            high: 1.0,
            expected: 0.5,
            band: if s == 0 { f64::INFINITY } else { 0.1 },
            score: 0.5,
            alert: if s == 2 { 1.0 } else { 0.0 },
            labelled: s == 2,
        };
        seconds.iter().map(column).collect()
    }

    const ACROSS: Across = Across {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(100_000),
    };

    #[test]
    fn a_hole_in_time_is_a_hole_in_the_line() {
        let path = line(&columns(&[0, 1, 2, 3, 60, 61]), ACROSS, |v| v);
        assert_eq!(path.matches('M').count(), 2, "{path}");
        let lone = line(&columns(&[0, 1, 2, 60]), ACROSS, |v| v);
        assert!(lone.contains("h1"), "a lone sample can be seen: {lone}");
    }

    #[test]
    fn only_what_can_be_seen_is_drawn() {
        let columns = columns(&[0, 1, 2, 3]);
        let alerts = bars(&columns, ACROSS, VALUE, |c| f64::from(c.alert));
        assert_eq!(alerts.matches('M').count(), 1, "{alerts}");
        let area = band(&columns, ACROSS, |v| v);
        assert!(area.ends_with('Z') && !area.contains("inf"), "{area}");
        let mut page = String::new();
        labels(&mut page, &columns, ACROSS);
        assert_eq!(page.matches("class=label").count(), 1);
    }
}

//! One series as a drawing: SVG, so that it needs no script, prints, and follows light and dark.

use std::fmt::Write;

use series::{Timestamp, Unit};

use super::axis::{self, Tick};
use super::track::{Column, Span, Track};
use crate::dates::{TimeForm, duration};
use crate::numbers::{human, rarity};

/// The drawing's own units; the page scales it to its width.
const WIDTH: f64 = 1_200.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = WIDTH - 8.0;
const VALUE: Lane = Lane { top: 8.0, bottom: 178.0 };
const SCORE: Lane = Lane { top: 190.0, bottom: 236.0 };
const ALERT: Lane = Lane { top: 248.0, bottom: 294.0 };
const LABELS: Lane = Lane { top: 180.5, bottom: 185.5 };
const HEIGHT: f64 = 312.0;
/// The score's lane ends at one in a million.
const MOST_NINES: f64 = 6.0;

/// A stretch of the drawing's height.
#[derive(Debug, Clone, Copy)]
struct Lane {
    top: f64,
    bottom: f64,
}

impl Lane {
    /// The height of `share` of the lane, 0 at its bottom; a little beyond the ends at most, to stay well-formed.
    fn y(self, share: f64) -> f64 {
        self.bottom - share.clamp(-0.05, 1.05) * (self.bottom - self.top)
    }
}

/// Times to places.
#[derive(Debug, Clone, Copy)]
struct Across {
    from: Timestamp,
    to: Timestamp,
}

impl Across {
    fn x(self, at: Timestamp) -> f64 {
        let span = (self.to - self.from).max(1) as f64;
        LEFT + (at - self.from).max(0) as f64 / span * (RIGHT - LEFT)
    }
}

/// The range of values shown: that of the data, and of the band where it goes a little beyond.
fn range(columns: &[Column]) -> (f64, f64) {
    let low = columns.iter().map(|c| c.low).fold(f64::INFINITY, f64::min);
    let high = columns.iter().map(|c| c.high).fold(f64::NEG_INFINITY, f64::max);
    let room = (high - low) * 0.3;
    let edges = |side: f64| columns.iter().map(move |c| c.expected + side * c.band).filter(|x| x.is_finite());
    let low_band = edges(-1.0).fold(f64::INFINITY, f64::min).max(low - room).min(low);
    let high_band = edges(1.0).fold(f64::NEG_INFINITY, f64::max).min(high + room).max(high);
    let pad = (high_band - low_band) * 0.04;
    // A constant series is a line in the middle.
    let pad = if pad > 0.0 { pad } else { (high.abs() * 0.05).max(0.5) };
    (low_band - pad, high_band + pad)
}

/// Appends the whole figure of a track. `threshold`: the alert score from which events open.
pub(super) fn write(page: &mut String, track: &Track, members: &[&str], threshold: f32) {
    let (Some(first), Some(last)) = (track.columns.first(), track.columns.last()) else { return };
    let across = Across { from: first.from, to: last.to };
    let (low, high) = range(&track.columns);
    let metric = track.name.split('{').next().unwrap_or_default();
    let unit = Unit::of_metric(metric);
    heading(page, track, across);
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" data-from=\"{}\" data-to=\"{}\" \
         data-low=\"{low:e}\" data-high=\"{high:e}\">",
        escaped(&track.name),
        across.from.micros(),
        across.to.micros(),
    );
    for lane in [VALUE, SCORE, ALERT] {
        let (height, width) = (lane.bottom - lane.top, RIGHT - LEFT);
        let _ = write!(page, "<rect class=lane x={LEFT} y={} width={width} height={height} />", lane.top);
    }
    for Tick { at, text } in axis::times(across.from, across.to, 9) {
        let x = across.x(at);
        let anchor = if x < LEFT + 30.0 { "start" } else if x > RIGHT - 30.0 { "end" } else { "middle" };
        let _ = write!(page, "<path class=grid d=\"M{x:.1} {}V{}\"/>", VALUE.top, ALERT.bottom);
        let _ = write!(page, "<text x={x:.1} y={} text-anchor={anchor}>{text}</text>", HEIGHT - 4.0);
    }
    let share = |v: f64| (v - low) / (high - low);
    for Tick { at, text } in axis::values(low, high, 4) {
        side(page, VALUE.y(share(at)), &text, "grid");
    }
    for (nines, text) in [(2.0, "0.99"), (4.0, "0.9999")] {
        side(page, SCORE.y(nines / MOST_NINES), text, "grid");
    }
    side(page, ALERT.y(f64::from(threshold)), &format!("{threshold:.2}"), "bar");
    for span in &track.spans {
        event(page, span, across, members);
    }
    labels(page, &track.columns, across);
    let _ = write!(page, "<path class=band d=\"{}\"/>", band(&track.columns, across, share));
    let _ = write!(page, "<path class=value d=\"{}\"/>", line(&track.columns, across, share));
    let nines = |c: &Column| -(1.0 - c.score).max(1e-9).log10() / MOST_NINES;
    let _ = write!(page, "<path class=score d=\"{}\"/>", bars(&track.columns, across, SCORE, |c| nines(c).min(1.0)));
    let alert = bars(&track.columns, across, ALERT, |c| f64::from(c.alert).min(1.0));
    let _ = write!(page, "<path class=alert d=\"{alert}\"/>");
    for (lane, name) in [(VALUE, "value"), (SCORE, "score"), (ALERT, "alert score")] {
        let _ = write!(page, "<text class=name x={} y={}>{name}</text>", LEFT + 5.0, lane.top + 12.0);
    }
    page.push_str("</svg>");
    let top = track.columns.iter().map(|c| c.score).fold(0.0, f64::max);
    let _ = write!(
        page,
        "<p class=under>{} to {} · highest score {} · highest alert score {:.3}</p></section>\n",
        human(track.columns.iter().map(|c| c.low).fold(f64::INFINITY, f64::min), unit),
        human(track.columns.iter().map(|c| c.high).fold(f64::NEG_INFINITY, f64::max), unit),
        rarity(top),
        track.peak,
    );
}

fn heading(page: &mut String, track: &Track, across: Across) {
    let events = match track.spans.len() {
        0 => "no event".to_owned(),
        1 => "1 event".to_owned(),
        n => format!("{n} events"),
    };
    let _ = write!(
        page,
        "<section><h2>{}</h2><p class=over>{} · {} samples over {} · {events}</p>",
        escaped(&track.name),
        escaped(&track.file),
        crate::numbers::grouped(track.samples),
        duration(across.to.seconds_since(across.from)),
    );
}

/// A line across at height `y` with its text beside the axis.
fn side(page: &mut String, y: f64, text: &str, class: &str) {
    let _ = write!(page, "<path class={class} d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
    let _ = write!(page, "<text x={} y={:.1} text-anchor=end>{text}</text>", LEFT - 6.0, y + 4.0);
}

/// The shade of an event through all lanes, with what a pointer shows of it.
fn event(page: &mut String, span: &Span, across: Across, members: &[&str]) {
    let (x, end) = (across.x(span.since), across.x(span.until));
    // An event of one sample is a hair: two units can be seen and hovered.
    let width = (end - x).max(2.0);
    let reasons = span.contributions.top(members, 3);
    let reasons: Vec<String> = reasons.iter().map(|(name, share)| format!("{name} {:.0} %", share * 100.0)).collect();
    let _ = write!(
        page,
        "<rect class=event x={x:.1} y={} width={width:.1} height={}><title>event {}: {}, {}{}, peak {:.3}\n{}</title></rect>",
        VALUE.top,
        ALERT.bottom - VALUE.top,
        span.id,
        TimeForm::Date.write(span.since),
        duration(span.until.seconds_since(span.since)),
        if span.open { " and still open" } else { "" },
        span.peak,
        reasons.join(", "),
    );
}

/// A strip below the values where the file calls them anomalous.
fn labels(page: &mut String, columns: &[Column], across: Across) {
    for run in columns.chunk_by(|a, b| a.labelled == b.labelled).filter(|run| run[0].labelled) {
        let x = across.x(run[0].from);
        let width = (across.x(run[run.len() - 1].to) - x).max(2.0);
        let height = LABELS.bottom - LABELS.top;
        let _ = write!(page, "<rect class=label x={x:.1} y={} width={width:.1} height={height}>", LABELS.top);
        page.push_str("<title>labelled an anomaly in the file</title></rect>");
    }
}

/// Runs of columns without a hole between them. A hole is eight times the usual distance: a line across it would claim
/// samples that nobody took.
fn unbroken(columns: &[Column]) -> impl Iterator<Item = &[Column]> {
    let mut steps: Vec<i64> = columns.windows(2).map(|pair| pair[1].from - pair[0].to).collect();
    let usual = if steps.is_empty() {
        0
    } else {
        let middle = steps.len() / 2;
        *steps.select_nth_unstable(middle).1
    };
    let hole = usual.saturating_mul(8).max(1);
    columns.chunk_by(move |a, b| b.from - a.to <= hole)
}

fn line(columns: &[Column], across: Across, share: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for run in unbroken(columns) {
        for (i, column) in run.iter().enumerate() {
            let (x, high, low) = (across.x(column.from), VALUE.y(share(column.high)), VALUE.y(share(column.low)));
            let _ = write!(path, "{}{x:.1} {high:.1}", if i == 0 { 'M' } else { 'L' });
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

fn band(columns: &[Column], across: Across, share: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    for run in unbroken(columns) {
        let edge = |column: &Column, side: f64| {
            let y = VALUE.y(share(column.expected + side * column.band)).clamp(VALUE.top, VALUE.bottom);
            format!("{:.1} {y:.1}", across.x(column.from))
        };
        let known: Vec<&Column> = run.iter().filter(|c| (c.expected + c.band).is_finite()).collect();
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
fn bars(columns: &[Column], across: Across, lane: Lane, share: impl Fn(&Column) -> f64) -> String {
    let mut path = String::new();
    for (column, share) in columns.iter().map(|c| (c, share(c))).filter(|(_, share)| *share >= 0.01) {
        let _ = write!(path, "M{:.1} {}V{:.1}", across.x(column.from), lane.bottom, lane.y(share));
    }
    path
}

/// Text that means only itself inside HTML, attributes included.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

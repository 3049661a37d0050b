//! One series as a drawing: SVG, so that it needs no script, prints, and follows light and dark.

use std::fmt::Write;

use series::Unit;

use super::axis::{self, Tick};
use super::lanes::{ALERT, Across, HEIGHT, LEFT, MOST_NINES, RIGHT, SCORE, VALUE, WIDTH};
use super::marks::{band, bars, labels, line};
use super::track::{Column, Span, Track};
use crate::dates::{TimeForm, duration};
use crate::numbers::{human, rarity};

/// The range of values shown: that of the data, and of the band where it goes a little beyond.
fn range(columns: &[Column]) -> (f64, f64) {
    let low = columns.iter().map(|c| c.low).fold(f64::INFINITY, f64::min);
    let high = columns
        .iter()
        .map(|c| c.high)
        .fold(f64::NEG_INFINITY, f64::max);
    let room = (high - low) * 0.3;
    let edges = |side: f64| {
        columns
            .iter()
            .map(move |c| c.expected + side * c.band)
            .filter(|x| x.is_finite())
    };
    let low_band = edges(-1.0)
        .fold(f64::INFINITY, f64::min)
        .max(low - room)
        .min(low);
    let high_band = edges(1.0)
        .fold(f64::NEG_INFINITY, f64::max)
        .min(high + room)
        .max(high);
    let pad = (high_band - low_band) * 0.04;
    // A constant series is a line in the middle.
    let pad = if pad > 0.0 {
        pad
    } else {
        (high.abs() * 0.05).max(0.5)
    };
    (low_band - pad, high_band + pad)
}

/// Appends the whole figure of a track under `title`. `threshold`: the alert score from which events open.
pub(super) fn write(
    page: &mut String,
    track: &Track,
    title: &str,
    members: &[&str],
    threshold: f32,
) {
    let (Some(first), Some(last)) = (track.columns.first(), track.columns.last()) else {
        return;
    };
    let across = Across {
        from: first.from,
        to: last.to,
    };
    let (low, high) = range(&track.columns);
    let metric = track.name.split('{').next().unwrap_or_default();
    let unit = Unit::of_metric(metric);
    heading(page, track, title, across);
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
        let _ = write!(
            page,
            "<rect class=lane x={LEFT} y={} width={width} height={height} />",
            lane.top
        );
    }
    for Tick { at, text } in axis::times(across.from, across.to, 9) {
        let x = across.x(at);
        let anchor = if x < LEFT + 30.0 {
            "start"
        } else if x > RIGHT - 30.0 {
            "end"
        } else {
            "middle"
        };
        let _ = write!(
            page,
            "<path class=grid d=\"M{x:.1} {}V{}\"/>",
            VALUE.top, ALERT.bottom
        );
        let _ = write!(
            page,
            "<text x={x:.1} y={} text-anchor={anchor}>{text}</text>",
            HEIGHT - 4.0
        );
    }
    let share = |v: f64| (v - low) / (high - low);
    for Tick { at, text } in axis::values(low, high, 4) {
        side(page, VALUE.y(share(at)), &text, "grid");
    }
    for (nines, text) in [(2.0, "0.99"), (4.0, "0.9999")] {
        side(page, SCORE.y(nines / MOST_NINES), text, "grid");
    }
    side(
        page,
        ALERT.y(f64::from(threshold)),
        &format!("{threshold:.2}"),
        "bar",
    );
    for span in &track.spans {
        event(page, span, across, members);
    }
    labels(page, &track.columns, across);
    let _ = write!(
        page,
        "<path class=band d=\"{}\"/>",
        band(&track.columns, across, share)
    );
    let _ = write!(
        page,
        "<path class=value d=\"{}\"/>",
        line(&track.columns, across, share)
    );
    let nines = |c: &Column| -(1.0 - c.score).max(1e-9).log10() / MOST_NINES;
    let _ = write!(
        page,
        "<path class=score d=\"{}\"/>",
        bars(&track.columns, across, SCORE, |c| nines(c).min(1.0))
    );
    let alert = bars(&track.columns, across, ALERT, |c| {
        f64::from(c.alert).min(1.0)
    });
    let _ = write!(page, "<path class=alert d=\"{alert}\"/>");
    for (lane, name) in [(VALUE, "value"), (SCORE, "score"), (ALERT, "alert score")] {
        let _ = write!(
            page,
            "<text class=name x={} y={}>{name}</text>",
            LEFT + 5.0,
            lane.top + 12.0
        );
    }
    page.push_str("</svg>");
    let lowest = track
        .columns
        .iter()
        .map(|c| c.low)
        .fold(f64::INFINITY, f64::min);
    let highest = track
        .columns
        .iter()
        .map(|c| c.high)
        .fold(f64::NEG_INFINITY, f64::max);
    let top = track.columns.iter().map(|c| c.score).fold(0.0, f64::max);
    let _ = writeln!(
        page,
        "<p class=under>{} to {} · highest score {} · highest alert score {:.3}</p></section>",
        human(lowest, unit),
        human(highest, unit),
        rarity(top),
        track.peak,
    );
}

fn heading(page: &mut String, track: &Track, title: &str, across: Across) {
    let events = match track.spans.len() {
        0 => "no event".to_owned(),
        1 => "1 event".to_owned(),
        n => format!("{n} events"),
    };
    let _ = write!(
        page,
        "<section><h2>{}</h2><p class=over>{} · {} samples over {} · {events}</p>",
        escaped(title),
        escaped(&track.file),
        crate::numbers::grouped(track.samples),
        duration(across.to.seconds_since(across.from)),
    );
}

/// A line across at height `y` with its text beside the axis.
fn side(page: &mut String, y: f64, text: &str, class: &str) {
    let _ = write!(page, "<path class={class} d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
    let _ = write!(
        page,
        "<text x={} y={:.1} text-anchor=end>{text}</text>",
        LEFT - 6.0,
        y + 4.0
    );
}

/// The shade of an event through all lanes, with what a pointer shows of it.
fn event(page: &mut String, span: &Span, across: Across, members: &[&str]) {
    let (x, end) = (across.x(span.since), across.x(span.until));
    // An event of one sample is a hair: two units can be seen and hovered.
    let width = (end - x).max(2.0);
    let reasons = span.contributions.top(members, 3);
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(name, share)| format!("{name} {:.0} %", share * 100.0))
        .collect();
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

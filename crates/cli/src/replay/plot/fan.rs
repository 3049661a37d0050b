//! One outlook as a drawing: the past, the limit, where the level may go, and when it meets the limit.

mod frame;

use std::fmt::Write;

use proto::v1::{FanPoint, Outlook};
use series::Timestamp;

use super::axis::{self, Tick};
use super::lanes::WIDTH;
use super::panel::escaped;
use super::told;
use crate::numbers::human;
use crate::outlook::words;
use crate::wire;
use frame::{Frame, HEIGHT, LANE, LEFT, RIGHT, before_s, tempo};

/// Appends what the figures of a page share.
pub(super) fn clip(page: &mut String) {
    let (top, width, height) = (LANE.top, RIGHT - LEFT, LANE.bottom - LANE.top);
    let _ = write!(
        page,
        "<svg width=0 height=0 style=\"position:absolute\"><clipPath id=lane>\
         <rect x={LEFT} y={top} width={width} height={height} /></clipPath></svg>"
    );
}

/// Appends the whole figure of an outlook.
pub(super) fn write(page: &mut String, outlook: &Outlook) {
    let outlook = &*words::holding(outlook);
    let is_soon = words::probability(outlook, words::BRIEF_HORIZON_S).is_some_and(|p| p >= 0.5);
    let _ = write!(
        page,
        "<section{}><h2>{}</h2>",
        if is_soon { " class=soon" } else { "" },
        escaped(&wire::text(outlook.resource.as_ref())),
    );
    told::write(page, outlook);
    if outlook.time_to_exhaustion.is_some() && outlook.limit > 0.0 {
        drawing(page, outlook);
    }
    page.push_str("</section>\n");
}

fn drawing(page: &mut String, outlook: &Outlook) {
    let frame = Frame::of(outlook);
    let now = Timestamp::from_micros(outlook.time_us);
    let tempo = tempo(outlook);
    let instant = |s: f64| now.plus_micros((s / tempo * 1e6) as i64);
    let (from, to) = (instant(-frame.past_s), instant(frame.ahead_s));
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" data-from=\"{}\" data-to=\"{}\" \
         data-now=\"{:.1}\" data-zero=\"{:.1}\" data-full=\"{:.1}\" data-left=\"{LEFT}\" data-right=\"{RIGHT}\">",
        escaped(&wire::text(outlook.resource.as_ref())),
        from.micros(),
        to.micros(),
        frame.x(0.0),
        frame.y(0.0),
        frame.y(1.0),
    );
    let (height, width) = (LANE.bottom - LANE.top, RIGHT - LEFT);
    let top = LANE.top;
    let _ = write!(
        page,
        "<rect class=lane x={LEFT} y={top} width={width} height={height} />"
    );
    time_that_is_left(page, outlook, frame);
    for Tick { at, text } in axis::times(from, to, 9) {
        let x = frame.x((at - now) as f64 / 1e6 * tempo);
        let anchor = anchor(x);
        let (bottom, low) = (LANE.bottom, HEIGHT - 4.0);
        let _ = write!(page, "<path class=grid d=\"M{x:.1} {top}V{bottom}\"/>");
        let _ = write!(
            page,
            "<text x={x:.1} y={low} text-anchor={anchor}>{text}</text>"
        );
    }
    let unit = words::unit(outlook);
    for quarter in 0..=4 {
        let ratio = f64::from(quarter) / 4.0;
        let class = if quarter == 4 { "limit" } else { "grid" };
        let (y, text) = (frame.y(ratio), human(outlook.limit * ratio, unit));
        let _ = write!(page, "<path class={class} d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        let (x, y) = (LEFT - 6.0, y + 4.0);
        let _ = write!(page, "<text x={x} y={y:.1} text-anchor=end>{text}</text>");
    }
    let (x, y) = (LEFT + 6.0, frame.y(1.0) - 5.0);
    let _ = write!(page, "<text class=told x={x} y={y:.1}>limit</text>");
    page.push_str("<g clip-path=\"url(#lane)\">");
    if !outlook.fan.is_empty() {
        fan(page, outlook, frame);
    }
    let past = past(outlook, frame);
    let _ = write!(page, "<path class=past d=\"{past}\"/></g>");
    let x = frame.x(0.0);
    let _ = write!(
        page,
        "<path class=now d=\"M{x:.1} {top}V{}\"/>",
        LANE.bottom
    );
    let _ = write!(
        page,
        "<text class=mark x={x:.1} y=16 text-anchor=middle>now</text>"
    );
    meeting(page, outlook, frame);
    page.push_str("</svg>");
}

/// The interval in which it is exhausted, as a shade over the whole height.
fn time_that_is_left(page: &mut String, outlook: &Outlook, frame: Frame) {
    let times = outlook.time_to_exhaustion.unwrap_or_default();
    let Some(soonest) = times.p05_s.filter(|s| *s < frame.ahead_s) else {
        return;
    };
    let x = frame.x(soonest);
    let width = (frame.x(times.p95_s.unwrap_or(f64::INFINITY)) - x).max(2.0);
    let (top, height) = (LANE.top, LANE.bottom - LANE.top);
    let _ = write!(
        page,
        "<rect class=left x={x:.1} y={top} width={width:.1} height={height}><title>exhausted {}</title></rect>",
        escaped(&words::when(outlook)),
    );
}

/// Where the level may go, from now on.
fn fan(page: &mut String, outlook: &Outlook, frame: Frame) {
    let limit = outlook.limit;
    let start = (frame.x(0.0), frame.y(outlook.level_ratio));
    let edge = |side: fn(&FanPoint) -> f64| -> Vec<(f64, f64)> {
        let place = |point: &FanPoint| (frame.x(point.ahead_s), frame.y(side(point) / limit));
        std::iter::once(start)
            .chain(outlook.fan.iter().map(place))
            .collect()
    };
    let mut around = edge(|point| point.high);
    around.extend(edge(|point| point.low).into_iter().rev());
    let _ = write!(page, "<path class=fan d=\"{}Z\"/>", path(&around));
    let _ = write!(
        page,
        "<path class=median d=\"{}\"/>",
        path(&edge(|point| point.median))
    );
}

fn past(outlook: &Outlook, frame: Frame) -> String {
    let shown = outlook.history.iter();
    let shown = shown.filter(|point| before_s(outlook, point) <= frame.past_s);
    let mut places: Vec<(f64, f64)> = shown
        .map(|point| {
            (
                frame.x(-before_s(outlook, point)),
                frame.y(point.level_ratio),
            )
        })
        .collect();
    // Bins end before the newest sample does.
    places.push((frame.x(0.0), frame.y(outlook.level_ratio)));
    path(&places)
}

/// Where and when the level meets its limit.
fn meeting(page: &mut String, outlook: &Outlook, frame: Frame) {
    let times = outlook.time_to_exhaustion.unwrap_or_default();
    let y = frame.y(1.0);
    let Some(soonest) = times.p05_s.filter(|s| *s < frame.ahead_s) else {
        let text = escaped(&words::when(outlook));
        let x = RIGHT - 6.0;
        let _ = write!(
            page,
            "<text class=mark x={x} y=16 text-anchor=end>{text} →</text>"
        );
        return;
    };
    let latest = frame.x(times.p95_s.unwrap_or(f64::INFINITY));
    let first = frame.x(soonest);
    let _ = write!(
        page,
        "<path class=span d=\"M{first:.1} {y:.1}H{latest:.1}\"/>"
    );
    let middle = times.p50_s.filter(|s| *s <= frame.ahead_s);
    if let Some(middle) = middle {
        let x = frame.x(middle);
        let _ = write!(
            page,
            "<path class=fails d=\"M{x:.1} {}V{}\"/>",
            LANE.top, LANE.bottom
        );
        let _ = write!(page, "<circle class=dot cx={x:.1} cy={y:.1} r=6 />");
    }
    let x = middle.map_or(first, |middle| frame.x(middle));
    let (anchor, text) = (anchor(x), escaped(&words::when(outlook)));
    // "now" stands at the same height: whoever is exhausted within its width gives way to the right.
    let (x, anchor) = match x - frame.x(0.0) {
        gap if gap < 110.0 => (frame.x(0.0) + 24.0, "start"),
        _ => (x, anchor),
    };
    let _ = write!(
        page,
        "<text class=told x={x:.1} y=16 text-anchor={anchor}>{text}</text>"
    );
}

fn anchor(x: f64) -> &'static str {
    match x {
        x if x < LEFT + 60.0 => "start",
        x if x > RIGHT - 80.0 => "end",
        _ => "middle",
    }
}

fn path(places: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (i, (x, y)) in places.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::tests::{leak, without_limit};

    fn drawn(outlook: &Outlook) -> String {
        let mut page = String::new();
        write(&mut page, outlook);
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        page
    }

    #[test]
    fn a_leak_shows_its_past_its_limit_and_its_end() {
        let page = drawn(&leak());
        for part in [
            "class=soon",
            "<b>in 12 min</b> · 7 to 20 min, with 90 %",
            ">2 GiB</text>",
            "class=left",
            "class=dot",
            "within 15 min",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        let frame = Frame::of(&leak());
        assert!(frame.x(420.0) < frame.x(720.0) && frame.x(1_200.0) < RIGHT);
        let level = frame.y(0.75);
        assert!(page.contains(&format!("M{:.1} {level:.1}", frame.x(0.0))));
    }

    #[test]
    fn what_is_not_foreseen_has_no_interval() {
        let mut outlook = leak();
        outlook.time_to_exhaustion = Some(Default::default());
        outlook.probabilities.clear();
        let page = drawn(&outlook);
        assert!(page.contains("not foreseen →"), "{page}");
        assert!(!page.contains("class=left") && !page.contains("class=soon"));
    }

    #[test]
    fn a_stale_one_has_a_past_and_meets_nothing() {
        let mut outlook = leak();
        outlook.set_state(proto::v1::OutlookState::Stale);
        let page = drawn(&outlook);
        assert!(page.contains("no more samples →") && page.contains("class=past"));
        for part in [
            "class=soon",
            "class=left",
            "class=dot",
            "class=span",
            "class=fan",
            "class=odds",
            "what to do",
            "12 min",
        ] {
            assert!(!page.contains(part), "{part} is in\n{page}");
        }
    }

    #[test]
    fn odd_numbers_stay_within_the_drawing() {
        let mut outlook = leak();
        outlook.level_ratio = 50.0;
        outlook.history.clear();
        outlook.fan[3].high = f64::NAN;
        outlook.fan[4].high = f64::INFINITY;
        let times = outlook.time_to_exhaustion.as_mut().unwrap();
        (times.p05_s, times.p95_s) = (Some(0.0), None);
        let mut page = String::new();
        write(&mut page, &outlook);
        assert!(!page.contains("inf"), "{page}");
        outlook.fan.clear();
        drawn(&outlook);
    }

    #[test]
    fn a_past_that_went_faster_is_as_long_as_what_is_ahead() {
        let slow = leak();
        let mut fast = leak();
        fast.tempo = 20.0;
        for point in &mut fast.history {
            point.time_us = fast.time_us - (fast.time_us - point.time_us) / 20;
        }
        assert_eq!(past(&slow, Frame::of(&slow)), past(&fast, Frame::of(&fast)));
    }

    #[test]
    fn without_a_limit_nothing_is_drawn() {
        let page = drawn(&without_limit());
        assert!(page.contains("node_filesystem_size_bytes") && !page.contains("<svg"));
    }

    #[test]
    fn names_are_escaped() {
        let mut outlook = leak();
        outlook.resource = wire::key("a{b=\"<script>\"}").ok();
        assert!(!drawn(&outlook).contains("<script>"));
    }
}

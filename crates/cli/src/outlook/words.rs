//! Outlooks in words.

use std::borrow::Cow;

use proto::v1::{Cause, Family, Outlook, OutlookState, TimeToExhaustion};
use series::Unit;

use crate::numbers::human;

/// Half an hour: the horizon whose probability is told in brief.
pub(crate) const BRIEF_HORIZON_S: f64 = 1_800.0;

/// What still holds of an outlook: of a stale one neither time nor odds, neither what to do nor where the level may go.
pub(crate) fn holding(outlook: &Outlook) -> Cow<'_, Outlook> {
    if outlook.state() != OutlookState::Stale {
        return Cow::Borrowed(outlook);
    }
    let was = outlook.clone();
    Cow::Owned(Outlook {
        probabilities: Vec::new(),
        time_to_exhaustion: was.time_to_exhaustion.map(|_| TimeToExhaustion::default()),
        actions: Vec::new(),
        fan: Vec::new(),
        ..was
    })
}

/// `memory`, `disk` and so on, as in configuration.
pub(crate) fn family(outlook: &Outlook) -> String {
    wire_name(
        outlook.family().as_str_name(),
        Family::Unspecified.as_str_name(),
    )
}

/// `leak`, `warm-up` and so on.
pub(crate) fn cause(outlook: &Outlook) -> String {
    wire_name(
        outlook.cause().as_str_name(),
        Cause::Unspecified.as_str_name(),
    )
    .replace('_', "-")
}

/// `FAMILY_MEMORY` is `memory`; the unspecified one is nothing.
fn wire_name(name: &str, unspecified: &str) -> String {
    if name == unspecified {
        return String::new();
    }
    let prefix = unspecified.trim_end_matches("UNSPECIFIED");
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

/// The unit of level and limit, for [`human`].
pub(crate) fn unit(outlook: &Outlook) -> Unit {
    match outlook.unit.as_str() {
        "bytes" => Unit::Bytes,
        "ratio" => Unit::Ratio,
        _ => Unit::None,
    }
}

/// `1.21 GiB of 2 GiB`; `-` without a forecast.
pub(crate) fn used(outlook: &Outlook) -> String {
    if outlook.time_to_exhaustion.is_none() {
        return "-".to_owned();
    }
    let unit = unit(outlook);
    let (level, limit) = (human(outlook.level, unit), human(outlook.limit, unit));
    format!("{level} of {limit}")
}

/// `in 12 min (7–20)`: the median, and what is between the 5 and 95 % quantiles.
pub(crate) fn when(outlook: &Outlook) -> String {
    let Some(times) = &outlook.time_to_exhaustion else {
        return if outlook.state() == OutlookState::Missing {
            "no limit known".to_owned()
        } else {
            "too early to tell".to_owned()
        };
    };
    if outlook.state() == OutlookState::Stale {
        return "no more samples".to_owned();
    }
    if outlook.level_ratio >= 1.0 {
        return "at its limit".to_owned();
    }
    match *times {
        TimeToExhaustion {
            p50_s: Some(middle),
            p05_s,
            p95_s,
        } => {
            let about = if middle < 1.0 {
                "now".to_owned()
            } else {
                format!("in {}", length(middle))
            };
            match between(middle, p05_s.unwrap_or(0.0), p95_s) {
                Some(between) => format!("{about} ({between})"),
                None => about,
            }
        }
        TimeToExhaustion {
            p05_s: Some(soonest),
            ..
        } => format!("in {} at the soonest", length(soonest)),
        _ => "not foreseen".to_owned(),
    }
}

/// `7–20` in the unit of `middle`, or with units where they differ; `None` when it says nothing more than the middle.
fn between(middle: f64, low: f64, high: Option<f64>) -> Option<String> {
    let Some(high) = high else {
        return Some(format!("{} or later", length(low)));
    };
    if length(low) == length(high) {
        return None;
    }
    let unit = |s: f64| scale(s).1;
    if unit(low) == unit(high) && unit(low) == unit(middle) {
        let number = |s: f64| format!("{:.0}", s / scale(s).0);
        return Some(format!("{}–{}", number(low), number(high)));
    }
    Some(format!("{}–{}", length(low), length(high)))
}

/// `7 to 20 min, with 90 %`; `None` when nothing is foreseen any more, or it has come.
pub(crate) fn interval(outlook: &Outlook) -> Option<String> {
    let is_ahead = outlook.state() != OutlookState::Stale && outlook.level_ratio < 1.0;
    let times = outlook.time_to_exhaustion.filter(|_| is_ahead)?;
    let (soonest, latest) = (times.p05_s?, times.p95_s);
    let Some(latest) = latest else {
        return Some(format!("{} or later, with 95 %", length(soonest)));
    };
    let (low, high) = (length(soonest), length(latest));
    let low = match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => number.to_owned(),
        _ => low,
    };
    Some(format!("{low} to {high}, with 90 %"))
}

/// A time in the largest unit of which there are at least two: `40 s`, `12 min`, `3 h`, `2 d`.
pub(crate) fn length(s: f64) -> String {
    let (unit_s, unit) = scale(s);
    format!("{:.0} {unit}", s / unit_s)
}

fn scale(s: f64) -> (f64, &'static str) {
    match s {
        s if s < 119.5 => (1.0, "s"),
        s if s < 119.5 * 60.0 => (60.0, "min"),
        s if s < 47.5 * 3_600.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    }
}

/// P(exhausted within so many seconds), where it was told.
pub(crate) fn probability(outlook: &Outlook, horizon_s: f64) -> Option<f64> {
    let mut told = outlook.probabilities.iter();
    told.find(|told| (told.horizon_s - horizon_s).abs() < 1e-6)
        .map(|told| told.probability)
}

/// `63 %`, and `<1 %` rather than a zero that nobody promised.
pub(crate) fn percent(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 0.005 => "<1 %".to_owned(),
        share if share < 1.0 && share > 0.995 => ">99 %".to_owned(),
        share => format!("{:.0} %", share * 100.0),
    }
}

/// `raise the limit, restart`.
pub(crate) fn actions(outlook: &Outlook) -> String {
    let plain = |name: &String| name.replace('_', " ");
    let all: Vec<String> = outlook.actions.iter().map(plain).collect();
    all.join(", ")
}

/// `troughs 60 %, long trend 30 %`.
pub(crate) fn factors(outlook: &Outlook) -> String {
    crate::risks::contributors(&outlook.factors).replace('_', " ")
}

/// Whether anything at all is foreseen within a day, as far as anybody knows now.
pub(crate) fn is_foreseen(outlook: &Outlook) -> bool {
    let times = outlook.time_to_exhaustion;
    outlook.state() != OutlookState::Stale && times.is_some_and(|times| times.p05_s.is_some())
}

#[cfg(test)]
mod tests {
    use super::super::tests::leak;
    use super::*;

    #[track_caller]
    fn check(times: [Option<f64>; 3], expected: &str) {
        let [p05_s, p50_s, p95_s] = times;
        let mut outlook = leak();
        outlook.time_to_exhaustion = Some(TimeToExhaustion {
            p05_s,
            p50_s,
            p95_s,
        });
        assert_eq!(when(&outlook), expected);
    }

    #[test]
    fn times_read_at_a_glance() {
        check(
            [Some(420.0), Some(720.0), Some(1_200.0)],
            "in 12 min (7–20)",
        );
        check(
            [Some(40.0), Some(150.0), Some(9_000.0)],
            "in 2 min (40 s–2 h)",
        );
        check(
            [Some(600.0), Some(1_200.0), None],
            "in 20 min (10 min or later)",
        );
        check([Some(25_200.0), None, None], "in 7 h at the soonest");
        check([None, None, None], "not foreseen");
        check([Some(0.2), Some(0.4), Some(0.9)], "now (0–1)");
        check([Some(720.0), Some(725.0), Some(730.0)], "in 12 min");
    }

    #[test]
    fn intervals_say_how_sure_they_are() {
        let mut outlook = leak();
        assert_eq!(
            interval(&outlook).as_deref(),
            Some("7 to 20 min, with 90 %")
        );
        let times = outlook.time_to_exhaustion.as_mut().unwrap();
        times.p05_s = Some(40.0);
        assert_eq!(
            interval(&outlook).as_deref(),
            Some("40 s to 20 min, with 90 %")
        );
        outlook.time_to_exhaustion.as_mut().unwrap().p95_s = None;
        assert_eq!(
            interval(&outlook).as_deref(),
            Some("40 s or later, with 95 %")
        );
        outlook.level_ratio = 1.0;
        assert_eq!(interval(&outlook), None);
    }

    #[test]
    fn what_has_no_forecast_says_why() {
        let mut outlook = leak();
        outlook.level_ratio = 1.2;
        assert_eq!(when(&outlook), "at its limit");
        outlook.level_ratio = 0.75;
        assert!(interval(&outlook).is_some());
        outlook.set_state(OutlookState::Stale);
        assert_eq!(
            (when(&outlook).as_str(), interval(&outlook)),
            ("no more samples", None)
        );
        outlook.set_state(OutlookState::Forecast);
        outlook.time_to_exhaustion = None;
        assert_eq!(
            (when(&outlook).as_str(), used(&outlook).as_str()),
            ("too early to tell", "-")
        );
        outlook.set_state(OutlookState::Missing);
        assert_eq!(when(&outlook), "no limit known");
    }

    #[test]
    fn of_a_stale_one_only_what_was_seen_holds() {
        let mut outlook = leak();
        assert_eq!(*holding(&outlook), outlook);
        outlook.set_state(OutlookState::Stale);
        let held = holding(&outlook);
        assert_eq!(
            (when(&held).as_str(), used(&held).as_str()),
            ("no more samples", "1.5 GiB of 2 GiB")
        );
        assert_eq!(probability(&held, BRIEF_HORIZON_S), None);
        assert!(!is_foreseen(&held) && actions(&held).is_empty() && held.fan.is_empty());
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        let mut outlook = leak();
        assert_eq!(
            (family(&outlook).as_str(), cause(&outlook).as_str()),
            ("memory", "leak")
        );
        outlook.set_cause(Cause::WarmUp);
        assert_eq!(cause(&outlook), "warm-up");
        outlook.set_cause(Cause::Unspecified);
        assert_eq!(cause(&outlook), "");
        assert_eq!(actions(&outlook), "restart, raise limit");
    }

    #[test]
    fn no_certainty_is_made_up() {
        let shown = [0.0, 0.001, 0.5, 0.999, 1.0].map(percent);
        assert_eq!(shown, ["0 %", "<1 %", "50 %", ">99 %", "100 %"]);
    }
}

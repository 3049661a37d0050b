//! What stands above the drawing of an outlook, in words and bars.

use std::fmt::Write;

use proto::v1::Outlook;

use super::panel::escaped;
use crate::outlook::words;

/// Appends what is said of an outlook: when, how much is used, why, what to do, and how likely it is within each time.
pub(super) fn write(page: &mut String, outlook: &Outlook) {
    if !outlook.missing.is_empty() {
        let (family, missing) = (words::family(outlook), escaped(&outlook.missing));
        let _ = write!(
            page,
            "<p class=over>{family} · its limit is not known; it would come from {missing}</p>"
        );
        return;
    }
    let when = words::when(outlook);
    // The time stands out; the interval explains it.
    let about = when
        .split_once(" (")
        .map_or(when.as_str(), |(about, _)| about);
    let _ = write!(page, "<p class=when><b>{}</b>", escaped(about));
    if let Some(interval) = words::interval(outlook) {
        let _ = write!(page, " · {}", escaped(&interval));
    }
    let mut facts = vec![words::family(outlook)];
    if outlook.time_to_exhaustion.is_some() {
        let ratio = words::percent(outlook.level_ratio);
        facts.push(format!("{} ({ratio})", words::used(outlook)));
        facts.push(words::cause(outlook));
        let confidence = words::percent(f64::from(outlook.confidence));
        facts.push(format!("confidence {confidence}"));
        facts.push(words::factors(outlook));
    }
    facts.retain(|fact| !fact.is_empty());
    let _ = write!(
        page,
        "</p><p class=over>{}</p>",
        escaped(&facts.join(" · "))
    );
    if words::is_foreseen(outlook) && !outlook.actions.is_empty() {
        let actions = escaped(&words::actions(outlook));
        let _ = write!(page, "<p class=over>what to do: {actions}</p>");
    }
    if !outlook.probabilities.is_empty() {
        page.push_str("<div class=odds>");
        for told in &outlook.probabilities {
            let (horizon, chance) = (
                words::length(told.horizon_s),
                words::percent(told.probability),
            );
            let width = told.probability.clamp(0.0, 1.0) * 100.0;
            let _ = write!(
                page,
                "<div><b>{chance}</b>within {horizon}<i><s style=\"width:{width:.1}%\"></s></i></div>"
            );
        }
        page.push_str("</div>");
    }
}

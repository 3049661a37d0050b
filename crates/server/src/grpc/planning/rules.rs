//! What the section `[safety]` says of when and what may be carried out, as messages.

use proto::v1;
use remedy::guard::policy::{Effect, PolicySource};
use remedy::guard::window::{Freeze, Window};
use remedy::{Bar, Settings};
use serde::Serialize;

/// The rules of a configuration; all else of the answer is left empty.
pub(super) fn of(settings: &Settings) -> v1::GetSafetyResponse {
    v1::GetSafetyResponse {
        time_zone: String::from(settings.time_zone.clone()),
        windows: settings.windows.iter().map(window).collect(),
        freezes: settings.freezes.iter().map(freeze).collect(),
        policies: settings.policies.iter().map(policy).collect(),
        act: Some(bar(settings.act)),
        ask: Some(bar(settings.ask)),
        ..v1::GetSafetyResponse::default()
    }
}

fn window(window: &Window) -> v1::SafetyWindow {
    let time = |time: jiff::civil::Time| {
        let text = time.to_string();
        text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
    };
    v1::SafetyWindow {
        days: window.days.iter().map(name).collect(),
        from: time(window.from),
        to: time(window.to),
    }
}

/// Days are named as in the configuration.
fn name(day: &impl Serialize) -> String {
    let value = serde_json::to_value(day).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn freeze(freeze: &Freeze) -> v1::SafetyFreeze {
    v1::SafetyFreeze {
        from_us: freeze.from.as_microsecond(),
        to_us: freeze.to.as_microsecond(),
        reason: freeze.reason.clone(),
        allow_critical: freeze.allow_critical,
    }
}

fn policy(policy: &PolicySource) -> v1::SafetyPolicy {
    let effect = match policy.effect {
        Effect::Deny => "deny",
        Effect::RequireApproval => "require_approval",
    };
    v1::SafetyPolicy {
        name: policy.name.clone(),
        effect: effect.to_owned(),
        expression: policy.expression.clone(),
        reason: policy.reason.clone(),
    }
}

const fn bar(bar: Bar) -> v1::SafetyBar {
    v1::SafetyBar {
        confidence: bar.confidence,
        risk: bar.risk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_as_they_are_written() {
        let text = r#"
            [safety]
            time_zone = "Europe/Berlin"
            [[safety.windows]]
            days = ["saturday"]
            from = "02:00"
            to = "05:30"
            [[safety.freezes]]
            from = "2026-12-20T00:00:00Z"
            to = "2027-01-02T00:00:00Z"
            reason = "holidays"
            [[safety.policies]]
            name = "tier 1"
            effect = "deny"
            expression = "entity.tier == 1"
        "#;
        let told = of(&crate::Config::parse(text, "test").unwrap().safety);
        assert_eq!(told.time_zone, "Europe/Berlin");
        let window = &told.windows[0];
        assert_eq!(window.days, ["saturday"]);
        assert_eq!((&*window.from, &*window.to), ("02:00", "05:30"));
        assert_eq!(
            told.freezes[0].to_us - told.freezes[0].from_us,
            13 * 86_400_000_000
        );
        assert_eq!(
            (&*told.policies[0].name, &*told.policies[0].effect),
            ("tier 1", "deny")
        );
        assert!(told.act.is_some() && told.ask.is_some());
    }
}

//! What people read: what is wrong, how much, and why something helps.

use super::checks::is_oom;
use crate::Class;
use crate::strategy::Case;

/// What is wrong, in one line.
pub(super) fn told(case: &Case) -> String {
    let more: &[&str] = match case.class {
        Class::ProcessCrash => &["reason", "exit_code", "restarts"],
        Class::CpuSaturation | Class::MemoryExhaustion | Class::DiskExhaustion => &["limit"],
        Class::NetworkLatency => &["dependency", "errors_ratio"],
        Class::SlowQueries => &["table", "longest_s", "sessions_idle"],
        Class::CertificateExpiry => &["not_after", "issuer", "renewal"],
        Class::Vulnerability => &["id", "package", "installed", "fixed", "severity"],
        Class::ConfigurationDrift => &["path", "lines_changed", "sensitive"],
    };
    let class = case.class.name().replace('_', " ");
    let mut text = format!(
        "{class}: {} at {} (threshold {})",
        plain(&case.signal),
        amount(case.value, if case.unit == "ratio" { "ratio" } else { "" }),
        amount(case.threshold, &case.unit)
    );
    if !case.cause.is_empty() {
        text += &format!(", cause {}", plain(&case.cause));
    }
    match case.ttf_s {
        Some([_, median_s, _]) if !case.is_present => text += &format!(", {} left", time(median_s)),
        Some(_) | None => {}
    }
    for name in more {
        if let Some(value) = case.fact(name) {
            text += &format!(", {} {}", name.replace('_', " "), plain(value));
        }
    }
    text
}

/// A number as people read it: shares in percent, all else with at most three decimals.
pub(in crate::strategy) fn amount(value: f64, unit: &str) -> String {
    if unit == "ratio" {
        return format!("{:.0} %", value * 100.0);
    }
    let rounded = (value * 1000.0).round() / 1000.0;
    format!("{rounded} {}", plain(unit)).trim_end().to_owned()
}

/// Seconds as people read them.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// Who does the work while one of `n` is away.
pub(in crate::strategy) fn others_do(n: u32) -> String {
    match n.saturating_sub(1) {
        1 => "another does".to_owned(),
        others => format!("{others} others do"),
    }
}

/// A text from outside, fit for one line: no control characters, 120 characters at most.
pub(in crate::strategy) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Why a restart helps.
pub(in crate::strategy) fn restart_helps(case: &Case) -> String {
    let entity = &case.entity;
    let is_crash = case.class == Class::ProcessCrash;
    if is_crash && is_oom(case) {
        format!("{entity} was killed for its memory, and runs again until it needs as much")
    } else if is_crash && case.is_present {
        format!("{entity} crashed, and most of what crashes once runs after a restart")
    } else if case.cause == "leak" {
        format!("what {entity} does not give back is given back by a restart")
    } else {
        format!("whatever {entity} is stuck in ends with a restart")
    }
}

//! How bad an issue is, and how soon something has to be done.

use super::Urgency;
use super::tier::tier;
use crate::issue::Severity;
use crate::strategy::Case;
use crate::{Area, Class};

/// What can wait for hours is not urgent.
const HOUR_S: f64 = 3600.0;

/// Impact, 0 to 1: who suffers.
fn impact(case: &Case) -> f64 {
    let reach = 1.0 - 1.0 / (1.0 + f64::from(case.around.n_affected) / 4.0);
    (tier(case.around.tier).impact + 0.3 * reach).min(1.0)
}

/// Urgency, 0 to 1: how soon and how surely.
fn urgency(case: &Case) -> f64 {
    match case.class {
        Class::CertificateExpiry => match case.number("days_left") {
            Some(days) if days <= 1.0 => 1.0,
            Some(days) if days <= 7.0 => 0.7,
            Some(days) if days <= 14.0 => 0.5,
            _ => 0.3,
        },
        Class::Vulnerability => match case.fact("severity") {
            Some("critical" | "CRITICAL") => 0.8,
            Some("high" | "HIGH") => 0.5,
            Some("medium" | "MEDIUM") => 0.3,
            _ => 0.15,
        },
        Class::ConfigurationDrift => match case.is("sensitive") {
            true => 0.7,
            false => 0.35,
        },
        Class::ProcessCrash
        | Class::CpuSaturation
        | Class::MemoryExhaustion
        | Class::DiskExhaustion
        | Class::NetworkLatency
        | Class::SlowQueries => {
            if case.is_at_hand {
                return 0.9;
            }
            let soon = case
                .ttf_s
                .map_or(0.0, |ttf_s| 1.0 / (1.0 + ttf_s[1] / HOUR_S));
            let soon = case.probability.max(soon * case.probability_day);
            let foreseen = (0.3 * case.probability_day + 0.6 * soon).min(0.9);
            if case.is_present {
                foreseen.max(0.5)
            } else {
                foreseen
            }
        }
    }
}

/// The severity of a product of impact and urgency. Trouble that is at hand (0.9) is critical at tier 1, and at tier 2 where
/// others depend on it; high at tier 2 and 3; medium at the tiers below.
fn of_score(score: f64) -> Severity {
    match score {
        s if s >= 0.70 => Severity::Critical,
        s if s >= 0.35 => Severity::High,
        s if s >= 0.18 => Severity::Medium,
        s if s >= 0.08 => Severity::Low,
        _ => Severity::Info,
    }
}

/// An issue is taken to be less bad only when it is so by this share: numbers that waver about a bound say nothing new.
const LESS: f64 = 0.8;

/// How bad a case is that was this bad `before`, with the reason.
#[must_use]
pub fn severity(case: &Case, before: Severity) -> (Severity, String) {
    let (impact, urgency) = (impact(case), urgency(case));
    let score = impact * urgency;
    let severity = match of_score(score) {
        now if now < before => of_score(score / LESS).min(before),
        now => now,
    };
    let because = format!(
        "impact {impact:.2} (tier {}, {} services) times urgency {urgency:.2}",
        case.around.tier, case.around.n_affected
    );
    (severity, because)
}

/// When something has to be done about a case by a strategy that takes `needs_s`, approval included.
#[must_use]
pub(super) fn when(case: &Case, severity: Severity, needs_s: f64) -> Urgency {
    let early_s = case.ttf_s.map(|ttf_s| ttf_s[0]);
    let is_soon = early_s.is_some_and(|early_s| early_s < 2.0 * needs_s + 600.0);
    let is_security = case.class.area() == Area::Security;
    match (is_security, case.is_at_hand || is_soon) {
        (false, true) if severity >= Severity::Medium => Urgency::Now,
        (true, _) if severity >= Severity::Critical => Urgency::Now,
        (false, _) if case.probability >= 0.8 => Urgency::Now,
        (false, true) => Urgency::NextWindow,
        (false, false) if case.probability_day >= 0.5 => Urgency::NextWindow,
        (true, _) if severity >= Severity::High => Urgency::NextWindow,
        (true | false, _) => Urgency::PlannedWindow,
    }
}

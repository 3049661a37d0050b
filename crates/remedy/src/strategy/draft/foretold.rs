//! Effects that can be judged, and how well something fits.

use super::words::{amount, plain};
use crate::Class;
use crate::strategy::{Case, Effect, Unfit};

/// Share of the predicted move that counts as an improvement. A third: half of a half-hearted effect is still worth keeping,
/// and what a series does by itself within minutes is less.
const LEAST: f64 = 1.0 / 3.0;

/// The level of the case goes to `to`.
///
/// # Errors
/// When it would not move, or not in the right direction: down, but for the days that a certificate is left.
pub(in crate::strategy) fn effect(case: &Case, to: f64, within_s: f64) -> Result<Effect, Unfit> {
    let from = case.value;
    let gain = match case.class {
        Class::CertificateExpiry => to - from,
        Class::ProcessCrash
        | Class::CpuSaturation
        | Class::MemoryExhaustion
        | Class::DiskExhaustion
        | Class::NetworkLatency
        | Class::SlowQueries
        | Class::Vulnerability
        | Class::ConfigurationDrift => from - to,
    };
    let least = gain * LEAST;
    // An unbelievably small move has no least part, an unbelievably large one no end.
    if !(least.is_normal() && least > 0.0 && from.is_finite() && gain.is_finite()) {
        return Err(Unfit::because(format!(
            "{} is {}, and that would be no better after it",
            plain(&case.signal),
            amount(from, &case.unit)
        )));
    }
    Ok(Effect {
        signal: case.signal.clone(),
        unit: case.unit.clone(),
        from,
        to,
        least,
        within_s,
    })
}

/// What is there or not is gone: a vulnerable package, a file that differs. 1 to 0 findings, or whatever they are told in.
pub(in crate::strategy) fn gone(case: &Case, within_s: f64) -> Effect {
    effect(case, 0.0, within_s).unwrap_or_else(|_| finding_gone(case, within_s))
}

/// The finding is taken back, by people: for what changes nothing itself, and is not held against a level.
pub(in crate::strategy) fn finding_gone(case: &Case, within_s: f64) -> Effect {
    Effect {
        signal: case.signal.clone(),
        unit: "findings".to_owned(),
        from: 1.0,
        to: 0.0,
        least: 0.5,
        within_s,
    }
}

/// A crash does not come back. Half an hour, because who restarts what crashes waits up to five minutes between attempts.
pub(in crate::strategy) fn stays_up(case: &Case) -> Effect {
    match &*case.unit {
        // Not yet: what it will crash of runs out.
        "ratio" | "percent" => calm(case, 1800.0).unwrap_or_else(|_| finding_gone(case, 1800.0)),
        _ => gone(case, 1800.0),
    }
}

/// The level after a start: what findings say it was, or else 0.4 of the threshold. A crash stays away.
pub(in crate::strategy) fn fresh(case: &Case) -> Result<Effect, Unfit> {
    if case.class == Class::ProcessCrash {
        return Ok(stays_up(case));
    }
    let level = case.number("level_after_start");
    effect(case, level.unwrap_or(case.threshold * 0.4), 600.0)
}

/// The level when the trouble is over: what it usually is, or else half of the threshold.
pub(in crate::strategy) fn calm(case: &Case, within_s: f64) -> Result<Effect, Unfit> {
    let level = case
        .number("baseline")
        .filter(|&level| level < case.threshold);
    effect(case, level.unwrap_or(case.threshold * 0.5), within_s)
}

/// How well something fits by the cause; `otherwise` for one that `table` does not name.
///
/// What does not move towards its limit mostly wants nothing; when it is above already, it may. What waits for something
/// else is not helped at its own place.
pub(in crate::strategy) fn by_cause(case: &Case, table: &[(&str, f64)], otherwise: f64) -> f64 {
    let named = table.iter().find(|(cause, _)| *cause == case.cause);
    let share = match &*case.cause {
        "steady" | "cycle" | "warm-up" if case.is_present => 0.5,
        "steady" | "cycle" | "warm-up" => 0.2,
        "dependency" => 0.2,
        _ => 1.0,
    };
    named.map_or(otherwise * share, |(_, fit)| *fit)
}

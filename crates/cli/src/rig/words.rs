//! What a run says to people.

use std::io::Write;

use ::rig::{Outcome, Spec};
use series::{Timestamp, Unit};

use crate::dates::{TimeForm, duration};
use crate::numbers::human;

/// `41.2 MiB of 64 MiB`.
pub(super) fn level(used: f64, limit: f64, unit: &str) -> String {
    format!("{} of {}", quantity(used, unit), quantity(limit, unit))
}

fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => human(value, Unit::Bytes),
        "s" => format!("{} p95", human(value, Unit::Seconds)),
        "ratio" => format!("{} failed", human(value, Unit::Ratio)),
        _ => format!("{value} {unit}"),
    }
}

/// What happened, when, and what shows it.
pub(super) fn outcome(out: &mut dyn Write, spec: &Spec, outcome: &Outcome) -> std::io::Result<()> {
    let truth = &outcome.truth;
    let kind = spec.kind.name();
    let clock = |at_s: f64| {
        Timestamp::from_secs_f64(at_s).map_or_else(String::new, |at| TimeForm::Date.write(at))
    };
    match truth.exhaustion_ts.zip(outcome.exhausted_after_s) {
        Some((at_s, after_s)) => {
            writeln!(
                out,
                "{kind} ran out {} after the start, at {} UTC",
                duration(after_s),
                clock(at_s)
            )?;
        }
        None => writeln!(
            out,
            "{kind} did not run out in {}",
            duration(truth.end_ts - truth.start_ts)
        )?,
    }
    if let Some(evidence) = &truth.evidence {
        writeln!(out, "  evidence  {evidence}")?;
    }
    writeln!(
        out,
        "  limit     {}",
        quantity(spec.limit, spec.kind.unit(spec.mechanism))
    )?;
    let onset = match truth.onset_ts {
        Some(onset_ts) => format!(
            "the fault began {} after the start",
            duration(onset_ts - truth.start_ts)
        ),
        None => "there was no fault".to_owned(),
    };
    writeln!(
        out,
        "  shape     {}, seed {}; {onset}",
        truth.variant, truth.seed
    )
}

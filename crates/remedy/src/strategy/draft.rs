//! What drafts are made of: steps with what undoes them, effects that can be judged, and checks that say what is missing.

use super::{Case, Effect, Step, Unfit};
use crate::action::Action;
use crate::{Class, EntityId, Kind};

/// A step, with what undoes it where something does.
pub(super) fn step(action: Action, timeout_s: f64) -> Step {
    Step {
        inverse: inverse(&action),
        action,
        timeout_s,
    }
}

/// Takes `target` out of the balance, does `between`, and puts it back. Putting it back is not undone: what it was taken
/// out for is over then.
pub(super) fn while_drained(target: &EntityId, drain_s: f64, between: Vec<Step>) -> Vec<Step> {
    let drain = Action::Drain {
        target: target.clone(),
        timeout_s: drain_s,
    };
    let undrain = Action::Undrain {
        target: target.clone(),
    };
    // The executor's own time on top: giving up a drain is its answer, not its silence.
    let mut steps = vec![step(drain, drain_s + 60.0)];
    steps.extend(between);
    steps.push(step(undrain, 60.0));
    steps
}

/// What brings back what was, if anything does.
///
/// A snapshot has none: bringing it back loses what was written since, and that is for people. What ends a measure
/// (`undrain`, `release`, …) has none either: nobody wants the measure back because a later step failed.
pub(super) fn inverse(action: &Action) -> Option<Action> {
    let target = action.target().clone();
    match action.clone() {
        Action::Scale { from, to, .. } => Some(Action::Scale {
            target,
            from: to,
            to: from,
        }),
        Action::SetLimit {
            limit, from, to, ..
        } => Some(Action::SetLimit {
            target,
            limit,
            from: to,
            to: from,
        }),
        Action::SetParameter {
            parameter, from, to, ..
        } => Some(Action::SetParameter {
            target,
            parameter,
            from: to,
            to: from,
        }),
        Action::SetPackage {
            package, from, to, ..
        } => Some(Action::SetPackage {
            target,
            package,
            from: to,
            to: from,
        }),
        Action::ApplyConfiguration { from, to, .. } => Some(Action::RevertConfiguration {
            target,
            from: to,
            to: from,
        }),
        Action::RevertConfiguration { from, to, .. } => Some(Action::ApplyConfiguration {
            target,
            from: to,
            to: from,
        }),
        Action::FailOver { from, to, .. } => Some(Action::FailOver {
            target,
            from: to,
            to: from,
        }),
        Action::CreateIndex { table, columns, .. } => Some(Action::DropIndex {
            target,
            table,
            columns,
        }),
        Action::DropIndex { table, columns, .. } => Some(Action::CreateIndex {
            target,
            table,
            columns,
        }),
        Action::Drain { .. } => Some(Action::Undrain { target }),
        Action::Quarantine { .. } => Some(Action::Release { target }),
        Action::ShedLoad { .. } => Some(Action::AdmitLoad { target }),
        Action::OpenBreaker { callee, .. } => Some(Action::CloseBreaker { target, callee }),
        Action::PauseJobs { .. } => Some(Action::ResumeJobs { target }),
        Action::RenewCertificate { .. } => Some(Action::RestoreCertificate { target }),
        // Whatever lies there by then is read once more.
        Action::Reload { .. } => Some(Action::Reload { target }),
        Action::Restart { .. }
        | Action::Undrain { .. }
        | Action::ClearCache { .. }
        | Action::RemoveFiles { .. }
        | Action::RotateLogs { .. }
        | Action::GrowVolume { .. }
        | Action::Snapshot { .. }
        | Action::RestoreSnapshot { .. }
        | Action::CancelQueries { .. }
        | Action::EndIdleSessions { .. }
        | Action::Analyze { .. }
        | Action::RestoreCertificate { .. }
        | Action::Release { .. }
        | Action::AdmitLoad { .. }
        | Action::CloseBreaker { .. }
        | Action::ResumeJobs { .. }
        | Action::Capture { .. }
        | Action::Notify { .. } => None,
    }
}

/// Writes down `what` of `target`.
pub(super) fn capture(target: &EntityId, what: &str) -> Step {
    let capture = Action::Capture {
        target: target.clone(),
        what: what.to_owned(),
    };
    step(capture, 120.0)
}

/// Writes down what `target` has loaded, and when the steps after it are undone, makes it read again what lies there then.
///
/// Steps are undone in reverse order. Without this, undoing "put a file in place, reload" would reload first and put the
/// old file back afterwards, and the new one would stay loaded.
pub(super) fn reload_when_undone(target: &EntityId, what: &str) -> Step {
    Step {
        inverse: Some(Action::Reload {
            target: target.clone(),
        }),
        ..capture(target, what)
    }
}

/// Tells the owner: what is wrong, and what is `asked` of them.
pub(super) fn notify(case: &Case, asked: &str) -> Step {
    let owner = case.around.owner.as_deref().map(plain);
    let notify = Action::Notify {
        target: case.entity.clone(),
        whom: owner.filter(|owner| !owner.is_empty()).unwrap_or_else(|| "on-call".to_owned()),
        message: format!("{}. {asked}", told(case)),
    };
    step(notify, 60.0)
}

/// What is wrong, in one line.
fn told(case: &Case) -> String {
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
        "{class}: {} is {}, threshold {}",
        plain(&case.signal),
        amount(case.value, &case.unit),
        amount(case.threshold, &case.unit)
    );
    if !case.cause.is_empty() {
        text += &format!(", cause {}", plain(&case.cause));
    }
    match case.ttf_s {
        Some([_, median_s, _]) if !case.is_present => {
            text += &format!(", {:.0} min left", median_s / 60.0);
        }
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
pub(super) fn amount(value: f64, unit: &str) -> String {
    if unit == "ratio" {
        return format!("{:.0} %", value * 100.0);
    }
    let rounded = (value * 1000.0).round() / 1000.0;
    format!("{rounded} {}", plain(unit)).trim_end().to_owned()
}

/// A text from outside, fit for one line: no control characters, 120 characters at most.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Share of the predicted move that counts as an improvement. A third: half of a half-hearted effect is still worth keeping,
/// and what a series does by itself within minutes is less.
const LEAST: f64 = 1.0 / 3.0;

/// The level of the case goes to `to`.
///
/// # Errors
/// When it would not move, or not in the right direction: down, but for the days that a certificate is left.
pub(super) fn effect(case: &Case, to: f64, within_s: f64) -> Result<Effect, Unfit> {
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

/// The finding is taken back: for what is there or not, and where no level can be foretold.
pub(super) fn finding_gone(case: &Case, within_s: f64) -> Effect {
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
pub(super) fn stays_up(case: &Case) -> Effect {
    let restarts = (case.unit == "restarts").then(|| effect(case, 0.0, 1800.0));
    restarts.and_then(Result::ok).unwrap_or_else(|| finding_gone(case, 1800.0))
}

/// The level after a start: what findings say it was, or else 0.4 of the threshold. A crash stays away.
pub(super) fn fresh(case: &Case) -> Result<Effect, Unfit> {
    if case.class == Class::ProcessCrash {
        return Ok(stays_up(case));
    }
    let level = case.number("level_after_start");
    effect(case, level.unwrap_or(case.threshold * 0.4), 600.0)
}

/// The level when the trouble is over: what it usually is, or else half of the threshold.
pub(super) fn calm(case: &Case, within_s: f64) -> Result<Effect, Unfit> {
    let level = case.number("baseline").filter(|&level| level < case.threshold);
    effect(case, level.unwrap_or(case.threshold * 0.5), within_s)
}

/// How well something fits by the cause; `otherwise` for one that `table` does not name.
///
/// What does not move towards its limit mostly wants nothing; when it is above already, it may. What waits for something
/// else is not helped at its own place.
pub(super) fn by_cause(case: &Case, table: &[(&str, f64)], otherwise: f64) -> f64 {
    let named = table.iter().find(|(cause, _)| *cause == case.cause);
    let share = match &*case.cause {
        "steady" | "cycle" | "warm-up" if case.is_present => 0.5,
        "steady" | "cycle" | "warm-up" => 0.2,
        "dependency" => 0.2,
        _ => 1.0,
    };
    named.map_or(otherwise * share, |(_, fit)| *fit)
}

/// Passes when the entity is one of these.
pub(super) fn only(case: &Case, kinds: &[Kind]) -> Result<(), Unfit> {
    if kinds.contains(&case.entity.kind()) {
        return Ok(());
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let names = names.join(" or ");
    Err(Unfit::because(format!("{} is no {names}", case.entity)))
}

/// Passes unless it is said of the entity that no plan restarts it.
pub(super) fn may_restart(case: &Case) -> Result<(), Unfit> {
    if case.forbids("restart") {
        return Err(Unfit::because(format!(
            "{} is never restarted by a plan: its attribute `restart` is no",
            case.entity
        )));
    }
    if case.cause == "warm-up" {
        return Err(Unfit::because(format!(
            "{} is warming up, and would begin anew",
            case.entity
        )));
    }
    Ok(())
}

/// Passes when the others can carry the load while one of `n` is away.
pub(super) fn room_without_one(case: &Case, n: u32) -> Result<(), Unfit> {
    if n < 2 {
        return Err(Unfit::because(format!(
            "nobody else is known that can do the work of {} meanwhile",
            case.entity
        )));
    }
    let load = case.number("load_ratio").unwrap_or(0.0);
    let load = load * f64::from(n) / f64::from(n - 1);
    if load > 0.9 {
        return Err(Unfit::because(format!(
            "without {} the others would be at {:.0} % of what they can carry",
            case.entity,
            load * 100.0
        )));
    }
    Ok(())
}

/// Who is asked to read a file or certificate again: the service, where one is known.
pub(super) fn reader(case: &Case) -> &EntityId {
    case.around.service.as_ref().unwrap_or(&case.entity)
}

/// Passes unless it was built into an image.
pub(super) fn may_change_in_place(case: &Case) -> Result<(), Unfit> {
    if case.warns("immutable") {
        return Err(Unfit::because(format!(
            "{} comes from an image, and a change in place is gone at the next start: build it anew",
            case.entity
        )));
    }
    Ok(())
}

/// A limit that is raised.
pub(super) struct Raise {
    /// What it is.
    pub(super) from: f64,
    /// What it shall be.
    pub(super) to: f64,
}

/// The limit of the case times `factor`, up to `ceiling`.
///
/// # Errors
/// When the limit is not known, or is less than a tenth below the ceiling: not worth a change.
pub(super) fn raise(case: &Case, what: &str, factor: f64, ceiling: f64) -> Result<Raise, Unfit> {
    let entity = &case.entity;
    let from = case.number("limit").filter(|&limit| limit > 0.0);
    let from = from.ok_or_else(|| Unfit::because(format!("the {what} of {entity} is not known")))?;
    let to = (from * factor).min(ceiling);
    if !(to.is_finite() && to >= from * 1.1) {
        return Err(Unfit::because(format!(
            "the {what} of {entity} is {from} already, and may be at most {ceiling}"
        )));
    }
    Ok(Raise { from, to })
}

impl Raise {
    /// The step that raises it.
    pub(super) fn step(&self, target: &EntityId, limit: &str) -> Step {
        let set = Action::SetLimit {
            target: target.clone(),
            limit: limit.to_owned(),
            from: self.from,
            to: self.to,
        };
        step(set, 120.0)
    }

    /// The share that is used falls as the limit rises, at once. A level in another unit stays where it is, and the finding
    /// goes away.
    pub(super) fn effect(&self, case: &Case) -> Result<Effect, Unfit> {
        match &*case.unit {
            "ratio" | "percent" => effect(case, case.value * (self.from / self.to), 180.0),
            "restarts" => Ok(stays_up(case)),
            _ => Ok(finding_gone(case, 600.0)),
        }
    }
}

/// The fact as a name that is safe in a statement: letters, digits and underscores, with dots between; the executor need not
/// trust what a query log says.
pub(super) fn identifier(text: &str) -> Option<&str> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let text = text.trim();
    (text.len() <= 128 && text.split('.').all(is_part)).then_some(text)
}

/// The fact under `name` as that of a package or version: what package managers allow, and no option.
pub(super) fn package_word<'a>(case: &'a Case, name: &str) -> Result<&'a str, Unfit> {
    let word = case.fact(name).ok_or_else(|| {
        Unfit::because(format!("`{name}` of {} is not known", case.entity))
    })?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._+:~@/-".contains(c);
    let is_word = word.len() <= 128
        && word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@')
        && word.chars().all(is_allowed);
    if !is_word {
        return Err(Unfit::because(format!(
            "`{name}` of {} is {:?}, and that is no name or version of a package",
            case.entity,
            plain(word)
        )));
    }
    Ok(word)
}

/// The fact `dependency` as an entity other than this one.
pub(super) fn dependency(case: &Case) -> Result<EntityId, Unfit> {
    let named = case.fact("dependency").and_then(|text| text.parse().ok());
    named.filter(|callee| *callee != case.entity).ok_or_else(|| {
        Unfit::because(format!("what {} waits for is not known", case.entity))
    })
}

/// The share of a service that one of its instances is.
pub(super) fn one_of(replicas: u32) -> f64 {
    1.0 / f64::from(replicas.max(1))
}

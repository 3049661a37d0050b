//! What must be known, or must not be so, before something is drafted.

use super::words::plain;
use crate::strategy::{Case, Unfit};
use crate::{EntityId, Kind};

/// Passes when the entity is one of these.
pub(in crate::strategy) fn only(case: &Case, kinds: &[Kind]) -> Result<(), Unfit> {
    if kinds.contains(&case.entity.kind()) {
        return Ok(());
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let names = names.join(" or ");
    Err(Unfit::because(format!("{} is no {names}", case.entity)))
}

/// Passes unless it is said of the entity that no plan restarts it.
pub(in crate::strategy) fn may_restart(case: &Case) -> Result<(), Unfit> {
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

/// Whether it was killed for its memory.
pub(in crate::strategy) fn is_oom(case: &Case) -> bool {
    case.cause == "oom" || case.fact("reason") == Some("OOMKilled")
}

/// Passes when the others can carry the load while one of `n` is away.
pub(in crate::strategy) fn room_without_one(case: &Case, n: u32) -> Result<(), Unfit> {
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

/// Passes unless it was built into an image.
pub(in crate::strategy) fn may_change_in_place(case: &Case) -> Result<(), Unfit> {
    if case.warns("immutable") {
        return Err(Unfit::because(format!(
            "{} comes from an image, and a change in place is gone at the next start: build it anew",
            case.entity
        )));
    }
    Ok(())
}

/// The fact as a name that is safe in a statement: letters, digits and underscores, with dots between; the executor need not
/// trust what a query log says.
pub(in crate::strategy) fn identifier(text: &str) -> Option<&str> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let text = text.trim();
    (text.len() <= 128 && text.split('.').all(is_part)).then_some(text)
}

/// The fact under `name` as that of a package or version: what package managers allow, and no option.
pub(in crate::strategy) fn package_word<'a>(case: &'a Case, name: &str) -> Result<&'a str, Unfit> {
    let word = case
        .fact(name)
        .ok_or_else(|| Unfit::because(format!("`{name}` of {} is not known", case.entity)))?;
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
pub(in crate::strategy) fn dependency(case: &Case) -> Result<EntityId, Unfit> {
    let named = case.fact("dependency").and_then(|text| text.parse().ok());
    named
        .filter(|callee| *callee != case.entity)
        .ok_or_else(|| Unfit::because(format!("what {} waits for is not known", case.entity)))
}

/// Who is asked to read a file or certificate again: the service, where one is known.
pub(in crate::strategy) fn reader(case: &Case) -> &EntityId {
    case.around.service.as_ref().unwrap_or(&case.entity)
}

/// The share of a service that one of its instances is.
pub(in crate::strategy) fn one_of(replicas: u32) -> f64 {
    1.0 / f64::from(replicas.max(1))
}

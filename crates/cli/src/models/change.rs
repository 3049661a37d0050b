//! `forestall models promote`, `rollback` and `gc`.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use series::Unit;
use server::models::{PromoteError, prepare};
use store::models::{Name, Promotion, Version};

use super::compare::{self, Samples};
use super::list;
use super::place::{Opened, Place, now};
use crate::hint::WithHint;
use crate::numbers::human;

#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    /// The model
    name: Name,
    /// The version
    version: Version,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    /// Promote although no comparison with the present champion was passed; say why
    #[arg(long, value_name = "REASON", conflicts_with_all = ["data", "since"])]
    force: Option<String>,
    #[command(flatten)]
    samples: Samples,
    #[command(flatten)]
    place: Place,
}

pub(super) fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let PromoteArgs { name, version, .. } = args;
    if args
        .force
        .as_ref()
        .is_some_and(|reason| reason.trim().is_empty())
    {
        bail!("--force wants a reason");
    }
    let mut out = std::io::stdout().lock();
    if args.samples.data.is_some() {
        let report = compare::judge(&opened, name, *version, None, &args.samples)?;
        writeln!(out, "{report}\n")?;
        if !report.passed() {
            bail!("{} did not pass; the champion stays", report.candidate);
        }
    }
    let ready = prepare(
        &opened.registry,
        &opened.loader,
        name,
        *version,
        args.force.as_deref(),
    );
    let ready = ready.map_err(|error| {
        let needs_gate = matches!(error, PromoteError::NoGate { .. });
        let error = anyhow::Error::new(error);
        match needs_gate {
            true => error.hint(format!(
                "`forestall models compare {name} {version} --data DIR` compares; --force REASON does without"
            )),
            false => error,
        }
    })?;
    let promotion = Promotion {
        from: ready.from,
        to: *version,
        action: ready.action,
        why: args.force.as_deref().unwrap_or(&args.why),
    };
    opened.registry.promote(name, promotion, now())?;
    let before = shown(&opened, name, ready.from)?;
    writeln!(
        out,
        "{name}/{version} is the champion, {before} was it; {}",
        opened.afterwards()
    )?;
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The model
    name: Name,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    place: Place,
}

pub(super) fn rollback(args: &RollbackArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let to = opened.registry.rollback(&args.name, &args.why, now())?;
    let now_serves = shown(&opened, &args.name, to)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{now_serves} is the champion again; {}",
        opened.afterwards()
    )?;
    Ok(())
}

fn shown(opened: &Opened, name: &Name, version: Option<Version>) -> anyhow::Result<String> {
    Ok(match version {
        Some(version) => format!("{name}/{version}"),
        None => match list::none(opened, name)?.as_str() {
            "built in" => "the built-in model".to_owned(),
            _ => "none".to_owned(),
        },
    })
}

#[derive(Debug, Args)]
pub(super) struct GcArgs {
    /// The model; all of them if not given
    name: Option<Name>,
    /// How many of the newest versions to keep, beside the champion and the one before it
    #[arg(long, value_name = "N", default_value_t = 5)]
    keep: usize,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn gc(args: &GcArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let names = match &args.name {
        Some(name) => vec![name.clone()],
        None => opened
            .registry
            .list()?
            .models
            .into_iter()
            .map(|listed| listed.name)
            .collect(),
    };
    let mut out = std::io::stdout().lock();
    for name in names {
        let (versions, size) = if args.dry_run {
            (opened.registry.garbage(&name, args.keep)?, String::new())
        } else {
            let removed = opened.registry.gc(&name, args.keep, now())?;
            let size = format!(", {}", human(removed.bytes as f64, Unit::Bytes));
            (removed.versions, size)
        };
        if versions.is_empty() {
            writeln!(out, "{name}: nothing to remove")?;
            continue;
        }
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        let what = if args.dry_run {
            "would remove"
        } else {
            "removed"
        };
        writeln!(out, "{name}: {what} {}{size}", versions.join(" "))?;
    }
    Ok(())
}

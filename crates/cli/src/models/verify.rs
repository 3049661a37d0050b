//! `forestall models verify`.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use server::models::{told, verify};
use store::models::{Name, Version};

use super::place::{Opened, Place};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The model; all of them if not given
    name: Option<Name>,
    /// The version; all of them if not given
    version: Option<Version>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let wanted: Vec<(Name, Version)> = match (&args.name, args.version) {
        (Some(name), Some(version)) => vec![(name.clone(), version)],
        (name, _) => {
            let models = opened.registry.list()?.models.into_iter();
            let models =
                models.filter(|listed| name.as_ref().is_none_or(|name| name == &listed.name));
            models
                .flat_map(|listed| {
                    let name = listed.name;
                    listed
                        .versions
                        .into_iter()
                        .map(move |version| (name.clone(), version))
                })
                .collect()
        }
    };
    let mut out = std::io::stdout().lock();
    if wanted.is_empty() {
        writeln!(
            out,
            "there is nothing to verify in {}",
            opened.registry.root().display()
        )?;
        return Ok(());
    }
    let mut n_broken = 0;
    for (name, version) in &wanted {
        match one(&opened, name, *version) {
            Ok(n_steps) => writeln!(
                out,
                "{name}/{version}  fine: {n_steps} golden steps as expected"
            )?,
            Err(why) => {
                n_broken += 1;
                writeln!(out, "{name}/{version}  refused: {why}")?;
            }
        }
    }
    match n_broken {
        0 => Ok(()),
        n => bail!("{n} of {} versions cannot be used", wanted.len()),
    }
}

fn one(opened: &Opened, name: &Name, version: Version) -> Result<usize, String> {
    let bundle = opened.registry.read(name, version).map_err(|e| told(&e))?;
    let verified = verify(&opened.loader, &bundle).map_err(|e| told(&e))?;
    Ok(verified.n_steps)
}

//! One run, with a line that moves while it goes on and a few words at its end.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use ::rig::{Episode, Seen, Spec};
use anyhow::Context;
use indicatif::ProgressBar;

use super::RigArgs;
use super::feed::Feed;
use super::words;
use crate::dates::duration;
use crate::hint::WithHint;
use crate::interrupt::Interrupt;
use crate::numbers::grouped;
use crate::progress;

pub(super) fn run(
    args: &RigArgs,
    spec: &Spec,
    program: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    // What cannot be written or reached is told before anything runs out.
    spec.check()?;
    let mut episode = args
        .out
        .as_deref()
        .map(|folder| {
            create(folder, spec).map_err(|error| {
                let seed = spec.seed;
                error.hint(format!(
                    "a recording has the name of what decides it: another --seed than {seed} gives another"
                ))
            })
        })
        .transpose()?;
    let mut feed = args
        .into
        .as_deref()
        .map(|address| {
            Feed::open(
                address,
                &args.trust,
                format!("rig-{}-{}", spec.kind.name(), std::process::id()),
            )
        })
        .transpose()?;
    let bar = progress::level(spec.kind.name());
    let mut trouble = None;
    let outcome = ::rig::run(spec, program, &mut |seen| {
        let well = show(&seen, spec, &bar, episode.as_mut(), feed.as_mut());
        match well {
            Ok(()) => interrupt.flow(),
            Err(error) => {
                trouble = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    bar.finish_and_clear();
    if let Some(error) = trouble {
        return Err(error);
    }
    let mut outcome = outcome?;
    let mut out = std::io::stdout().lock();
    words::outcome(&mut out, spec, &outcome)?;
    if let Some(episode) = episode {
        outcome.truth.rows = episode.rows();
        let rows = episode.rows();
        let path = episode.finish(&outcome.truth)?;
        writeln!(
            out,
            "  written   {}, {} rows, and the truth beside it",
            path.display(),
            grouped(rows)
        )?;
    }
    if let Some(feed) = feed {
        let pushed = feed.close()?;
        writeln!(out, "  pushed    {} samples", grouped(pushed))?;
    }
    Ok(())
}

/// Begins a recording.
pub(super) fn create(folder: &Path, spec: &Spec) -> anyhow::Result<Episode> {
    Episode::create(folder, &spec.id()).context("beginning the recording")
}

fn show(
    seen: &Seen<'_>,
    spec: &Spec,
    bar: &ProgressBar,
    episode: Option<&mut Episode>,
    feed: Option<&mut Feed>,
) -> anyhow::Result<()> {
    match seen {
        Seen::Moment => {}
        Seen::Note(note) => {
            bar.suspend(|| eprintln!("{note}"));
        }
        Seen::Scrape {
            at_s,
            elapsed_s,
            samples,
            level,
            unit,
            exhausted,
        } => {
            if let Some(episode) = episode {
                episode.scrape(*at_s, samples)?;
            }
            if let Some(feed) = feed {
                feed.push(*at_s, samples)?;
            }
            let level_text =
                level.map_or_else(String::new, |(used, limit)| words::level(used, limit, unit));
            #[expect(clippy::cast_sign_loss, reason = "clamped to what is above 0")]
            let per_mille = level.map_or(0, |(used, limit)| {
                (1e3 * used / limit).clamp(0.0, 1e3) as u64
            });
            let end = if *exhausted { "  ran out" } else { "" };
            bar.set_position(per_mille);
            bar.set_message(format!(
                "{level_text:<32}  {} of {}{end}",
                duration(*elapsed_s),
                duration(spec.length_s)
            ));
        }
    }
    Ok(())
}

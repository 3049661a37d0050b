//! All runs of a plan, some beside each other.

use std::collections::VecDeque;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use ::rig::{Plan, RunError, Seen, Spec, Truth};
use anyhow::{Context, bail};

use super::one::create;
use crate::hint::WithHint;
use crate::interrupt::Interrupt;
use crate::numbers::grouped;
use crate::progress;

pub(super) fn run(
    path: &Path,
    out: &Path,
    jobs: u16,
    program: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(path).with_context(|| format!("reading the plan {}", path.display()))?;
    let plan = Plan::read(&text).with_context(|| format!("in the plan {}", path.display()))?;
    let n = plan.runs.len();
    let bar = progress::items("runs", n as u64);
    let waiting: Mutex<VecDeque<(usize, Spec)>> =
        Mutex::new(plan.runs.into_iter().enumerate().collect());
    let done = Mutex::new(Vec::new());
    // Each run lives in the thread that began it, as its driver must.
    let work = || {
        while interrupt.flow().is_continue() {
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some((index, spec)) = next else { return };
            let name = format!("run {}, {}", index + 1, spec.kind.name());
            let result =
                record(&spec, index, out, program, interrupt).with_context(|| name.clone());
            bar.inc(1);
            bar.suspend(|| eprintln!("{}", line(&name, &spec, &result)));
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(result);
        }
    };
    thread::scope(|scope| {
        for job in 0..usize::from(jobs).min(n) {
            let started = thread::Builder::new().spawn_scoped(scope, work);
            match started {
                Ok(_) => {}
                // Those that did start do the work of this one too.
                Err(_) if job > 0 => break,
                Err(error) => return Err(error).context("starting a thread for the runs"),
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if interrupt.flow().is_break() {
        return Err(RunError::Interrupted)
            .context(format!("{} of {n} runs are recorded", well(&done)));
    }
    let exhausted = done
        .iter()
        .flatten()
        .filter(|truth| truth.exhausted)
        .count();
    let rows = done.iter().flatten().map(|truth| truth.rows).sum();
    writeln!(
        std::io::stdout().lock(),
        "{} of {n} runs recorded in {}: {exhausted} ran out, {} rows",
        well(&done),
        out.display(),
        grouped(rows)
    )?;
    if well(&done) < n {
        bail!(
            "{} of {n} runs failed, for the reasons above",
            n - well(&done)
        );
    }
    Ok(())
}

fn well(done: &[anyhow::Result<Truth>]) -> usize {
    done.iter().flatten().count()
}

fn line(name: &str, spec: &Spec, result: &anyhow::Result<Truth>) -> String {
    match result {
        Ok(truth) => {
            let what = if truth.exhausted {
                "ran out"
            } else {
                "did not run out"
            };
            format!(
                "{name} {}: {what}, {} rows as {}",
                spec.shape.name(),
                grouped(truth.rows),
                truth.id
            )
        }
        Err(error) => format!("error: {}", crate::hint::message(error)),
    }
}

/// One run and its recording.
fn record(
    spec: &Spec,
    index: usize,
    out: &Path,
    program: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Truth> {
    let mut episode = create(out, spec).map_err(|error| {
        let seed = spec.seed;
        error.hint(format!(
            "a recording has the name of what decides it: another seed than {seed} in the plan, or another --out, gives another"
        ))
    })?;
    let mut trouble = None;
    let outcome = ::rig::run(spec, program, &mut |seen| {
        if let Seen::Scrape { at_s, samples, .. } = seen
            && let Err(error) = episode.scrape(at_s, samples)
        {
            trouble = Some(error);
            return ControlFlow::Break(());
        }
        interrupt.flow()
    });
    if let Some(error) = trouble {
        return Err(error.into());
    }
    let mut truth = outcome?.truth;
    truth.index = index;
    truth.rows = episode.rows();
    episode.finish(&truth)?;
    Ok(truth)
}

//! `forestall dataset describe`: what is in it.

use std::io::Write;
use std::path::PathBuf;

use ::dataset::Description;
use clap::Args;
use series::Unit;

use crate::dates::duration;
use crate::numbers::{grouped, human};
use crate::progress;
use crate::table::{Align, Table};

/// Says what is in a data set: its time, its metrics, its gaps, events and faults
#[derive(Debug, Args)]
pub(super) struct DescribeArgs {
    /// The data set's folder
    dir: PathBuf,
    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DescribeArgs) -> anyhow::Result<()> {
    let folder = super::open(&args.dir)?;
    let bar = progress::items("reading", 0);
    let found = ::dataset::describe(&folder, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        return Ok(writeln!(out)?);
    }
    write(&mut out, &args.dir.display().to_string(), &found)?;
    Ok(())
}

fn write(out: &mut dyn Write, name: &str, found: &Description) -> std::io::Result<()> {
    let (from, to) = (found.from.as_deref(), found.to.as_deref());
    write!(
        out,
        "{name}: {} samples of {} series",
        grouped(found.rows),
        grouped(found.series)
    )?;
    match (from, to) {
        (Some(from), Some(to)) => {
            writeln!(out, ", {from} to {to}{}", length(from, to))?;
        }
        _ => writeln!(out)?,
    }
    writeln!(
        out,
        "feature schema {}, written by {}",
        found.schema_hashes.join(" and "),
        found.versions.join(" and ")
    )?;
    for size in &found.tables {
        writeln!(
            out,
            "  {:<10}  {} rows in {} files, {}",
            size.table.folder(),
            grouped(size.rows),
            grouped(size.files),
            human(size.bytes as f64, Unit::Bytes)
        )?;
    }
    for mark in &found.marks {
        writeln!(out, "  marks       {} {}", grouped(mark.count), mark.kind)?;
    }
    for (what, files) in [
        ("not sealed yet", &found.unsealed),
        ("not of the data set", &found.foreign),
    ] {
        if !files.is_empty() {
            writeln!(out, "  {what}: {}", files.join(", "))?;
        }
    }
    if found.metrics.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        ("metric", Align::Left),
        ("samples", Align::Right),
        ("series", Align::Right),
        ("from", Align::Left),
        ("to", Align::Left),
        ("step", Align::Right),
        ("gaps", Align::Right),
        ("events", Align::Right),
        ("in event", Align::Right),
        ("fault", Align::Right),
        ("mitigated", Align::Right),
        ("confirmed", Align::Right),
        ("dismissed", Align::Right),
    ]);
    let share = |x: f64| format!("{:.2} %", x * 100.0);
    for one in &found.metrics {
        table.row([
            one.metric.clone(),
            grouped(one.rows),
            grouped(one.series),
            one.from.clone(),
            one.to.clone(),
            one.step_s.map_or_else(|| "-".to_owned(), duration),
            share(one.gap_share),
            grouped(one.events),
            share(one.event_share),
            share(one.provenance.fault),
            share(one.provenance.mitigated),
            grouped(one.confirmed),
            grouped(one.dismissed),
        ]);
    }
    writeln!(out)?;
    table.write(out, "")
}

/// ` (4d 03h)`; nothing where no calendar reaches.
fn length(from: &str, to: &str) -> String {
    let at = |text: &str| text.parse::<jiff::Timestamp>().ok();
    match (at(from), at(to)) {
        (Some(from), Some(to)) => {
            let seconds = to.duration_since(from).as_secs_f64();
            format!(" ({})", duration(seconds))
        }
        _ => String::new(),
    }
}

//! `forestall dataset list`: the public data sets that can be imported.

use std::io::Write;

use ::dataset::Public;
use clap::Args;

/// Shows the public data sets that can be imported: what, from where, under which licence, how labelled
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only this one
    name: Option<String>,
    /// Write them as JSON, checksums included
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let mut all = ::dataset::public()?;
    if let Some(name) = &args.name {
        all = vec![super::import::named(name)?];
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
        return Ok(());
    }
    for (i, one) in all.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        write(&mut out, one)?;
    }
    Ok(())
}

fn write(out: &mut dyn Write, one: &Public) -> std::io::Result<()> {
    writeln!(out, "{}: {}", one.name, one.title)?;
    let lines = [
        ("what", &one.about),
        ("source", &one.source),
        ("licence", &one.licence),
        ("cite as", &one.citation),
        ("labels", &one.labels.made),
        ("imported", &one.labels.provenance),
    ];
    for (name, text) in lines {
        writeln!(out, "  {name:<8}  {text}")?;
    }
    for (i, file) in one.files.iter().enumerate() {
        let name = if i == 0 { "files" } else { "" };
        writeln!(out, "  {name:<8}  {}: {}", file.path, file.about)?;
    }
    for (i, column) in one.columns.iter().enumerate() {
        let name = if i == 0 { "columns" } else { "" };
        writeln!(
            out,
            "  {name:<8}  {} ({}): {}",
            column.name, column.unit, column.about
        )?;
    }
    writeln!(
        out,
        "  {:<8}  {} of {}",
        "sha256",
        one.sha256.len(),
        one.hashed
    )
}

//! `forestall models show`.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use series::{Timestamp, Unit};
use store::models::{Action, Name, Record, Version};

use super::list;
use super::place::{Opened, Place};
use crate::dates::TimeForm;
use crate::numbers::human;
use crate::table::{Align, Table};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The model
    name: Name,
    /// Show the card of this version
    version: Option<Version>,
    /// How much of the history to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    history: usize,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    match args.version {
        Some(version) => card(&opened, &args.name, version),
        None => model(&opened, &args.name, args.history),
    }
}

fn card(opened: &Opened, name: &Name, version: Version) -> anyhow::Result<()> {
    let bundle = opened.registry.read(name, version)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "# {}",
        opened.registry.version_dir(name, version).display()
    )?;
    let size = |bytes: &[u8]| human(bytes.len() as f64, Unit::Bytes);
    writeln!(
        out,
        "# model.onnx {}, golden.json {}, both as their checksums say\n",
        size(&bundle.model),
        size(&bundle.golden)
    )?;
    write!(out, "{}", bundle.card.to_text()?)?;
    Ok(())
}

fn model(opened: &Opened, name: &Name, n_records: usize) -> anyhow::Result<()> {
    let registry = &opened.registry;
    let versions = registry.versions(name)?;
    if versions.is_empty() && opened.built_in(name)?.is_none() {
        bail!("there is no model {name} in {}", registry.root().display());
    }
    let champion = registry.champion(name)?;
    let mut out = std::io::stdout().lock();
    let shown = match champion {
        Some(version) => format!("version {version}"),
        None => list::none(opened, name)?,
    };
    writeln!(out, "{name}: champion {shown}\n")?;
    let mut table = Table::new(&[
        ("version", Align::Right),
        ("kind", Align::Left),
        ("made", Align::Left),
        ("licence", Align::Left),
        ("sha256", Align::Left),
    ]);
    for version in versions {
        let mark = if Some(version) == champion { "* " } else { "" };
        let number = format!("{mark}{version}");
        table.row(match registry.card(name, version) {
            Ok(card) => {
                let short = card.sha256.chars().take(12).collect();
                [
                    number,
                    card.kind.to_string(),
                    card.created,
                    card.licence,
                    short,
                ]
            }
            Err(error) => [
                number,
                error.to_string(),
                String::new(),
                String::new(),
                String::new(),
            ],
        });
    }
    if !table.is_empty() {
        table.write(&mut out, "")?;
    }
    let mut records = registry.history(name)?;
    let records = records.split_off(records.len().saturating_sub(n_records));
    if !records.is_empty() {
        writeln!(out, "\nhistory")?;
        let mut table = Table::new(&[
            ("time (UTC)", Align::Left),
            ("", Align::Left),
            ("why", Align::Left),
        ]);
        for record in &records {
            table.row(row(record));
        }
        table.write(&mut out, "  ")?;
    }
    Ok(())
}

fn row(record: &Record) -> [String; 3] {
    let version = |version: Option<Version>| {
        version.map_or_else(|| "built in".to_owned(), |version| version.to_string())
    };
    let (from, to) = (version(record.from), version(record.to));
    let what = match record.action {
        Action::Install => format!("{to} installed"),
        Action::Passed => format!("{to} passed against {from}"),
        Action::Failed => format!("{to} failed against {from}"),
        Action::Promote => format!("{to} promoted over {from}"),
        Action::Force => format!("{to} forced over {from}"),
        Action::Rollback => format!("{from} rolled back to {to}"),
        Action::Refuse => format!("{to} refused, {from} went on"),
        Action::Remove => format!("{to} removed"),
    };
    let at = Timestamp::from_micros(record.time_us / 1_000_000 * 1_000_000);
    [TimeForm::Date.write(at), what, record.why.clone()]
}

//! `forestall features`: what the detectors see of a series.

use std::io::Write;

use features::{SCHEMA, schema_hash};

use crate::table::{Align, Table};

/// Runs it.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut table = Table::new(&[
        ("feature", Align::Left),
        ("unit", Align::Left),
        ("about", Align::Left),
    ]);
    for column in &SCHEMA {
        table.row([column.name, column.unit, column.about].map(str::to_owned));
    }
    let mut out = std::io::stdout().lock();
    table.write(&mut out, "")?;
    writeln!(
        out,
        "\nschema {:016x}: learned state and models are of use only to a schema of the same hash",
        schema_hash()
    )?;
    Ok(())
}

//! `forestall models list`.

use std::io::Write;

use store::models::{Listed, Name};

use super::place::{Opened, Place};
use crate::table::{Align, Table};

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let opened = place.open()?;
    let listing = opened.registry.list()?;
    let mut out = std::io::stdout().lock();
    let mut table = Table::new(&[
        ("model", Align::Left),
        ("kind", Align::Left),
        ("versions", Align::Left),
        ("champion", Align::Left),
        ("made", Align::Left),
    ]);
    for listed in &listing.models {
        table.row(row(&opened, listed)?);
    }
    let built_in = opened.config.models.forecaster.as_str();
    if !listing
        .models
        .iter()
        .any(|listed| listed.name.as_str() == built_in)
    {
        let cells = [built_in, "lstm-step/1", "-", "built in", ""];
        table.row(cells.map(str::to_owned));
    }
    table.write(&mut out, "")?;
    for ignored in &listing.ignored {
        writeln!(out, "ignored: {}: {}", ignored.path.display(), ignored.why)?;
    }
    Ok(())
}

fn row(opened: &Opened, listed: &Listed) -> anyhow::Result<[String; 5]> {
    let Listed {
        name,
        versions,
        champion,
    } = listed;
    let shown = match champion {
        Ok(Some(version)) => version.to_string(),
        Ok(None) => none(opened, name)?,
        Err(why) => format!("unreadable: {why}"),
    };
    // The card that matters: that of the champion, or of the newest.
    let version = champion.clone().ok().flatten().or(versions.last().copied());
    let card = version.map(|version| opened.registry.card(name, version));
    let (kind, made) = match card {
        Some(Ok(card)) => (card.kind.to_string(), card.created),
        Some(Err(error)) => (format!("unreadable: {error}"), String::new()),
        None => ("-".to_owned(), String::new()),
    };
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    Ok([name.to_string(), kind, versions.join(" "), shown, made])
}

/// What serves when nobody chose a version.
pub(super) fn none(opened: &Opened, name: &Name) -> anyhow::Result<String> {
    let text = match opened.built_in(name)? {
        Some(_) => "built in",
        None => "none",
    };
    Ok(text.to_owned())
}

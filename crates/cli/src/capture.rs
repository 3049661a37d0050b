//! `forestall capture`: how capture goes, and who interfered when.

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use proto::v1;
use proto::v1::capture_service_client::CaptureServiceClient;
use proto::v1::server_service_client::ServerServiceClient;
use series::{Timestamp, Unit};

use crate::connect::{Connection, ServerArgs, refused};
use crate::dates::TimeForm;
use crate::hint::WithHint;
use crate::numbers::{grouped, human};
use crate::runtime::block_on;
use crate::table::{Align, Table};

const EXAMPLES: &str = "\
Examples:
  forestall capture status
  forestall capture mark --kind fault --selector '{host=\"db-1\"}' --for 10m --note 'disk filled by hand'
      What these series do in the next ten minutes is never learned as normal.
  forestall capture mark --kind mitigated --selector '{job=\"api\"}' --from 2026-11-22T20:00:00Z
      Somebody acted then: no failure after it is no sign of health. Goes on until `capture end`.
  forestall capture end 3";

/// Shows what is written down for learning, and marks who interfered when.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct CaptureArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How much there is, and whether anything was lost
    Status {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Say that series were interfered with, now or in the past: they are no examples of normal behaviour
    Mark(Mark),
    /// End a mark that goes on
    End {
        /// The mark's number
        id: u64,
        /// When it ended, such as 2026-11-22T20:00:00Z; now if not given
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show marks, newest first
    Marks {
        #[command(flatten)]
        server: ServerArgs,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
        limit: u16,
    },
}

#[derive(Debug, Args)]
struct Mark {
    /// What happened
    #[arg(long)]
    kind: Kind,
    /// Which series, as a PromQL selector: a metric, labels in braces, or both; {} is all
    #[arg(long, value_name = "SELECTOR")]
    selector: String,
    /// When it began, such as 2026-11-22T20:00:00Z; now if not given
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// When it ended; without this and --for it goes on until `capture end`
    #[arg(
        long,
        value_name = "TIME",
        requires = "from",
        conflicts_with = "length"
    )]
    to: Option<jiff::Timestamp>,
    /// How long it lasts, such as 90s, 10m or 1h30m
    #[arg(long = "for", value_name = "TIME")]
    length: Option<SignedDuration>,
    /// Why, for whoever reads it later
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A fault was injected, or is known to be there
    Fault,
    /// Somebody acted on a fault: what stays quiet now says nothing
    Mitigated,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, captures nothing, or refuses the mark.
pub(crate) fn run(args: &CaptureArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Status { server } => block_on(status(server)),
        What::Mark(args) => block_on(mark(args)),
        What::End { id, at, server } => block_on(end(*id, *at, server)),
        What::Marks { server, limit } => block_on(marks(server, *limit)),
    }
}

/// What the server said against it, with advice where capture is off.
fn not_done(status: &tonic::Status) -> anyhow::Error {
    let error = refused(status);
    if status.message().starts_with("nothing is captured") {
        return error.hint("start the server with `forestall serve --capture DIR`");
    }
    error
}

async fn mark(args: &Mark) -> anyhow::Result<()> {
    let connection = args.server.connect().await?;
    let start_us = match (args.from, args.length) {
        (Some(from), _) => Some(from.as_microsecond()),
        // The server's clock is the one that its samples are told by.
        (None, Some(_)) => Some(server_time(connection.clone()).await?),
        (None, None) => None,
    };
    let end_us = match (args.to, args.length) {
        (Some(to), _) => Some(to.as_microsecond()),
        (None, Some(length)) => {
            let length_us = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
            if length_us <= 0 {
                bail!("--for {length:#} is no length of time");
            }
            start_us.map(|start_us| start_us.saturating_add(length_us))
        }
        (None, None) => None,
    };
    let kind = match args.kind {
        Kind::Fault => v1::MarkKind::Fault,
        Kind::Mitigated => v1::MarkKind::Mitigated,
    };
    let request = v1::StartMarkRequest {
        kind: kind.into(),
        selector: args.selector.clone(),
        note: args.note.clone(),
        start_us,
        end_us,
    };
    let response = CaptureServiceClient::new(connection)
        .start_mark(request)
        .await
        .map_err(|status| not_done(&status))?;
    let mark = response
        .into_inner()
        .mark
        .context("the server made no mark")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", sentence(&mark))?;
    if mark.end_us.is_none() {
        writeln!(out, "end it with: forestall capture end {}", mark.id)?;
    }
    Ok(())
}

async fn server_time(connection: Connection) -> anyhow::Result<i64> {
    let response = ServerServiceClient::new(connection)
        .get_server_info(v1::GetServerInfoRequest {})
        .await
        .map_err(|status| refused(&status))?;
    Ok(response.into_inner().time_us)
}

async fn end(id: u64, at: Option<jiff::Timestamp>, server: &ServerArgs) -> anyhow::Result<()> {
    let request = v1::EndMarkRequest {
        id,
        end_us: at.map(|at| at.as_microsecond()),
    };
    let response = CaptureServiceClient::new(server.connect().await?)
        .end_mark(request)
        .await
        .map_err(|status| not_done(&status))?;
    let mark = response
        .into_inner()
        .mark
        .context("the server ended no mark")?;
    writeln!(std::io::stdout(), "{}", sentence(&mark))?;
    Ok(())
}

async fn marks(server: &ServerArgs, limit: u16) -> anyhow::Result<()> {
    let mut client = CaptureServiceClient::new(server.connect().await?);
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListMarksRequest {
            page_size: i32::from(limit),
            page_token,
        };
        let page = client
            .list_marks(request)
            .await
            .map_err(|status| not_done(&status))?
            .into_inner();
        all.extend(page.marks);
        page_token = page.next_page_token;
        if page_token.is_empty() || all.len() >= usize::from(limit) {
            break;
        }
    }
    all.truncate(usize::from(limit));
    let mut table = Table::new(&[
        ("mark", Align::Right),
        ("kind", Align::Left),
        ("from (UTC)", Align::Left),
        ("to (UTC)", Align::Left),
        ("series", Align::Left),
        ("note", Align::Left),
    ]);
    for mark in &all {
        table.row([
            mark.id.to_string(),
            kind_name(mark).to_owned(),
            date(mark.start_us),
            mark.end_us.map_or_else(|| "goes on".to_owned(), date),
            mark.selector.clone(),
            mark.note.clone(),
        ]);
    }
    let mut out = std::io::stdout().lock();
    if table.is_empty() {
        writeln!(out, "no marks yet")?;
    } else {
        table.write(&mut out, "")?;
    }
    Ok(())
}

fn date(us: i64) -> String {
    TimeForm::Date.write(Timestamp::from_micros(us))
}

fn kind_name(mark: &v1::Mark) -> &'static str {
    match mark.kind() {
        v1::MarkKind::Fault => "fault",
        v1::MarkKind::Mitigated => "mitigated",
        v1::MarkKind::Unspecified => "of a kind that this program is too old for",
    }
}

fn sentence(mark: &v1::Mark) -> String {
    let until = mark
        .end_us
        .map_or_else(|| "on".to_owned(), |us| format!("to {}", date(us)));
    format!(
        "mark {}: {}, {} from {} {until} (UTC)",
        mark.id,
        kind_name(mark),
        mark.selector,
        date(mark.start_us)
    )
}

async fn status(server: &ServerArgs) -> anyhow::Result<()> {
    let response = CaptureServiceClient::new(server.connect().await?)
        .get_capture_status(v1::GetCaptureStatusRequest {})
        .await
        .map_err(|status| refused(&status))?;
    show(&mut std::io::stdout().lock(), &response.into_inner())
}

fn show(out: &mut dyn Write, status: &v1::GetCaptureStatusResponse) -> anyhow::Result<()> {
    if !status.enabled {
        writeln!(
            out,
            "nothing is captured; `forestall serve --capture DIR` does"
        )?;
        return Ok(());
    }
    let bytes = |n: u64| human(n as f64, Unit::Bytes);
    let count = |n: u64, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{} {what}s", grouped(n)),
    };
    writeln!(out, "directory  {}", status.directory)?;
    let used = status.parts_bytes + status.journals_bytes;
    writeln!(
        out,
        "disk       {} of {}",
        bytes(used),
        bytes(status.max_bytes)
    )?;
    writeln!(
        out,
        "files      {} of {}, {} of {}",
        count(status.parts_count, "part"),
        bytes(status.parts_bytes),
        count(status.journals_count, "journal"),
        bytes(status.journals_bytes)
    )?;
    writeln!(
        out,
        "rows       {} written since start, {} of them or of a run before sealed",
        grouped(status.rows_written_count),
        grouped(status.rows_sealed_count)
    )?;
    let missing = status.rows_dropped_count + status.rows_lost_count;
    if missing > 0 {
        writeln!(
            out,
            "missing    {} left out while the writer was behind, {} lost to the disk",
            grouped(status.rows_dropped_count),
            grouped(status.rows_lost_count)
        )?;
    }
    if status.removed_parts_count > 0 {
        writeln!(
            out,
            "removed    {} of {}, the oldest, to make room",
            count(status.removed_parts_count, "part"),
            bytes(status.removed_bytes)
        )?;
    }
    if status.recovered_journals_count > 0 {
        writeln!(
            out,
            "recovered  {} of a run that did not end well, {} torn off",
            count(status.recovered_journals_count, "journal"),
            bytes(status.torn_bytes)
        )?;
    }
    writeln!(out, "marks      {} open", status.open_marks_count)?;
    if status.paused {
        writeln!(out, "paused     {}", status.last_error)?;
    } else if !status.last_error.is_empty() {
        writeln!(out, "last error {}", status.last_error)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;

//! `forestall feedback`: tell a server which alerts were right.

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use proto::v1::feedback_service_client::FeedbackServiceClient;
use proto::v1::risk_service_client::RiskServiceClient;
use proto::v1::submit_feedback_request::About;
use proto::v1::{Feedback, GetRiskRequest, ListFeedbackRequest, SubmitFeedbackRequest, Verdict};
use series::Timestamp;

use crate::connect::{Connection, ServerArgs, refused};
use crate::dates::TimeForm;
use crate::hint::WithHint;
use crate::runtime::block_on;
use crate::table::{Align, Table};
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  forestall feedback confirm 'node_load1'
      The event that this series is in now was worth an alert.
  forestall feedback dismiss 'disk_io_ratio{device=\"sda\"}' --event 42 --note 'the nightly backup'
  forestall feedback list";

/// Confirms or dismisses an alert, which moves the threshold of its series; or lists what was said.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct FeedbackArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The alert was right
    Confirm(Submit),
    /// The alert was not worth having
    Dismiss(Submit),
    /// Show what was said, newest first
    List {
        #[command(flatten)]
        server: ServerArgs,
        /// Which series, as a PromQL selector: a metric, labels in braces, or both
        #[arg(long, value_name = "SELECTOR", default_value = "")]
        filter: String,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u16,
    },
}

#[derive(Debug, Args)]
struct Submit {
    /// The series, such as `node_load1{host="a"}`
    series: String,
    /// The event that is meant; without it and --at, the one that the series is in now
    #[arg(long, value_name = "ID", conflicts_with = "at")]
    event: Option<u64>,
    /// The time that is meant, such as 2024-05-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<jiff::Timestamp>,
    /// Why, for whoever reads it later
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, or knows neither the series nor the event.
pub(crate) fn run(args: &FeedbackArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Confirm(what) => block_on(submit(what, Verdict::Confirmed)),
        What::Dismiss(what) => block_on(submit(what, Verdict::Dismissed)),
        What::List {
            server,
            filter,
            limit,
        } => block_on(list(server, filter, *limit)),
    }
}

async fn submit(args: &Submit, verdict: Verdict) -> anyhow::Result<()> {
    let series = wire::key(&args.series)?;
    let connection = args.server.connect().await?;
    let about = match (args.event, args.at) {
        (Some(id), _) => About::EventId(id),
        (None, Some(at)) => About::TimeUs(at.as_microsecond()),
        (None, None) => About::EventId(current_event(connection.clone(), args, &series).await?),
    };
    let request = SubmitFeedbackRequest {
        series: Some(series),
        about: Some(about),
        verdict: verdict.into(),
        note: args.note.clone(),
        request_id: String::new(),
    };
    let response = FeedbackServiceClient::new(connection)
        .submit_feedback(request)
        .await;
    let feedback = response
        .map_err(|status| refused(&status))?
        .into_inner()
        .feedback;
    let id = feedback.context("the server stored nothing")?.id;
    writeln!(std::io::stdout(), "stored as {id}")?;
    Ok(())
}

async fn current_event(
    connection: Connection,
    args: &Submit,
    series: &proto::v1::SeriesKey,
) -> anyhow::Result<u64> {
    let request = GetRiskRequest {
        series: Some(series.clone()),
        history_size: 0,
    };
    let response = RiskServiceClient::new(connection)
        .get_risk(request)
        .await
        .map_err(|status| refused(&status))?;
    let Some(event) = response.into_inner().risk.and_then(|risk| risk.event) else {
        let error = anyhow::anyhow!("{} is in no event now", args.series);
        return Err(error.hint("say which one is meant with --event ID or --at TIME"));
    };
    Ok(event.id)
}

async fn list(server: &ServerArgs, filter: &str, limit: u16) -> anyhow::Result<()> {
    if limit == 0 {
        bail!("--limit is 0, so there is nothing to show");
    }
    let mut client = FeedbackServiceClient::new(server.connect().await?);
    let page_size = i32::from(limit).min(1_000);
    let request = ListFeedbackRequest {
        filter: filter.to_owned(),
        page_size,
        page_token: String::new(),
    };
    let response = client
        .list_feedback(request)
        .await
        .map_err(|status| refused(&status))?
        .into_inner();
    let mut table = Table::new(&[
        ("submitted (UTC)", Align::Left),
        ("verdict", Align::Left),
        ("about", Align::Left),
        ("series", Align::Left),
        ("note", Align::Left),
    ]);
    for feedback in &response.feedback {
        table.row(row(feedback));
    }
    let mut out = std::io::stdout().lock();
    if table.is_empty() {
        writeln!(out, "no feedback yet")?;
    } else {
        table.write(&mut out, "")?;
    }
    Ok(())
}

fn row(feedback: &Feedback) -> [String; 5] {
    let date = |us| TimeForm::Date.write(Timestamp::from_micros(us));
    let about = if feedback.event_id == 0 {
        date(feedback.time_us)
    } else {
        format!("event {}", feedback.event_id)
    };
    let verdict = match feedback.verdict() {
        Verdict::Confirmed => "confirmed",
        Verdict::Dismissed => "dismissed",
        Verdict::Unspecified => "unknown",
    };
    // One line per entry, whatever the note holds.
    let note = feedback.note.replace(char::is_control, " ");
    [
        date(feedback.submitted_us),
        verdict.to_owned(),
        about,
        wire::text(feedback.series.as_ref()),
        note,
    ]
}

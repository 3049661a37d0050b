//! `replay --into`: a recording into a running server, at its own pace or faster.

mod pusher;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use proto::v1::ingest_service_client::IngestServiceClient;
use series::REFUSALS;
use sources::replay::{Options, Replay};
use tokio::sync::mpsc::channel;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use self::pusher::Pusher;
pub(crate) use self::pusher::Speed;
use super::judge::with_advice;
use crate::connect::{Connection, TrustArgs, connect, refused};
use crate::numbers::grouped;

/// Requests that wait to be sent: enough to keep the wire busy while the file is read.
const AHEAD: usize = 8;
/// What became of the samples of one file.
#[derive(Debug, Default)]
struct Tally {
    taken: u64,
    refused: BTreeMap<i32, u64>,
    refused_series: Vec<String>,
}

/// Pushes each file, one after the other.
///
/// # Errors
/// When the server cannot be reached or hangs up, or a file cannot be read.
pub(super) async fn run(
    files: &[impl AsRef<Path>],
    options: &Options,
    addr: &str,
    trust: &TrustArgs,
    speed: Speed,
) -> anyhow::Result<()> {
    let connection = connect(addr, trust).await?;
    let several = files.len() > 1;
    for path in files {
        let begin = Instant::now();
        let replay = Replay::open(path.as_ref(), options.clone()).map_err(with_advice)?;
        let name = replay.file().to_owned();
        let label = several.then(|| file_name(path.as_ref()));
        let tally = push(connection.clone(), replay, label, speed)
            .await
            .with_context(|| format!("pushing {name}"))?;
        report(&name, &tally, begin.elapsed())?;
    }
    Ok(())
}

/// What tells the series of one file from those of another: many a file has one series, called `value`.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

async fn push(
    connection: Connection,
    replay: Replay,
    label: Option<String>,
    speed: Speed,
) -> anyhow::Result<Tally> {
    let (sender, receiver) = channel(AHEAD);
    // Reading files and keeping pace both block, so they get a thread.
    let reader = tokio::task::spawn_blocking(move || Pusher::new(sender, label, speed).run(replay));
    let response = IngestServiceClient::new(connection)
        .push(ReceiverStream::new(receiver))
        .await;
    let mut tally = Tally::default();
    let mut answers = response.map_err(|status| refused(&status))?.into_inner();
    while let Some(answer) = answers.next().await {
        let answer = answer.map_err(|status| refused(&status))?;
        tally.taken += answer.taken_count;
        for count in answer.refusal_counts {
            *tally.refused.entry(count.reason).or_default() += count.count;
        }
        // A handful shows the pattern.
        let room = 10_usize.saturating_sub(tally.refused_series.len());
        tally.refused_series.extend(
            answer
                .refused_series
                .into_iter()
                .map(|series| series.message)
                .take(room),
        );
    }
    reader.await.context("the thread that reads the file")??;
    Ok(tally)
}

fn report(name: &str, tally: &Tally, took: Duration) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let total = tally.taken + tally.refused.values().sum::<u64>();
    let rate = total as f64 / took.as_secs_f64().max(1e-9);
    writeln!(
        out,
        "{name}: {} samples pushed in {:.1} s, {rate:.0} per second",
        grouped(total),
        took.as_secs_f64()
    )?;
    writeln!(out, "  taken    {}", grouped(tally.taken))?;
    for (reason, count) in &tally.refused {
        // The wire counts reasons from 1: 0 is "unspecified".
        let known = usize::try_from(*reason - 1)
            .ok()
            .and_then(|i| REFUSALS.get(i));
        let reason = known.map_or_else(
            || "for a reason that this version does not know".to_owned(),
            ToString::to_string,
        );
        writeln!(out, "  refused  {}: {reason}", grouped(*count))?;
    }
    for message in &tally.refused_series {
        writeln!(out, "    {message}")?;
    }
    Ok(())
}

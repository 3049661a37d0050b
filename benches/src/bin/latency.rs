//! How long a risk takes: from just before a sample is sent over gRPC to the receipt of its risk on a watch stream, at
//! 50,000 samples a second and with a watcher that wants every risk.
//!
//! Each request has a time of its own, which comes back with its risks: that is how the two ends are matched.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::{Figure, Fleet, Options, STEP_US, Serving, profile_name, quantile};
use clap::Parser;
use hotpath::Profile;
use proto::v1;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};

const RUNS: usize = 5;
/// Samples in one request, sent every [`PAUSE`]: 50,000 a second.
const BATCH: u32 = 100;
const PAUSE: Duration = Duration::from_millis(2);
/// Series, each sampled five times a second.
const SERIES: u32 = 10_000;
/// Requests until each series has had one more sample.
const REQUESTS_PER_TICK: u32 = SERIES / BATCH;
/// Time between requests, in the samples.
const REQUEST_US: i64 = STEP_US / REQUESTS_PER_TICK as i64;
/// Samples of each series before the first run.
const WARM_UP_TICKS: u32 = 48;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Cli { options } = Cli::parse();
    benches::run(|server| async move {
        for profile in options.profiles() {
            measure(&server, profile, options.quick).await?;
        }
        Ok(())
    })
}

async fn measure(server: &Handle, profile: Profile, quick: bool) -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::new(SERIES);
    let name = profile_name(profile);
    eprintln!("{name}: {SERIES} series");
    let mut serving = Serving::start(server, profile, fleet).await?;
    let warm_up = REQUESTS_PER_TICK * if quick { 5 } else { WARM_UP_TICKS };
    let requests = (0..warm_up).map(|number| request(fleet, number)).collect();
    serving.push(requests).await?;

    let per_run = if quick { 100 } else { 1_000 };
    let (mut latencies, mut dropped) = (Vec::new(), 0);
    for run in 0..RUNS as u32 {
        let first = warm_up + run * per_run;
        let (ms, missed) = one_run(&mut serving, fleet, first..first + per_run).await?;
        latencies.push(ms);
        dropped += missed;
    }
    serving.stop().await?;
    let samples = u64::from(per_run) * u64::from(BATCH) * RUNS as u64;
    for (what, q, target) in [
        ("p50", 0.5, ""),
        ("p99", 0.99, "; target under 5 ms"),
        ("max", 1.0, ""),
    ] {
        let runs: Vec<f64> = latencies.iter().map(|ms| quantile(ms, q)).collect();
        let note = format!(
            "50,000 samples/s, {BATCH} a request, {SERIES} series, {samples} samples, {dropped} dropped{target}"
        );
        Figure::new(format!("latency/{name}/{what}"), "ms", &runs, note).print();
    }
    Ok(())
}

/// Sends requests at their pace; returns the latency of each risk in milliseconds, sorted, and how many risks the
/// watcher was too slow for.
async fn one_run(
    serving: &mut Serving,
    fleet: Fleet,
    numbers: std::ops::Range<u32>,
) -> Result<(Vec<f64>, u64), Box<dyn Error>> {
    let mut risks = serving.watch().await?;
    let (sender, origin, first) = (serving.sender(), Instant::now(), numbers.start);
    // Nanoseconds after the origin at which each request was sent.
    let sent: Arc<Vec<AtomicU64>> = Arc::new(numbers.clone().map(|_| AtomicU64::new(0)).collect());
    let sent_by_sender = Arc::clone(&sent);
    let n_requests = numbers.len();
    let sending = tokio::spawn(async move {
        let mut pace = interval(PAUSE);
        // A late request must not slow the stream down.
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for (number, sent) in numbers.zip(sent_by_sender.iter()) {
            let request = request(fleet, number);
            pace.tick().await;
            sent.store(ns_since(origin), Ordering::Release);
            sender.send(request).await?;
        }
        Ok::<_, tokio::sync::mpsc::error::SendError<_>>(())
    });
    let reading = tokio::spawn(async move {
        let expected = n_requests * BATCH as usize;
        let (mut ms, mut dropped) = (Vec::with_capacity(expected), 0);
        while ms.len() as u64 + dropped < expected as u64 {
            let message = risks.message().await?.ok_or_else(ended)?;
            let now = ns_since(origin);
            dropped += message.dropped_count;
            for risk in message.risks {
                let number = (risk.time_us - fleet.at(0).micros()) / REQUEST_US - i64::from(first);
                let sent = usize::try_from(number).ok().and_then(|i| sent.get(i));
                if let Some(sent) = sent {
                    let ns = now.saturating_sub(sent.load(Ordering::Acquire));
                    ms.push(ns as f64 / 1e6);
                }
            }
        }
        Ok::<_, tonic::Status>((ms, dropped))
    });
    for _ in 0..n_requests {
        serving.answer().await?;
    }
    sending.await??;
    let (mut ms, dropped) = reading.await??;
    ms.sort_by(f64::total_cmp);
    Ok((ms, dropped))
}

fn ended() -> tonic::Status {
    tonic::Status::unavailable("the server ended the stream")
}

fn ns_since(origin: Instant) -> u64 {
    u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Request `number`: the next sample of the next [`BATCH`] series, at a time that no other request has.
fn request(fleet: Fleet, number: u32) -> v1::PushRequest {
    let (tick, part) = (number / REQUESTS_PER_TICK, number % REQUESTS_PER_TICK);
    let some = part * BATCH..(part + 1) * BATCH;
    let time_us = fleet.at(0).micros() + i64::from(number) * REQUEST_US;
    v1::PushRequest {
        batch: Some(v1::SampleBatch {
            series_ref: some.clone().collect(),
            time_us: vec![time_us; BATCH as usize],
            value: some.map(|i| fleet.value(i, tick)).collect(),
        }),
        ..Default::default()
    }
}

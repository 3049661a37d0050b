//! One run from the sandbox to the truth about it.

mod driver;
mod ingress;
mod setup;
mod sight;
mod verdict;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use driver::Driver;
use setup::Setup;
use sight::Sight;
use verdict::Verdict;

use crate::clock::{now_s, to_millis};
use crate::kind::Kind;
use crate::metrics::Sample;
use crate::sandbox::{Group, SandboxError};
use crate::spec::{Spec, SpecError};
use crate::truth::Truth;

/// How often the driver is listened to and looked after, and whoever watches is asked whether to go on.
const POLL: Duration = Duration::from_millis(20);
/// What the last scrape may take beyond the end of the run.
const LEAST_PATIENCE: Duration = Duration::from_millis(200);

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was never begun.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The sandbox cannot be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The process that makes the fault cannot.
    #[error("the process that makes the fault: {0}")]
    Driver(String),
    /// Talking to it failed.
    #[error("talking to the process that makes the fault")]
    Talk(#[source] io::Error),
    /// Whoever watched had seen enough.
    #[error("interrupted; the sandbox is cleaned up")]
    Interrupted,
}

/// What is shown while it runs.
#[derive(Debug)]
pub enum Seen<'a> {
    /// Something to know about the sandbox.
    Note(&'a str),
    /// Nothing new: a moment in which the run may be ended.
    Moment,
    /// One scrape.
    Scrape {
        /// When, in seconds since the epoch.
        at_s: f64,
        /// Since the beginning.
        elapsed_s: f64,
        /// All of it.
        samples: &'a [Sample],
        /// What is used and what there is, in `unit`; `None` while it cannot be told.
        level: Option<(f64, f64)>,
        /// `bytes`, `inodes`, `descriptors`, `connections`, `s` (latency) or `ratio` (failed calls).
        unit: &'static str,
        /// Whether it has run out.
        exhausted: bool,
    },
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What happened. Rows and place in a plan are for whoever keeps the recording.
    pub truth: Truth,
    /// Seconds from the beginning to the exhaustion.
    pub exhausted_after_s: Option<f64>,
}

/// Runs one fault in its sandbox, with this binary at `program`, and shows it to `watch`, which may end it. However it
/// ends, nothing of the sandbox is left. The calling thread must live as long as the run: the driver dies with it.
///
/// # Errors
/// When the run makes no sense, the sandbox cannot be made, or the driver fails.
pub fn run(
    spec: &Spec,
    program: &Path,
    watch: &mut dyn FnMut(Seen<'_>) -> ControlFlow<()>,
) -> Result<Outcome, RunError> {
    spec.check()?;
    let mut setup = Setup::make(spec, program)?;
    for note in &setup.notes {
        if watch(Seen::Note(note)).is_break() {
            return Err(RunError::Interrupted);
        }
    }
    let used_bytes = setup.group.as_ref().map_or(0.0, Group::used_bytes);
    setup.driver.begin(used_bytes)?;
    let begin = Instant::now();
    let start_ts = now_s();
    let mut sight = Sight::new(spec, setup.own_limit);
    let mut verdict = Verdict::default();
    let (mut next, mut end_ts) = (Duration::ZERO, start_ts);
    let length = Duration::from_secs_f64(spec.length_s);
    let after = Duration::from_secs_f64(spec.after_s());
    let mut ended_at = None;
    loop {
        setup.look_after(spec, &mut verdict, begin.elapsed(), POLL)?;
        if watch(Seen::Moment).is_break() {
            return Err(RunError::Interrupted);
        }
        if verdict.exhausted.is_some() {
            ended_at.get_or_insert(begin.elapsed() + after);
        }
        let over = begin.elapsed() >= length || ended_at.is_some_and(|at| begin.elapsed() >= at);
        // A recording goes on past the exhaustion that it is about, be it by one scrape.
        let complete = verdict
            .exhausted
            .as_ref()
            .is_none_or(|(at_s, _)| *at_s <= end_ts);
        if over && complete {
            break;
        }
        if begin.elapsed() < next && !over {
            continue;
        }
        // One that was late is not made up for.
        while next <= begin.elapsed() {
            next += Duration::from_secs_f64(spec.scrape_s);
        }
        end_ts = now_s();
        let patience = Duration::from_secs_f64(0.8 * spec.scrape_s);
        let left = length.saturating_sub(begin.elapsed());
        let until = Instant::now() + patience.min(left).max(LEAST_PATIENCE);
        let samples = scrape(&mut setup, spec, &mut verdict, [begin, until], watch)?;
        let level = match &setup.ingress {
            Some(ingress) => ingress.p95_s().map(|p95_s| (p95_s, ingress::SLO_S)),
            None => sight.level(&samples),
        };
        let seen = Seen::Scrape {
            at_s: end_ts,
            elapsed_s: begin.elapsed().as_secs_f64(),
            samples: &samples,
            level,
            unit: sight.unit(),
            exhausted: verdict.exhausted.is_some(),
        };
        if watch(seen).is_break() {
            return Err(RunError::Interrupted);
        }
    }
    let errors = setup.scraper.errors();
    let truth = verdict.truth(
        spec,
        &setup,
        [to_millis(start_ts), to_millis(end_ts)],
        errors,
    );
    let exhausted_after_s = truth.exhaustion_ts.map(|at| at - start_ts);
    Ok(Outcome {
        truth,
        exhausted_after_s,
    })
}

/// What the application says of itself, if it does by `until`, and what is seen from outside.
fn scrape(
    setup: &mut Setup,
    spec: &Spec,
    verdict: &mut Verdict,
    [begin, until]: [Instant; 2],
    watch: &mut dyn FnMut(Seen<'_>) -> ControlFlow<()>,
) -> Result<Vec<Sample>, RunError> {
    let up = |job: &str, well: bool| {
        Sample::new("up", &format!("job=\"{job}\""), f64::from(u8::from(well)))
    };
    let mut samples = Vec::new();
    if let Some(ingress) = &setup.ingress {
        samples.extend(ingress.samples());
        samples.push(up("app", true));
    } else {
        setup.driver.ask();
        while setup.driver.metrics.is_none() && Instant::now() < until && setup.driver.is_alive() {
            setup.look_after(spec, verdict, begin.elapsed(), POLL / 4)?;
            if watch(Seen::Moment).is_break() {
                return Err(RunError::Interrupted);
            }
        }
        let told = setup.driver.metrics.take();
        let well = told.is_some();
        if !well {
            setup.scraper.failed("app");
        }
        let (app, upstream) = told.unwrap_or_default();
        samples.extend(app);
        samples.push(up("app", well));
        if spec.kind == Kind::Dependency {
            samples.extend(upstream);
            samples.push(up("upstream", well));
        }
    }
    setup.scraper.scrape(&mut samples);
    Ok(samples)
}

//! `forestall rig`: real faults in bounded sandboxes, to watch, to record, to push.

mod feed;
mod one;
mod plan;
mod words;

use std::path::PathBuf;

use ::rig::{Kind, Mechanism, Shape, Spec, duration_s};
use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::connect::TrustArgs;
use crate::interrupt::Interrupt;

const EXAMPLES: &str = "\
Examples:
  forestall rig memory
      A leak under a memory limit, killed by the kernel in about 3 minutes. Let `forestall serve` run beside it.
  forestall rig disk --shape accelerating --limit 128MiB --for 10m
  forestall rig descriptors --shape saw --for 2m
      No exhaustion: nothing should be foreseen.
  forestall rig connections --into 127.0.0.1:7878
      A PostgreSQL of its own; what its exporters would show is pushed to a running server.
  forestall rig dependency --mechanism workers --seed 7 --out recordings --time-scale 20
      Writes recordings/ID.csv.gz and ID.truth.json; scored as if a second were 20.
  forestall rig --plan datasets/rig/small.toml --out recordings --jobs 4

Kinds, what they need, and what they count as exhausted:
  memory       a control group (else the address space is bounded), 16 MiB to 2 GiB; the kernel's OOM kill
  disk         root, to mount; 8 MiB to 1 GiB, with --mechanism inodes 256 to 65536; ENOSPC
  descriptors  nothing; 64 to 65536; EMFILE
  connections  PostgreSQL (apt-get install postgresql); 16 to 200; the first refused connection
  cpu          a control group (else one worker that rests), 0.05 to 1 cores; p95 latency over 5 s of 1 s,
               or a fifth of the calls failed
  dependency   nothing; 4 to 64 workers; half of the calls over 5 s failed
Shapes: linear, step, accelerating, saw-leak and diurnal-leak exhaust; the others do not.
Everything is undone at the end, on Ctrl-C, and when this process is killed.";

/// Makes something run out on this machine, in a bounded sandbox.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RigArgs {
    /// What runs out
    #[arg(value_name = "KIND", value_parser = kinds(), required_unless_present = "plan")]
    kind: Option<Kind>,

    /// How its level moves
    #[arg(long, value_parser = shapes(), default_value = "linear", conflicts_with = "plan")]
    shape: Shape,

    /// How it runs out: disk by space or inodes; a dependency by latency, errors or workers
    #[arg(long, value_parser = mechanisms(), conflicts_with = "plan")]
    mechanism: Option<Mechanism>,

    /// The limit: a size (64MiB), a number, or cores (0.2); each kind has one of its own
    #[arg(long, value_name = "SIZE", conflicts_with = "plan")]
    limit: Option<String>,

    /// End after this long, whatever happens
    #[arg(long = "for", value_name = "DURATION", value_parser = duration_s, default_value = "5m", conflicts_with = "plan")]
    length_s: f64,

    /// Draw shape and noise from this number; a new one each time if not given
    #[arg(long, value_name = "N", conflicts_with = "plan")]
    seed: Option<u64>,

    /// What one second stands for when the recording is scored
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1.0,
        requires = "out",
        conflicts_with = "plan"
    )]
    time_scale: f64,

    /// Look at the sandbox this often
    #[arg(long, value_name = "DURATION", value_parser = duration_s, default_value = "1s", conflicts_with = "plan")]
    scrape: f64,

    /// Write ID.csv.gz and ID.truth.json into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Push what is scraped to this running server, with `instance="rig-KIND-PID"` as a label of all series
    #[arg(long, value_name = "ADDRESS", conflicts_with = "plan")]
    into: Option<String>,

    #[command(flatten)]
    trust: TrustArgs,

    /// Run all that this file lists
    #[arg(long, value_name = "FILE", conflicts_with = "kind", requires = "out")]
    plan: Option<PathBuf>,

    /// Runs of the plan beside each other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), requires = "plan")]
    jobs: u16,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(|kind| PossibleValue::new(kind.name())))
        .try_map(|name| named(&Kind::ALL, Kind::name, &name))
}

fn shapes() -> impl TypedValueParser<Value = Shape> {
    PossibleValuesParser::new(Shape::ALL.map(|shape| PossibleValue::new(shape.name())))
        .try_map(|name| named(&Shape::ALL, Shape::name, &name))
}

fn mechanisms() -> impl TypedValueParser<Value = Mechanism> {
    PossibleValuesParser::new(Mechanism::ALL.map(|mechanism| PossibleValue::new(mechanism.name())))
        .try_map(|name| named(&Mechanism::ALL, Mechanism::name, &name))
}

fn named<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Result<T, String> {
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    found.ok_or_else(|| format!("{name:?} is not among the names"))
}

/// Runs one fault, or all of a plan.
///
/// # Errors
/// When a run makes no sense, its sandbox cannot be made, or its recording cannot be written.
pub(crate) fn run(args: &RigArgs) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("finding this program")?;
    let interrupt = Interrupt::listen()?;
    if let (Some(path), Some(out)) = (&args.plan, &args.out) {
        return plan::run(path, out, args.jobs, &program, &interrupt);
    }
    let kind = args.kind.context("say what is to run out")?;
    let mechanism = kind.mechanism(args.mechanism)?;
    let spec = Spec {
        kind,
        mechanism,
        shape: args.shape,
        limit: kind.limit(mechanism, args.limit.as_deref())?,
        length_s: args.length_s,
        seed: args.seed.unwrap_or_else(fresh_seed),
        time_scale: args.time_scale,
        scrape_s: args.scrape,
    };
    one::run(args, &spec, &program, &interrupt)
}

/// Short, so that it can be typed again.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library seeds its hash tables from the system.
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}

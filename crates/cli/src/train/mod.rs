//! `forestall train`: models from captured or generated data.

mod calibrator;
mod data;
mod exhaustion;
mod forest;
mod show;
mod step;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  forestall train --data captured --out candidate
      Learns what this installation calls normal: what `forestall serve --capture captured` wrote down.
  forestall train --generate --out model
      The model that ships, again: the default recipe on synthetic series.
  forestall train --data captured --out candidate --resume
      Goes on after Ctrl-C, or a crash, to the same bits.
  forestall train --recipe my.toml --generate --out model
      A recipe is a TOML file with every number that decides what comes out; training/recipes/default.toml of the
      source explains each. Without a file: default, or quick (seconds, to try things out).
  forestall train forest --data captured --out forest
  forestall train calibrator --data captured --out calibrator
  forestall train exhaustion --out models
      The models that say when a resource runs out, from simulated episodes: minutes.

The result is a folder with model.onnx, card.toml and golden.json.";

/// Trains the forecasting model, the forest, the calibrator, or the models of exhaustion.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct TrainArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    step: step::StepArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    Forest(forest::ForestArgs),
    Calibrator(calibrator::CalibratorArgs),
    Exhaustion(exhaustion::ExhaustionArgs),
}

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<()> {
    match &args.what {
        Some(What::Forest(args)) => forest::run(args),
        Some(What::Calibrator(args)) => calibrator::run(args),
        Some(What::Exhaustion(args)) => exhaustion::run(args),
        None => step::run(&args.step),
    }
}

//! `forestall train exhaustion`: the models that say when a resource runs out.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use training::exhaustion::{ExhaustionRecipe, ExhaustionStage, Part, train_exhaustion};

use crate::numbers::grouped;
use crate::progress;

/// Trains the models that say when a resource runs out, on simulated episodes
///
/// Writes DIR/exhaustion-stock (memory, disks, connections, descriptors ...) and DIR/exhaustion-service (processors,
/// dependencies). `forestall eval exhaustion --models DIR` judges them, the setting `outlook.models` makes `serve` use them.
#[derive(Debug, Args)]
pub(super) struct ExhaustionArgs {
    /// The folder for the two models; made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace models that stand in the folder
    #[arg(long)]
    force: bool,
    /// Train only one of them
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Episodes to simulate for each; the default is the recipe of the models that ship
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    episodes: Option<u32>,
    /// Updates of the weights
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    steps: Option<u32>,
    /// Where all chance comes from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// What is filled and emptied
    Stock,
    /// What serves requests
    Service,
}

pub(super) fn run(args: &ExhaustionArgs) -> anyhow::Result<()> {
    let parts = match args.only {
        None => vec![Part::Stock, Part::Service],
        Some(Which::Stock) => vec![Part::Stock],
        Some(Which::Service) => vec![Part::Service],
    };
    for part in &parts {
        super::data::vacant(&args.out.join(part.name()), args.force)?;
    }
    for part in parts {
        let mut recipe = ExhaustionRecipe::default_of(part);
        recipe.schedule.seed = args.seed;
        recipe.episodes = args.episodes.map_or(recipe.episodes, |n| n as usize);
        recipe.schedule.steps = args.steps.map_or(recipe.schedule.steps, |n| n as usize);
        let total = recipe.episodes as u64;
        let bar = progress::items(&format!("{}: episodes", part.name()), total);
        let model = train_exhaustion(part, &recipe, &mut |stage| match stage {
            ExhaustionStage::Simulating(made) => bar.set_position(made as u64),
            ExhaustionStage::Training(step, loss) => {
                bar.set_length(recipe.schedule.steps as u64);
                bar.set_message(format!("{}: {loss:.3} nats", part.name()));
                bar.set_position(step as u64);
            }
        });
        bar.finish_and_clear();
        let dir = args.out.join(part.name());
        let command = format!(
            "forestall train exhaustion --only {} --episodes {} --steps {} --seed {} --out DIR",
            if part == Part::Stock {
                "stock"
            } else {
                "service"
            },
            recipe.episodes,
            recipe.schedule.steps,
            args.seed
        );
        model.write(&super::data::now(), &command, &dir)?;
        writeln!(
            std::io::stdout(),
            "{}: learned from {} rows; on episodes that it did not see {:.3} nats, {:.3} for one who knows only how \
             often each answer comes. The model is in {}.",
            part.name(),
            grouped(model.rows as u64),
            model.held_back_nll,
            model.ignorant_nll,
            dir.display()
        )?;
    }
    Ok(())
}

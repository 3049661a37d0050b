//! `forestall train`: the forecasting model.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use training::{Begin, Order, Recipe, train_step_model};

use super::data::{DataArgs, SpanArgs, last};
use super::show::{self, Show};
use crate::hint::WithHint;
use crate::interrupt::Interrupt;
use crate::numbers::grouped;

#[derive(Debug, Args)]
pub(super) struct StepArgs {
    /// How to train: default, quick, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    recipe: String,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    span: SpanArgs,
    /// The folder for the model; made if need be
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// Go on from the checkpoint in the folder, if there is one
    #[arg(long)]
    resume: bool,
    /// Replace a model that stands in the folder
    #[arg(long)]
    force: bool,
    /// Another seed than the recipe's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Another number of epochs than the recipe's
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Another size of the state than the recipe's
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
}

impl StepArgs {
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let mut recipe = Recipe::named(&self.recipe)
            .map_err(anyhow::Error::new)
            .map_err(|error| {
                error.hint("recipes are default, quick, or the path of a TOML file")
            })?;
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.optimiser.epochs = self.epochs.unwrap_or(recipe.optimiser.epochs);
        recipe.model.hidden = self.hidden.unwrap_or(recipe.model.hidden);
        recipe.check()?;
        Ok(recipe)
    }

    /// The command that makes the model again.
    fn command(&self, recipe_name: &str) -> String {
        let mut words = vec![
            format!("forestall train --recipe {recipe_name}"),
            self.data.named(),
        ];
        words.extend(self.seed.map(|n| format!("--seed {n}")));
        words.extend(self.epochs.map(|n| format!("--epochs {n}")));
        words.extend(self.hidden.map(|n| format!("--hidden {n}")));
        words.join(" ")
    }
}

pub(super) fn run(args: &StepArgs) -> anyhow::Result<()> {
    let recipe = args.recipe()?;
    let out = args.out.clone().context("--out is missing")?;
    super::data::vacant(&out, args.force)?;
    let mut source = args.data.open(&args.span, &recipe.generate, recipe.seed)?;
    let recipe_name = last(args.recipe.as_ref());
    let order = Order {
        command: args.command(&recipe_name),
        recipe,
        recipe_name,
        out: out.clone(),
        begin: if args.resume {
            Begin::Resume
        } else {
            Begin::Anew
        },
        created: super::data::now(),
    };
    let (interrupt, mut show) = (Interrupt::listen()?, Show::new());
    let report = train_step_model(&order, source.as_mut(), &mut |stage| {
        show.tell(&stage);
        interrupt.flow()
    });
    show.end();
    let Some(report) = report? else {
        let error = anyhow::anyhow!("stopped");
        return Err(error.hint("the same command with --resume goes on"));
    };
    let mut stdout = std::io::stdout().lock();
    show::verdict(&mut stdout, &report.verdict)?;
    let (rows, series) = (grouped(report.data.0), grouped(report.data.1 as u64));
    let (best, all) = (report.fitted.best_epoch + 1, report.fitted.history.len());
    writeln!(
        stdout,
        "Learned from {rows} rows of {series} series; best of {all} epochs was number {best}. The model is in {}.",
        out.display()
    )?;
    Ok(())
}

//! `forestall train forest`: an isolation forest over feature rows.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use training::{ForestRecipe, Recipe, grow_forest};

use super::data::{DataArgs, SpanArgs};
use crate::numbers::grouped;
use crate::progress;

/// Grows an isolation forest from rows of all series, as a model for any runtime of ONNX
#[derive(Debug, Args)]
pub(super) struct ForestArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    span: SpanArgs,
    /// The folder for the model; made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a model that stands in the folder
    #[arg(long)]
    force: bool,
    /// Trees
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    trees: u16,
    /// Rows that each tree is grown from
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(16..=4_096))]
    sample: u16,
    /// Where all chance comes from
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
}

pub(super) fn run(args: &ForestArgs) -> anyhow::Result<()> {
    super::data::vacant(&args.out, args.force)?;
    let generate = Recipe::named("default")?.generate;
    let mut source = args.data.open(&args.span, &generate, args.seed)?;
    let recipe = ForestRecipe {
        trees: usize::from(args.trees),
        sample: usize::from(args.sample),
        seed: args.seed,
    };
    let bar = progress::bytes("reading", None);
    let grown = grow_forest(recipe, source.as_mut(), &mut |rows| {
        bar.set_message(format!("reading: {} rows", grouped(rows)));
        bar.tick();
    });
    bar.finish_and_clear();
    let grown = grown?;
    let command = format!(
        "forestall train forest {} --trees {} --sample {} --seed {}",
        args.data.named(),
        args.trees,
        args.sample,
        args.seed
    );
    let created = super::data::now();
    grown.write(recipe, &source.description(), &created, &command, &args.out)?;
    writeln!(
        std::io::stdout(),
        "{} trees from {} rows; the median row scores {:.3}, one in 1,000 above {:.3}. The model is in {}.",
        args.trees,
        grouped(grown.rows),
        grown.median,
        grown.threshold,
        args.out.display()
    )?;
    Ok(())
}

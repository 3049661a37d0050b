//! Trains a step model on generated series without the command line: `train RECIPE OUT [hidden]`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use training::generate::Generator;
use training::{Begin, Order, Recipe, Stage, train_step_model};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, out, rest @ ..] = &arguments[..] else {
        return Err("usage: train RECIPE OUT [hidden]".into());
    };
    let mut recipe = Recipe::named(name)?;
    if let Some(hidden) = rest.first() {
        recipe.model.hidden = hidden.parse()?;
    }
    let mut source = Generator::new(recipe.generate.clone(), recipe.seed);
    let order = Order {
        recipe,
        recipe_name: name.clone(),
        out: out.into(),
        begin: Begin::Resume,
        created: String::new(),
        command: format!("forestall train --recipe {name} --generate"),
    };
    let (start, mut err, mut last) = (Instant::now(), std::io::stderr(), (0, 0));
    let report = train_step_model(&order, &mut source, &mut |stage| {
        if let Stage::Training(p) = stage {
            let tenth = p.blocks.0 * 10 / p.blocks.1;
            if (p.epoch, tenth) != last {
                last = (p.epoch, tenth);
                let (s, n) = (start.elapsed().as_secs(), p.epoch + 1);
                let kept = p.validation.unwrap_or(f64::NAN);
                let line = format!(
                    "{s:>5} s  epoch {n}  loss {:.4}  validation {kept:.4}",
                    p.loss
                );
                if writeln!(err, "{line}").is_err() {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(report) = report {
        let mut out = std::io::stdout().lock();
        for judgement in &report.verdict.judgements {
            writeln!(out, "{judgement:?}")?;
        }
        let verdict = &report.verdict;
        writeln!(
            out,
            "threshold {:.2} outside {:?}",
            verdict.threshold, verdict.outside
        )?;
        writeln!(out, "{:?}", report.fitted.history)?;
    }
    Ok(())
}

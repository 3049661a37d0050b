//! How training goes, and how it went, for people.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use training::{Judgement, Progress, Stage, Verdict};

use crate::numbers::grouped;
use crate::progress;
use crate::table::{Align, Table};

/// A spinner, then a bar with the loss and the remaining time; where nobody looks, a line per epoch.
#[derive(Debug)]
pub(super) struct Show {
    bar: ProgressBar,
    epoch: u32,
    training: bool,
    live: bool,
}

impl Show {
    pub(super) fn new() -> Self {
        let bar = progress::items("reading", 0);
        bar.set_style(style("{spinner} {msg}"));
        Self {
            bar,
            epoch: 0,
            training: false,
            live: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn tell(&mut self, stage: &Stage) {
        match stage {
            Stage::Reading(rows, series) => {
                let (rows, series) = (grouped(*rows), grouped(*series as u64));
                self.bar
                    .set_message(format!("reading: {rows} rows of {series} series"));
                self.bar.tick();
            }
            Stage::Training(progress) => self.learned(progress),
            Stage::Judging => {
                self.bar.set_style(style("{spinner} {msg}"));
                self.bar
                    .set_message("judging what was learned on what was kept back");
                self.bar.tick();
            }
        }
    }

    fn learned(&mut self, p: &Progress) {
        let (done, blocks) = (p.blocks.0 as u64, p.blocks.1 as u64);
        let at = u64::from(p.epoch) * blocks + done;
        if !self.training {
            self.training = true;
            self.bar
                .set_style(style("{msg} {bar:24} {percent:>3} %  {eta} left"));
            self.bar.set_length(u64::from(p.epochs) * blocks);
            // What an earlier run did must not count into the speed of this one.
            self.bar.set_position(at);
            self.bar.reset_eta();
        }
        let kept = p
            .validation
            .map_or("-".to_owned(), |loss| format!("{loss:.4}"));
        let n = p.epoch + 1;
        self.bar.set_message(format!(
            "epoch {n:>2}/{}  loss {:>8.4}  kept back {kept:>8}",
            p.epochs, p.loss
        ));
        self.bar.set_position(at);
        if !self.live && p.epoch != self.epoch {
            eprintln!("epoch {} of {}: validation loss {kept}", p.epoch, p.epochs);
        }
        self.epoch = p.epoch;
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

/// The table of forecasts on what was kept back.
pub(super) fn verdict(out: &mut dyn Write, verdict: &Verdict) -> std::io::Result<()> {
    let right = |name| (name, Align::Right);
    let mut table = Table::new(&[
        ("forecast", Align::Left),
        right("nats"),
        right("next sample"),
        right("furthest"),
        right("10 % of series"),
        right("median"),
        right("90 %"),
        right("model better in"),
    ]);
    for judgement in &verdict.judgements {
        table.row(row(judgement));
    }
    let (rows, series) = (grouped(verdict.rows), grouped(verdict.series as u64));
    writeln!(
        out,
        "Surprise at {rows} samples of {series} series that were kept back; lower is better.\n"
    )?;
    table.write(out, "  ")?;
    writeln!(
        out,
        "\nOutside the central 90 % of the model's forecast: {:.1} % (10 when calibrated); outside 99 %: {:.2} % (1).",
        100.0 * verdict.outside[0],
        100.0 * verdict.outside[1]
    )
}

fn row(judgement: &Judgement) -> Vec<String> {
    let nats = |x: f64| format!("{x:.3}");
    let ends = [judgement.by_horizon.first(), judgement.by_horizon.last()];
    let [next, furthest] = ends.map(|x| x.copied().map_or("-".to_owned(), nats));
    let [low, median, high] = judgement.over_series.map(nats);
    let better = judgement.model_better_share;
    let better = if better.is_finite() {
        format!("{:.0} %", 100.0 * better)
    } else {
        String::new()
    };
    vec![
        judgement.name.clone(),
        nats(judgement.nll),
        next,
        furthest,
        low,
        median,
        high,
        better,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_won() {
        let judgement = |name: &str, nll: f64, better: f64| Judgement {
            name: name.to_owned(),
            nll,
            by_horizon: vec![nll - 0.5, nll + 0.5],
            over_series: [nll - 1.0, nll, nll + 1.0],
            model_better_share: better,
        };
        let mut out = Vec::new();
        let all = Verdict {
            judgements: vec![
                judgement("model", 0.25, f64::NAN),
                judgement("constant", 1.5, 0.98),
            ],
            threshold: 20.0,
            outside: [0.11, 0.0123],
            rows: 12_345,
            series: 67,
        };
        verdict(&mut out, &all).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("Surprise at 12,345 samples of 67 series"),
            "{text}"
        );
        assert!(
            text.contains("  constant  1.500        1.000     2.000"),
            "{text}"
        );
        assert!(
            text.contains("98 %") && text.contains("11.0 % (10") && text.contains("1.23 % (1)")
        );
    }
}

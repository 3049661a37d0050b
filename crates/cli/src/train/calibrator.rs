//! `forestall train calibrator`: whether captured scores kept their promise, and the curve that would have.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use store::capture::Rows;
use training::Surprises;

use super::data::SpanArgs;
use crate::numbers::grouped;
use crate::progress;
use crate::table::{Align, Table};

/// Fits the calibration curve to captured scores: how seldom normal behaviour was how surprising
#[derive(Debug, Args)]
pub(super) struct CalibratorArgs {
    /// Captured data: the folder of `forestall serve --capture`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    span: SpanArgs,
    /// The folder for the model; made if need be
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a model that stands in the folder
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &CalibratorArgs) -> anyhow::Result<()> {
    super::data::vacant(&args.out, args.force)?;
    super::data::check(&args.data)?;
    let mut reader = server::capture::reader(&args.data, args.span.range()?)?;
    let bar = progress::items("reading", reader.parts_left() as u64);
    let (mut rows, mut surprises) = (Rows::default(), Surprises::default());
    while reader.next(&mut rows)? {
        for i in 0..rows.len() {
            if rows.use_as_normal(i) {
                surprises.push(rows.scores[i]);
            }
        }
        let left = reader.parts_left() as u64;
        bar.set_position(bar.length().unwrap_or(left).saturating_sub(left));
    }
    bar.finish_and_clear();
    let fitted = surprises.fit()?;
    let name = super::data::last(&args.data);
    let description = format!("captured scores of {name}");
    let command = format!("forestall train calibrator --data {name}");
    fitted.write(&description, &super::data::now(), &command, &args.out)?;
    let mut out = std::io::stdout().lock();
    let mut table = Table::new(&[("promised", Align::Right), ("seen", Align::Right)]);
    for (promised, seen) in &fitted.kept {
        let percent = |x: f64| format!("{:.3} %", 100.0 * x);
        table.row([percent(*promised), percent(*seen)]);
    }
    writeln!(
        out,
        "False alarms among {} normal samples:\n",
        grouped(fitted.rows)
    )?;
    table.write(&mut out, "  ")?;
    writeln!(
        out,
        "\nCurve: scale {:.3}, exponent {:.3} (1 and 1 when every promise is kept). The model is in {}.",
        fitted.curve.scale,
        fitted.curve.exponent,
        args.out.display()
    )?;
    Ok(())
}

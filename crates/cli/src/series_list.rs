//! `forestall series`: which series a server watches.

use std::io::Write;

use clap::Args;
use proto::v1::{ListSeriesRequest, risk_service_client::RiskServiceClient};
use series::Timestamp;

use crate::connect::{ServerArgs, refused};
use crate::dates::TimeForm;
use crate::numbers::grouped;
use crate::runtime::block_on;
use crate::table::{Align, Table};
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  forestall series
  forestall series --filter 'process_cpu_ratio{comm=~\"post.*\"}'";

/// Lists the series that a running server watches.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SeriesArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Which series, as a PromQL selector: a metric, labels in braces, or both
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    filter: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached or refuses the filter.
pub(crate) fn run(args: &SeriesArgs) -> anyhow::Result<()> {
    block_on(list(args))
}

async fn list(args: &SeriesArgs) -> anyhow::Result<()> {
    let mut client = RiskServiceClient::new(args.server.connect().await?);
    let mut table = Table::new(&[
        ("series", Align::Left),
        ("newest sample (UTC)", Align::Left),
    ]);
    let (mut n, mut page_token) = (0, String::new());
    let total = loop {
        let page_size = i32::try_from((args.limit - n).min(10_000)).unwrap_or(i32::MAX);
        let request = ListSeriesRequest {
            filter: args.filter.clone(),
            page_size,
            page_token,
        };
        let response = client
            .list_series(request)
            .await
            .map_err(|status| refused(&status))?
            .into_inner();
        for info in &response.series {
            let newest = info
                .last_time_us
                .map(|us| TimeForm::Date.write(Timestamp::from_micros(us)));
            table.row([
                wire::text(info.series.as_ref()),
                newest.unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        n += response.series.len();
        page_token = response.next_page_token;
        if page_token.is_empty() || n >= args.limit {
            break response.total_size;
        }
    };
    let mut out = std::io::stdout().lock();
    table.write(&mut out, "")?;
    if (n as u64) < total {
        writeln!(
            out,
            "… {} of {}; --limit shows more",
            grouped(n as u64),
            grouped(total)
        )?;
    } else {
        writeln!(out, "{} series", grouped(total))?;
    }
    Ok(())
}

//! `forestall risks`: what is odd now, once.

use std::io::Write;

use clap::{Args, ValueEnum};
use proto::v1::{
    Contributor, Culprit, QueryRisksRequest, Risk, risk_service_client::RiskServiceClient,
};
use serde_json::{Value, json};
use series::{Timestamp, Unit};

use crate::connect::{ServerArgs, refused};
use crate::culprits;
use crate::dates::TimeForm;
use crate::numbers::{grouped, human, rarity};
use crate::runtime::block_on;
use crate::table::{Align, Table};
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  forestall risks
      The riskiest series of this machine.
  forestall risks --events --filter '{comm=\"postgres\"}'
  forestall risks --min-score 0.999 --json | jq .series";

/// Prints the current risk of series, riskiest first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RisksArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Which series, as a PromQL selector: a metric, labels in braces, or both
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    filter: String,
    /// Only scores from here, 0 to 1: 0.999 is exceeded by 1 in 1,000 normal samples
    #[arg(long, value_name = "SCORE", default_value_t = 0.0)]
    min_score: f64,
    /// Only alert scores from here, 0 to 1
    #[arg(long, value_name = "SCORE", default_value_t = 0.0)]
    min_alert_score: f32,
    /// Only series that are in an event
    #[arg(long)]
    events: bool,
    /// What comes first
    #[arg(long, value_enum, default_value_t = OrderBy::EventPeak)]
    order: OrderBy,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

/// Orders that the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderBy {
    /// The highest alert score, which is that of one sample
    AlertScore,
    /// The highest score
    Score,
    /// The event with the highest peak
    EventPeak,
    /// The newest sample
    Time,
}

impl OrderBy {
    const fn name(self) -> &'static str {
        match self {
            Self::AlertScore => "alert_score desc",
            Self::Score => "score desc",
            Self::EventPeak => "event_peak desc",
            Self::Time => "time_us desc",
        }
    }
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached or refuses the query.
pub(crate) fn run(args: &RisksArgs) -> anyhow::Result<()> {
    let (risks, total) = block_on(query(args))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        for risk in &risks {
            writeln!(out, "{}", as_json(risk))?;
        }
        return Ok(());
    }
    as_table(&risks).write(&mut out, "")?;
    writeln!(
        out,
        "{} of {} series that match",
        risks.len(),
        grouped(total)
    )?;
    Ok(())
}

async fn query(args: &RisksArgs) -> anyhow::Result<(Vec<Risk>, u64)> {
    let mut client = RiskServiceClient::new(args.server.connect().await?);
    let mut risks = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = QueryRisksRequest {
            filter: args.filter.clone(),
            min_score: args.min_score,
            min_alert_score: args.min_alert_score,
            only_open_events: args.events,
            order_by: args.order.name().to_owned(),
            history_size: 0,
            page_size: i32::try_from((args.limit - risks.len()).min(1_000)).unwrap_or(i32::MAX),
            page_token,
        };
        let response = client
            .query_risks(request)
            .await
            .map_err(|status| refused(&status))?
            .into_inner();
        risks.extend(response.risks);
        page_token = response.next_page_token;
        if page_token.is_empty() || risks.len() >= args.limit {
            return Ok((risks, response.total_size));
        }
    }
}

fn as_table(risks: &[Risk]) -> Table {
    let mut table = Table::new(&[
        ("series", Align::Left),
        ("value", Align::Right),
        ("expected", Align::Right),
        ("score", Align::Right),
        ("alert", Align::Right),
        ("event", Align::Left),
        ("because of", Align::Left),
    ]);
    for risk in risks {
        let unit = risk
            .series
            .as_ref()
            .map_or(Unit::None, |key| Unit::of_metric(&key.metric));
        let event = risk.event.as_ref().map(|event| {
            let since = TimeForm::Date.write(Timestamp::from_micros(event.since_us));
            format!("{} since {since}", event.id)
        });
        table.row([
            wire::text(risk.series.as_ref()),
            human(risk.level, unit),
            human(risk.expected, unit),
            rarity(risk.score),
            format!("{:.3}", risk.alert_score),
            event.unwrap_or_else(|| "-".to_owned()),
            reasons(risk),
        ]);
    }
    table
}

/// The processes behind it, if any are named, then what stood out: `← stress (pid 7) +98 %; residual 60 %`.
pub(crate) fn reasons(risk: &Risk) -> String {
    let named: Vec<String> = risk.culprits.iter().map(culprits::one).collect();
    if named.is_empty() {
        return contributors(&risk.detectors);
    }
    format!("← {}; {}", named.join(", "), contributors(&risk.detectors))
}

/// `residual 60 %, trend 20 %`.
pub(crate) fn contributors(all: &[Contributor]) -> String {
    let one = |c: &Contributor| format!("{} {:.0} %", c.name, c.share * 100.0);
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn as_json(risk: &Risk) -> Value {
    let named = |all: &[Contributor]| -> Vec<Value> {
        all.iter()
            .map(|c| json!({ "name": c.name, "share": c.share }))
            .collect()
    };
    let event = risk.event.as_ref().map(|event| {
        json!({ "id": event.id, "since_us": event.since_us, "peak_alert_score": event.peak_alert_score })
    });
    let culprit = |c: &Culprit| json!({ "series": wire::text(c.series.as_ref()), "value": c.value, "increase": c.increase, "share": c.share });
    let culprits: Vec<Value> = risk.culprits.iter().map(culprit).collect();
    json!({
        "series": wire::text(risk.series.as_ref()),
        "time_us": risk.time_us,
        "value": risk.value,
        "level": risk.level,
        "expected": risk.expected,
        "band": risk.band,
        "score": risk.score,
        "alert_score": risk.alert_score,
        "confidence": risk.confidence,
        "event": event,
        "detectors": named(&risk.detectors),
        "features": named(&risk.features),
        "culprits": culprits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::Event;

    fn risk() -> Risk {
        Risk {
            series: Some(wire::key("mem_used_bytes{host=\"a\"}").unwrap()),
            level: 2_147_483_648.0,
            expected: 1_073_741_824.0,
            score: 0.999,
            alert_score: 0.75,
            event: Some(Event {
                id: 7,
                since_us: 1_714_564_800_000_000,
                ..Event::default()
            }),
            detectors: vec![Contributor {
                name: "residual".to_owned(),
                share: 0.8,
            }],
            ..Risk::default()
        }
    }

    #[test]
    fn a_table_reads_like_a_sentence() {
        let mut out = Vec::new();
        as_table(&[risk()]).write(&mut out, "").unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = text.lines().nth(1).unwrap();
        let expected = "mem_used_bytes{host=\"a\"}  2 GiB     1 GiB  1 in 1k  0.750  7 since 2024-05-01 12:00:00  residual 80 %";
        assert_eq!(line, expected);
    }

    #[test]
    fn the_process_behind_it_comes_first() {
        let mut risk = risk();
        let series = "process_resident_memory_bytes{comm=\"hog\",pid=\"7\"}";
        risk.culprits = vec![Culprit {
            series: Some(wire::key(series).unwrap()),
            value: 1_073_741_824.0,
            increase: 1_073_741_824.0,
            share: 1.0,
        }];
        assert_eq!(reasons(&risk), "← hog (pid 7) +1 GiB; residual 80 %");
        let value = as_json(&risk);
        assert_eq!(value["culprits"][0]["series"], series);
        assert_eq!(value["culprits"][0]["increase"], 1_073_741_824.0);
    }

    #[test]
    fn json_keeps_the_digits() {
        let value = as_json(&risk());
        assert_eq!(value["event"]["id"], 7);
        assert_eq!(value["score"], 0.999);
        assert_eq!(value["series"], "mem_used_bytes{host=\"a\"}");
    }
}

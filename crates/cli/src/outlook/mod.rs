//! `forestall outlook`: what will run out, and when.

pub(crate) mod list;
pub(crate) mod words;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use predict::exhaustion::FAMILIES;
use proto::v1::outlook_service_client::OutlookServiceClient;
use proto::v1::{Family, GetOutlookRequest, Outlook, OutlookState, QueryOutlooksRequest};

use crate::connect::{Connection, ServerArgs, refused};
use crate::numbers::grouped;
use crate::replay::draw_outlooks;
use crate::runtime::block_on;
use crate::wire;

const EXAMPLES: &str = "\
Examples:
  forestall outlook
      What runs out, soonest first: how much is used, when it is exhausted, and what to do.
  forestall outlook --family memory --min-probability 0.5
      Only memory that is exhausted within half an hour more likely than not.
  forestall outlook 'container_memory_working_set_bytes{pod=\"api\"}' --plot out.html
      One resource: its past, its limit, and where it may go.
  forestall outlook --missing
      What cannot be foretold, and which metric or setting would give its limit.

`in 12 min (7–20)`: as likely before as after 12 minutes, and with 90 % between 7 and 20.";

/// Says what will run out and when: memory, processor, disk, connections, descriptors, threads, dependencies.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OutlookArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// One resource in full, by the series that its use is read from
    #[arg(value_name = "RESOURCE", conflicts_with_all = ["filter", "family", "min_probability", "missing", "limit"])]
    resource: Option<String>,
    /// Which resources, as a PromQL selector: a metric, labels in braces, or both
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    filter: String,
    /// Only of this family; may be given more than once
    #[arg(long, value_parser = families(), value_name = "FAMILY")]
    family: Vec<Family>,
    /// Only what is exhausted within half an hour with at least this probability, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    min_probability: f64,
    /// List what has no known limit, with the metric or setting that would give it
    #[arg(long, conflicts_with_all = ["min_probability", "plot"])]
    missing: bool,
    /// At most so many, 1 or more
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Draw past, limit and forecast into this HTML file
    #[arg(long, value_name = "OUT.html")]
    plot: Option<PathBuf>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

/// Takes the names that the configuration has.
fn families() -> impl TypedValueParser<Value = Family> {
    let names = FAMILIES.map(predict::exhaustion::Family::name);
    PossibleValuesParser::new(names).map(|name| {
        let name = format!("FAMILY_{}", name.to_uppercase());
        Family::from_str_name(&name).unwrap_or(Family::Unspecified)
    })
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached or refuses the query, or the drawing cannot be written.
pub(crate) fn run(args: &OutlookArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(resource) = &args.resource {
        let outlook = block_on(get(args, resource))?;
        if let Some(path) = &args.plot {
            draw_outlooks(path, std::slice::from_ref(&outlook))?;
        }
        if args.json {
            writeln!(out, "{}", list::as_json(&outlook))?;
        } else {
            list::in_full(&mut out, &outlook)?;
        }
        return Ok(());
    }
    let answer = block_on(query(args))?;
    if let Some(path) = &args.plot {
        let left = draw_outlooks(path, &answer.outlooks)?;
        if left > 0 {
            let all = grouped(answer.outlooks.len() as u64);
            eprintln!("{} of {all} resources are not drawn", grouped(left as u64));
        }
    }
    if args.json {
        for outlook in &answer.outlooks {
            writeln!(out, "{}", list::as_json(outlook))?;
        }
    } else if args.missing {
        list::missing(&mut out, &answer.outlooks, "")?;
        let (shown, total) = (answer.outlooks.len(), grouped(answer.total));
        writeln!(out, "{shown} of {total} resources without a known limit")?;
    } else {
        list::foretold(&mut out, &answer.outlooks, "")?;
        writeln!(out, "{}", footing(&answer))?;
    }
    Ok(())
}

/// What a server said of many.
struct Answer {
    outlooks: Vec<Outlook>,
    total: u64,
    /// Resources that match and have no known limit.
    n_missing: u64,
}

fn footing(answer: &Answer) -> String {
    let (shown, total) = (answer.outlooks.len(), grouped(answer.total));
    let mut text = format!("{shown} of {total} resources that match");
    if answer.n_missing > 0 {
        let n = grouped(answer.n_missing);
        text.push_str(&format!(
            "; {n} more without a known limit: `forestall outlook --missing`"
        ));
    }
    text
}

async fn get(args: &OutlookArgs, resource: &str) -> anyhow::Result<Outlook> {
    let key = wire::key(resource)?;
    let mut client = OutlookServiceClient::new(args.server.connect().await?);
    let request = GetOutlookRequest {
        resource: Some(key),
        family: Family::Unspecified.into(),
    };
    let response = client.get_outlook(request).await;
    let response = response.map_err(|status| refused(&status))?.into_inner();
    Ok(response.outlook.unwrap_or_default())
}

async fn query(args: &OutlookArgs) -> anyhow::Result<Answer> {
    let mut client = OutlookServiceClient::new(args.server.connect().await?);
    let missing = vec![OutlookState::Missing.into()];
    let foretold = [
        OutlookState::Forecast,
        OutlookState::Pending,
        OutlookState::Stale,
    ];
    let request = QueryOutlooksRequest {
        filter: args.filter.clone(),
        families: args.family.iter().map(|&family| family.into()).collect(),
        states: match args.missing {
            true => missing.clone(),
            false => foretold.map(Into::into).to_vec(),
        },
        min_probability: args.min_probability,
        ..QueryOutlooksRequest::default()
    };
    let (mut outlooks, total) = pages(&mut client, &request, args.limit as usize).await?;
    if args.plot.is_some() {
        for outlook in &mut outlooks {
            // The list comes without fans; one that is gone meanwhile is drawn without.
            let request = GetOutlookRequest {
                resource: outlook.resource.clone(),
                family: outlook.family,
            };
            if let Ok(full) = client.get_outlook(request).await {
                *outlook = full.into_inner().outlook.unwrap_or_default();
            }
        }
    }
    let request = QueryOutlooksRequest {
        states: missing,
        min_probability: 0.0,
        ..request
    };
    let n_missing = pages(&mut client, &request, 1).await?.1;
    Ok(Answer {
        outlooks,
        total,
        n_missing,
    })
}

/// Up to `most` of what matches, and how many match.
async fn pages(
    client: &mut OutlookServiceClient<Connection>,
    request: &QueryOutlooksRequest,
    most: usize,
) -> anyhow::Result<(Vec<Outlook>, u64)> {
    let (mut outlooks, mut page_token) = (Vec::new(), String::new());
    loop {
        let page_size = i32::try_from((most - outlooks.len()).min(1_000)).unwrap_or(i32::MAX);
        let request = QueryOutlooksRequest {
            page_size,
            page_token,
            ..request.clone()
        };
        let response = client.query_outlooks(request).await;
        let response = response.map_err(|status| refused(&status))?.into_inner();
        outlooks.extend(response.outlooks);
        page_token = response.next_page_token;
        if page_token.is_empty() || outlooks.len() >= most {
            return Ok((outlooks, response.total_size));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proto::v1::{
        Cause, Contributor, FanPoint, HorizonProbability, LevelPoint, TimeToExhaustion,
    };

    use super::*;

    const GIB: f64 = 1_073_741_824.0;
    const NOW_US: i64 = 1_714_564_800_000_000;

    /// A container that leaks, with its past and its fan.
    pub(crate) fn leak() -> Outlook {
        let horizons = [300.0, 900.0, 1_800.0, 7_200.0, 86_400.0];
        let told = horizons.into_iter().zip([0.01, 0.7, 0.98, 1.0, 1.0]);
        let point = |i: i64| LevelPoint {
            time_us: NOW_US - (89 - i) * 20_000_000,
            level_ratio: 0.35 + 0.4 * i as f64 / 89.0,
        };
        let fan = |i: u8| {
            let ahead_s = 112.5 * f64::from(i + 1);
            FanPoint {
                ahead_s,
                low: (1.5 + ahead_s / 2_400.0) * GIB,
                median: (1.5 + ahead_s / 1_440.0) * GIB,
                high: (1.5 + ahead_s / 840.0) * GIB,
            }
        };
        Outlook {
            resource: wire::key("container_memory_working_set_bytes{pod=\"api\"}").ok(),
            family: Family::Memory.into(),
            state: OutlookState::Forecast.into(),
            missing: String::new(),
            time_us: NOW_US,
            unit: "bytes".to_owned(),
            level: 1.5 * GIB,
            limit: 2.0 * GIB,
            level_ratio: 0.75,
            probabilities: told
                .map(|(horizon_s, probability)| HorizonProbability {
                    horizon_s,
                    probability,
                })
                .collect(),
            time_to_exhaustion: Some(TimeToExhaustion {
                p05_s: Some(420.0),
                p50_s: Some(720.0),
                p95_s: Some(1_200.0),
            }),
            confidence: 0.9,
            cause: Cause::Leak.into(),
            factors: vec![Contributor {
                name: "troughs".to_owned(),
                share: 0.75,
            }],
            actions: vec!["restart".to_owned(), "raise_limit".to_owned()],
            fan: (0..16).map(fan).collect(),
            history: (0..90).map(point).collect(),
            tempo: 1.0,
        }
    }

    /// A file system of which nobody says how large it is.
    pub(crate) fn without_limit() -> Outlook {
        Outlook {
            resource: wire::key("node_filesystem_avail_bytes{mountpoint=\"/\"}").ok(),
            family: Family::Disk.into(),
            state: OutlookState::Missing.into(),
            missing: "node_filesystem_size_bytes".to_owned(),
            unit: "bytes".to_owned(),
            ..Outlook::default()
        }
    }

    #[test]
    fn every_family_has_a_number_on_the_wire() {
        let command = clap::Command::new("x").arg(clap::Arg::new("f").value_parser(families()));
        for family in FAMILIES {
            let matches = command.clone().try_get_matches_from(["x", family.name()]);
            let found = *matches.unwrap().get_one::<Family>("f").unwrap();
            assert_ne!(found, Family::Unspecified, "{family:?}");
        }
    }

    #[test]
    fn what_is_not_listed_is_pointed_at() {
        let answer = |n_missing| Answer {
            outlooks: vec![leak()],
            total: 1_234,
            n_missing,
        };
        assert_eq!(footing(&answer(0)), "1 of 1,234 resources that match");
        let text = footing(&answer(2));
        assert!(text.ends_with("; 2 more without a known limit: `forestall outlook --missing`"));
    }
}

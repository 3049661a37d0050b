//! `forestall strategies`: what may be done, and how well it worked.

use std::io::{self, Write};

use clap::Args;
use proto::v1::safety_service_client::SafetyServiceClient;
use proto::v1::{GetStatisticsRequest, IssueClass, StrategyStatistics};

use super::acting::not_done;
use super::{attributes, enums, json};
use crate::connect::ServerArgs;
use crate::numbers::grouped;
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall strategies
  forestall strategies --class disk_exhaustion
  forestall strategies --attributes
      What can be declared under [topology], without which a strategy does not dare. No server is asked.

0.82 ± 0.11 is what is believed of the probability that it helps, and how sure that is; it begins with what is
commonly known and moves with every verdict.";

/// Lists the strategies: what for, what they do, how often they helped.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StrategiesArgs {
    /// Only those for this class
    #[arg(long, value_parser = enums::classes(), value_name = "CLASS")]
    class: Option<IssueClass>,
    /// List the attributes that strategies read, with their meaning and values, in place of the strategies
    #[arg(long, conflicts_with_all = ["class", "json"])]
    attributes: bool,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(super) fn run(args: &StrategiesArgs) -> anyhow::Result<()> {
    if args.attributes {
        attributes::write(&mut Page::new(&mut io::stdout().lock()))?;
        return Ok(());
    }
    let mut all = block_on(get(&args.server))?;
    if let Some(class) = args.class {
        let name = enums::class(class);
        all.retain(|one| one.classes.contains(&name));
    }
    let mut out = io::stdout().lock();
    if args.json {
        for one in &all {
            writeln!(out, "{}", plain::json(&json::strategy(one)))?;
        }
        return Ok(());
    }
    write(&mut Page::new(&mut out), &all)?;
    Ok(())
}

async fn get(server: &ServerArgs) -> anyhow::Result<Vec<StrategyStatistics>> {
    let mut client = SafetyServiceClient::new(server.connect().await?);
    let response = client.get_statistics(GetStatisticsRequest {}).await;
    Ok(response
        .map_err(|status| not_done(&status))?
        .into_inner()
        .strategies)
}

fn write(page: &mut Page<'_>, all: &[StrategyStatistics]) -> io::Result<()> {
    let name = all.iter().map(|one| one.strategy.chars().count()).max();
    let name = name.unwrap_or(0).clamp(8, 28) + 2;
    for one in all {
        let verdicts: Vec<String> = one
            .verdicts
            .iter()
            .map(|(verdict, n)| format!("{verdict} {}", grouped(*n)))
            .collect();
        let verdicts = if verdicts.is_empty() {
            "not tried yet".to_owned()
        } else {
            verdicts.join(", ")
        };
        let odds = format!("{:.2} ± {:.2}; {verdicts}", one.success, one.deviation);
        page.hanging(0, &plain::cut(&one.strategy, name - 2), name, &odds)?;
        page.text(4, &one.about)?;
        page.text(4, &format!("for {}", one.classes.join(", ")))?;
    }
    page.text(
        0,
        &super::words::count(all.len() as u64, "strategy", "strategies"),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    fn sample(text: &str) -> Vec<StrategyStatistics> {
        let one = StrategyStatistics {
            strategy: text.to_owned(),
            about:
                "Restarts the instances of a service one by one, each when the one before is well."
                    .to_owned(),
            classes: vec!["memory_exhaustion".to_owned(), "process_crash".to_owned()],
            success: 0.82,
            deviation: 0.11,
            verdicts: [("cured".to_owned(), 1_204), ("no_effect".to_owned(), 3)].into(),
        };
        let new = StrategyStatistics {
            strategy: "scale_out".to_owned(),
            verdicts: [].into(),
            ..one.clone()
        };
        vec![one, new]
    }

    #[test]
    fn what_is_believed_of_each() {
        let text = written(80, |page| write(page, &sample("restart_rolling")));
        expect![[r#"
            restart_rolling  0.82 ± 0.11; cured 1,204, no_effect 3
                Restarts the instances of a service one by one, each when the one before is
                well.
                for memory_exhaustion, process_crash
            scale_out        0.82 ± 0.11; not tried yet
                Restarts the instances of a service one by one, each when the one before is
                well.
                for memory_exhaustion, process_crash
            2 strategies
        "#]]
        .assert_eq(&text);
        assert!(!written(80, |page| write(page, &sample(samples::HOSTILE))).contains('\u{202e}'));
    }
}

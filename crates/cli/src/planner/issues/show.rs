//! `forestall issues show`: the whole story of one issue on one page.

use std::io::{self, Write};

use clap::Args;
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::{Finding, GetIssueRequest, GetIssueResponse, Issue};
use series::Timestamp;

use crate::connect::ServerArgs;
use crate::page::Page;
use crate::plain;
use crate::planner::acting::not_done;
use crate::planner::words::now;
use crate::planner::{enums, history, json, plans, words};

/// One issue on one page: what, why, the numbers, the plans, and everything that happened
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Which, such as i17
    #[arg(value_name = "ISSUE")]
    id: String,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let mut client = IssueServiceClient::new(args.server.connect().await?);
    let request = GetIssueRequest {
        id: args.id.clone(),
    };
    let story = client.get_issue(request).await;
    let story = story.map_err(|status| not_done(&status))?.into_inner();
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", plain::json(&json::story(&story)))?;
    } else {
        write(&mut Page::new(&mut out), &story, now())?;
    }
    Ok(())
}

/// The story.
pub(super) fn write(
    page: &mut Page<'_>,
    story: &GetIssueResponse,
    now: Timestamp,
) -> io::Result<()> {
    let issue = story.issue.clone().unwrap_or_default();
    let (severity, class) = (enums::severity(&issue), enums::class(issue.class()));
    let state = enums::issue_state(&issue);
    page.text(
        0,
        &format!(
            "{}: {severity} {class} on {}, {state}",
            issue.id, issue.entity
        ),
    )?;
    page.gap()?;
    what(page, &issue, now)?;
    if !issue.evidence.is_empty() {
        page.heading("Evidence, most telling first")?;
    }
    for (i, finding) in issue.evidence.iter().enumerate() {
        evidence(page, i + 1, finding, &issue, now)?;
    }
    for (i, plan) in story.plans.iter().enumerate() {
        if i == 0 {
            page.heading("Plans")?;
        }
        plans::brief(page, plan, now)?;
    }
    if !story.history.is_empty() {
        page.heading("History")?;
        history::write(page, &story.history)?;
    }
    let waiting = story
        .plans
        .iter()
        .find(|plan| enums::plan_state(plan) == "awaiting_approval");
    if let Some(plan) = waiting {
        let id = &plan.id;
        page.gap()?;
        page.text(0, &format!("next: `forestall plans show {id}`, then `forestall approve {id}` or `forestall refuse {id} --reason …`"))?;
    }
    Ok(())
}

fn what(page: &mut Page<'_>, issue: &Issue, now: Timestamp) -> io::Result<()> {
    let odds = issue.evidence.first().and_then(words::odds);
    let what = words::what(issue);
    page.fact(
        "what",
        &odds.map_or(what.clone(), |odds| format!("{what}; {odds}")),
    )?;
    page.fact("cause", &issue.cause)?;
    page.fact("severity", &issue.severity_reason)?;
    page.fact("affected", &issue.affected.join(", "))?;
    page.fact("also", &also(issue))?;
    let since = format!(
        "{} (UTC), {} ago",
        words::date(issue.opened_us),
        words::ago(now, issue.opened_us)
    );
    page.fact("since", &since)?;
    match issue.resolved_us {
        0 => page.fact(
            "last seen",
            &format!("{} ago", words::ago(now, issue.seen_us)),
        )?,
        resolved => page.fact("resolved", &format!("{} (UTC)", words::date(resolved)))?,
    }
    if issue.suppressed_until_us > 0 {
        page.fact(
            "suppressed",
            &format!("until {} (UTC)", words::date(issue.suppressed_until_us)),
        )?;
    }
    if !issue.returned_from.is_empty() {
        page.fact("returned", &format!("it is {} again", issue.returned_from))?;
    }
    page.fact("note", &issue.note)
}

/// Others with the same trouble; not all are named.
fn also(issue: &Issue) -> String {
    let named = issue.also.join(", ");
    match issue.also_count.saturating_sub(issue.also.len() as u64) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn evidence(
    page: &mut Page<'_>,
    n: usize,
    finding: &Finding,
    issue: &Issue,
    now: Timestamp,
) -> io::Result<()> {
    let head = format!("{}: {}", finding.source, finding.signal);
    page.hanging(2, &format!("{n}."), 4, &head)?;
    let mut told = vec![words::measured(finding)];
    told.extend(words::foreseen(finding));
    told.extend(words::odds(finding));
    told.push(format!("confidence {:.2}", finding.confidence));
    if !finding.cause.is_empty() && finding.cause != issue.cause {
        told.push(finding.cause.clone());
    }
    told.push(format!("{} ago", words::ago(now, finding.time_us)));
    page.text(6, &told.join("; "))?;
    let facts: Vec<String> = finding
        .facts
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    match facts.is_empty() {
        true => Ok(()),
        false => page.text(6, &facts.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::page::written;
    use crate::planner::samples;

    use super::*;

    #[test]
    fn the_whole_story_on_one_page() {
        let story = GetIssueResponse {
            issue: Some(samples::leak()),
            plans: vec![samples::plan()],
            history: samples::history(),
        };
        let text = written(80, |page| {
            write(page, &story, Timestamp::from_micros(samples::NOW_US))
        });
        expect![[r#"
            i17: critical memory_exhaustion on instance/shop/api-1, planned

            what        in 12 min (7–20); 98 % within 30 min, >99 % within a day
            cause       leak
            severity    a service of tier 1 loses an instance within 15 minutes
            affected    service/shop/api, service/shop/web
            also        instance/shop/cart-2 and 2 more
            since       2026-11-26 11:48:00 (UTC), 12 min ago
            last seen   5 s ago
            note        p4: restart_rolling waits for approval

            Evidence, most telling first
              1.  prediction:
                  container_memory_working_set_bytes{namespace="shop",pod="api-1"}
                  75 % against 90 %; in 12 min (7–20); 98 % within 30 min, >99 % within a
                  day; confidence 0.90; 5 s ago
                  limit_bytes 2147483648; trend 0.9 MiB/s
              2.  rule: http_request_duration_seconds{service="api"}
                  350 ms against 200 ms; confidence 1.00; 8 s ago

            Plans
              p4  awaiting_approval: restart_rolling on instance/shop/api-1; confidence
                  0.91, risk 0.12, reversible
                  1. waiting: Scale service/shop/api from 3 to 4.
                  2. waiting: Restart instance/shop/api-1.
                  effect    memory_used_ratio{pod="api-1"}: 75 % to 30 % within 5 min of the
                            last step; a move of less than 10 % is no effect
                  waits for an operator or above, until 2026-11-26 12:04:00 (UTC)

            History
              2026-11-26 (UTC)
              12:01:00  forestall  i17 opened: class memory_exhaustion, entity
                                   instance/shop/api-1, probability 0.98, signal
                                   container_memory_working_set_bytes, source prediction,
                                   threshold 0.9, value 0.75
              12:02:00  forestall  d9 made: chosen restart_rolling, course ask, issue i17
              12:03:00  forestall  p4 awaiting approval: chosen restart_rolling, confidence
                                   0.91, decision d9, issue i17, risk 0.12, steps Scale
                                   service/shop/api from 3 to 4.; Restart
                                   instance/shop/api-1., strategy restart_rolling
              12:04:00  ann        p4 approved: seen this before (operator)
              12:05:00  forestall  p4 held: brake: the brake is engaged
              12:06:00  forestall  p4 step 1 ordered: {"action":"x"}
              12:07:00  forestall  p4 step 1 done: done in 14 s
              12:08:00  forestall  p4 judged: cured: 0.31 where 0.3 was foretold: it moved
                                   as foretold
              12:09:00  forestall  i17 resolved: p4 cured it, from verifying

            next: `forestall plans show p4`, then `forestall approve p4` or
            `forestall refuse p4 --reason …`
        "#]].assert_eq(&text);
    }

    #[test]
    fn a_story_of_others_is_harmless() {
        let text = samples::HOSTILE;
        let story = GetIssueResponse {
            issue: Some(samples::hostile()),
            plans: vec![samples::hostile_plan()],
            history: vec![samples::entry(1, text, text, text, text)],
        };
        for width in [80, 120] {
            let text = written(width, |page| {
                write(page, &story, Timestamp::from_micros(samples::NOW_US))
            });
            assert!(!text.contains('\u{202e}'), "{text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
        }
        let empty = written(80, |page| {
            write(
                page,
                &GetIssueResponse::default(),
                Timestamp::from_micros(0),
            )
        });
        assert!(empty.contains("not seen any more"), "{empty}");
    }
}

//! `forestall health`: how everything is, from 0 to 100, and what lowered it.

use std::io::{self, Write};

use clap::Args;
use proto::v1::safety_service_client::SafetyServiceClient;
use proto::v1::{AreaHealth, GetHealthRequest, GetHealthResponse, HealthPoint};

use super::acting::not_done;
use super::{json, words};
use crate::connect::ServerArgs;
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;
use crate::watch::spark;

const EXAMPLES: &str = "\
Examples:
  forestall health
      100 is all well. Overall is half the worst area and half the mean of all.
  forestall health --history
  forestall health --json | jq .overall";

/// Columns of a bar.
const BAR: usize = 20;
/// Points of the past that fit beside each other.
const POINTS: u32 = 60;

/// Shows the health score, overall and by area, with what lowered it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HealthArgs {
    /// How it was, too
    #[arg(long)]
    history: bool,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(super) fn run(args: &HealthArgs) -> anyhow::Result<()> {
    let health = block_on(get(args))?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", plain::json(&json::health(&health)))?;
    } else {
        write(&mut Page::new(&mut out), &health, args.history)?;
    }
    Ok(())
}

async fn get(args: &HealthArgs) -> anyhow::Result<GetHealthResponse> {
    let mut client = SafetyServiceClient::new(args.server.connect().await?);
    let history_size = if args.history { POINTS } else { 0 };
    let response = client.get_health(GetHealthRequest { history_size }).await;
    Ok(response.map_err(|status| not_done(&status))?.into_inner())
}

fn write(page: &mut Page<'_>, health: &GetHealthResponse, with_history: bool) -> io::Result<()> {
    score(page, "overall", health.overall)?;
    page.gap()?;
    for area in &health.areas {
        score(page, &area.area, area.score)?;
        reasons(page, area)?;
    }
    if with_history {
        page.heading("How it was, from 0 to 100")?;
        history(page, &health.history)?;
    }
    Ok(())
}

fn score(page: &mut Page<'_>, name: &str, score: f64) -> io::Result<()> {
    page.fact(
        name,
        &format!("{}  {:.0}", bar(score), score.clamp(0.0, 100.0).floor()),
    )
}

/// `████████────────────`: never full below 100, never empty above 0.
fn bar(score: f64) -> String {
    let share = if score.is_finite() {
        (score / 100.0).clamp(0.0, 1.0)
    } else {
        0.0
    };
    #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
    let full = (share * BAR as f64).floor() as usize;
    let full = if share > 0.0 { full.max(1) } else { 0 };
    format!("{}{}", "█".repeat(full), "─".repeat(BAR - full))
}

fn reasons(page: &mut Page<'_>, area: &AreaHealth) -> io::Result<()> {
    for reason in &area.reasons {
        let text = format!("{} {}: {}", reason.issue, reason.entity, reason.reason);
        page.hanging(4, &format!("-{:.0}", reason.points), 8, &text)?;
    }
    match area.reasons_count.saturating_sub(area.reasons.len() as u64) {
        0 => Ok(()),
        more => page.text(12, &format!("and {} more", crate::numbers::grouped(more))),
    }
}

fn history(page: &mut Page<'_>, points: &[HealthPoint]) -> io::Result<()> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return page.text(2, "nothing was written down yet");
    };
    let newest = &points[points.len().saturating_sub(POINTS as usize)..];
    let line: String = newest
        .iter()
        .map(|point| spark::block(point.overall, 0.0, 100.0))
        .collect();
    page.text(2, &line)?;
    let least = newest
        .iter()
        .map(|point| point.overall)
        .fold(100.0, f64::min);
    let (from, to) = (
        words::date(newest.first().unwrap_or(first).time_us),
        words::date(last.time_us),
    );
    page.text(
        2,
        &format!("{from} to {to} (UTC); least {:.0}", least.clamp(0.0, 100.0)),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proto::v1::HealthReason;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    fn sample(text: &str) -> GetHealthResponse {
        let reason = |points: f64| HealthReason {
            issue: "i17".to_owned(),
            entity: text.to_owned(),
            points,
            reason: format!("critical memory_exhaustion, {text}"),
        };
        let area = |(area, score): (&str, f64)| AreaHealth {
            area: area.to_owned(),
            score,
            ..AreaHealth::default()
        };
        let mut areas = [
            ("compute", 48.2),
            ("network", 80.0),
            ("storage", 100.0),
            ("database", 99.9),
            ("security", 92.0),
        ]
        .map(area);
        areas[0].reasons = vec![reason(39.2), reason(12.6)];
        areas[0].reasons_count = 5;
        let point = |i: i64| HealthPoint {
            time_us: samples::NOW_US + i * 60_000_000,
            overall: 100.0 - i as f64,
        };
        GetHealthResponse {
            time_us: samples::NOW_US,
            overall: 66.1,
            areas: areas.into(),
            history: (0..40).map(point).collect(),
        }
    }

    #[test]
    fn bars_and_what_lowered_them() {
        let text = written(80, |page| write(page, &sample("instance/shop/api-1"), true));
        expect![[r#"
            overall     █████████████─────── 66

            compute     █████████─────────── 48
                -39     i17 instance/shop/api-1: critical memory_exhaustion,
                        instance/shop/api-1
                -13     i17 instance/shop/api-1: critical memory_exhaustion,
                        instance/shop/api-1
                        and 3 more
            network     ████████████████──── 80
            storage     ████████████████████ 100
            database    ███████████████████─ 99
            security    ██████████████████── 92

            How it was, from 0 to 100
              ████████▇▇▇▇▇▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▆▆▆▆▆▆▆▆▅▅▅▅
              2026-11-26 12:00:00 to 2026-11-26 12:39:00 (UTC); least 61
        "#]]
        .assert_eq(&text);
        let hostile = written(80, |page| write(page, &sample(samples::HOSTILE), true));
        assert!(!hostile.contains('\u{202e}'));
        let empty = written(80, |page| write(page, &GetHealthResponse::default(), true));
        assert!(empty.contains("nothing was written down yet"), "{empty}");
    }

    #[test]
    fn a_bar_is_full_only_when_all_is_well() {
        let full = [0.0, 0.1, 50.0, 99.9, 100.0, f64::NAN]
            .map(|score| bar(score).chars().filter(|c| *c == '█').count());
        assert_eq!(full, [0, 1, 10, 19, 20, 0]);
    }
}

//! `forestall safety`: how bold the planner is, and what holds it.

use std::io::{self, Write};

use clap::Args;
use proto::v1::safety_service_client::SafetyServiceClient;
use proto::v1::{GetSafetyRequest, GetSafetyResponse, SafetyBar};

use super::acting::not_done;
use super::{brake, json, words};
use crate::connect::ServerArgs;
use crate::numbers::grouped;
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall safety
  forestall safety --json | jq -e '.brake.engaged | not'
      For scripts: exit code 0 unless the brake is engaged.

The phase and the limits stand in the section [safety] of the configuration, the people in [planner].";

/// Shows phase, brake, limits, windows, freezes, policies, and who may decide.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SafetyArgs {
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
pub(super) fn run(args: &SafetyArgs) -> anyhow::Result<()> {
    let safety = block_on(get(&args.server))?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", plain::json(&json::safety(&safety)))?;
    } else {
        write(&mut Page::new(&mut out), &safety)?;
    }
    Ok(())
}

pub(super) async fn get(server: &ServerArgs) -> anyhow::Result<GetSafetyResponse> {
    let mut client = SafetyServiceClient::new(server.connect().await?);
    let response = client.get_safety(GetSafetyRequest {}).await;
    Ok(response.map_err(|status| not_done(&status))?.into_inner())
}

/// What is done in a phase.
fn phase(name: &str) -> &str {
    match name {
        "observe" => "issues and health; what would be done is only written down",
        "propose" => "plans are proposed; one that is approved is a dry run, and nothing changes",
        "approve" => "plans that a person approved are carried out",
        "constrained" => {
            "small plans that can be undone are carried out without approval, all others with it"
        }
        "autonomous" => "plans are carried out without approval where confidence and risk allow it",
        _ => "a phase that this program does not know",
    }
}

fn write(page: &mut Page<'_>, safety: &GetSafetyResponse) -> io::Result<()> {
    page.fact(
        "phase",
        &format!("{}: {}", safety.phase, phase(&safety.phase)),
    )?;
    let brake = safety.brake.clone().unwrap_or_default();
    page.fact("brake", &brake::sentence(&brake))?;
    if brake.engaged {
        let how = match brake.actor.as_str() {
            "brake file" => "it lets go when the file is removed",
            _ => "`forestall release --reason …` lets go",
        };
        page.fact("", how)?;
    }
    page.fact(
        "storm",
        match safety.storm.as_str() {
            "" => "none",
            storm => storm,
        },
    )?;
    let executor = match safety.executor_url.as_str() {
        "" => safety.executor.clone(),
        url => format!("{}: {url}", safety.executor),
    };
    page.fact("executor", &executor)?;
    for (name, bar) in [("act", &safety.act), ("ask", &safety.ask)] {
        if let Some(bar) = bar {
            page.fact(name, &threshold(name, bar))?;
        }
    }
    let (target, hour) = (safety.max_actions_per_target, safety.max_actions_per_hour);
    page.fact(
        "limits",
        &format!("{target} actions an hour on one target, {hour} in all"),
    )?;
    rules(page, safety)?;
    page.fact("ledger", &safety.ledger)?;
    match safety.ledger_error.as_str() {
        "" => {}
        error => page.fact(
            "",
            &format!("CANNOT BE WRITTEN, so nothing is done: {error}"),
        )?,
    }
    let audit = words::count(safety.audit_seq, "entry", "entries");
    page.fact("audit", &audit)?;
    page.fact("last hash", &safety.audit_hash)?;
    let people: Vec<String> = safety
        .people
        .iter()
        .map(|(name, authority)| format!("{name} ({authority})"))
        .collect();
    page.fact("people", &people.join(", "))?;
    let so_far = format!(
        "since the start {} findings, {} refused or left out, {} decisions",
        grouped(safety.findings_count),
        grouped(safety.refused_count),
        grouped(safety.decisions_count)
    );
    page.fact("so far", &so_far)
}

/// From where on something is done, and what.
fn threshold(name: &str, bar: &SafetyBar) -> String {
    let what = match name {
        "act" => "a plan may go without approval, as far as the phase allows it",
        _ => "a plan is proposed; otherwise people get the issue alone",
    };
    format!(
        "confidence above {}, risk below {}: {what}",
        bar.confidence, bar.risk
    )
}

/// Windows, freezes and policies, as they are written in the configuration.
fn rules(page: &mut Page<'_>, safety: &GetSafetyResponse) -> io::Result<()> {
    let zone = &safety.time_zone;
    for (i, window) in safety.windows.iter().enumerate() {
        let days = match window.days.as_slice() {
            [] => "every day".to_owned(),
            days => days.join(", "),
        };
        let text = format!("{days}, {} to {} ({zone})", window.from, window.to);
        page.fact(if i == 0 { "windows" } else { "" }, &text)?;
    }
    if safety.windows.is_empty() {
        page.fact("windows", "none: plans that can wait go at any time")?;
    }
    for (i, freeze) in safety.freezes.iter().enumerate() {
        let but = match freeze.allow_critical {
            true => ", but for critical issues",
            false => "",
        };
        let text = format!(
            "{} to {} (UTC){but}: {}",
            words::date(freeze.from_us),
            words::date(freeze.to_us),
            freeze.reason
        );
        page.fact(if i == 0 { "freezes" } else { "" }, &text)?;
    }
    if safety.freezes.is_empty() {
        page.fact("freezes", "none")?;
    }
    for (i, policy) in safety.policies.iter().enumerate() {
        let text = format!(
            "{} ({}): {}",
            policy.name,
            policy.effect.replace('_', " "),
            policy.expression
        );
        page.fact(if i == 0 { "policies" } else { "" }, &text)?;
    }
    if safety.policies.is_empty() {
        page.fact("policies", "none")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proto::v1::{Brake, SafetyFreeze, SafetyPolicy, SafetyWindow};

    use super::super::samples;
    use super::*;
    use crate::page::written;

    fn sample(text: &str) -> GetSafetyResponse {
        GetSafetyResponse {
            phase: "propose".to_owned(),
            brake: Some(Brake {
                engaged: true,
                actor: text.to_owned(),
                reason: text.to_owned(),
                since_us: samples::NOW_US,
            }),
            executor: "dry_run".to_owned(),
            max_actions_per_target: 3,
            max_actions_per_hour: 20,
            ledger: format!("/var/lib/forestall/{text}"),
            ledger_error: text.to_owned(),
            audit_seq: 1_234,
            audit_hash: "ef".repeat(32),
            people: [
                ("ann".to_owned(), "operator".to_owned()),
                (text.to_owned(), "owner".to_owned()),
            ]
            .into(),
            findings_count: 12_345,
            refused_count: 2,
            decisions_count: 87,
            executor_url: format!("https://{text}:8443"),
            time_zone: "Europe/Berlin".to_owned(),
            windows: vec![SafetyWindow {
                days: vec!["saturday".to_owned(), "sunday".to_owned()],
                from: "02:00".to_owned(),
                to: "05:00".to_owned(),
            }],
            freezes: vec![SafetyFreeze {
                from_us: samples::NOW_US,
                to_us: samples::NOW_US + 86_400_000_000,
                reason: text.to_owned(),
                allow_critical: true,
            }],
            policies: vec![SafetyPolicy {
                name: text.to_owned(),
                effect: "require_approval".to_owned(),
                expression: "entity.tier == 1".to_owned(),
                reason: String::new(),
            }],
            act: Some(SafetyBar {
                confidence: 0.8,
                risk: 0.3,
            }),
            ..GetSafetyResponse::default()
        }
    }

    #[test]
    fn what_holds_everything_is_seen_at_once() {
        let text = written(80, |page| write(page, &sample("disk is full")));
        expect![[r#"
            phase       propose: plans are proposed; one that is approved is a dry run, and
                        nothing changes
            brake       engaged by disk is full since 2026-11-26 12:00:00 (UTC): disk is
                        full
                        `forestall release --reason …` lets go
            storm       none
            executor    dry_run: https://disk is full:8443
            act         confidence above 0.8, risk below 0.3: a plan may go without
                        approval, as far as the phase allows it
            limits      3 actions an hour on one target, 20 in all
            windows     saturday, sunday, 02:00 to 05:00 (Europe/Berlin)
            freezes     2026-11-26 12:00:00 to 2026-11-27 12:00:00 (UTC), but for critical
                        issues: disk is full
            policies    disk is full (require approval): entity.tier == 1
            ledger      /var/lib/forestall/disk is full
                        CANNOT BE WRITTEN, so nothing is done: disk is full
            audit       1,234 entries
            last hash   efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef
            people      ann (operator), disk is full (owner)
            so far      since the start 12,345 findings, 2 refused or left out, 87 decisions
        "#]]
        .assert_eq(&text);
        let mut calm = sample("bob");
        (calm.brake, calm.ledger_error) = (None, String::new());
        (calm.windows, calm.freezes, calm.policies) = (Vec::new(), Vec::new(), Vec::new());
        calm.executor_url.clear();
        let text = written(120, |page| write(page, &calm));
        expect![[r#"
            phase       propose: plans are proposed; one that is approved is a dry run, and nothing changes
            brake       released
            storm       none
            executor    dry_run
            act         confidence above 0.8, risk below 0.3: a plan may go without approval, as far as the phase allows it
            limits      3 actions an hour on one target, 20 in all
            windows     none: plans that can wait go at any time
            freezes     none
            policies    none
            ledger      /var/lib/forestall/bob
            audit       1,234 entries
            last hash   efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef
            people      ann (operator), bob (owner)
            so far      since the start 12,345 findings, 2 refused or left out, 87 decisions
        "#]].assert_eq(&text);
        assert!(!written(80, |page| write(page, &sample(samples::HOSTILE))).contains('\u{202e}'));
    }
}

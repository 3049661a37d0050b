//! The story of one scenario, as the planner saw it.

use std::io::{self, Write};

use eval::incidents::Marked;
use remedy::Finding;
use remedy::decision::{Candidate, Decision};

use super::label::Label;
use super::named::Named;
use super::player::{Known, Story, is_open};
use crate::plain;

pub(super) fn tell(
    out: &mut dyn Write,
    named: &Named,
    story: &Story,
    marked: &Marked,
) -> io::Result<()> {
    let scenario = &named.scenario;
    let part = if named.is_held_out() {
        "held out"
    } else {
        "open"
    };
    writeln!(out, "{} ({:?}, {part})", named.name, scenario.sort)?;
    writeln!(out, "{}\n", scenario.about.trim())?;
    writeln!(out, "Expected")?;
    if scenario.expect.is_empty() {
        writeln!(out, "  nothing")?;
    }
    let mut outcomes = marked.outcomes.iter();
    for label in &scenario.expect {
        let found = match label.optional {
            true => "need not be opened",
            false if outcomes.next().is_some_and(|outcome| outcome.is_found) => "found",
            false => "missed",
        };
        label_of(out, label, found)?;
    }
    writeln!(out, "\nWhat the planner saw")?;
    if story.issues.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for known in &story.issues {
        issue(out, known)?;
    }
    for (class, entity, at_s) in &marked.false_alarms {
        writeln!(
            out,
            "\nFalse alarm at {}: {class} of {entity}",
            minute(*at_s)
        )?;
    }
    for wrong in &marked.wrong {
        let how = wrong.how.name();
        let at = minute(wrong.at_s);
        writeln!(
            out,
            "\nWrong at {at}: {} of {}: {how}",
            wrong.strategy, wrong.entity
        )?;
    }
    writeln!(out)
}

fn minute(s: f64) -> String {
    format!("minute {:.1}", s / 60.0)
}

fn label_of(out: &mut dyn Write, label: &Label, found: &str) -> io::Result<()> {
    writeln!(
        out,
        "  {} of {}, from {} to {}: {found}",
        label.class.name(),
        label.entity,
        minute(label.from_s),
        minute(label.from_s + label.within_s)
    )?;
    let lists = [
        ("best", &label.best),
        ("fair", &label.fair),
        ("wrong", &label.wrong),
    ];
    for (list, names) in lists {
        if !names.is_empty() {
            writeln!(out, "    {list}: {}", names.join(", "))?;
        }
    }
    if label.abstain {
        writeln!(out, "    a person decides")?;
    }
    writeln!(out, "    {}", label.because.trim())
}

fn issue(out: &mut dyn Write, known: &Known) -> io::Result<()> {
    let issue = &known.issue;
    writeln!(
        out,
        "  {} {} of {}: {}, {}, cause {:?}, opened at {}",
        issue.id,
        issue.class.name(),
        issue.entity,
        issue.severity.name(),
        issue.state.name(),
        plain::line(&issue.cause),
        minute(known.opened_s)
    )?;
    if known.rule_s.is_finite() {
        writeln!(out, "    a rule said so at {}", minute(known.rule_s))?;
    }
    if !issue.note.is_empty() {
        writeln!(out, "    {}", plain::line(&issue.note))?;
    }
    if let Some(first) = &known.first {
        writeln!(out, "    opened for: {}", finding(first))?;
    }
    for one in &issue.evidence {
        writeln!(out, "    at the end: {}", finding(one))?;
    }
    let facts: Vec<_> = issue
        .facts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    writeln!(out, "    facts: {}", plain::line(&facts.join(" ")))?;
    if issue.n_also > 0 {
        let also: Vec<_> = issue.also.iter().map(ToString::to_string).collect();
        writeln!(out, "    also: {}", also.join(", "))?;
    }
    let n = known.decisions.len();
    let told = known
        .decisions
        .iter()
        .position(|(_, one)| one.chosen.is_some());
    let shown = [Some(0), told, n.checked_sub(1)];
    let mut shown: Vec<usize> = shown.into_iter().flatten().filter(|&i| i < n).collect();
    shown.sort_unstable();
    shown.dedup();
    for i in shown {
        let (at_s, decided) = &known.decisions[i];
        writeln!(out, "    decision {} of {n} at {}", i + 1, minute(*at_s))?;
        decision(out, decided)?;
    }
    Ok(())
}

fn finding(finding: &Finding) -> String {
    format!(
        "{} {}: {:.4} of {:.4} {}, P {:.2} within half an hour, {:.2} within a day, confidence {:.2}, {}",
        finding.source.name(),
        plain::line(&finding.signal),
        finding.value,
        finding.threshold,
        finding.unit,
        finding.probability,
        finding.probability_day,
        finding.confidence,
        plain::line(&finding.cause)
    )
}

fn decision(out: &mut dyn Write, decision: &Decision) -> io::Result<()> {
    let chosen = decision.chosen.as_deref().unwrap_or("nothing");
    writeln!(
        out,
        "      {}: {chosen}; {}",
        decision.course.name(),
        decision.urgency.name()
    )?;
    for because in &decision.because {
        writeln!(out, "        {}", plain::line(because))?;
    }
    for candidate in &decision.candidates {
        writeln!(out, "      {}", one_line(candidate))?;
    }
    Ok(())
}

fn one_line(candidate: &Candidate) -> String {
    let name = &candidate.strategy;
    if let Some(why) = &candidate.unfit {
        return format!("- {name}: {}", plain::line(why));
    }
    let (risk, cost) = (&candidate.risk, &candidate.cost);
    let risk = risk.as_ref().map_or(f64::NAN, |risk| risk.total);
    let (acting, waiting) = cost
        .as_ref()
        .map_or((f64::NAN, f64::NAN), |cost| (cost.acting, cost.waiting));
    let sign = if is_open(candidate) { '+' } else { 'x' };
    format!(
        "{sign} {name}: success {:.2}, confidence {:.2}, risk {risk:.2}, acting {acting:.1} against waiting {waiting:.1}",
        candidate.success, candidate.confidence
    )
}

//! How a plan came about: all strategies that were weighed.

use std::io;

use proto::v1::{Explanation, PlanCandidate};

use super::{attributes, words};
use crate::page::Page;
use crate::table::{Align, Table};

/// What a course means.
fn course(name: &str) -> &str {
    match name {
        "act" => "carry it out without a person",
        "ask" => "ask a person",
        "escalate" => "leave it to people",
        "wait" => "wait, and think again",
        "shadow" => "write it down and do nothing",
        "withhold" => "withhold it, as a control",
        other => other,
    }
}

/// The decision, the candidates side by side, and what speaks against each; how to make it again if it was recorded.
pub(super) fn write(page: &mut Page<'_>, told: &Explanation, is_recorded: bool) -> io::Result<()> {
    let chosen = match told.chosen.as_str() {
        "" => String::new(),
        chosen => format!(": {chosen}, {}", told.urgency.replace('_', " ")),
    };
    page.text(
        0,
        &format!("{}: {}{chosen}", told.decision, course(&told.course)),
    )?;
    for reason in &told.reasons {
        page.hanging(2, "-", 2, reason)?;
    }
    let (fit, unfit): (Vec<_>, Vec<_>) =
        told.candidates.iter().partition(|one| one.unfit.is_empty());
    if !fit.is_empty() {
        page.heading("Candidates, best first")?;
        page.table(&weighed(&fit, &told.chosen), 2, &[0, 6])?;
        page.text(
            2,
            "acting and waiting: what each is expected to cost, in minutes of outage of a service of tier 3",
        )?;
        page.heading("Risk by criterion")?;
        page.table(&risks(&fit), 2, &[0])?;
    }
    let chosen = fit.iter().find(|one| one.strategy == told.chosen);
    for rating in chosen
        .iter()
        .flat_map(|one| &one.ratings)
        .filter(|rating| rating.value > 0.0)
    {
        let criterion = rating.criterion.replace('_', " ");
        page.hanging(
            2,
            "-",
            2,
            &format!("{criterion} {:.2}: {}", rating.value, rating.reason),
        )?;
    }
    if fit.iter().any(|one| !one.vetoes.is_empty()) {
        page.heading("What speaks against them")?;
    }
    for one in &fit {
        for veto in &one.vetoes {
            let stop = veto.stop.replace('_', " ");
            let (layer, rule) = (veto.layer.replace('_', " "), veto.rule.replace('_', " "));
            page.hanging(
                2,
                "-",
                2,
                &format!(
                    "{}, {stop}: {} ({layer}: {rule})",
                    one.strategy, veto.reason
                ),
            )?;
        }
    }
    if !unfit.is_empty() {
        page.heading("What does not fit")?;
    }
    for one in &unfit {
        page.hanging(2, "-", 2, &format!("{}: {}", one.strategy, one.unfit))?;
    }
    attributes::advise(page, told)?;
    if !told.input_sha256.is_empty() {
        page.gap()?;
        page.fact("sha256 in", &told.input_sha256)?;
        page.fact("sha256 out", &told.output_sha256)?;
        if is_recorded {
            let replay = format!("`forestall decide --replay {}`", told.decision);
            page.fact("again", &replay)?;
        }
    }
    Ok(())
}

/// Candidates that are told where the reader asked about something else.
const MAX_TOLD: usize = 4;

/// Why nothing was chosen: what the best candidates lack, and what would have to be known for the others to fit.
pub(super) fn why_not(page: &mut Page<'_>, told: &Explanation) -> io::Result<()> {
    for reason in &told.reasons {
        page.hanging(2, "-", 2, reason)?;
    }
    let fit = told.candidates.iter().filter(|one| one.unfit.is_empty());
    for one in fit.take(MAX_TOLD) {
        let weighed = format!(
            "{}: helps {:.2}, sure {:.2}, risk {:.2}; acting {}, waiting {} min of outage",
            one.strategy,
            one.success,
            one.confidence,
            one.risk,
            words::quantity(one.acting_cost, ""),
            words::quantity(one.waiting_cost, "")
        );
        page.hanging(2, "-", 2, &weighed)?;
        for veto in &one.vetoes {
            let stop = veto.stop.replace('_', " ");
            page.hanging(4, "-", 2, &format!("{stop}: {}", veto.reason))?;
        }
    }
    let unfit = told.candidates.iter().filter(|one| !one.unfit.is_empty());
    for one in unfit {
        let why = format!("{} does not fit: {}", one.strategy, one.unfit);
        page.hanging(2, "-", 2, &why)?;
    }
    attributes::advise(page, told)
}

/// The gravest of its vetoes, or that it was chosen.
fn remark(one: &PlanCandidate, chosen: &str) -> String {
    let gravest = one
        .vetoes
        .iter()
        .max_by_key(|veto| match veto.stop.as_str() {
            "for_good" => 2,
            "until_approved" => 1,
            _ => 0,
        });
    let stop = gravest.map(|veto| match veto.stop.as_str() {
        "for_good" => "may not",
        "until_approved" => "needs approval",
        _ => "held for now",
    });
    let is_chosen = (one.strategy == chosen).then_some("chosen");
    let told: Vec<&str> = is_chosen.into_iter().chain(stop).collect();
    told.join(", ")
}

fn weighed(all: &[&PlanCandidate], chosen: &str) -> Table {
    let mut table = Table::new(&[
        ("strategy", Align::Left),
        ("helps", Align::Right),
        ("sure", Align::Right),
        ("risk", Align::Right),
        ("acting", Align::Right),
        ("waiting", Align::Right),
        ("", Align::Left),
    ]);
    for one in all {
        table.row([
            one.strategy.clone(),
            format!("{:.2}", one.success),
            format!("{:.2}", one.confidence),
            format!("{:.2}", one.risk),
            words::quantity(one.acting_cost, ""),
            words::quantity(one.waiting_cost, ""),
            remark(one, chosen),
        ]);
    }
    table
}

fn risks(all: &[&PlanCandidate]) -> Table {
    // In the order in which the first candidate tells them; all tell the same.
    let ratings = all
        .iter()
        .map(|one| &one.ratings)
        .max_by_key(|ratings| ratings.len());
    let criteria: Vec<&str> = ratings
        .into_iter()
        .flatten()
        .map(|rating| rating.criterion.as_str())
        .take(8)
        .collect();
    let short = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let names: Vec<String> = criteria.iter().map(|name| short(name)).collect();
    let mut columns = vec![("strategy", Align::Left)];
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    columns.push(("all", Align::Right));
    let mut table = Table::new(&columns);
    for one in all {
        let value = |name: &&str| {
            let rating = one.ratings.iter().find(|rating| rating.criterion == **name);
            rating.map_or_else(|| "-".to_owned(), |rating| format!("{:.2}", rating.value))
        };
        let mut row = vec![one.strategy.clone()];
        row.extend(criteria.iter().map(value));
        row.push(format!("{:.2}", one.risk));
        table.row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    #[test]
    fn all_that_was_weighed() {
        let text = written(80, |page| write(page, &samples::explanation(), true));
        expect![[r#"
            d9: ask a person: restart_rolling, now
              - acting is expected to cost 0.3 min, waiting 41.2 min

            Candidates, best first
              strategy            helps  sure  risk  acting  waiting
              restart_rolling      0.92  0.90  0.12     0.3     41.2  chosen
              raise_memory_limit   0.61  0.60  0.20     3.5     41.2  needs approval
              quarantine           0.40  0.39  0.70      12     41.2  may not
              acting and waiting: what each is expected to cost, in minutes of outage of a
              service of tier 3

            Risk by criterion
              strategy            blast  business  technical  compliance  rollback   all
              restart_rolling      0.10      0.20       0.10        0.00      0.15  0.12
              raise_memory_limit   0.10      0.20       0.10        0.00      0.15  0.20
              quarantine           0.10      0.20       0.10        0.00      0.15  0.70
              - blast radius 0.10: what is known of blast_radius
              - business impact 0.20: what is known of business_impact
              - technical 0.10: what is known of technical
              - rollback 0.15: what is known of rollback

            What speaks against them
              - raise_memory_limit, until approved: nothing undoes it (human gate:
                irreversible)
              - quarantine, for good: 2 of 3 instances would be left, and 3 are needed (hard
                limits: availability floor)

            What does not fit
              - clear_cache: it has no cache that is known

            sha256 in   abababababababababababababababababababababababababababababababab
            sha256 out  cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
            again       `forestall decide --replay d9`
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn words_of_others_are_harmless() {
        let text = samples::HOSTILE;
        let mut told = samples::explanation();
        (told.decision, told.course, told.chosen, told.urgency) =
            (text.into(), text.into(), text.into(), text.into());
        told.reasons = vec![text.to_owned()];
        for one in &mut told.candidates {
            one.strategy = text.to_owned();
            for rating in &mut one.ratings {
                (rating.criterion, rating.reason) = (text.to_owned(), text.to_owned());
            }
            for veto in &mut one.vetoes {
                (veto.layer, veto.rule, veto.stop) = (text.into(), text.into(), text.into());
                veto.reason = text.to_owned();
            }
        }
        told.candidates[3].unfit = text.to_owned();
        let page = written(80, |page| write(page, &told, false));
        assert!(!page.contains('\u{202e}'), "{page}");
        written(80, |page| write(page, &Explanation::default(), true));
    }
}

//! A preview as a page of text, as wide as a terminal and a sheet of paper are.

use std::fmt;

use super::quantity::duration;
use super::quote::plain;
use super::risks::disruption;
use super::{Language, Preview, PreviewStep};

/// Columns of a page.
const WIDTH: usize = 96;
/// Columns of the names on the left.
const LABEL: usize = 13;
/// What a plan says that nobody carries out.
const DRY_RUN: &str =
    "DRY RUN: nothing is changed, whoever approves it. The steps are there to be done by hand.";
/// What the numbers in the reasons are: see `remedy::decision::Cost`.
const COSTS: &str = "\"acting\" and \"waiting\" are expected minutes of outage. A minute of a service of tier 3 on which \
                     nothing depends counts once, of tier 1 ten times, of tier 2 three times.";

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = "-".repeat(WIDTH);
        write_folded(f, "", 0, &self.title, Language::Words)?;
        if self.is_dry {
            write_folded(f, "", 0, DRY_RUN, Language::Words)?;
        }
        writeln!(f, "{rule}")?;
        for (name, text) in &self.facts {
            write_folded(f, &plain(name, LABEL - 1), LABEL, text, Language::Words)?;
        }
        for text in &self.because {
            write_folded(f, "why", LABEL, text, Language::Words)?;
        }
        write_folded(f, "costs", LABEL, COSTS, Language::Words)?;
        write_folded(f, "effect", LABEL, &self.effect, Language::Words)?;
        for (i, step) in self.steps.iter().enumerate() {
            let would = if self.is_dry { ", would be done" } else { "" };
            writeln!(f, "\nStep {} of {}{would}", i + 1, self.steps.len())?;
            write_step(f, step)?;
        }
        if !self.diff.is_empty() {
            writeln!(f, "\nChanges")?;
            for line in self.diff.lines() {
                writeln!(f, "  {line}")?;
            }
        }
        writeln!(f, "\nRisks")?;
        if self.risks.is_empty() {
            writeln!(f, "  None is known.")?;
        }
        for (i, risk) in self.risks.iter().enumerate() {
            write_folded(f, &format!("  {}.", i + 1), 5, risk, Language::Words)?;
        }
        writeln!(f, "{rule}")?;
        if !self.is_asked {
            return Ok(());
        }
        writeln!(f, "[ ] approved   [ ] refused, because: {}", "_".repeat(58))?;
        writeln!(f, "\nname: {}   date: {}", "_".repeat(48), "_".repeat(31))
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, step: &PreviewStep) -> fmt::Result {
    let label = |name: &str| format!("  {name}");
    write_folded(f, &label("what"), LABEL, &step.what, Language::Words)?;
    write_folded(f, &label("by hand"), LABEL, &step.how, step.language)?;
    match (&step.undo, step.undo_language) {
        (Some(undo), Some(language)) => write_folded(f, &label("undo"), LABEL, undo, language)?,
        _ => write_folded(f, &label("undo"), LABEL, step.without_undo, Language::Words)?,
    }
    writeln!(
        f,
        "{:LABEL$}{}; given up after {}",
        label("meanwhile"),
        disruption(step.disruption),
        duration(step.timeout_s)
    )
}

/// Writes a label and a text beside it, folded at [`WIDTH`]. What stands in quotes is never folded: it would be another
/// text; such a line may be wider.
fn write_folded(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    indent: usize,
    text: &str,
    language: Language,
) -> fmt::Result {
    let (prompt, end) = match language {
        Language::Shell => ("$ ", " \\"),
        Language::Sql => ("> ", ""),
        Language::Words => ("", ""),
    };
    let room = WIDTH - indent - prompt.len() - end.len();
    let lines = fold(text, room, language);
    for (i, line) in lines.iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        let prompt = if i == 0 {
            prompt
        } else {
            &"  "[..prompt.len()]
        };
        let end = if i + 1 == lines.len() { "" } else { end };
        writeln!(f, "{label:indent$}{prompt}{line}{end}")?;
    }
    Ok(())
}

/// Lines of at most `room` characters where the text has spaces to fold at.
fn fold(text: &str, room: usize, language: Language) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut n_chars = 0;
    for piece in pieces(text, language) {
        let n_piece = piece.chars().count();
        if n_chars > 0 && n_chars + 1 + n_piece > room {
            lines.push(String::new());
            n_chars = 0;
        }
        if let Some(line) = lines.last_mut() {
            if n_chars > 0 {
                line.push(' ');
                n_chars += 1;
            }
            line.push_str(piece);
            n_chars += n_piece;
        }
    }
    lines
}

/// The text cut at spaces, but for those in quotes of the language.
fn pieces(text: &str, language: Language) -> Vec<&str> {
    let quotes: &[char] = match language {
        Language::Shell => &['\''],
        Language::Sql => &['\'', '"', '`'],
        Language::Words => &[],
    };
    let (mut pieces, mut start, mut open) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match open {
            // A quote that is doubled or escaped closes and opens again: no space lies between.
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if quotes.contains(&c) => open = Some(c),
            None if c == ' ' => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            None => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use proptest::prelude::*;
    use remedy::plan::PlanState;

    use super::*;
    use crate::{Scene, samples};

    #[test]
    fn a_page_that_a_reviewer_would_sign() {
        let scale = samples::scale("service/api", 3, 5);
        let back = samples::scale("service/api", 5, 3);
        let grow = samples::actions("volume/web-1:/data", "x").remove(9);
        let steps = vec![samples::step(scale, Some(back)), samples::step(grow, None)];
        let known = [("manager", "kubernetes"), ("namespace", "shop")];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (attributes, issue) = (known.into(), samples::issue());
        let scene = Scene {
            issue: Some(&issue),
            attributes: &attributes,
            owner: Some("shop"),
            now: samples::now(),
        };
        let mut plan = samples::plan("service/api", steps);
        let preview = Preview::of(&plan, &scene);
        expect![[r#"
            plan p17 for issue i4: scale_out on service/api
            ------------------------------------------------------------------------------------------------
            problem      cpu_saturation because of growth
            severity     high: impact 0.6 (tier 1, 2 services) times urgency 0.9
            now          93 % against 100 %
            seen         5 s ago, by cpu_used_ratio{service="api"}
            time left    12 min (7 min to 20 min, with 90 %)
            probability  83 % within 30 min, >99 % within a day
            affected     service/shop, service/pay
            owner        shop
            needs        operator, by 2026-11-26T12:15:00Z (15 min left)
            undone       in part: nothing undoes step 2
            decision     d9: confidence 0.91, risk 0.12, attempt 1
            executor     webhook
            made         2026-11-26T12:00:00Z
            why          Each replica is above its target; two more bring all of them under it.
            costs        "acting" and "waiting" are expected minutes of outage. A minute of a service of
                         tier 3 on which nothing depends counts once, of tier 1 ten times, of tier 2 three
                         times.
            effect       cpu_used_ratio{service="api"} is foretold to go from 93 % to 56 % within 5 min of
                         the last step; a move of less than 10 % counts as no effect.

            Step 1 of 2
              what       Scale service/api from 3 to 5.
              by hand    $ kubectl -n shop scale deployment/api --replicas=5
              undo       $ kubectl -n shop scale deployment/api --replicas=3
              meanwhile  nobody notices; given up after 2 min

            Step 2 of 2
              what       Grow volume/web-1:/data from 9.31 GiB to 14 GiB.
              by hand    grow volume/web-1:/data to 14 GiB (15000000000 bytes), then the file system on it
              undo       nothing undoes it
              meanwhile  nobody notices; given up after 2 min

            Changes
              --- service/api
              +++ service/api (step 1, scale)
              - replicas: 3
              + replicas: 5
              --- volume/web-1:/data
              +++ volume/web-1:/data (step 2, grow_volume)
              - size: 9.31 GiB
              + size: 14 GiB

            Risks
              1. Step 2 has no step that undoes it, though the plan is said to be reversible.
            ------------------------------------------------------------------------------------------------
            [ ] approved   [ ] refused, because: __________________________________________________________

            name: ________________________________________________   date: _______________________________
        "#]].assert_eq(&preview.to_string());

        // Nothing is to be signed that is not asked for, and nothing done in a dry run.
        plan.state = PlanState::Shadow;
        plan.executor = "dry_run".to_owned();
        let page = Preview::of(&plan, &scene).to_string();
        let mut lines = page.lines();
        assert_eq!(lines.nth(1), Some(DRY_RUN));
        assert!(page.contains("Step 1 of 2, would be done\n"), "{page}");
        assert!(!page.contains("[ ] approved"), "{page}");
    }

    #[test]
    fn what_stands_in_quotes_is_not_folded() {
        let text = format!("find . -path './{} x' -delete", "a b ".repeat(30));
        let lines = fold(&text, 40, Language::Shell);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines.join(" "), text);
        assert!(lines[1].starts_with("'./a b"));
    }

    proptest! {
        #[test]
        fn pages_hold_nothing_but_lines_of_text(name in r"\PC{1,60}", text in ".{0,80}", n_steps in 0..40_usize) {
            let target = format!("service/{name}");
            let actions = samples::actions(&target, &text);
            let steps = actions.into_iter().cycle().take(n_steps);
            let steps = steps.map(|action| samples::step(action.clone(), Some(action))).collect();
            let mut plan = samples::plan(&target, steps);
            plan.cause.clone_from(&text);
            plan.because = vec![text.clone()];
            (plan.effect.unit, plan.effect.signal) = (text.clone(), text.clone());
            let mut issue = samples::issue();
            issue.severity_because.clone_from(&text);
            (issue.evidence[0].signal, issue.evidence[0].unit) = (text.clone(), text.clone());
            let scene = Scene {
                issue: Some(&issue),
                attributes: &BTreeMap::new(),
                owner: Some(&text),
                now: samples::now(),
            };
            let page = Preview::of(&plan, &scene).to_string();
            prop_assert!(!page.replace('\n', "").chars().any(super::super::quote::is_misleading));
        }
    }
}

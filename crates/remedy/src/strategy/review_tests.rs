//! Typical cases, and what is drafted of them as a reviewer reads it: best fit first. Read the snapshot: would you sign it?

use std::fmt::Write as _;

use expect_test::expect_file;

use super::typical_cases::{Told, typical};
use super::{Case, Draft, STRATEGIES, Strategy};

type Fit = Vec<(&'static Strategy, Draft)>;
type Unfit = Vec<(&'static str, String)>;

/// Those that fit, best first, and the rest with the reason.
fn drafted(case: &Case) -> (Fit, Unfit) {
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for strategy in STRATEGIES
        .into_iter()
        .filter(|strategy| strategy.classes.contains(&case.class))
    {
        match (strategy.draft)(case) {
            Ok(draft) => fit.push((strategy, draft)),
            Err(reason) => unfit.push((strategy.name, reason.why)),
        }
    }
    fit.sort_by(|(_, a), (_, b)| b.fit.total_cmp(&a.fit));
    (fit, unfit)
}

/// How many are printed with their steps; of the others the name and the fit.
const SHOWN: usize = 3;

fn review() -> String {
    let mut text = String::new();
    let out = &mut text;
    for Told { title, case } in typical() {
        let (fit, unfit) = drafted(&case);
        let _ = writeln!(out, "## {title}: {}", case.entity);
        for (strategy, draft) in fit.iter().take(SHOWN) {
            let effect = &draft.effect;
            let _ = writeln!(out, "{:.2} {}: {}", draft.fit, strategy.name, draft.because);
            for step in &draft.steps {
                let _ = write!(out, "     - {}", step.action);
                let _ = match &step.inverse {
                    Some(inverse) => writeln!(out, "   [undo: {inverse}]"),
                    None => writeln!(out),
                };
            }
            let _ = writeln!(
                out,
                "     = {} {} {:.3} -> {:.3} in {} s",
                effect.signal, effect.unit, effect.from, effect.to, effect.within_s
            );
        }
        let more = fit
            .iter()
            .skip(SHOWN)
            .map(|(strategy, draft)| format!("{} {:.2}", strategy.name, draft.fit));
        let more: Vec<_> = more.collect();
        if !more.is_empty() {
            let _ = writeln!(out, "then {}", more.join(", "));
        }
        for (name, why) in unfit {
            let _ = writeln!(out, "not  {name}: {why}");
        }
        out.push('\n');
    }
    text
}

#[test]
fn a_reviewer_reads_this() {
    expect_file!["review.txt"].assert_eq(&review());
}

#[test]
fn every_strategy_is_drafted_of_some_typical_case() {
    let cases = typical();
    for strategy in STRATEGIES {
        let is_drafted = cases.iter().any(|told| {
            strategy.classes.contains(&told.case.class) && (strategy.draft)(&told.case).is_ok()
        });
        assert!(is_drafted, "{}", strategy.name);
    }
}

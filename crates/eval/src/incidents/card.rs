//! All scenarios together.

use serde::Serialize;

use super::{Incident, Marked, WrongHow};
use crate::spread::{Measure, quantile};

/// Which scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    All,
    /// Those that whoever changes the engine may look at.
    Open,
    /// Those that were put aside.
    HeldOut,
}

impl Part {
    /// Whether a scenario belongs to it.
    #[must_use]
    pub const fn has(self, incident: &Incident) -> bool {
        match self {
            Self::All => true,
            Self::Open => !incident.is_held_out,
            Self::HeldOut => incident.is_held_out,
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Open => "open",
            Self::HeldOut => "held out",
        }
    }
}

/// One class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassRow {
    /// Its name.
    pub class: String,
    /// Issues that were expected.
    pub n: usize,
    /// Those that were found.
    pub n_found: usize,
    /// Issues that nobody expected.
    pub n_false: usize,
    /// Share of the issues opened that were expected; NaN where none was opened.
    pub precision: f64,
    /// Share of the expected issues that were found; NaN where none was expected.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Share of the issues with a plan to be made whose ranking begins with a first choice.
    pub top_1: f64,
    /// Share of them with one among the first three.
    pub top_3: f64,
    /// Median of the seconds before the first rule.
    pub lead_s: f64,
}

/// The figures of one predictor over some scenarios, with 90 % intervals over scenarios.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// Whose.
    pub name: String,
    /// Of which part.
    pub part: String,
    /// Scenarios.
    pub n_scenarios: usize,
    /// Scenarios without trouble.
    pub n_quiet: usize,
    /// Issues that were expected.
    pub n_expected: usize,
    /// Those that were found.
    pub n_found: usize,
    /// Those among these that were opened before the trouble began, and were there still: false alarms too.
    pub n_early: usize,
    /// Mean F1 over the classes that are expected somewhere.
    pub macro_f1: Measure,
    /// Share of the issues with a plan to be made whose ranking begins with a first choice; what was not found counts as wrong.
    pub top_1: Measure,
    /// The same, where a strategy that may pass is enough.
    pub fair_1: Measure,
    /// The same, with a first choice among the first three.
    pub top_3: Measure,
    /// `top_1` among the issues that were found.
    pub top_1_found: Measure,
    /// `top_3` among the issues that were found.
    pub top_3_found: Measure,
    /// Plans that should not have been proposed, per scenario.
    pub wrong: Measure,
    /// How many there are: harmful, for a person to decide, for nothing.
    pub n_wrong: [usize; 3],
    /// Plans proposed.
    pub n_plans: usize,
    /// Issues found that a person has to decide, and how many were left to one.
    pub n_left: [usize; 2],
    /// Issues found that a plan was labelled for, and how many got none.
    pub n_abstained: [usize; 2],
    /// Share of the issues found with a labelled plan that got none.
    pub abstained: Measure,
    /// Issues beyond the first for one cause, per scenario.
    pub duplicates: Measure,
    /// Issues that nobody expected, per scenario.
    pub false_alarms: Measure,
    /// Share of the quiet scenarios in which nothing was opened.
    pub quiet: Measure,
    /// Median of the seconds from the opening to the first rule that says the same, where one ever does.
    pub lead_s: Measure,
    /// Decisions made per scenario.
    pub decisions: Measure,
    /// By class.
    pub classes: Vec<ClassRow>,
}

/// Of the scenarios with these places.
struct Of<'a> {
    marked: &'a [(&'a Incident, &'a Marked)],
    drawn: &'a [usize],
}

impl<'a> Of<'a> {
    fn each(&self) -> impl Iterator<Item = &'a (&'a Incident, &'a Marked)> {
        let marked = self.marked;
        self.drawn.iter().map(move |&i| &marked[i])
    }

    fn outcomes(&self) -> impl Iterator<Item = &'a super::Outcome> {
        self.each().flat_map(|(_, marked)| &marked.outcomes)
    }

    fn counts(&self, class: &str) -> (usize, usize, usize) {
        let of_class = self.outcomes().filter(|one| one.class == class);
        let (mut n, mut n_found) = (0, 0);
        for one in of_class {
            n += 1;
            n_found += usize::from(one.is_found);
        }
        let alarms = self.each().flat_map(|(_, marked)| &marked.false_alarms);
        (n, n_found, alarms.filter(|alarm| alarm.0 == class).count())
    }

    fn share(&self, of: impl Fn(&super::Outcome) -> Option<bool>) -> f64 {
        let (mut n, mut yes) = (0.0, 0.0);
        for is_so in self.outcomes().filter_map(of) {
            n += 1.0;
            yes += f64::from(u8::from(is_so));
        }
        yes / n
    }

    fn per_scenario(&self, of: impl Fn(&Marked) -> usize) -> f64 {
        let total: usize = self.each().map(|(_, marked)| of(marked)).sum();
        total as f64 / self.drawn.len() as f64
    }

    fn lead_s(&self, class: Option<&str>) -> f64 {
        let outcomes = self
            .outcomes()
            .filter(|one| class.is_none_or(|class| one.class == class));
        let leads: Vec<f64> = outcomes.filter_map(|one| one.lead_s).collect();
        quantile(&leads, 0.5)
    }
}

/// Whether nothing has to be opened.
fn is_quiet(incident: &Incident) -> bool {
    incident.expected.iter().all(|label| label.is_optional)
}

/// F1 of counts; NaN where there was nothing to find and nothing was said.
fn f1(n: usize, n_found: usize, n_false: usize) -> f64 {
    2.0 * n_found as f64 / (n + n_found + n_false) as f64
}

impl Card {
    /// Of a predictor called `name`, over the scenarios of a part. `classes`: all there are, in the order in which they are
    /// shown.
    #[must_use]
    pub fn new(name: &str, part: Part, classes: &[&str], marked: &[(&Incident, &Marked)]) -> Self {
        let marked: Vec<_> = marked
            .iter()
            .copied()
            .filter(|(one, _)| part.has(one))
            .collect();
        let n = marked.len();
        let measure = |figure: &dyn Fn(&Of<'_>) -> f64| {
            Measure::over(n, |drawn| {
                figure(&Of {
                    marked: &marked,
                    drawn,
                })
            })
        };
        let whole: Vec<usize> = (0..n).collect();
        let all = Of {
            marked: &marked,
            drawn: &whole,
        };
        let is_found = |of: fn(&super::Outcome) -> Option<bool>| {
            move |one: &super::Outcome| of(one).filter(|_| one.is_found)
        };
        let n_wrong = [WrongHow::Harmful, WrongHow::NotOurs, WrongHow::ForNothing].map(|how| {
            let wrong = marked.iter().flat_map(|(_, marked)| &marked.wrong);
            wrong.filter(|wrong| wrong.how == how).count()
        });
        let abstained = |should: bool| {
            let known = all
                .outcomes()
                .filter(|one| one.should_abstain == should && one.is_found);
            let (of, left): (Vec<_>, usize) = known.fold((Vec::new(), 0), |(mut of, left), one| {
                of.push(());
                (of, left + usize::from(one.abstained == Some(true)))
            });
            [of.len(), left]
        };
        let macro_f1 = |of: &Of<'_>| {
            let scores = classes.iter().filter_map(|class| {
                let (n, n_found, n_false) = of.counts(class);
                (n > 0).then(|| f1(n, n_found, n_false))
            });
            let scores: Vec<f64> = scores.collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        let quiet = |of: &Of<'_>| {
            let quiet = of.each().filter(|(one, _)| is_quiet(one));
            let (mut n, mut yes) = (0.0, 0.0);
            for (_, marked) in quiet {
                n += 1.0;
                yes += f64::from(u8::from(marked.false_alarms.is_empty()));
            }
            yes / n
        };
        Self {
            name: name.to_owned(),
            part: part.name().to_owned(),
            n_scenarios: n,
            n_quiet: marked.iter().filter(|(one, _)| is_quiet(one)).count(),
            n_expected: all.outcomes().count(),
            n_found: all.outcomes().filter(|one| one.is_found).count(),
            n_early: all.outcomes().filter(|one| one.is_early).count(),
            macro_f1: measure(&macro_f1),
            top_1: measure(&|of| of.share(|one| one.top_1)),
            fair_1: measure(&|of| of.share(|one| one.fair_1)),
            top_3: measure(&|of| of.share(|one| one.top_3)),
            top_1_found: measure(&|of| of.share(is_found(|one| one.top_1))),
            top_3_found: measure(&|of| of.share(is_found(|one| one.top_3))),
            wrong: measure(&|of| of.per_scenario(|marked| marked.wrong.len())),
            n_wrong,
            n_plans: marked.iter().map(|(_, marked)| marked.n_plans).sum(),
            n_left: abstained(true),
            n_abstained: abstained(false),
            abstained: measure(&|of| of.share(|one| one.abstained.filter(|_| !one.should_abstain))),
            duplicates: measure(&|of| of.per_scenario(|marked| marked.n_duplicates)),
            false_alarms: measure(&|of| of.per_scenario(|marked| marked.false_alarms.len())),
            quiet: measure(&quiet),
            lead_s: measure(&|of| of.lead_s(None)),
            decisions: measure(&|of| of.per_scenario(|marked| marked.n_decisions)),
            classes: classes.iter().map(|class| row(class, &all)).collect(),
        }
    }
}

fn row(class: &str, of: &Of<'_>) -> ClassRow {
    let (n, n_found, n_false) = of.counts(class);
    let is_of = |one: &super::Outcome, is_so: Option<bool>| is_so.filter(|_| one.class == class);
    ClassRow {
        class: class.to_owned(),
        n,
        n_found,
        n_false,
        precision: n_found as f64 / (n_found + n_false) as f64,
        recall: n_found as f64 / n as f64,
        f1: f1(n, n_found, n_false),
        top_1: of.share(|one| is_of(one, one.top_1)),
        top_3: of.share(|one| is_of(one, one.top_3)),
        lead_s: of.lead_s(Some(class)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Outcome, Wrong};
    use super::*;

    fn outcome(class: &str, is_found: bool, top_1: bool) -> Outcome {
        Outcome {
            class: class.to_owned(),
            is_found,
            is_early: false,
            top_1: Some(is_found && top_1),
            fair_1: Some(is_found),
            top_3: Some(is_found),
            abstained: is_found.then_some(!top_1),
            should_abstain: false,
            lead_s: is_found.then_some(60.0),
        }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn figures_by_hand() {
        let incident = |name: &str, n_expected: usize, is_held_out: bool| Incident {
            name: name.to_owned(),
            is_held_out,
            expected: vec![Default::default(); n_expected],
            ..Incident::default()
        };
        let incidents = [
            incident("a", 2, false),
            incident("b", 1, false),
            incident("quiet", 0, false),
            incident("aside", 1, true),
        ];
        let wrong = Wrong {
            strategy: "cut".to_owned(),
            entity: "host/a".to_owned(),
            class: "disk".to_owned(),
            at_s: 1.0,
            how: WrongHow::ForNothing,
        };
        let marks = [
            Marked {
                outcomes: vec![outcome("disk", true, true), outcome("cpu", false, false)],
                n_decisions: 4,
                ..Marked::default()
            },
            Marked {
                outcomes: vec![outcome("disk", true, false)],
                n_duplicates: 1,
                n_decisions: 2,
                ..Marked::default()
            },
            Marked {
                false_alarms: vec![("disk".to_owned(), "host/a".to_owned(), 1.0)],
                wrong: vec![wrong],
                ..Marked::default()
            },
            Marked {
                outcomes: vec![outcome("cpu", true, true)],
                ..Marked::default()
            },
        ];
        let both: Vec<_> = incidents.iter().zip(&marks).collect();
        let classes = ["disk", "cpu", "crash"];
        let open = Card::new("x", Part::Open, &classes, &both);
        assert_eq!((open.n_scenarios, open.n_quiet, open.n_expected), (3, 1, 3));
        // Disk: 2 found, 1 false: F1 4/5. Processors: none of 1. Crashes are expected nowhere.
        assert!(near(open.macro_f1.value, 0.4), "{:?}", open.macro_f1);
        assert!(near(open.top_1.value, 1.0 / 3.0) && near(open.top_3.value, 2.0 / 3.0));
        assert!(near(open.top_1_found.value, 0.5) && near(open.top_3_found.value, 1.0));
        assert!(near(open.wrong.value, 1.0 / 3.0) && open.n_wrong == [0, 0, 1]);
        assert_eq!((open.n_abstained, open.n_left), ([2, 1], [0, 0]));
        assert!(near(open.duplicates.value, 1.0 / 3.0) && near(open.decisions.value, 2.0));
        assert!(near(open.quiet.value, 0.0) && near(open.lead_s.value, 60.0));
        assert!(
            open.macro_f1.low <= open.macro_f1.value && open.macro_f1.value <= open.macro_f1.high
        );
        let disk = &open.classes[0];
        assert!(near(disk.precision, 2.0 / 3.0) && near(disk.recall, 1.0) && near(disk.f1, 0.8));
        assert!(open.classes[2].f1.is_nan());
        let aside = Card::new("x", Part::HeldOut, &classes, &both);
        assert_eq!(aside.n_scenarios, 1);
        assert!(near(aside.macro_f1.value, 1.0));
        assert_eq!(Card::new("x", Part::All, &classes, &both).n_scenarios, 4);
    }
}

//! One scenario, marked.

use std::collections::BTreeMap;

use super::{Expected, Incident, Told};

/// What came of an issue that was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Of which class.
    pub class: String,
    /// Whether it was opened in time, and where it should be.
    pub is_found: bool,
    /// Whether it was opened before the trouble began, and was there still.
    pub is_early: bool,
    /// Whether the first strategy is a first choice; `None` where a person has to decide, for whom nothing is ranked.
    pub top_1: Option<bool>,
    /// Whether the first strategy is one that may pass.
    pub fair_1: Option<bool>,
    /// Whether a first choice is among the first three.
    pub top_3: Option<bool>,
    /// Whether no plan was proposed; `None` where it was not found.
    pub abstained: Option<bool>,
    /// Whether a person has to decide.
    pub should_abstain: bool,
    /// Seconds from its opening to the first rule that says the same; `None` where no rule ever did.
    pub lead_s: Option<f64>,
}

/// Why a proposed plan is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WrongHow {
    /// The label says so.
    Harmful,
    /// A person had to decide.
    NotOurs,
    /// There was no such trouble, or not yet.
    ForNothing,
}

impl WrongHow {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Harmful => "harmful here",
            Self::NotOurs => "for a person to decide",
            Self::ForNothing => "for nothing",
        }
    }
}

/// A plan that should not have been proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// By which strategy.
    pub strategy: String,
    /// On what.
    pub entity: String,
    /// Of which class its issue is.
    pub class: String,
    /// When it was first proposed, in seconds from the beginning.
    pub at_s: f64,
    /// Why it is wrong.
    pub how: WrongHow,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marked {
    /// Of each issue that had to be opened, in the order of the label.
    pub outcomes: Vec<Outcome>,
    /// Issues that nobody expected, by class: with their entity and when they were opened.
    pub false_alarms: Vec<(String, String, f64)>,
    /// Issues beyond the first for one cause.
    pub n_duplicates: usize,
    /// Plans that should not have been proposed: each strategy once for each entity and class.
    pub wrong: Vec<Wrong>,
    /// Plans proposed, each strategy once for each entity and class.
    pub n_plans: usize,
    /// Decisions made.
    pub n_decisions: usize,
}

/// Holds what was told of a scenario against its label.
#[must_use]
pub fn mark(incident: &Incident, told: &[Told]) -> Marked {
    let mut marked = Marked::default();
    // Which label each issue belongs to: a label takes the first that is in time, those after it are its duplicates.
    let mut found: Vec<Option<usize>> = vec![None; incident.expected.len()];
    let mut owner: Vec<Option<usize>> = vec![None; told.len()];
    for (i, one) in told.iter().enumerate() {
        let mut labels = (0..).zip(&incident.expected).filter(|(_, e)| e.is(one));
        let label = labels
            .clone()
            .find(|(k, e)| found[*k].is_none() && e.is_in_time(one) && !one.is_merged)
            // Late, or once more: it is about that trouble still.
            .or_else(|| labels.find(|(_, e)| one.opened_s >= e.from_s));
        let Some((k, expected)) = label else { continue };
        owner[i] = Some(k);
        if one.is_merged {
            continue;
        }
        if found[k].is_some() {
            marked.n_duplicates += 1;
        } else if expected.is_in_time(one) {
            found[k] = Some(i);
        }
    }
    // What came before the trouble and is there still will do, and was a false alarm.
    for (i, one) in told.iter().enumerate() {
        let is_free = owner[i].is_none() && !one.is_merged;
        let mut labels = (0..).zip(&incident.expected);
        let label =
            labels.find(|(k, e)| found[*k].is_none() && e.is(one) && one.closed_s > e.from_s);
        if let (true, Some((k, _))) = (is_free, label) {
            found[k] = Some(i);
        }
    }
    for (k, expected) in incident.expected.iter().enumerate() {
        // Whether it was opened is neither right nor wrong.
        if !expected.is_optional {
            let told = found[k].map(|i| &told[i]);
            marked.outcomes.push(outcome(expected, told));
        }
    }
    for (i, one) in told.iter().enumerate() {
        marked.n_decisions += one.decisions.len();
        let is_symptom = incident.symptoms.iter().any(|symptom| one.is(symptom));
        let is_tolerated = incident.tolerated.iter().any(|may| one.is(may));
        let is_alarm = owner[i].is_none() && !is_symptom && !is_tolerated;
        if is_symptom && owner[i].is_none() && !one.is_merged {
            marked.n_duplicates += 1;
        }
        if is_alarm && !one.is_merged {
            let alarm = (one.class.clone(), one.entity.clone(), one.opened_s);
            marked.false_alarms.push(alarm);
        }
        let label = owner[i].or_else(|| found.iter().position(|found| *found == Some(i)));
        let label = label.map(|k| &incident.expected[k]);
        for (strategy, at_s) in proposed(one) {
            marked.n_plans += 1;
            let label = label.filter(|label| at_s >= label.from_s);
            let how = match label {
                Some(label) if label.abstain => Some(WrongHow::NotOurs),
                Some(label) if label.wrong.iter().any(|name| name == strategy) => {
                    Some(WrongHow::Harmful)
                }
                Some(_) => None,
                None if is_alarm => Some(WrongHow::ForNothing),
                // What would harm the cause harms it at its symptom too.
                None => {
                    let mut all = incident.expected.iter().flat_map(|label| &label.wrong);
                    all.any(|name| name == strategy)
                        .then_some(WrongHow::Harmful)
                }
            };
            let Some(how) = how else { continue };
            let wrong = Wrong {
                strategy: strategy.to_owned(),
                entity: one.entity.clone(),
                class: one.class.clone(),
                at_s,
                how,
            };
            let is_known = marked.wrong.iter().any(|known| {
                known.strategy == wrong.strategy
                    && known.entity == wrong.entity
                    && known.class == wrong.class
            });
            if !is_known {
                marked.wrong.push(wrong);
            }
        }
    }
    marked
}

/// The strategies of the plans that were proposed, each with the first time.
fn proposed(told: &Told) -> BTreeMap<&str, f64> {
    let mut all = BTreeMap::new();
    for decision in &told.decisions {
        if let Some(strategy) = &decision.proposed {
            all.entry(strategy.as_str()).or_insert(decision.at_s);
        }
    }
    all
}

fn outcome(expected: &Expected, told: Option<&Told>) -> Outcome {
    let ranking: &[String] = told
        .and_then(|told| told.decision(expected.from_s))
        .map_or(&[], |decision| &decision.ranking);
    let is_best = |name: &String| expected.best.contains(name);
    let is_fair = |name: &String| is_best(name) || expected.fair.contains(name);
    let says = |is_so: bool| (!expected.abstain).then_some(is_so);
    Outcome {
        class: expected.class.clone(),
        is_found: told.is_some(),
        is_early: told.is_some_and(|told| told.opened_s < expected.from_s),
        top_1: says(ranking.first().is_some_and(is_best)),
        fair_1: says(ranking.first().is_some_and(is_fair)),
        top_3: says(ranking.iter().take(3).any(is_best)),
        abstained: told.map(|told| {
            let mut since = told.decisions.iter();
            !since.any(|one| one.at_s >= expected.from_s && one.proposed.is_some())
        }),
        should_abstain: expected.abstain,
        lead_s: told
            .map(|told| (told.rule_s - told.opened_s).max(0.0))
            .filter(|lead_s| lead_s.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decided, Trouble};
    use super::*;

    fn leak() -> Incident {
        Incident {
            name: "leak".to_owned(),
            expected: vec![Expected {
                class: "memory".to_owned(),
                entities: vec!["instance/a".to_owned(), "service/a".to_owned()],
                from_s: 100.0,
                by_s: 200.0,
                best: vec!["restart".to_owned()],
                fair: vec!["raise".to_owned()],
                wrong: vec!["cut".to_owned()],
                abstain: false,
                is_optional: false,
            }],
            symptoms: vec![Trouble {
                class: "latency".to_owned(),
                entity: "service/b".to_owned(),
            }],
            ..Incident::default()
        }
    }

    fn told(class: &str, entity: &str, opened_s: f64, proposed: &[&str]) -> Told {
        let decisions = proposed.iter().map(|name| Decided {
            at_s: opened_s,
            proposed: (!name.is_empty()).then(|| (*name).to_owned()),
            ranking: vec!["raise".to_owned(), "restart".to_owned()],
        });
        Told {
            class: class.to_owned(),
            entity: entity.to_owned(),
            opened_s,
            closed_s: f64::INFINITY,
            rule_s: f64::INFINITY,
            decisions: decisions.collect(),
            ..Told::default()
        }
    }

    #[test]
    fn what_is_in_time_and_in_place_is_found() {
        let mut issue = told("memory", "service/a", 150.0, &["raise"]);
        issue.rule_s = 450.0;
        let marked = mark(&leak(), &[issue]);
        let [outcome] = &marked.outcomes[..] else {
            panic!("one was expected")
        };
        assert!(
            outcome.is_found
                && !outcome.is_early
                && marked.false_alarms.is_empty()
                && marked.wrong.is_empty()
        );
        assert_eq!(
            (outcome.top_1, outcome.fair_1, outcome.top_3),
            (Some(false), Some(true), Some(true))
        );
        assert_eq!(
            (outcome.abstained, outcome.lead_s),
            (Some(false), Some(300.0))
        );
        assert_eq!((marked.n_plans, marked.n_decisions), (1, 1));
    }

    #[test]
    fn what_is_early_is_a_false_alarm_and_what_is_late_is_missed() {
        let mut early = told("memory", "instance/a", 50.0, &["restart"]);
        early.closed_s = 90.0;
        let early = mark(&leak(), &[early]);
        assert!(!early.outcomes[0].is_found);
        assert_eq!(early.false_alarms.len(), 1);
        assert_eq!(early.wrong[0].how, WrongHow::ForNothing);
        let late = mark(
            &leak(),
            &[told("memory", "instance/a", 250.0, &["restart"])],
        );
        assert!(!late.outcomes[0].is_found && late.outcomes[0].top_1 == Some(false));
        assert!(late.false_alarms.is_empty() && late.wrong.is_empty());
    }

    #[test]
    fn what_was_early_and_is_there_still_is_found_and_a_false_alarm() {
        let mut early = told("memory", "instance/a", 50.0, &["cut"]);
        let late = Decided {
            at_s: 120.0,
            proposed: Some("restart".to_owned()),
            ranking: vec!["restart".to_owned()],
        };
        early.decisions.push(late);
        let marked = mark(&leak(), &[early]);
        assert!(marked.outcomes[0].is_found && marked.outcomes[0].is_early);
        assert_eq!(marked.outcomes[0].top_1, Some(true));
        assert_eq!(marked.false_alarms.len(), 1);
        // The plan from before is for nothing, the one from then on is right.
        assert_eq!(marked.wrong.len(), 1);
        assert_eq!(
            (marked.wrong[0].how, &*marked.wrong[0].strategy),
            (WrongHow::ForNothing, "cut")
        );
    }

    #[test]
    fn one_cause_is_one_issue() {
        let mut merged = told("latency", "service/b", 160.0, &[]);
        merged.is_merged = true;
        let issues = [
            told("memory", "instance/a", 150.0, &[""]),
            told("memory", "service/a", 170.0, &[""]),
            told("latency", "service/b", 180.0, &["cut"]),
            merged,
        ];
        let marked = mark(&leak(), &issues);
        assert_eq!(marked.n_duplicates, 2);
        assert!(marked.false_alarms.is_empty());
        assert_eq!(marked.wrong[0].how, WrongHow::Harmful);
        assert_eq!(marked.outcomes[0].abstained, Some(true));
    }

    #[test]
    fn where_a_person_decides_every_plan_is_wrong() {
        let mut incident = leak();
        incident.expected[0].abstain = true;
        let marked = mark(
            &incident,
            &[told(
                "memory",
                "instance/a",
                150.0,
                &["", "restart", "restart"],
            )],
        );
        assert_eq!(marked.wrong.len(), 1);
        assert_eq!(marked.wrong[0].how, WrongHow::NotOurs);
        let outcome = &marked.outcomes[0];
        assert_eq!((outcome.abstained, outcome.top_1), (Some(false), None));
    }

    #[test]
    fn what_need_not_be_opened_is_judged_by_its_plans_alone() {
        let mut incident = leak();
        incident.expected[0].is_optional = true;
        incident.expected[0].abstain = true;
        assert!(mark(&incident, &[]).outcomes.is_empty());
        let marked = mark(
            &incident,
            &[told("memory", "instance/a", 150.0, &["restart"])],
        );
        assert!(marked.outcomes.is_empty() && marked.false_alarms.is_empty());
        assert_eq!(marked.wrong[0].how, WrongHow::NotOurs);
    }

    #[test]
    fn in_a_quiet_one_everything_is_wrong() {
        let quiet = Incident::default();
        let marked = mark(&quiet, &[told("memory", "instance/a", 1.0, &["restart"])]);
        assert_eq!(marked.false_alarms.len(), 1);
        assert_eq!(marked.wrong.len(), 1);
        assert!(mark(&quiet, &[]).false_alarms.is_empty());
    }
}

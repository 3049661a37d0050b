//! What can be had without thinking: the answer that is most often right for a class.

use std::collections::BTreeMap;

use super::{Decided, Incident, Told};

/// The answer that nothing is proposed.
pub const LEAVE_IT: &str = "";

/// How often each answer is right, by class, over labelled scenarios.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    by_class: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Answers {
    /// Counts the first choice of each label of all scenarios but `but`: whoever answers by the answers of others must not
    /// have seen this one.
    #[must_use]
    pub fn of<'a>(incidents: impl IntoIterator<Item = &'a Incident>, but: &str) -> Self {
        let mut answers = Self::default();
        for incident in incidents {
            if incident.name == but {
                continue;
            }
            let labels = incident.expected.iter();
            for expected in labels.filter(|label| !label.is_optional) {
                let answer = match expected.best.first() {
                    Some(best) if !expected.abstain => best.as_str(),
                    Some(_) | None => LEAVE_IT,
                };
                let of_class = answers.by_class.entry(expected.class.clone()).or_default();
                *of_class.entry(answer.to_owned()).or_default() += 1;
            }
        }
        answers
    }

    /// The strategies of a class, the one that is right most often first; names decide between equals.
    #[must_use]
    pub fn ranking(&self, class: &str) -> Vec<String> {
        let mut all: Vec<_> = self.by_class.get(class).into_iter().flatten().collect();
        all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        all.into_iter().map(|(name, _)| name.clone()).collect()
    }

    /// The same issues, with the answers for their class instead of what was decided.
    #[must_use]
    pub fn instead(&self, told: &[Told]) -> Vec<Told> {
        let answered = told.iter().map(|one| {
            let ranking = self.ranking(&one.class);
            let first = ranking.first().filter(|name| *name != LEAVE_IT).cloned();
            let ranking: Vec<_> = ranking
                .into_iter()
                .filter(|name| name != LEAVE_IT)
                .collect();
            Told {
                decisions: vec![Decided {
                    at_s: one.opened_s,
                    proposed: first,
                    ranking,
                }],
                ..one.clone()
            }
        });
        answered.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expected;
    use super::*;

    #[test]
    fn the_most_frequent_answer_of_the_others() {
        let incident = |name: &str, best: &str, abstain: bool| Incident {
            name: name.to_owned(),
            expected: vec![Expected {
                class: "disk".to_owned(),
                best: vec![best.to_owned()],
                abstain,
                ..Expected::default()
            }],
            ..Incident::default()
        };
        let all = [
            incident("a", "grow", false),
            incident("b", "grow", false),
            incident("c", "rotate", false),
            incident("d", "grow", true),
            incident("e", "order", true),
            incident("f", "order", true),
        ];
        let told = Told {
            class: "disk".to_owned(),
            ..Told::default()
        };
        let answer = |but: &str| Answers::of(&all, but).instead(std::slice::from_ref(&told));
        // Three of six are left to people.
        assert_eq!(answer("z")[0].decisions[0].proposed, None);
        assert_eq!(answer("z")[0].decisions[0].ranking, ["grow", "rotate"]);
        assert!(Answers::of(&all, "z").ranking("cpu").is_empty());
        // Without two of them it is as frequent as the other, and comes first by name.
        let fewer: Vec<_> = all[..5].to_vec();
        let fewer = Answers::of(&fewer, "d").ranking("disk");
        assert_eq!(fewer, ["grow", LEAVE_IT, "rotate"]);
    }
}

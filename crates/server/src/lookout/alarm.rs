//! Says in the log, once, that a resource is about to run out, and once that this is over.

use std::collections::{HashMap, HashSet};

use series::Timestamp;

use super::board::Row;

/// Exhausted within half an hour with this probability, smoothed over looks: a person should know.
const RAISED: f32 = 0.8;
/// What part of the smoothed probability a new look makes up: one that is alone in its opinion raises nothing.
const NEW: f32 = 1.0 / 3.0;
/// Below this a resource is not remembered.
const FORGOTTEN: f32 = 0.05;
/// And only on the grounds of so many seconds: what begins anew goes up, and need not go on. How many samples there were in
/// that time does not count, so that scrapes a minute apart raise alarms too.
const SEEN_S: f32 = 480.0;
/// Below this it is over. Between the two nothing is said: a forecast at the edge would else fill the log.
const OVER: f32 = 0.25;

/// Which resources have been told of.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    told: HashSet<u32>,
    /// The probability within half an hour, smoothed over looks, and as of when the last was.
    smoothed: HashMap<u32, (f32, Option<Timestamp>)>,
}

/// What is to be said of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It runs out.
    Warn(String),
    /// It no longer does.
    Over(String),
}

impl Alarms {
    /// Looks at a row that has changed.
    pub(super) fn look(&mut self, row: &Row) -> Option<Word> {
        let said = row.said.as_ref()?;
        let (outlook, resource) = (&said.outlook, said.outlook.resource);
        let name = format!("{} of {}", row.family.name(), row.key);
        let soon = row.forecast().map_or(0.0, |_| outlook.within[2]);
        let soon = self.smooth(resource, soon, outlook.at);
        if soon >= RAISED && outlook.seen_s >= SEEN_S && self.told.insert(resource) {
            return Some(Word::Warn(match outlook.level >= outlook.limit {
                true => format!("{name} is at its limit"),
                false => format!("{name} will be exhausted {}", when(outlook.ttf_s)),
            }));
        }
        if soon < OVER && self.told.remove(&resource) {
            return Some(Word::Over(match said.is_stale {
                true => format!("{name}: no more samples, so nothing is foretold"),
                false => format!("{name} is no longer about to be exhausted"),
            }));
        }
        None
    }

    /// The probability with those before it, of which there was nothing to fear before the first; one that is gone at once is
    /// gone.
    fn smooth(&mut self, resource: u32, soon: f32, at: Timestamp) -> f32 {
        let (smoothed, last) = self.smoothed.entry(resource).or_default();
        if *last != Some(at) {
            (*smoothed, *last) = (*smoothed + NEW * (soon - *smoothed), Some(at));
        }
        let now = if soon > 0.0 { *smoothed } else { 0.0 };
        if now < FORGOTTEN {
            self.smoothed.remove(&resource);
        }
        now
    }

    /// Resources that are told of as about to run out.
    pub(super) fn told(&self) -> impl Iterator<Item = u32> {
        self.told.iter().copied()
    }

    /// Nothing has been told.
    pub(super) fn clear(&mut self) {
        self.told.clear();
        self.smoothed.clear();
    }
}

/// `in about 12 min (7 to 20 min)`, from the 5, 50 and 95 % quantiles in seconds. They are finite, as all three are where an
/// end within a day is likely.
fn when(ttf_s: [f64; 3]) -> String {
    let [low, middle, high] = ttf_s.map(length);
    let low = match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => number,
        _ => &low,
    };
    format!("in about {middle} ({low} to {high})")
}

/// In the largest unit of which there are at least two.
fn length(s: f64) -> String {
    let (unit_s, unit) = match s {
        s if s < 120.0 => (1.0, "s"),
        s if s < 7_200.0 => (60.0, "min"),
        s if s < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{:.0} {unit}", s / unit_s)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use series::Timestamp;

    use super::super::board::Said;
    use super::super::board::tests::{outlooks, resource, said, stale};
    use super::*;

    /// A row of resource 0 with this said of it.
    fn row(said: Said) -> Row {
        let board = outlooks();
        board.meet(&[resource(0, None)], Timestamp::from_millis(0));
        let mut row = board.row(0).unwrap();
        row.said = Some(Arc::new(said));
        row
    }

    /// What is said at each of the looks at these probabilities, of what was seen for so long.
    fn words(alarms: &mut Alarms, from: i64, seen_s: f32, steps: &[f64]) -> String {
        let looks = (from..).zip(steps).map(|(at, &p)| {
            let mut said = said(0, 50.0, p);
            said.outlook.at = Timestamp::from_millis(at);
            said.outlook.seen_s = seen_s;
            match alarms.look(&row(said)) {
                None => '.',
                Some(Word::Warn(_)) => '!',
                Some(Word::Over(_)) => 'o',
            }
        });
        looks.collect()
    }

    #[test]
    fn a_word_is_said_once_each_way() {
        let mut alarms = Alarms::default();
        let steps = [
            0.1, 0.95, 0.6, 0.95, 0.95, 0.95, 0.95, 0.95, 0.6, 0.2, 0.1, 0.1, 0.1, 0.1,
        ];
        let said_of = words(&mut alarms, 0, 5_120.0, &steps);
        assert_eq!(said_of, "......!.....o.");
        let again = words(&mut alarms, 100, 5_120.0, &[0.95; 9]);
        assert!(again.contains('!'), "{again}");
        let word = alarms.look(&row(stale(said(0, 50.0, 0.7))));
        let text = "memory of used{n=\"0\"}: no more samples, so nothing is foretold";
        assert_eq!(word, Some(Word::Over(text.to_owned())));
    }

    #[test]
    fn one_look_alone_raises_nothing() {
        for steps in [&[0.01, 0.95][..], &[0.99], &[0.0, 0.99, 0.0, 0.99]] {
            let said_of = words(&mut Alarms::default(), 0, 5_120.0, steps);
            assert!(!said_of.contains('!'), "{steps:?}: {said_of}");
        }
    }

    #[test]
    fn it_takes_eight_minutes_but_not_many_samples() {
        let said_of = |seen_s| words(&mut Alarms::default(), 0, seen_s, &[0.95; 9]);
        assert_eq!(said_of(460.0), ".........");
        assert_eq!(said_of(480.0), "....!....");
    }

    #[test]
    fn it_says_what_and_when() {
        let fifth = |said: Said| {
            let mut alarms = Alarms::default();
            let looks = (1..=5).map(|at| {
                let mut said = said.clone();
                said.outlook.at = Timestamp::from_millis(at);
                // A scrape in each minute: a third of the bins.
                said.outlook.confidence = 0.33;
                alarms.look(&row(said))
            });
            looks.last().flatten()
        };
        let mut soon = said(0, 50.0, 0.95);
        soon.outlook.ttf_s = [420.0, 720.0, 1_200.0];
        let word = fifth(soon.clone());
        let text = "memory of used{n=\"0\"} will be exhausted in about 12 min (7 to 20 min)";
        assert_eq!(word, Some(Word::Warn(text.to_owned())));
        let word = fifth(said(0, 100.0, 0.95));
        let text = "memory of used{n=\"0\"} is at its limit";
        assert_eq!(word, Some(Word::Warn(text.to_owned())));
        soon.outlook.seen_s = 200.0;
        assert_eq!(fifth(soon), None, "too little was seen");
    }

    #[test]
    fn lengths_read_at_a_glance() {
        assert_eq!(when([40.0, 150.0, 9_000.0]), "in about 2 min (40 s to 2 h)");
        assert_eq!(
            when([7_300.0, 90_000.0, 190_000.0]),
            "in about 25 h (2 h to 2 d)"
        );
    }
}

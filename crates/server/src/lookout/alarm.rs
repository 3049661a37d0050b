//! Says in the log, once, that a resource is about to run out, and once that this is over.

use std::collections::{HashMap, HashSet};

use series::Timestamp;

use super::board::Row;

/// Exhausted within half an hour with this probability, smoothed over looks: a person should know. By `forestall eval
/// exhaustion` that costs about one false alarm in five to ten hours of watching what does its worst without running out.
const RAISED: f32 = 0.8;
/// What part of the smoothed probability a new look makes up: one that is alone in its opinion raises nothing.
const NEW: f32 = 1.0 / 3.0;
/// Below this a resource is not remembered.
const FORGOTTEN: f32 = 0.05;
/// And only on the grounds of eight minutes: what begins anew goes up, and need not go on.
const CONFIDENT: f32 = 0.75;
/// Below this it is over. Between the two nothing is said: a forecast at the edge would else fill the log.
const OVER: f32 = 0.25;

/// Which resources have been told of.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    told: HashSet<u32>,
    /// The probability within half an hour, smoothed over looks, and as of when the last was.
    smoothed: HashMap<u32, (f32, Timestamp)>,
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
        if soon >= RAISED && outlook.confidence >= CONFIDENT && self.told.insert(resource) {
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

    /// The probability with those before it; one that is gone at once is gone.
    fn smooth(&mut self, resource: u32, soon: f32, at: Timestamp) -> f32 {
        let (smoothed, last) = self.smoothed.entry(resource).or_insert((soon, at));
        if *last != at {
            (*smoothed, *last) = (*smoothed + NEW * (soon - *smoothed), at);
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

/// `in about 12 min (7 to 20 min)`, from the 5, 50 and 95 % quantiles in seconds.
fn when([low, middle, high]: [f64; 3]) -> String {
    let about = if middle.is_finite() {
        format!("in about {}", length(middle))
    } else {
        "within a day".to_owned()
    };
    let span = if high.is_finite() {
        let (low, high) = (length(low), length(high));
        match (low.split_once(' '), high.split_once(' ')) {
            (Some((low, unit)), Some((_, same))) if unit == same => format!("{low} to {high}"),
            _ => format!("{low} to {high}"),
        }
    } else {
        format!("{} or later", length(low))
    };
    format!("{about} ({span})")
}

/// In the largest unit of which there are at least two.
fn length(s: f64) -> String {
    let (unit_s, unit) = match s {
        s if s < 120.0 => (1.0, "s"),
        s if s < 7_200.0 => (60.0, "min"),
        s if s < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    if s.is_finite() {
        format!("{:.0} {unit}", s / unit_s)
    } else {
        "a day".to_owned()
    }
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

    #[test]
    fn a_word_is_said_once_each_way() {
        let mut alarms = Alarms::default();
        let mut at = 0;
        let mut look = |alarms: &mut Alarms, p: f64| {
            at += 1;
            let mut said = said(0, 50.0, p);
            said.outlook.at = Timestamp::from_millis(at);
            alarms.look(&row(said))
        };
        let steps = [
            0.1, 0.95, 0.6, 0.95, 0.95, 0.95, 0.95, 0.95, 0.6, 0.2, 0.1, 0.1, 0.1, 0.1,
        ];
        let words = steps.map(|p| {
            let word = look(&mut alarms, p);
            word.map_or('.', |word| match word {
                Word::Warn(_) => '!',
                Word::Over(_) => 'o',
            })
        });
        assert_eq!(words.iter().collect::<String>(), ".....!......o.");
        let again = (0..9).find_map(|_| look(&mut alarms, 0.95));
        assert!(matches!(again, Some(Word::Warn(_))));
        let word = alarms.look(&row(stale(said(0, 50.0, 0.7))));
        let text = "memory of used{n=\"0\"}: no more samples, so nothing is foretold";
        assert_eq!(word, Some(Word::Over(text.to_owned())));
    }

    #[test]
    fn it_says_what_and_when() {
        let first = |said: Said| Alarms::default().look(&row(said));
        let mut soon = said(0, 50.0, 0.95);
        soon.outlook.ttf_s = [420.0, 720.0, 1_200.0];
        let word = first(soon.clone());
        let text = "memory of used{n=\"0\"} will be exhausted in about 12 min (7 to 20 min)";
        assert_eq!(word, Some(Word::Warn(text.to_owned())));
        let word = first(said(0, 100.0, 0.95));
        let text = "memory of used{n=\"0\"} is at its limit";
        assert_eq!(word, Some(Word::Warn(text.to_owned())));
        soon.outlook.confidence = 0.2;
        assert_eq!(first(soon), None, "too little was seen");
    }

    #[test]
    fn lengths_read_at_a_glance() {
        assert_eq!(when([40.0, 150.0, 9_000.0]), "in about 2 min (40 s to 2 h)");
        assert_eq!(
            when([7_300.0, 90_000.0, f64::INFINITY]),
            "in about 25 h (2 h or later)"
        );
        let never = [200_000.0, f64::INFINITY, f64::INFINITY];
        assert_eq!(when(never), "within a day (2 d or later)");
    }
}

//! How a planner is judged: what it said of scenarios whose troubles are known, and what it would have done.
//!
//! *An issue counts from the instant at which it was opened.* It is right when somebody expected trouble of its class at its
//! entity, or at one that would do, and it was opened between the beginning of that trouble and its deadline. What was opened
//! before is a false alarm, whatever comes later. One that is still there when the trouble begins is found too: whoever has it
//! on the screen needs no second one.
//!
//! *A plan is right* when it is the first choice of whoever wrote the label, fair when it is among those they would have let
//! pass, and wrong when they said so, when they left the trouble to a person, and when there was none.

mod baseline;
mod card;
mod mark;

pub use baseline::{Answers, LEAVE_IT};
pub use card::{Card, ClassRow, Part};
pub use mark::{Marked, Outcome, Wrong, WrongHow, mark};

/// A scenario as it was labelled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Incident {
    /// Its name.
    pub name: String,
    /// Whether it was put aside from the beginning.
    pub is_held_out: bool,
    /// What should be opened; nothing in a quiet one.
    pub expected: Vec<Expected>,
    /// What shows elsewhere of an expected trouble: opened on its own it is a second issue for one cause.
    pub symptoms: Vec<Trouble>,
    /// What may be opened, and need not.
    pub tolerated: Vec<Trouble>,
}

/// Trouble of a class at an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// Of which class, by name.
    pub class: String,
    /// At which entity.
    pub entity: String,
}

/// An issue that should be opened, and what should be done about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// Of which class, by name.
    pub class: String,
    /// At which entities: the best first, then those that would do.
    pub entities: Vec<String>,
    /// From when on it may be said, in seconds from the beginning: when the trouble begins, not when it hurts.
    pub from_s: f64,
    /// Until when it has to be said.
    pub by_s: f64,
    /// Strategies of which any may stand first; where a person has to decide, what they would be handed.
    pub best: Vec<String>,
    /// Strategies that one would let pass.
    pub fair: Vec<String>,
    /// Strategies that would do harm here, or hide the cause.
    pub wrong: Vec<String>,
    /// Whether a person has to decide, so that no plan may be proposed.
    pub abstain: bool,
    /// Whether it need not be opened; what is proposed for it is judged all the same.
    pub is_optional: bool,
}

/// An issue as it was opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// Of which class, by name.
    pub class: String,
    /// At which entity.
    pub entity: String,
    /// When, in seconds from the beginning.
    pub opened_s: f64,
    /// When it was resolved; infinite when it never was.
    pub closed_s: f64,
    /// Whether it was later taken into another, as its consequence.
    pub is_merged: bool,
    /// When a rule, a probe or a report first said the same; infinite when none did.
    pub rule_s: f64,
    /// What was decided about it, oldest first.
    pub decisions: Vec<Decided>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// When, in seconds from the beginning.
    pub at_s: f64,
    /// The strategy of the plan that was proposed; `None` when it was left to people or to time.
    pub proposed: Option<String>,
    /// Strategies that may be carried out or proposed, best first.
    pub ranking: Vec<String>,
}

impl Told {
    /// The decision that people see from an instant on: the first that proposed a plan, or else the last.
    #[must_use]
    pub fn decision(&self, from_s: f64) -> Option<&Decided> {
        let mut all = self.decisions.iter();
        all.find(|one| one.at_s >= from_s && one.proposed.is_some())
            .or_else(|| self.decisions.last())
    }

    fn is(&self, trouble: &Trouble) -> bool {
        self.class == trouble.class && self.entity == trouble.entity
    }
}

impl Expected {
    /// Whether an issue is the one that is expected, but for the time.
    fn is(&self, told: &Told) -> bool {
        self.class == told.class && self.entities.contains(&told.entity)
    }

    fn is_in_time(&self, told: &Told) -> bool {
        (self.from_s..=self.by_s).contains(&told.opened_s)
    }
}

//! What episodes are wanted.

use features::headroom::BIN_S;

use super::Kind;

/// The most bins that an episode may have: a week.
const MOST_HOURS: f64 = 168.0;
/// Instants are written to the millisecond, so scrapes must not come closer than this; seconds of the recording.
const CLOSEST_S: f64 = 0.02;

/// What episodes are wanted. The numbers are checked by [`Plan::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What may run out, in turn; no kind twice.
    pub kinds: Vec<Kind>,
    /// Where all chance comes from.
    pub seed: u64,
    /// The share of episodes that run to failure, 0 to 1.
    pub events: f64,
    /// Seconds of episode time between scrapes, 1 to 300.
    pub scrape_s: f64,
    /// How late a scrape comes, as a share of the time between two: one standard deviation, 0 to 0.5.
    pub jitter: f64,
    /// The share of scrapes that fail, 0 to 0.9.
    pub gaps: f64,
    /// The share of episodes in which the process starts anew, 0 to 1.
    pub restarts: f64,
    /// The share of episodes in which two or three resources move, 0 to 1.
    pub several: f64,
    /// Seconds of episode time in a second of the recording, 1 to 1,000.
    pub time_scale: f64,
    /// An episode lasts no longer than so many hours of episode time, 1 to 168.
    pub hours: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            kinds: Kind::ALL.to_vec(),
            seed: 1,
            events: 0.5,
            scrape_s: BIN_S,
            jitter: 0.02,
            gaps: 0.0,
            restarts: 0.0,
            several: 0.0,
            time_scale: 1.0,
            hours: 6.0,
        }
    }
}

/// What is wrong with a plan, or cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A number that makes no sense.
    #[error("{name} is {value}, not between {low} and {high}")]
    Range {
        /// Of which field.
        name: &'static str,
        /// The number.
        value: f64,
        /// The least that it may be.
        low: f64,
        /// The most.
        high: f64,
    },
    /// Nothing may run out.
    #[error("no kind is named")]
    NoKind,
    /// The same kind again.
    #[error("the kind {0} is named twice")]
    Twice(&'static str),
    /// Resources that move at once are of different kinds.
    #[error("several resources are to move at once, but {0} is the only kind")]
    Lonely(&'static str),
    /// Instants would be written as the same.
    #[error(
        "a scrape every {scrape_s} s at a time scale of {time_scale} is one every {every_s} s of the recording; it \
         can hold one every {CLOSEST_S} s"
    )]
    TooClose {
        /// Seconds of episode time between scrapes.
        scrape_s: f64,
        /// How fast that passes.
        time_scale: f64,
        /// Seconds of the recording between scrapes.
        every_s: f64,
    },
    /// What was asked for did not come about by chance.
    #[error("no episode of {kind} that {outcome} within {hours} hours came about in {tries} tries")]
    Unlikely {
        /// Of which kind.
        kind: &'static str,
        /// What should have become of it.
        outcome: &'static str,
        /// How long it could last.
        hours: f64,
        /// How often it was tried.
        tries: usize,
    },
}

impl Plan {
    /// Whether it can be carried out.
    ///
    /// # Errors
    /// [`PlanError`] names the first number that makes no sense.
    pub fn check(&self) -> Result<(), PlanError> {
        let ranges = [
            ("the share of events", self.events, 0.0, 1.0),
            ("the time between scrapes", self.scrape_s, 1.0, 300.0),
            ("the jitter", self.jitter, 0.0, 0.5),
            ("the share of gaps", self.gaps, 0.0, 0.9),
            ("the share of restarts", self.restarts, 0.0, 1.0),
            ("the share of several", self.several, 0.0, 1.0),
            ("the time scale", self.time_scale, 1.0, 1_000.0),
            ("hours", self.hours, 1.0, MOST_HOURS),
        ];
        for (name, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(PlanError::Range {
                    name,
                    value,
                    low,
                    high,
                });
            }
        }
        let Some(first) = self.kinds.first() else {
            return Err(PlanError::NoKind);
        };
        for (i, kind) in self.kinds.iter().enumerate() {
            if self.kinds[..i].contains(kind) {
                return Err(PlanError::Twice(kind.name()));
            }
        }
        if self.several > 0.0 && self.kinds.len() == 1 {
            return Err(PlanError::Lonely(first.name()));
        }
        let every_s = self.scrape_s / self.time_scale;
        if every_s < CLOSEST_S {
            return Err(PlanError::TooClose {
                scrape_s: self.scrape_s,
                time_scale: self.time_scale,
                every_s,
            });
        }
        Ok(())
    }

    /// The most bins of an episode.
    pub(super) fn most_bins(&self) -> usize {
        #[expect(clippy::cast_sign_loss, reason = "a positive number of hours")]
        let bins = (self.hours * 3_600.0 / BIN_S) as usize;
        bins
    }
}

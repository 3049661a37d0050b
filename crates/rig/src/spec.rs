//! What one run is: everything that decides its course, checked before anything is touched.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, KindError, Mechanism};
use crate::random::Random;
use crate::shape::{Curve, Params, Shape};

/// The longest run. A rig holds memory, mounts and processors of the machine it is on.
const LONGEST_S: f64 = 2.0 * 3600.0;
/// The shortest in which a shape, an exhaustion and what comes after can be told apart.
const SHORTEST_S: f64 = 4.0;

/// One run of the rig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What runs out.
    pub kind: Kind,
    /// By which mechanism; see [`Kind::mechanism`].
    pub mechanism: Mechanism,
    /// How its level moves.
    pub shape: Shape,
    /// The limit, in the kind's unit; see [`Kind::limit`].
    pub limit: f64,
    /// The run ends after so many seconds, whatever happens.
    pub length_s: f64,
    /// From which shape and noise are drawn.
    pub seed: u64,
    /// What one second stands for when the recording is scored.
    pub time_scale: f64,
    /// Seconds between two scrapes.
    pub scrape_s: f64,
}

/// A run that makes no sense, or would hurt.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SpecError {
    /// Limit or mechanism.
    #[error(transparent)]
    Kind(#[from] KindError),
    /// Too short or too long.
    #[error("a run of {0} s is out of bounds: between {SHORTEST_S} s and {LONGEST_S} s")]
    Length(f64),
    /// Not a scale.
    #[error("a time scale of {0} is out of bounds: between 1 and 1000")]
    TimeScale(f64),
    /// Not an interval.
    #[error(
        "{0} s between scrapes is out of bounds: between 0.1 s and 60 s, and at most a quarter of the run"
    )]
    Scrape(f64),
}

impl Spec {
    /// Whether the run may begin.
    ///
    /// # Errors
    /// Names the first value that is out of bounds.
    pub fn check(&self) -> Result<(), SpecError> {
        self.kind.check(self.mechanism, self.limit)?;
        if !(SHORTEST_S..=LONGEST_S).contains(&self.length_s) {
            return Err(SpecError::Length(self.length_s));
        }
        if !(1.0..=1000.0).contains(&self.time_scale) {
            return Err(SpecError::TimeScale(self.time_scale));
        }
        if !(0.1..=60.0).contains(&self.scrape_s) || self.scrape_s > self.length_s / 4.0 {
            return Err(SpecError::Scrape(self.scrape_s));
        }
        Ok(())
    }

    /// The name of its recording. It tells nothing of what is in it, so that whoever is judged on it learns nothing.
    #[must_use]
    pub fn id(&self) -> String {
        let mut word = self.seed;
        for byte in self.variant().bytes().chain(self.kind.name().bytes()) {
            word = Random::new(word ^ u64::from(byte)).next_u64();
        }
        word ^= self.limit.to_bits() ^ self.length_s.to_bits().rotate_left(17);
        format!("ep{:08x}", Random::new(word).next_u64() >> 32)
    }

    /// Mechanism and shape, as a truth file writes them.
    pub(crate) fn variant(&self) -> String {
        format!("{}{}", self.mechanism.prefix(), self.shape.truth_name())
    }

    /// How long the level stays at its beginning before the fault begins: time to learn what is normal.
    pub(crate) fn warm_s(&self) -> f64 {
        (0.12 * self.length_s).clamp(1.0, 60.0)
    }

    /// How long the recording goes on after the exhaustion.
    pub(crate) fn after_s(&self) -> f64 {
        (0.05 * self.length_s).clamp(0.5, 6.0)
    }

    /// For how long on end an objective must be broken to count as exhausted.
    pub(crate) fn hold_s(&self) -> f64 {
        (self.length_s / 12.0).floor().clamp(1.0, 10.0)
    }

    /// What is drawn from the seed. The growth takes part of the run, so that an event is over before its end.
    pub(crate) fn params(&self) -> Params {
        let growth_s = 0.62 * (self.length_s - self.warm_s());
        Params::draw(self.shape, growth_s, self.seed)
    }

    /// The level over the run, from the onset on.
    pub(crate) fn curve(&self) -> Curve {
        Curve::new(self.shape, &self.params(), self.seed, self.length_s)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run for tests.
    pub(crate) fn spec(kind: Kind, shape: Shape, length_s: f64) -> Spec {
        let mechanism = kind.mechanism(None).unwrap();
        Spec {
            kind,
            mechanism,
            shape,
            limit: kind.limit(mechanism, None).unwrap(),
            length_s,
            seed: 11,
            time_scale: 1.0,
            scrape_s: 1.0,
        }
    }

    #[test]
    fn nothing_unbounded_begins() {
        let good = spec(Kind::Memory, Shape::Linear, 300.0);
        assert_eq!(good.check(), Ok(()));
        let refused = |change: fn(&mut Spec)| {
            let mut bad = good.clone();
            change(&mut bad);
            bad.check().unwrap_err().to_string()
        };
        assert!(refused(|s| s.limit = 1e12).starts_with("a limit of 931 GiB for memory"));
        assert!(refused(|s| s.length_s = 1e6).starts_with("a run of 1000000 s"));
        assert!(refused(|s| s.length_s = f64::NAN).starts_with("a run of NaN s"));
        assert!(refused(|s| s.time_scale = 0.0).starts_with("a time scale of 0"));
        assert!(refused(|s| s.scrape_s = 0.0).starts_with("0 s between scrapes"));
    }

    #[test]
    fn ids_differ_by_what_decides_the_run() {
        let one = spec(Kind::Memory, Shape::Linear, 300.0);
        let id = |change: fn(&mut Spec)| {
            let mut other = one.clone();
            change(&mut other);
            other.id()
        };
        let ids = [
            one.id(),
            id(|s| s.seed = 12),
            id(|s| s.shape = Shape::Flat),
            id(|s| s.limit += 1.0),
            id(|s| s.kind = Kind::Disk),
            id(|s| s.length_s = 299.0),
        ];
        for (i, id) in ids.iter().enumerate() {
            assert_eq!(id.len(), 10);
            assert!(!ids[..i].contains(id), "{ids:?}");
        }
        assert_eq!(one.id(), one.clone().id());
    }
}

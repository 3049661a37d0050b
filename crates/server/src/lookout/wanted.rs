//! Which outlooks a reader wants, by all but their labels.

use predict::exhaustion::{Family, HORIZONS_S, Outlook};

use super::board::Said;

/// What a reader asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// All when empty.
    pub(crate) families: Vec<Family>,
    /// 0 to 1; 0 asks for everything.
    pub(crate) min_probability: f64,
    /// Above 0, in seconds.
    pub(crate) horizon_s: f64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            families: Vec::new(),
            min_probability: 0.0,
            horizon_s: 1_800.0,
        }
    }
}

impl Wanted {
    pub(crate) fn family(&self, family: Family) -> bool {
        self.families.is_empty() || self.families.contains(&family)
    }

    /// Whether it runs out soon enough, as far as anybody knows now: what is stale is no risk.
    pub(crate) fn likely(&self, said: &Said) -> bool {
        !said.is_stale && within(&said.outlook, self.horizon_s) >= self.min_probability
    }
}

/// P(exhausted within `horizon_s` seconds).
pub(crate) fn within(outlook: &Outlook, horizon_s: f64) -> f64 {
    // What is told of a horizon and what is filtered by it must be the same number.
    let told = HORIZONS_S
        .iter()
        .position(|known| (known - horizon_s).abs() < 1e-6);
    told.map_or_else(
        || outlook.survival.within(horizon_s),
        |place| f64::from(outlook.within[place]),
    )
}

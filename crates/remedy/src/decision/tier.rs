//! What the tier of a service says about it. The numbers are judgement, and stand here so that they can be judged together.

/// How much hangs on the services of one tier.
#[derive(Debug)]
pub(super) struct Tier {
    /// What a minute of outage weighs, in minutes of a service of tier 3: each tier is about three times the next.
    pub(super) outage: f64,
    /// How bad it is when it fails, 0 to 1: with [`super::severity`].
    pub(super) impact: f64,
    /// How bad it is when a plan takes it away for a while, 0 to 1: less than when it fails, for that is short and meant.
    pub(super) absence: f64,
}

/// Of tier 1, 2, 3, and all above.
const TIERS: [Tier; 4] = [
    Tier {
        outage: 10.0,
        impact: 1.0,
        absence: 1.0,
    },
    Tier {
        outage: 3.0,
        impact: 0.7,
        absence: 0.6,
    },
    Tier {
        outage: 1.0,
        impact: 0.45,
        absence: 0.3,
    },
    Tier {
        outage: 0.3,
        impact: 0.2,
        absence: 0.1,
    },
];

/// By its number; 0 is as grave as 1.
pub(super) fn tier(number: u8) -> &'static Tier {
    &TIERS[usize::from(number).clamp(1, TIERS.len()) - 1]
}

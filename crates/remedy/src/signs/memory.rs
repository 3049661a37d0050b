//! Memory above 90 %.
//!
//! *Rule*: the level of an outlook above 0.90 of its limit; what the level leaves out (files that the kernel can drop) is known
//! there and not to a single sample. *Prediction*: the outlook of the family `memory`. A container within minutes of its
//! limit is memory, not a crash, until it is killed.

use super::rule::Threshold;

/// Above this share of its limit. No hold: a level is a mean over 20 seconds, and a container at 90 % may have less.
pub(super) fn threshold() -> Threshold {
    Threshold {
        calm_s: 60.0,
        ..Threshold::usual(0.90, 0.0)
    }
}

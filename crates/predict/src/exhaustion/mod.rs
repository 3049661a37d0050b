//! When do we run out. Families of resources, the distribution of the time that is left, and what is said about it.

mod family;
mod outlook;
mod survival;

pub use family::{Action, FAMILIES, Family};
pub use outlook::{Cause, FACTORS, FAN_POINTS, Fan, Outlook};
pub use survival::{HORIZONS_S, KNOT_S, KNOTS, Survival};

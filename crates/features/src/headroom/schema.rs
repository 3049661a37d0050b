//! The names of the columns, and where each stands.

/// How many numbers a row has.
pub const N_HEADROOM: usize = 71;

/// A row of numbers about one channel.
pub type Columns = [f32; N_HEADROOM];

/// Names of the columns, in order. Those that differ in a number of bins only, as `trend_3` to `trend_256`, stand together.
pub const HEADROOM_SCHEMA: [&str; N_HEADROOM] = [
    "level",
    "left_log",
    "seen_log",
    "trend_3",
    "trend_6",
    "trend_12",
    "trend_24",
    "trend_48",
    "trend_96",
    "trend_160",
    "trend_256",
    "noise_3",
    "noise_6",
    "noise_12",
    "noise_24",
    "noise_48",
    "noise_96",
    "noise_160",
    "noise_256",
    "ahead_12",
    "ahead_24",
    "ahead_48",
    "ahead_96",
    "rise_1",
    "rise_3",
    "rise_7",
    "rise_15",
    "rise_31",
    "rise_63",
    "rise_127",
    "above_12",
    "above_48",
    "above_192",
    "below_12",
    "below_48",
    "below_192",
    "climbs_24",
    "climbs_96",
    "gained_24",
    "given_back_24",
    "gained_96",
    "given_back_96",
    "largest_fall",
    "largest_fall_age",
    "largest_jump",
    "largest_jump_age",
    "falls",
    "trough_trend",
    "peak_trend",
    "trough_trend_long",
    "peak_trend_long",
    "bend_24",
    "bend_96",
    "climb_age",
    "climb_rate",
    "climb_straight",
    "climb_rise",
    "period_strength",
    "period_length",
    "period_top",
    "period_drift",
    "rest_age",
    "rest_before",
    "step_share",
    "last_step",
    "smooth",
    "bend_48",
    "bend_192",
    "climb_bend",
    "climb_late",
    "deep_falls",
];

/// Where the column of this name stands. A name that is not there does not compile in a constant.
///
/// # Panics
/// When there is no column of this name.
#[must_use]
pub const fn place(name: &str) -> usize {
    let mut i = 0;
    while i < N_HEADROOM {
        if is_same(HEADROOM_SCHEMA[i].as_bytes(), name.as_bytes()) {
            return i;
        }
        i += 1;
    }
    panic!("no column has this name")
}

/// Equality of bytes, which the standard library does not have for constants yet.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_in_its_place_and_nowhere_else() {
        for (i, name) in HEADROOM_SCHEMA.iter().enumerate() {
            assert_eq!(place(name), i, "{name}");
        }
    }
}

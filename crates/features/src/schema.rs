//! The columns of a feature row, their units, and a hash that every trained model carries.

/// One column of a feature row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Stable name, lower case with underscores.
    pub name: &'static str,
    /// The unit: `sigma` is one robust standard deviation of the series itself.
    pub unit: &'static str,
    /// One line for people.
    pub about: &'static str,
}

/// How many columns a row has.
pub const N_COLUMNS: usize = 15;

/// All columns, in order. Appending, renaming or reordering changes [`schema_hash`].
pub const SCHEMA: [Column; N_COLUMNS] = [
    Column {
        name: "level",
        unit: "sigma",
        about: "value above its slow mean, by the slow robust scale",
    },
    Column {
        name: "difference",
        unit: "sigma",
        about: "change since the last sample, by the usual change",
    },
    Column {
        name: "trend",
        unit: "sigma/sample",
        about: "slope of a damped linear trend (Holt)",
    },
    Column {
        name: "scale",
        unit: "log2 ratio",
        about: "robust scale now against its slow average",
    },
    Column {
        name: "short_residual",
        unit: "sigma",
        about: "value less a mean over about 8 samples",
    },
    Column {
        name: "long_residual",
        unit: "sigma",
        about: "value less a mean over about 64 samples",
    },
    Column {
        name: "seasonal_residual",
        unit: "sigma",
        about: "value less what is usual at this time of day and week",
    },
    Column {
        name: "rank",
        unit: "share -1..1",
        about: "rank among the last 32 samples, 0 in the middle",
    },
    Column {
        name: "variance_ratio",
        unit: "log2 ratio",
        about: "variance of about 16 changes against about 512",
    },
    Column {
        name: "autocorrelation",
        unit: "-1..1",
        about: "lag-1 autocorrelation of the long residual",
    },
    Column {
        name: "gap",
        unit: "log2 steps",
        about: "time since the last sample, in usual steps",
    },
    Column {
        name: "day_sine",
        unit: "-1..1",
        about: "sine of the time of day (UTC)",
    },
    Column {
        name: "day_cosine",
        unit: "-1..1",
        about: "cosine of the time of day (UTC)",
    },
    Column {
        name: "week_sine",
        unit: "-1..1",
        about: "sine of the time of week (UTC, from Monday)",
    },
    Column {
        name: "week_cosine",
        unit: "-1..1",
        about: "cosine of the time of week (UTC, from Monday)",
    },
];

/// Places of the columns in a row.
pub mod column {
    /// See [`super::SCHEMA`].
    pub const LEVEL: usize = 0;
    /// See [`super::SCHEMA`].
    pub const DIFFERENCE: usize = 1;
    /// See [`super::SCHEMA`].
    pub const TREND: usize = 2;
    /// See [`super::SCHEMA`].
    pub const SCALE: usize = 3;
    /// See [`super::SCHEMA`].
    pub const SHORT_RESIDUAL: usize = 4;
    /// See [`super::SCHEMA`].
    pub const LONG_RESIDUAL: usize = 5;
    /// See [`super::SCHEMA`].
    pub const SEASONAL_RESIDUAL: usize = 6;
    /// See [`super::SCHEMA`].
    pub const RANK: usize = 7;
    /// See [`super::SCHEMA`].
    pub const VARIANCE_RATIO: usize = 8;
    /// See [`super::SCHEMA`].
    pub const AUTOCORRELATION: usize = 9;
    /// See [`super::SCHEMA`].
    pub const GAP: usize = 10;
    /// See [`super::SCHEMA`].
    pub const DAY_SINE: usize = 11;
    /// See [`super::SCHEMA`].
    pub const DAY_COSINE: usize = 12;
    /// See [`super::SCHEMA`].
    pub const WEEK_SINE: usize = 13;
    /// See [`super::SCHEMA`].
    pub const WEEK_COSINE: usize = 14;
}

/// FNV-1a (64 bit) over names and units in order: equal hashes mean rows that mean the same.
#[must_use]
pub fn schema_hash() -> u64 {
    let text = SCHEMA
        .iter()
        .flat_map(|c| [c.name, "\u{1f}", c.unit, "\u{1e}"]);
    text.flat_map(str::bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models are bound to this number: change it knowingly, and retrain.
    #[test]
    fn the_hash_is_pinned() {
        assert_eq!(schema_hash(), 0xce8f_2816_c1cd_b9fb, "{:#x}", schema_hash());
    }
}

//! Disks above 95 %, of bytes or inodes.
//!
//! *Rule*: the level of an outlook above 0.95. *Prediction*: the outlooks of the families `disk` and `inodes`; the fact `family`
//! tells them apart.

use series::SeriesKey;

use super::rule::Threshold;

/// File systems that are written once and are full from then on.
const READ_ONLY: [&str; 6] = ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"];

/// Above this share.
pub(super) fn threshold() -> Threshold {
    Threshold {
        calm_s: 60.0,
        ..Threshold::usual(0.95, 0.0)
    }
}

/// Whether a file system is full by design.
pub(super) fn is_read_only(key: &SeriesKey) -> bool {
    key.label("fstype")
        .is_some_and(|kind| READ_ONLY.contains(&kind))
}

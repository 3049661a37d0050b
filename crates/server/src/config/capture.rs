//! The section `[capture]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The section `[capture]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureConfig {
    /// Where to; empty for nowhere.
    pub dir: PathBuf,
    /// Bytes of all files together.
    pub max_bytes: u64,
    /// Rows at which a journal is sealed.
    pub rotate_rows: u64,
    /// Bytes at which a journal is sealed.
    pub rotate_bytes: u64,
    /// Age at which a journal is sealed, in seconds.
    pub rotate_age_s: f64,
    /// Seconds between two writes to the journal.
    pub flush_interval_s: f64,
    /// Rows that may wait for the writer.
    pub queue_rows: usize,
}

impl Default for CaptureConfig {
    fn default() -> Self {
        let store::capture::Options {
            rotate_rows,
            rotate_bytes,
            rotate_age_us,
            max_bytes,
        } = store::capture::Options::default();
        Self {
            dir: PathBuf::new(),
            max_bytes,
            rotate_rows,
            rotate_bytes,
            rotate_age_s: rotate_age_us as f64 / 1e6,
            flush_interval_s: 1.0,
            queue_rows: 1 << 18,
        }
    }
}

impl CaptureConfig {
    /// Whether anything is captured.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !self.dir.as_os_str().is_empty()
    }

    /// The part that the store is concerned with.
    pub(crate) fn options(&self) -> store::capture::Options {
        store::capture::Options {
            rotate_rows: self.rotate_rows,
            rotate_bytes: self.rotate_bytes,
            rotate_age_us: (self.rotate_age_s * 1e6) as i64,
            max_bytes: self.max_bytes,
        }
    }

    /// Keys whose values make no sense, and why not.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&'static str, String)> {
        // Below four journals there is hardly room for a part beside those that are being packed.
        let least_bytes = self.rotate_bytes.saturating_mul(4) as f64;
        let cases = [
            ("capture.rotate_rows", self.rotate_rows as f64, 1.0, 1e9),
            (
                "capture.rotate_bytes",
                self.rotate_bytes as f64,
                65_536.0,
                4_294_967_296.0,
            ),
            (
                "capture.max_bytes",
                self.max_bytes as f64,
                least_bytes,
                1e18,
            ),
            ("capture.rotate_age_s", self.rotate_age_s, 1.0, 86_400.0),
            (
                "capture.flush_interval_s",
                self.flush_interval_s,
                0.01,
                60.0,
            ),
            (
                "capture.queue_rows",
                self.queue_rows as f64,
                1024.0,
                16_777_216.0,
            ),
        ];
        cases.into_iter().filter_map(|(key, value, low, high)| {
            let is_fine = (low..=high).contains(&value);
            (!is_fine).then(|| (key, format!("{value} is not between {low} and {high}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn the_bound_leaves_room_for_four_journals() {
        let text = "[capture]\nrotate_bytes = 1000000\nmax_bytes = 3000000\nqueue_rows = 0\n";
        let error = Config::parse(text, "x").unwrap_err().to_string();
        assert!(
            error.contains("capture.max_bytes: 3000000 is not between 4000000"),
            "{error}"
        );
        assert!(error.contains("capture.queue_rows: 0 is not"), "{error}");
    }
}

//! The section `[outlook]`.

use hotpath::LookoutConfig;
use serde::{Deserialize, Serialize};

/// The section `[outlook]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutlookConfig {
    /// Whether it is foretold what runs out.
    pub enabled: bool,
    /// Seconds of samples that are taken together.
    pub bin_s: f64,
    /// Seconds between two looks at a resource.
    pub refresh_s: f64,
    /// Seconds without a sample after which an outlook no longer holds.
    pub stale_after_s: f64,
    /// Most resources.
    pub max_resources: usize,
    /// Samples that may wait.
    pub queue_samples: usize,
}

impl Default for OutlookConfig {
    fn default() -> Self {
        let LookoutConfig {
            bin_s,
            refresh_s,
            max_resources,
        } = LookoutConfig::default();
        Self {
            enabled: true,
            bin_s,
            refresh_s,
            stale_after_s: 300.0,
            max_resources,
            queue_samples: 1 << 18,
        }
    }
}

impl OutlookConfig {
    /// The part that the lookout is concerned with.
    pub(crate) fn lookout(&self) -> LookoutConfig {
        LookoutConfig {
            bin_s: self.bin_s,
            refresh_s: self.refresh_s,
            max_resources: self.max_resources,
        }
    }

    /// Keys whose values make no sense, and why not.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&'static str, String)> {
        let cases = [
            ("outlook.bin_s", self.bin_s, 0.1, 600.0),
            ("outlook.refresh_s", self.refresh_s, 0.05, 3600.0),
            // What is not looked at in between cannot be told to have stopped.
            (
                "outlook.stale_after_s",
                self.stale_after_s,
                self.refresh_s,
                86_400.0,
            ),
            (
                "outlook.max_resources",
                self.max_resources as f64,
                1.0,
                10_000_000.0,
            ),
            (
                "outlook.queue_samples",
                self.queue_samples as f64,
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
    fn what_is_out_of_range_is_named() {
        let text = "[outlook]\nrefresh_s = 60\nstale_after_s = 30\nbin_s = 0\n";
        let error = Config::parse(text, "x").unwrap_err().to_string();
        assert!(
            error.contains("outlook.stale_after_s: 30 is not between 60 and 86400"),
            "{error}"
        );
        assert!(error.contains("outlook.bin_s: 0 is not"), "{error}");
    }
}

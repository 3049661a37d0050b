//! The memory of a container, as cAdvisor shows it.
//!
//! What is used is anonymous, or files that the process has mapped; beside it lie pages of files that the kernel may drop,
//! which fill what is left and kill nobody.

use super::super::sheet::Sheet;
use super::host::wander;
use super::{Clock, Curve, Limit};
use crate::rng::Rng;

const LABELS: &str = "container=\"app\"";
const MIB: f64 = 1_048_576.0;
/// What a container is charged for when nothing runs in it.
const EMPTY: f64 = 8_192.0;

/// A container's memory.
#[derive(Debug)]
pub(super) struct Memory {
    used: Curve,
    /// In bytes; without one nothing moves.
    limit: Option<f64>,
    /// What `used` is a share of, in bytes.
    whole: f64,
    /// Whether what is used is mapped files and not anonymous.
    is_mapped: bool,
    /// Pages that may be dropped, as a share of the whole.
    droppable: Curve,
}

/// To whole pages.
fn page(bytes: f64) -> f64 {
    (bytes / 4_096.0).round() * 4_096.0
}

/// Bytes of one instant.
struct Bytes {
    anonymous: f64,
    mapped: f64,
    droppable: f64,
}

impl Memory {
    /// `used` is what moves; without it a little is used, and there is no limit.
    pub(super) fn new(rng: &mut Rng, used: Option<Curve>, bins: usize) -> Self {
        let moves = used.is_some();
        let whole = [64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0, 4_096.0][rng.below(7)] * MIB;
        let files = if rng.chance(0.5) {
            rng.between(0.0, 0.3)
        } else {
            0.0
        };
        let mut droppable = wander(rng, bins, files, 0.05 * files);
        if moves && rng.chance(0.2) {
            // A cache that fills what there is.
            let span = rng.ratio(20.0, 400.0);
            for (i, share) in droppable.iter_mut().enumerate() {
                *share += 1.0 - (-(i as f64) / span).exp();
            }
        }
        let little = rng.between(0.1, 0.3);
        Self {
            used: used.unwrap_or_else(|| Curve::harmless(wander(rng, bins, little, 0.002))),
            limit: moves.then_some(whole),
            whole,
            is_mapped: rng.chance(0.3),
            droppable: Curve::harmless(droppable),
        }
    }

    pub(super) fn capacity(&self) -> Limit {
        Limit {
            metric: "container_memory_working_set_bytes",
            limit: self.whole,
            unit: "bytes",
            exhausted_when: "kernel OOM kill: what cannot be dropped fills the limit",
            evidence: "what is used reached the limit: OOM kill in the container, and its process is gone",
        }
    }

    fn bytes(&self, at: f64) -> Bytes {
        let used = page(self.used.at(at) * self.whole);
        let anonymous = if self.is_mapped {
            page(used.min(0.05 * self.whole))
        } else {
            used
        };
        let room = self.whole - used;
        Bytes {
            anonymous,
            mapped: used - anonymous,
            droppable: page((self.droppable.at(at) * self.whole).min(room)),
        }
    }

    pub(super) fn show_process(&self, at: f64, sheet: &mut Sheet<'_>) {
        let bytes = self.bytes(at);
        let resident = bytes.anonymous + bytes.mapped;
        sheet.put("process_resident_memory_bytes", "", resident);
    }

    pub(super) fn show_container(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        let gone = clock.is_dead(at);
        let [usage, working_set, rss, cache] = if gone {
            [EMPTY, EMPTY, 0.0, 0.0]
        } else {
            let bytes = self.bytes(at);
            let usage = bytes.anonymous + bytes.mapped + bytes.droppable;
            // Of the pages that may be dropped, most have not been used lately.
            let working_set = usage - page(0.6 * bytes.droppable);
            let cache = bytes.mapped + bytes.droppable;
            [usage, working_set, bytes.anonymous, cache]
        };
        let mut put = |metric: &str, value: f64| sheet.put(metric, LABELS, value);
        put("container_memory_usage_bytes", usage);
        put("container_memory_working_set_bytes", working_set);
        put("container_memory_rss", rss);
        put("container_memory_cache", cache);
        if let Some(limit) = self.limit {
            put("container_spec_memory_limit_bytes", limit);
            put("container_oom_events_total", f64::from(u8::from(gone)));
        }
    }
}

//! The machine around it: its memory and load, which stay far from any limit.

use super::super::sheet::Sheet;
use super::{Curve, Totals};
use crate::rng::Rng;

const GIB: f64 = 1_073_741_824.0;

/// A machine's own metrics.
#[derive(Debug)]
pub(super) struct Host {
    memory: f64,
    available: Curve,
    load: Curve,
    files: f64,
    waiting: Totals,
}

impl Host {
    pub(super) fn new(rng: &mut Rng, bins: usize) -> Self {
        let (spare, load) = (rng.between(0.6, 0.9), rng.ratio(0.1, 3.0));
        let available = wander(rng, bins, spare, 0.004);
        let load_levels = wander(rng, bins, load, 0.1 * load);
        Self {
            memory: [8.0, 16.0, 32.0, 64.0][rng.below(4)] * GIB,
            available: Curve::harmless(available),
            waiting: Totals::new(load_levels.iter().map(|load| 0.01 * load)),
            load: Curve::harmless(load_levels),
            files: rng.ratio(1_000.0, 10_000.0).round(),
        }
    }

    pub(super) fn show(&self, at: f64, sheet: &mut Sheet<'_>) {
        let available = (self.available.at(at) * self.memory / 4_096.0).round() * 4_096.0;
        sheet.put("node_memory_MemAvailable_bytes", "", available);
        sheet.put("node_memory_MemTotal_bytes", "", self.memory);
        let load = self.load.at(at);
        sheet.put("node_load1", "", (load * 100.0).round() / 100.0);
        let files = (self.files * (1.0 + 0.01 * load)).round();
        sheet.put("node_filefd_allocated", "", files);
        let waiting = self.waiting.at(at);
        sheet.put("node_pressure_cpu_waiting_seconds_total", "", waiting);
    }
}

/// Levels that wander about a mean and come back; never below a tenth of it.
pub(super) fn wander(rng: &mut Rng, bins: usize, mean: f64, sigma: f64) -> Vec<f64> {
    let mut off = 0.0;
    let mut next = || {
        off = 0.95 * off + sigma * rng.normal();
        (mean + off).max(0.1 * mean)
    };
    (0..=bins).map(|_| next()).collect()
}

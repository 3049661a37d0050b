//! The process that owns what moves: when it started, what it does.

use super::super::sheet::Sheet;
use super::{Clock, Totals};
use crate::rng::Rng;

/// A process and its container, apart from what they use.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds of the recording that it had run for at bin 0.
    age_s: f64,
    requests: Totals,
    threads: f64,
}

impl Process {
    pub(super) fn new(rng: &mut Rng, bins: usize, bin_s: f64) -> Self {
        let rate = rng.ratio(20.0, 400.0);
        let age_s = rng.ratio(90.0, 20_000.0) * bin_s;
        let requests = (0..=bins).map(|_| (rate + rate.sqrt() * rng.normal()).max(0.0));
        Self {
            age_s,
            requests: Totals::new(requests),
            threads: 1.0 + rng.below(16) as f64,
        }
    }

    /// When it started; a new one runs a bin after the old one ended.
    fn started(&self, clock: &Clock, at: f64) -> f64 {
        match clock.restart {
            Some(restart) if at >= restart as f64 => clock.ts((restart + 1) as f64),
            Some(_) | None => ((clock.start_ts - self.age_s) * 100.0).round() / 100.0,
        }
    }

    pub(super) fn show(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        let started = self.started(clock, at);
        sheet.put("process_start_time_seconds", "", started);
        sheet.put("process_threads", "", self.threads);
        let requests = clock.since_start(&self.requests, at);
        sheet.put("app_requests_total", "", requests.floor());
    }

    pub(super) fn show_container(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        let started = self.started(clock, at);
        sheet.put("container_start_time_seconds", "container=\"app\"", started);
    }
}

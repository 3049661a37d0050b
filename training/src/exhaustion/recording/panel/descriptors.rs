//! The descriptors of a process.

use super::super::sheet::Sheet;
use super::{Clock, Curve, Limit};
use crate::rng::Rng;

/// The limit where nothing moves.
const PLENTY: f64 = 20_000.0;

/// A process's descriptors.
#[derive(Debug)]
pub(super) struct Descriptors {
    used: Option<Curve>,
    most: f64,
    /// What every process has open.
    always: f64,
}

impl Descriptors {
    pub(super) fn new(rng: &mut Rng, used: Option<Curve>) -> Self {
        let limits = [256.0, 512.0, 1_024.0, 4_096.0, 65_536.0];
        let most = limits[rng.below(limits.len())];
        Self {
            most: if used.is_some() { most } else { PLENTY },
            used,
            always: 5.0 + rng.below(30) as f64,
        }
    }

    pub(super) fn capacity(&self) -> Limit {
        Limit {
            metric: "process_open_fds",
            limit: self.most,
            unit: "descriptors",
            exhausted_when: "EMFILE",
            evidence: "the open descriptors reached the process's limit: EMFILE",
        }
    }

    /// `connections` of a database are descriptors too, where those do not move by themselves.
    pub(super) fn show(&self, clock: &Clock, at: f64, connections: f64, sheet: &mut Sheet<'_>) {
        let open = match &self.used {
            Some(used) => (used.at(at) * self.most).round(),
            None => self.always + connections,
        };
        sheet.put("process_open_fds", "", open);
        sheet.put("process_max_fds", "", self.most);
        let full = self.used.as_ref().map_or(f64::INFINITY, Curve::full);
        if self.used.is_some() {
            let began = clock.restart.map_or(0.0, |restart| restart as f64);
            let refused = if at >= full && full >= began {
                1.0 + (2.0 * (at - full)).floor()
            } else {
                0.0
            };
            sheet.put("app_accept_errors_total", "", refused);
        }
    }
}

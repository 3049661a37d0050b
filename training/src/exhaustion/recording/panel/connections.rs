//! The connections of a PostgreSQL, as its exporter shows them, and of the pool that opens them.

use super::super::sheet::Sheet;
use super::{Clock, Curve, Limit};
use crate::rng::Rng;

/// Connections that only superusers get.
const RESERVED: f64 = 3.0;

/// A database's connections.
#[derive(Debug)]
pub(super) struct Connections {
    used: Curve,
    most: f64,
    /// The shares of those in use that run a query, and that have left a transaction open.
    active: f64,
    in_transaction: f64,
    commits: f64,
}

impl Connections {
    pub(super) fn new(rng: &mut Rng, used: Curve) -> Self {
        Self {
            used,
            most: [25.0, 40.0, 60.0, 100.0, 200.0, 500.0][rng.below(6)],
            active: rng.between(0.05, 0.3),
            in_transaction: rng.between(0.0, 0.5),
            commits: rng.ratio(10.0, 2_000.0),
        }
    }

    pub(super) fn limit(&self) -> Limit {
        Limit {
            metric: "sum(pg_stat_activity_count)",
            limit: self.most - RESERVED,
            unit: "connections",
            exhausted_when: "FATAL: remaining connection slots are reserved",
            evidence: "all connections but those reserved are taken, and the next one is refused",
        }
    }

    /// How many are in use.
    pub(super) fn used(&self, at: f64) -> f64 {
        (self.used.at(at) * (self.most - RESERVED)).round()
    }

    pub(super) fn show_app(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        let used = self.used(at);
        sheet.put("app_db_pool_in_use", "", used);
        let full = self.used.full();
        let began = clock.restart.filter(|restart| *restart as f64 <= at);
        let refused = if at >= full && began.is_none_or(|began| began as f64 <= full) {
            1.0 + (3.0 * (at - full)).floor()
        } else {
            0.0
        };
        sheet.put("app_db_connect_errors_total", "", refused);
    }

    pub(super) fn show_database(&self, at: f64, sheet: &mut Sheet<'_>) {
        let used = self.used(at);
        sheet.put("pg_up", "", 1.0);
        sheet.put("pg_settings_max_connections", "", self.most);
        sheet.put("pg_settings_superuser_reserved_connections", "", RESERVED);
        let active = (self.active * used).round();
        let in_transaction = (self.in_transaction * used).round();
        let states = [
            ("active", active),
            ("idle in transaction", in_transaction),
            ("idle", used - active - in_transaction),
        ];
        // As the exporter has it, a state without connections is left out.
        for (state, count) in states.into_iter().filter(|(_, count)| *count > 0.0) {
            let labels = format!("datname=\"app\",state=\"{state}\"");
            sheet.put("pg_stat_activity_count", &labels, count);
        }
        sheet.put(
            "pg_stat_database_numbackends",
            "datid=\"5\",datname=\"app\"",
            used,
        );
        // The database goes on when its client starts anew.
        let commits = (self.commits * at).floor();
        sheet.put(
            "pg_stat_database_xact_commit",
            "datid=\"5\",datname=\"app\"",
            commits,
        );
    }
}

//! PostgreSQL, under the names of its exporter.

use super::push;
use crate::metrics::Sample;
use crate::postgres::{Client, ClientError, Rows};

/// Settings, by name.
const SETTINGS: &str = "SELECT name, setting FROM pg_settings \
    WHERE name IN ('max_connections', 'superuser_reserved_connections')";
/// The exporter's own question: how many in each state, and how long the longest transaction of them runs. States
/// without a connection have a duration of 0 and no count.
const ACTIVITY: &str = "SELECT d.datname, s.state, count(a.pid), \
    coalesce(max(extract(epoch FROM now() - a.xact_start)), 0) \
    FROM pg_database d CROSS JOIN (VALUES ('active'), ('idle'), ('idle in transaction'), \
    ('idle in transaction (aborted)'), ('fastpath function call'), ('disabled')) s(state) \
    LEFT JOIN pg_stat_activity a ON a.datname = d.datname AND a.state = s.state \
    WHERE d.datname = 'postgres' GROUP BY 1, 2 ORDER BY 1, 2";
const DATABASES: &str = "SELECT datid, coalesce(datname, ''), numbackends, xact_commit FROM pg_stat_database \
    WHERE datname IS NULL OR datname = 'postgres' ORDER BY 1";

pub(super) fn scrape(client: &mut Client, out: &mut Vec<Sample>) -> Result<(), ClientError> {
    for row in texts(client.query(SETTINGS)?) {
        if let [name, value] = row.as_slice() {
            push(out, &format!("pg_settings_{name}"), "", value.parse().ok());
        }
    }
    for row in texts(client.query(ACTIVITY)?) {
        if let [database, state, count, longest_s] = row.as_slice() {
            let labels = format!("datname=\"{database}\",state=\"{state}\"");
            let count = count.parse().ok().filter(|count| *count > 0.0);
            push(out, "pg_stat_activity_count", &labels, count);
            push(
                out,
                "pg_stat_activity_max_tx_duration",
                &labels,
                longest_s.parse().ok(),
            );
        }
    }
    for row in texts(client.query(DATABASES)?) {
        if let [id, name, backends, commits] = row.as_slice() {
            let labels = format!("datid=\"{id}\",datname=\"{name}\"");
            push(
                out,
                "pg_stat_database_numbackends",
                &labels,
                backends.parse().ok(),
            );
            push(
                out,
                "pg_stat_database_xact_commit",
                &labels,
                commits.parse().ok(),
            );
        }
    }
    Ok(())
}

/// NULL as nothing.
fn texts(rows: Rows) -> impl Iterator<Item = Vec<String>> {
    rows.into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
}

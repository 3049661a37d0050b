//! Database queries that take longer than 5 s, and connections that run out.
//!
//! *Rule*: a transaction older than 5 s for half a minute, or a mean time of a statement above it; ten slow queries in five
//! minutes by the server's own count; the level of an outlook of the family `connections` above 0.95. *Prediction*: first
//! passage of the level, or the outlook; an anomaly alone foretells with little confidence.

use series::SeriesKey;

use super::rule::{Read, Role, Rule, Test, Threshold};
use crate::Class;

/// Longer than this is wrong, in seconds.
pub(super) const SLOW_S: f64 = 5.0;
/// For so many seconds.
const FOR_S: f64 = 30.0;

/// Ages of transactions and queries.
const AGES: [&str; 3] = [
    "pg_stat_activity_max_tx_duration",
    "pg_long_running_transactions_oldest_timestamp_seconds",
    "pg_long_running_transactions_age_in_seconds",
];
/// Times of statements with their numbers, as running totals.
const STATEMENTS: [(&str, &str, &str); 4] = [
    ("pg_stat_statements", "_seconds_total", "_calls_total"),
    ("pg_stat_statements", "_total_time_seconds", "_calls"),
    (
        "mysql_perf_schema_events_statements",
        "_seconds_total",
        "_total",
    ),
    ("db_client_operation_duration_seconds", "_sum", "_count"),
];
/// The metric of sessions by what they do.
pub(super) const SESSIONS: &str = "pg_stat_activity_count";
/// Labels over which sessions are added up: those that the recipe of connections leaves out.
const OF_SESSIONS: [&str; 7] = [
    "datname",
    "state",
    "usename",
    "application_name",
    "backend_type",
    "wait_event",
    "wait_event_type",
];

pub(super) fn rules() -> Vec<Rule> {
    let threshold = Threshold::usual(SLOW_S, FOR_S);
    let ages = AGES.map(|metric| Rule {
        // An age grows by a second each second: its mean over the hold lags behind, and its trend is no forecast of another.
        smooth_s: 0.0,
        ..Rule::gauge(Class::SlowQueries, metric, threshold, "seconds")
    });
    let means = STATEMENTS.map(|(metric, sum, count)| {
        let mut rule = Rule::gauge(
            Class::SlowQueries,
            metric,
            Threshold::usual(SLOW_S, 60.0),
            "seconds",
        );
        super::latency::of_requests(&mut rule, metric, sum, count);
        rule
    });
    let counted = Rule::events(
        Class::SlowQueries,
        "mysql_global_status_slow_queries",
        10.0,
        300.0,
        "queries",
    );
    ages.into_iter()
        .chain(means)
        .chain([counted, idle_sessions()])
        .collect()
}

/// What idle sessions there are: a fact about connections, never wrong by itself.
fn idle_sessions() -> Rule {
    Rule {
        reads: vec![Read::new(SESSIONS, &[("state", "idle*")], Role::Idle)],
        name: Some(SESSIONS.to_owned()),
        summed: OF_SESSIONS
            .iter()
            .map(|label| (*label).to_owned())
            .collect(),
        test: Test::Never,
        foretells: false,
        ..Rule::gauge(
            Class::SlowQueries,
            SESSIONS,
            Threshold::usual(0.0, 0.0),
            "sessions",
        )
    }
}

/// Whether a level is how long the longest query runs already: neither a mean, nor the age of a session that does nothing
/// within its transaction, which has no query to be cancelled.
pub(super) fn is_age(key: &SeriesKey) -> bool {
    let is_idle = key
        .label("state")
        .is_some_and(|state| state.starts_with("idle"));
    AGES.contains(&key.metric()) && !is_idle
}

/// Whether a transaction is the server's own, which may well take hours: a clean-up or a replica.
pub(super) fn is_own(key: &SeriesKey) -> bool {
    let own = key
        .label("backend_type")
        .is_some_and(|kind| kind != "client backend");
    AGES.contains(&key.metric()) && own
}

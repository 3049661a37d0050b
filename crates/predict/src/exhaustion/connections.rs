//! Connections: of databases, of pools, of the kernel.
//!
//! By Little's law the connections in use are the rate of requests times the time that each holds one. Clients that wait
//! for one are part of that demand, so they count as used: a pool of 20 with 15 waiting is at 175 %, not at 100 %.

use super::recipe::{Measure, Part, Recipe, Role, part};
use super::{Action, Family};

pub(super) const ACTIONS: &[Action] = &["tune_pool", "cancel_query", "restart", "raise_limit"];

/// A recipe for what is used of a limit.
const fn used(
    metric: &'static str,
    parts: &'static [Part],
    summed: &'static [&'static str],
    needs: &'static str,
) -> Recipe {
    Recipe {
        family: Family::Connections,
        anchor: part(Role::Used, metric),
        parts,
        summed,
        measure: Measure::UsedOfLimit,
        needs,
    }
}

pub(super) const RECIPES: &[Recipe] = &[
    used(
        "pg_stat_activity_count",
        &[
            part(Role::Limit, "pg_settings_max_connections"),
            part(Role::Reserved, "pg_settings_superuser_reserved_connections"),
            part(Role::Reserved, "pg_settings_reserved_connections"),
        ],
        &[
            "datname",
            "state",
            "usename",
            "application_name",
            "backend_type",
            "wait_event",
            "wait_event_type",
        ],
        "pg_settings_max_connections",
    ),
    used(
        "hikaricp_connections_active",
        &[
            part(Role::Waiting, "hikaricp_connections_pending"),
            part(Role::Limit, "hikaricp_connections_max"),
        ],
        &[],
        "hikaricp_connections_max",
    ),
    used(
        "pgbouncer_pools_server_active_connections",
        &[
            part(Role::Waiting, "pgbouncer_pools_client_waiting_connections"),
            part(Role::Limit, "pgbouncer_databases_pool_size"),
        ],
        &["user"],
        "pgbouncer_databases_pool_size",
    ),
    used(
        "mysql_global_status_threads_connected",
        &[part(Role::Limit, "mysql_global_variables_max_connections")],
        &[],
        "mysql_global_variables_max_connections",
    ),
    used(
        "redis_connected_clients",
        &[part(Role::Limit, "redis_config_maxclients")],
        &[],
        "redis_config_maxclients",
    ),
    used(
        "haproxy_frontend_current_sessions",
        &[part(Role::Limit, "haproxy_frontend_limit_sessions")],
        &[],
        "haproxy_frontend_limit_sessions",
    ),
    used(
        "node_nf_conntrack_entries",
        &[part(Role::Limit, "node_nf_conntrack_entries_limit")],
        &[],
        "node_nf_conntrack_entries_limit",
    ),
];

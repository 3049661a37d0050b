//! Databases. Without the attribute `engine` it is PostgreSQL that is spoken to a database; with one that is not known,
//! nothing.

use remedy::Kind;

use super::super::quantity::{duration, whole};
use super::super::quote::{Dialect, plain, sql_name, sql_part};
use super::{Manual, Subject, words};

pub(super) fn dialect(subject: &Subject) -> Option<Dialect> {
    match subject.shared("engine") {
        None if subject.target.kind() != Kind::Database => None,
        None | Some("postgres" | "postgresql") => Some(Dialect::Postgres),
        Some("mysql" | "mariadb") => Some(Dialect::MySql),
        Some(_) => None,
    }
}

/// The same name for the same columns, for ever: what is created can be dropped. At most 59 bytes, of 63 that are allowed.
fn index_name(table: &str, columns: &[String]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let parts = std::iter::once(table).chain(columns.iter().map(String::as_str));
    let mut shown = String::new();
    for part in parts {
        // FNV-1a; the length first, so that no two lists run together.
        for byte in (part.len() as u64)
            .to_le_bytes()
            .into_iter()
            .chain(part.bytes())
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        shown.push('_');
        shown.extend(part.chars().take(40).map(safe));
        shown.truncate(32);
    }
    format!("forestall{shown}_{hash:016x}")
}

fn columns_of(dialect: Dialect, columns: &[String]) -> String {
    let quoted: Vec<_> = columns
        .iter()
        .map(|column| sql_part(dialect, column))
        .collect();
    quoted.join(", ")
}

fn listed(table: &str, columns: &[String]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .take(32)
        .map(|column| plain(column, 63))
        .collect();
    format!("{}({})", plain(table, 127), columns.join(", "))
}

pub(super) fn create_index(subject: &Subject, table: &str, columns: &[String]) -> Manual {
    let named = dialect(subject).filter(|_| !table.is_empty() && !columns.is_empty());
    let Some(dialect) = named else {
        return words(format!(
            "create an index on {} of {}, without locking the table",
            listed(table, columns),
            subject.target
        ));
    };
    let index = sql_part(dialect, &index_name(table, columns));
    let (table, columns) = (sql_name(dialect, table), columns_of(dialect, columns));
    Manual::sql(match dialect {
        Dialect::Postgres => {
            format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {table} ({columns});")
        }
        Dialect::MySql => {
            format!("CREATE INDEX {index} ON {table} ({columns}) ALGORITHM = INPLACE LOCK = NONE;")
        }
    })
}

pub(super) fn drop_index(subject: &Subject, table: &str, columns: &[String]) -> Manual {
    let named = dialect(subject).filter(|_| !table.is_empty() && !columns.is_empty());
    let Some(dialect) = named else {
        return words(format!(
            "drop the index on {} of {}, without locking the table",
            listed(table, columns),
            subject.target
        ));
    };
    let index = index_name(table, columns);
    Manual::sql(match dialect {
        // An index lives in the schema of its table.
        Dialect::Postgres => {
            let full = match table.rsplit_once('.') {
                Some((schema, _)) => format!("{schema}.{index}"),
                None => index,
            };
            format!(
                "DROP INDEX CONCURRENTLY IF EXISTS {};",
                sql_name(dialect, &full)
            )
        }
        Dialect::MySql => format!(
            "DROP INDEX {} ON {} ALGORITHM = INPLACE LOCK = NONE;",
            sql_part(dialect, &index),
            sql_name(dialect, table)
        ),
    })
}

pub(super) fn cancel(subject: &Subject, longer_than_s: f64) -> Manual {
    match (dialect(subject), whole(longer_than_s)) {
        (Some(Dialect::Postgres), Some(seconds)) => Manual::sql(format!(
            "SELECT pid, pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' \
             AND backend_type = 'client backend' AND pid <> pg_backend_pid() \
             AND now() - query_start > make_interval(secs => {seconds});"
        )),
        (Some(Dialect::MySql), Some(seconds)) => Manual::sql(format!(
            "SELECT CONCAT('KILL QUERY ', id, ';') FROM information_schema.processlist \
             WHERE command = 'Query' AND id <> CONNECTION_ID() AND time > {seconds};"
        )),
        _ => words(format!(
            "cancel the queries of {} that have run for more than {}; their sessions stay",
            subject.target,
            duration(longer_than_s)
        )),
    }
}

pub(super) fn end_idle(subject: &Subject, longer_than_s: f64) -> Manual {
    match (dialect(subject), whole(longer_than_s)) {
        (Some(Dialect::Postgres), Some(seconds)) => Manual::sql(format!(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle%' \
             AND backend_type = 'client backend' AND pid <> pg_backend_pid() \
             AND now() - state_change > make_interval(secs => {seconds});"
        )),
        (Some(Dialect::MySql), Some(seconds)) => Manual::sql(format!(
            "SELECT CONCAT('KILL CONNECTION ', id, ';') FROM information_schema.processlist \
             WHERE command = 'Sleep' AND id <> CONNECTION_ID() AND time > {seconds};"
        )),
        _ => words(format!(
            "end the sessions of {} that have been idle for more than {}",
            subject.target,
            duration(longer_than_s)
        )),
    }
}

pub(super) fn analyze(subject: &Subject, table: &str) -> Manual {
    match (dialect(subject), table.is_empty()) {
        (Some(Dialect::Postgres), true) => Manual::sql("VACUUM (ANALYZE);".to_owned()),
        (Some(Dialect::Postgres), false) => Manual::sql(format!(
            "VACUUM (ANALYZE) {};",
            sql_name(Dialect::Postgres, table)
        )),
        (Some(Dialect::MySql), false) => Manual::sql(format!(
            "ANALYZE TABLE {};",
            sql_name(Dialect::MySql, table)
        )),
        (Some(Dialect::MySql), true) => {
            Manual::shell("mysqlcheck --analyze --all-databases".to_owned())
        }
        (None, _) => words(format!(
            "collect dead rows and statistics of {} of {}",
            if table.is_empty() {
                "all tables".to_owned()
            } else {
                plain(table, 127)
            },
            subject.target
        )),
    }
}

//! Which tables there are: scripts that each bring a ledger from one version to the next, built into the program. A script
//! that was released is never changed; what comes after it is a new one.

use crate::fault::Fault;
use crate::link::Link;
use crate::sql::Statement;

const SQLITE: [&str; 1] = [include_str!("../migrations/sqlite/0001_ledger.sql")];
const POSTGRES: [&str; SQLITE.len()] = [include_str!("../migrations/postgres/0001_ledger.sql")];

/// The version that this program writes, and the only one that it reads.
pub(crate) const VERSION: i64 = SQLITE.len() as i64;

/// The version of a ledger; 0 where there is none.
pub(crate) async fn version(link: &mut Link) -> Result<i64, Fault> {
    let tables = match link {
        Link::Sqlite(_) => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'meta'",
        Link::Postgres(_) => {
            "SELECT COUNT(*) FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_name = 'meta'"
        }
    };
    let doing = "looking for the tables";
    let rows = link.session().fetch(Statement::new(doing, tables, []));
    if rows.await?.first().map(|row| row.int(0)).transpose()? != Some(1) {
        return Ok(0);
    }
    let sql = "SELECT value FROM meta WHERE name = 'schema'";
    let statement = Statement::new("reading the version of the tables", sql, []);
    let rows = link.session().fetch(statement).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// Brings a ledger from version `from` to ours, one transaction per step.
pub(crate) async fn migrate(link: &mut Link, from: i64) -> Result<(), Fault> {
    let (begin, scripts) = match link {
        Link::Sqlite(_) => ("BEGIN IMMEDIATE", &SQLITE),
        Link::Postgres(_) => ("BEGIN", &POSTGRES),
    };
    for (script, version) in scripts.iter().zip(1..) {
        if version <= from {
            continue;
        }
        let doing = "making the tables";
        link.session().run(doing, begin).await?;
        link.session().run(doing, script).await?;
        let sql = "INSERT INTO meta (name, value) VALUES ('schema', ?) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let statement = Statement::new(doing, sql, [version.into()]);
        link.session().execute(statement).await?;
        link.session().run(doing, "COMMIT").await?;
    }
    Ok(())
}

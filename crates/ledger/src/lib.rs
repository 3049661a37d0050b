//! What the planner remembers, in SQL: SQLite beside the state, or PostgreSQL by one setting. A crate because it fences
//! sqlx.
//!
//! Every table holds the whole value as JSON in `body`, which is the truth, and beside it the columns that are filtered and
//! sorted by. One set of statements serves both databases; what differs is how they are opened (`link`), locked (`lock`)
//! and what their tables are (`migrations/`).

mod commit;
mod fault;
mod forget;
mod link;
mod load;
mod location;
mod lock;
mod open;
mod query;
mod schema;
mod sql;
mod tables;
mod writer;

pub use commit::CommitError;
pub use fault::Fault;
pub use forget::{ForgetError, Forgotten};
pub use load::{LoadError, Since};
pub use location::{Location, LocationError};
pub use open::{Ledger, OpenError};
pub use query::{
    Cursor, EntityFilter, IssueFilter, MAX_PAGE, Page, PlanFilter, QueryError, Statistics,
};

#[cfg(test)]
mod tests;

//! Which record goes into which table, and as what row.

use std::collections::HashMap;

use remedy::audit::Entry;
use remedy::issue::Issue;
use remedy::plan::Plan;
use remedy::record::{
    ActionRecord, Brake, DecisionRecord, FindingRecord, Lease, Rate, Record, RequestRecord,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commit::CommitError;
use crate::sql::{Statement, Value, escaped};

/// Rows of one statement, at most. Fewer rows go in powers of two, so that few statements are prepared.
const MAX_ROWS: usize = 128;

/// A table that records go into.
#[derive(Debug)]
pub(crate) struct Table {
    name: &'static str,
    /// For the error.
    doing: &'static str,
    /// How many of the columns, from the first, are the key.
    n_keys: usize,
    /// Whether a row takes the place of the one under its key.
    replaces: bool,
    columns: &'static [&'static str],
}

macro_rules! tables {
    ($($name:ident $verb:ident $n_keys:literal [$($column:ident)*])*) => {
        /// All of them, in the order in which a batch is written.
        pub(crate) const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            doing: concat!("writing ", stringify!($name)),
            n_keys: $n_keys,
            replaces: tables!($verb),
            columns: &[$(stringify!($column)),*],
        }),*];
    };
    (replaces) => { true };
    (adds) => { false };
}

tables! {
    issues replaces 1 [id state severity class entity opened updated resolved is_live words body]
    plans replaces 1 [id issue state class entity strategy created updated is_over verdict judged body]
    findings replaces 4 [entity class source signal issue is_present at body]
    decisions adds 1 [id issue at body]
    rates replaces 2 [strategy context at body]
    actions adds 1 [key target plan at body]
    leases replaces 1 [target expires body]
    brake replaces 1 [id body]
    health replaces 1 [at body]
    requests adds 1 [id digest at reply]
    audit adds 1 [seq at actor kind subject hash body]
}

/// Rows by table, in the order of [`TABLES`]; of rows that replace each other, the last.
#[derive(Debug)]
pub(crate) struct Rows(Vec<Vec<Vec<Value>>>);

impl Rows {
    /// The rows of these records. What could not be read back as it is, is refused here, before anything is written.
    pub(crate) fn of(records: &[Record]) -> Result<Self, CommitError> {
        let mut tables = vec![Vec::new(); TABLES.len()];
        let mut places: HashMap<(usize, Vec<Value>), usize> = HashMap::new();
        for record in records {
            let (table, row) = row(record)?;
            let Some(index) = TABLES.iter().position(|known| known.name == table) else {
                continue;
            };
            let Table {
                n_keys, replaces, ..
            } = TABLES[index];
            if replaces {
                let key = (index, row[..n_keys].to_vec());
                let next = tables[index].len();
                let place = *places.entry(key).or_insert(next);
                if place < next {
                    tables[index][place] = row;
                    continue;
                }
            }
            tables[index].push(row);
        }
        Ok(Self(tables))
    }

    /// The statements that write them.
    pub(crate) fn statements(self) -> impl Iterator<Item = Statement> {
        TABLES.iter().zip(self.0).flat_map(|(table, rows)| {
            let mut rows = rows.into_iter();
            std::iter::from_fn(move || {
                let n = rows.len().min(MAX_ROWS);
                let n = 1 << n.checked_ilog2()?;
                Some(table.insert(rows.by_ref().take(n)))
            })
        })
    }
}

impl Table {
    fn insert(&self, rows: impl Iterator<Item = Vec<Value>>) -> Statement {
        let columns = self.columns.join(", ");
        let sql = format!("INSERT INTO {} ({columns}) VALUES ", self.name);
        let mut statement = Statement::new(self.doing, &sql, []);
        let places = format!("({})", vec!["?"; self.columns.len()].join(", "));
        for (i, row) in rows.enumerate() {
            statement.push(if i > 0 { ", " } else { "" }, []);
            statement.push(&places, row);
        }
        if self.replaces {
            let (keys, others) = self.columns.split_at(self.n_keys);
            let others = others
                .iter()
                .map(|column| format!("{column} = excluded.{column}"));
            let others: Vec<String> = others.collect();
            let (keys, others) = (keys.join(", "), others.join(", "));
            let replace = format!(" ON CONFLICT ({keys}) DO UPDATE SET {others}");
            statement.push(&replace, []);
        }
        statement
    }
}

/// The table of a record, and its columns in order.
fn row(record: &Record) -> Result<(&'static str, Vec<Value>), CommitError> {
    let name = || name(record);
    let id = |number| id(number, name);
    Ok(match record {
        Record::Issue(it) => ("issues", issue(it, id(it.id.0)?, body(&**it, name)?)),
        Record::Plan(it) => {
            let keys = (id(it.id.0)?, id(it.issue.0)?);
            ("plans", plan(it, keys, body(&**it, name)?))
        }
        Record::Finding(it) => ("findings", finding(it, id(it.issue.0)?, body(&**it, name)?)),
        Record::Decision(it) => {
            let DecisionRecord {
                id: number,
                issue,
                at,
                ..
            } = &**it;
            let at = at.micros().into();
            let row = vec![id(number.0)?, id(issue.0)?, at, body(&**it, name)?];
            ("decisions", row)
        }
        Record::Rate(it) => {
            let Rate {
                strategy,
                context,
                at,
                ..
            } = it;
            let (strategy, context) = (strategy.as_str().into(), context.as_str().into());
            let row = vec![strategy, context, at.micros().into(), body(it, name)?];
            ("rates", row)
        }
        Record::Action(it) => {
            let ActionRecord {
                key,
                target,
                plan,
                at,
                ..
            } = it;
            let (key, target) = (key.as_str().into(), target.as_str().into());
            let at = at.micros().into();
            (
                "actions",
                vec![key, target, id(plan.0)?, at, body(it, name)?],
            )
        }
        Record::Lease(it) => {
            let Lease {
                target, expires, ..
            } = it;
            let expires = expires.micros().into();
            (
                "leases",
                vec![target.as_str().into(), expires, body(it, name)?],
            )
        }
        Record::Brake(it) => ("brake", vec![1.into(), body::<Brake>(it, name)?]),
        Record::Health(it) => ("health", vec![it.at.micros().into(), body(&**it, name)?]),
        Record::Request(it) => {
            let RequestRecord {
                id,
                digest,
                reply,
                at,
            } = it;
            let digest = Value::from(digest.to_string());
            let (at, reply) = (at.micros().into(), Value::Bytes(reply.clone()));
            ("requests", vec![id.as_str().into(), digest, at, reply])
        }
        Record::Audit(it) => {
            let Entry {
                seq,
                at,
                actor,
                kind,
                subject,
                hash,
                ..
            } = it;
            let mut row = vec![id(*seq)?, at.micros().into()];
            row.extend([actor, kind, subject].map(|text| Value::from(text.as_str())));
            row.extend([Value::from(hash.to_string()), body(it, name)?]);
            ("audit", row)
        }
    })
}

fn issue(issue: &Issue, id: Value, body: Value) -> Vec<Value> {
    let words = [issue.entity.as_str(), &issue.cause, &issue.note].join("\n");
    vec![
        id,
        issue.state.name().into(),
        i64::from(issue.severity as u8).into(),
        issue.class.name().into(),
        issue.entity.as_str().into(),
        issue.opened.micros().into(),
        issue.updated.micros().into(),
        issue.resolved.map(|at| at.micros()).into(),
        issue.is_live().into(),
        escaped(&words.to_lowercase()).into(),
        body,
    ]
}

fn finding(record: &FindingRecord, issue: Value, body: Value) -> Vec<Value> {
    let finding = &record.finding;
    vec![
        finding.entity.as_str().into(),
        finding.class.name().into(),
        finding.source.name().into(),
        finding.signal.as_str().into(),
        issue,
        finding.is_present.into(),
        finding.at.micros().into(),
        body,
    ]
}

fn plan(plan: &Plan, (id, issue): (Value, Value), body: Value) -> Vec<Value> {
    let outcome = plan.outcome.as_ref();
    vec![
        id,
        issue,
        plan.state.name().into(),
        plan.class.name().into(),
        plan.entity.as_str().into(),
        plan.strategy.as_str().into(),
        plan.created.micros().into(),
        plan.updated.micros().into(),
        plan.is_finished().into(),
        Value::Text(outcome.map(|outcome| outcome.verdict.name().to_owned())),
        outcome.map(|outcome| outcome.at.micros()).into(),
        body,
    ]
}

/// A record for people: `issue i17`. Names from outside are shortened.
fn name(record: &Record) -> String {
    let short = |text: &str| text.chars().take(80).collect::<String>();
    match record {
        Record::Issue(it) => format!("issue {}", it.id),
        Record::Plan(it) => format!("plan {}", it.id),
        Record::Finding(it) => {
            let (entity, signal) = (&it.finding.entity, short(&it.finding.signal));
            format!("the finding about {entity} in {signal:?}")
        }
        Record::Decision(it) => format!("decision {}", it.id),
        Record::Rate(it) => {
            format!(
                "the rate of {:?} in {:?}",
                short(&it.strategy),
                short(&it.context)
            )
        }
        Record::Action(it) => format!("action {:?}", short(&it.key)),
        Record::Lease(it) => format!("the lease of {}", it.target),
        Record::Brake(_) => "the brake".to_owned(),
        Record::Health(it) => format!("health at {} µs", it.at.micros()),
        Record::Request(it) => format!("request {:?}", short(&it.id)),
        Record::Audit(it) => format!("audit entry {}", it.seq),
    }
}

/// Databases count to 2⁶³ − 1.
fn id(number: u64, name: impl Fn() -> String) -> Result<Value, CommitError> {
    let fits = i64::try_from(number).map(Value::from);
    fits.map_err(|_| CommitError::Number {
        record: name(),
        number,
    })
}

/// The whole value as JSON. It is read back at once: JSON has no NaN, and one that was written as `null` would be found
/// when a server starts next, and keep it from starting.
fn body<T: Serialize + DeserializeOwned + PartialEq>(
    value: &T,
    name: impl Fn() -> String,
) -> Result<Value, CommitError> {
    let json = serde_json::to_string(value).map_err(|source| CommitError::Json {
        record: name(),
        source,
    })?;
    match serde_json::from_str::<T>(&json) {
        Ok(back) if back == *value => Ok(json.into()),
        Ok(_) => Err(CommitError::Changed { record: name() }),
        Err(source) => Err(CommitError::Json {
            record: name(),
            source,
        }),
    }
}

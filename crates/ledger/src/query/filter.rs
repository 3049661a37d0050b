//! Which issues and plans are asked for. What is not said does not matter.

use remedy::Class;
use remedy::issue::{IssueId, IssueState, Severity};
use remedy::plan::{PlanState, Verdict};

use crate::sql::{Statement, Value, after_all_with, escaped, holding};

/// Longer texts are searched for by their beginning.
const MAX_SEARCHED_CHARS: usize = 200;

/// Which entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityFilter {
    /// The one of this name: `host/web-1`.
    Is(String),
    /// All whose names begin so: `host/web-`.
    StartsWith(String),
}

/// Which issues.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueFilter {
    /// In one of these states; in any when empty.
    pub states: Vec<IssueState>,
    /// Of one of these classes; of any when empty.
    pub classes: Vec<Class>,
    /// As bad as this, or worse.
    pub min_severity: Option<Severity>,
    /// About what.
    pub entity: Option<EntityFilter>,
    /// Still to be dealt with, or resolved.
    pub is_live: Option<bool>,
    /// Whose entity, cause or note holds this text, in upper or lower case.
    pub text: Option<String>,
}

/// Which plans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanFilter {
    /// About which issue.
    pub issue: Option<IssueId>,
    /// In one of these states; in any when empty.
    pub states: Vec<PlanState>,
    /// For one of these classes; for any when empty.
    pub classes: Vec<Class>,
    /// On what.
    pub entity: Option<EntityFilter>,
    /// By this strategy.
    pub strategy: Option<String>,
    /// With one of these verdicts; with any or none when empty.
    pub verdicts: Vec<Verdict>,
    /// Judged, or not.
    pub is_judged: Option<bool>,
    /// Nothing more comes of it, or something may.
    pub is_over: Option<bool>,
}

impl IssueFilter {
    pub(crate) fn push_to(&self, statement: &mut Statement) {
        let states = self.states.iter().map(|state| state.name().into());
        statement.push_one_of("state", states);
        let classes = self.classes.iter().map(|class| class.name().into());
        statement.push_one_of("class", classes);
        if let Some(severity) = self.min_severity {
            let rank = i64::from(severity as u8);
            statement.push(" AND severity >= ?", [rank.into()]);
        }
        push_entity(statement, self.entity.as_ref());
        if let Some(is_live) = self.is_live {
            statement.push(" AND is_live = ?", [is_live.into()]);
        }
        if let Some(text) = &self.text {
            let text: String = text.chars().take(MAX_SEARCHED_CHARS).collect();
            let pattern = holding(&text.to_lowercase());
            statement.push(" AND words LIKE ? ESCAPE '!'", [pattern.into()]);
        }
    }
}

impl PlanFilter {
    pub(crate) fn push_to(&self, statement: &mut Statement) {
        if let Some(IssueId(issue)) = self.issue {
            let issue = i64::try_from(issue).unwrap_or(i64::MAX);
            statement.push(" AND issue = ?", [issue.into()]);
        }
        let states = self.states.iter().map(|state| state.name().into());
        statement.push_one_of("state", states);
        let classes = self.classes.iter().map(|class| class.name().into());
        statement.push_one_of("class", classes);
        push_entity(statement, self.entity.as_ref());
        if let Some(strategy) = &self.strategy {
            statement.push(" AND strategy = ?", [strategy.as_str().into()]);
        }
        let verdicts = self.verdicts.iter().map(|verdict| verdict.name().into());
        statement.push_one_of("verdict", verdicts);
        match self.is_judged {
            Some(true) => statement.push(" AND verdict IS NOT NULL", []),
            Some(false) => statement.push(" AND verdict IS NULL", []),
            None => {}
        }
        if let Some(is_over) = self.is_over {
            statement.push(" AND is_over = ?", [is_over.into()]);
        }
    }
}

fn push_entity(statement: &mut Statement, entity: Option<&EntityFilter>) {
    match entity {
        None => {}
        Some(EntityFilter::Is(entity)) => {
            statement.push(" AND entity = ?", [entity.as_str().into()]);
        }
        Some(EntityFilter::StartsWith(start)) => {
            let start = escaped(start);
            let end = after_all_with(&start);
            statement.push(" AND entity >= ?", [Value::from(start)]);
            if let Some(end) = end {
                statement.push(" AND entity < ?", [end.into()]);
            }
        }
    }
}

//! Requests of the planner's services as they come in, checked.

use ledger::{Cursor, Page};
use proto::v1;
use remedy::Class;
use remedy::issue::{IssueId, IssueState, NumberError, Severity};
use remedy::plan::{PlanId, PlanState};
use tonic::Status;

use crate::grpc::from_proto::invalid;

/// Of those who say nothing.
const USUAL_PAGE: u32 = 50;

/// The wire's numbers are one more than ours: 0 stands for none.
fn pick<T: Copy>(all: &[T], field: String, number: i32, what: &str) -> Result<T, Status> {
    let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    place
        .and_then(|place| all.get(place).copied())
        .ok_or_else(|| invalid(field, format!("{number} is not {what}")))
}

fn pick_all<T: Copy>(
    all: &[T],
    field: &str,
    numbers: &[i32],
    what: &str,
) -> Result<Vec<T>, Status> {
    let numbers = numbers.iter().enumerate();
    numbers
        .map(|(i, &number)| pick(all, format!("{field}[{i}]"), number, what))
        .collect()
}

pub(super) fn classes(numbers: &[i32]) -> Result<Vec<Class>, Status> {
    pick_all(&Class::ALL, "classes", numbers, "a class")
}

pub(super) fn issue_states(numbers: &[i32]) -> Result<Vec<IssueState>, Status> {
    pick_all(&IssueState::ALL, "states", numbers, "a state of an issue")
}

pub(super) fn plan_states(numbers: &[i32]) -> Result<Vec<PlanState>, Status> {
    pick_all(&PlanState::ALL, "states", numbers, "a state of a plan")
}

/// 0 is the least.
pub(super) fn severity(number: i32) -> Result<Severity, Status> {
    match number {
        0 => Ok(Severity::Info),
        number => pick(
            &Severity::ALL,
            "min_severity".to_owned(),
            number,
            "a severity",
        ),
    }
}

pub(super) fn issue_id(text: &str) -> Result<IssueId, Status> {
    id("id", text)
}

pub(super) fn plan_id(text: &str) -> Result<PlanId, Status> {
    id("id", text)
}

/// A number as we write it: `i+7` and `i07` are no other names of `i7`.
pub(super) fn id<T>(field: &str, text: &str) -> Result<T, Status>
where
    T: std::str::FromStr<Err = NumberError> + std::fmt::Display,
{
    let id: T = text
        .parse()
        .map_err(|error: NumberError| invalid(field, error.to_string()))?;
    match id.to_string() == text {
        true => Ok(id),
        false => Err(invalid(
            field,
            format!("{text:?} is not how {id} is written"),
        )),
    }
}

/// `operations/p4`.
pub(super) fn operation(text: &str) -> Result<PlanId, Status> {
    let id = text.strip_prefix("operations/").map(plan_id);
    match id {
        Some(Ok(id)) => Ok(id),
        Some(Err(_)) | None => {
            let text: String = text.chars().take(80).collect();
            Err(invalid(
                "name",
                format!("{text:?} is not the name of an operation, as operations/p4 is"),
            ))
        }
    }
}

/// How many rows; 0 is the usual number.
pub(super) fn size(size: i32, usual: u32) -> Result<u32, Status> {
    match u32::try_from(size) {
        Ok(0) => Ok(usual),
        Ok(size) => Ok(size.min(ledger::MAX_PAGE)),
        Err(_) => Err(invalid("page_size", format!("{size} is negative"))),
    }
}

/// A page of a list that is ordered by number, newest first: the token is the last number.
pub(super) fn page(page_size: i32, token: &str) -> Result<Page, Status> {
    let from = match token {
        "" => Cursor::Newest,
        token => {
            let before = token
                .parse()
                .map_err(|_| invalid("page_token", "not a token of this server".to_owned()))?;
            Cursor::Before(before)
        }
    };
    Ok(Page {
        from,
        limit: size(page_size, USUAL_PAGE)?,
    })
}

/// How the issues of a list are filtered.
pub(super) struct Wanted {
    pub(super) states: Vec<IssueState>,
    pub(super) classes: Vec<Class>,
    pub(super) min_severity: Severity,
    pub(super) entity: String,
}

pub(super) fn wanted(request: &v1::ListIssuesRequest) -> Result<Wanted, Status> {
    if !request.entity.is_empty() {
        let parsed: Result<remedy::EntityId, _> = request.entity.parse();
        parsed.map_err(|error| invalid("entity", error.to_string()))?;
    }
    Ok(Wanted {
        states: issue_states(&request.states)?,
        classes: classes(&request.classes)?,
        min_severity: severity(request.min_severity)?,
        entity: request.entity.clone(),
    })
}

impl Wanted {
    pub(super) fn is_met(&self, issue: &remedy::issue::Issue) -> bool {
        (self.states.is_empty() || self.states.contains(&issue.state))
            && (self.classes.is_empty() || self.classes.contains(&issue.class))
            && issue.severity >= self.min_severity
            && (self.entity.is_empty() || issue.entity.as_str() == self.entity)
    }
}

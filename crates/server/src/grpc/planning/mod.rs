//! `IssueService`, `PlanService` and `SafetyService`: what people see of the planner, and what they may tell it.

mod issues;
mod once;
mod plans;
mod read;
mod rules;
mod safety;
mod write;

use std::sync::Arc;

use ledger::QueryError;
use proto::v1;
use remedy::planner::{Command, Refused, Reply};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::State;
use super::from_proto::invalid;
use crate::planning::{CallError, Planning};

pub(super) use issues::Issues;
pub(super) use plans::Plans;
pub(super) use safety::Safety;

/// The planner, if there is one.
fn planning(state: &State) -> Result<&Arc<Planning>, Status> {
    state.planning.as_ref().ok_or_else(|| {
        Status::failed_precondition(
            "there is no planner: planner.enabled is false, or it has nowhere to remember what it does (state.enabled, \
             or planner.ledger)",
        )
    })
}

/// Who acts.
fn actor(planning: &Planning, metadata: &MetadataMap, named: &str) -> Result<String, Status> {
    let shown = metadata.get("authorization");
    let shown = shown.and_then(|value| value.to_str().ok());
    planning
        .people
        .actor(shown, named)
        .map_err(Status::permission_denied)
}

fn not_read(error: &QueryError) -> Status {
    Status::unavailable(crate::models::told(error))
}

fn not_done(error: CallError) -> Status {
    let message = error.to_string();
    match error {
        CallError::Unavailable(_) => Status::unavailable(message),
        CallError::Refused(refused) => match refused {
            Refused::NoIssue(_) | Refused::NoPlan(_) => Status::not_found(message),
            Refused::Nobody(_) | Refused::Authority { .. } => Status::permission_denied(message),
            Refused::NoReason(_) => invalid("reason", message),
            Refused::Nonsense(_) => Status::invalid_argument(message),
            Refused::IssueState { .. }
            | Refused::PlanState { .. }
            | Refused::Late { .. }
            | Refused::Vetoed { .. }
            | Refused::NothingToDo { .. }
            | Refused::NoInverse(_) => Status::failed_precondition(message),
        },
    }
}

/// What a request that changes something says beside what it is about.
struct Call<'a> {
    method: &'static str,
    actor: &'a str,
    request_id: &'a str,
}

/// Does a command once, however often it is sent, and answers with what `answer` makes of the reply.
async fn command<Req, Res>(
    state: &State,
    request: &Request<Req>,
    call: Call<'_>,
    command: Command,
    answer: impl Fn(&Reply) -> Res + Clone + Send + 'static,
) -> Result<Res, Status>
where
    Req: prost::Message,
    Res: prost::Message + Default + 'static,
{
    let planning = planning(state)?;
    let who = actor(planning, request.metadata(), call.actor)?;
    let once = once::Once {
        planning,
        method: call.method,
        request_id: call.request_id,
        content: request.get_ref().encode_to_vec(),
        at: state.clock.now(),
    };
    once.run(who, command, answer).await
}

/// The issue in a reply about one.
fn issue_of(reply: &Reply) -> Option<v1::Issue> {
    match reply {
        Reply::Issue(issue, _) => Some(write::issue(issue)),
        Reply::Plan(_) | Reply::Brake(_) => None,
    }
}

/// The plan in a reply.
fn plan_of(reply: &Reply) -> Option<v1::Plan> {
    match reply {
        Reply::Issue(_, plan) => plan.as_deref().map(write::plan),
        Reply::Plan(plan) => Some(write::plan(plan)),
        Reply::Brake(_) => None,
    }
}

//! `IssueService`.

use std::sync::Arc;

use ledger::{Cursor, EntityFilter, IssueFilter, Page, PlanFilter};
use proto::v1;
use proto::v1::issue_service_server::IssueService;
use remedy::issue::Issue;
use remedy::plan::{Plan, PlanState};
use remedy::planner::Command;
use series::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Call, command, issue_of, not_done, not_read, plan_of, planning, read, write};
use crate::grpc::{State, stopped, stopping};
use crate::planning::Planning;

/// Most entries of a history that are shown with an issue: the newest.
const MAX_HISTORY: u32 = 500;
/// Most issues in one message.
const MESSAGE_ISSUES: usize = 64;

pub(in crate::grpc) struct Issues(pub(in crate::grpc) Arc<State>);

#[tonic::async_trait]
impl IssueService for Issues {
    async fn list_issues(
        &self,
        request: Request<v1::ListIssuesRequest>,
    ) -> Result<Response<v1::ListIssuesResponse>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let wanted = read::wanted(&request)?;
        let response = match request.include_resolved {
            true => all(planning, &request, wanted).await?,
            false => live(planning, &request, &wanted)?,
        };
        Ok(Response::new(response))
    }

    async fn get_issue(
        &self,
        request: Request<v1::GetIssueRequest>,
    ) -> Result<Response<v1::GetIssueResponse>, Status> {
        let planning = planning(&self.0)?;
        let id = read::issue_id(&request.get_ref().id)?;
        let ledger = &planning.ledger;
        let issue = ledger.issue(id).await.map_err(|error| not_read(&error))?;
        let issue = issue.ok_or_else(|| Status::not_found(format!("there is no issue {id}")))?;
        let filter = PlanFilter {
            issue: Some(id),
            ..PlanFilter::default()
        };
        let newest = |limit| Page {
            from: Cursor::Newest,
            limit,
        };
        let plans = ledger.plans(&filter, newest(ledger::MAX_PAGE)).await;
        let mut plans = plans.map_err(|error| not_read(&error))?;
        plans.reverse();
        let of_plans = plans.iter().map(|plan| plan.id.to_string());
        let of_decisions = issue.decisions.iter().map(ToString::to_string);
        let subjects = [id.to_string()].into_iter();
        let subjects: Vec<_> = subjects.chain(of_plans).chain(of_decisions).collect();
        let subjects = subjects.iter().map(String::as_str);
        let history = ledger.audit_of(subjects, newest(MAX_HISTORY)).await;
        let mut history = history.map_err(|error| not_read(&error))?;
        history.reverse();
        Ok(Response::new(v1::GetIssueResponse {
            issue: Some(write::issue(&issue)),
            plans: plans.iter().map(write::plan).collect(),
            history: history.iter().map(write::entry).collect(),
        }))
    }

    type WatchIssuesStream = ReceiverStream<Result<v1::WatchIssuesResponse, Status>>;

    async fn watch_issues(
        &self,
        request: Request<v1::WatchIssuesRequest>,
    ) -> Result<Response<Self::WatchIssuesStream>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let classes = read::classes(&request.classes)?;
        let min_severity = read::severity(request.min_severity)?;
        let permit = self.0.open_stream()?;
        let subscription = planning.board.subscribe().ok_or_else(|| {
            let max = self.0.config.watch.max_watchers;
            Status::resource_exhausted(format!(
                "{max} readers watch issues, as many as watch.max_watchers allows"
            ))
        })?;
        let (sender, receiver) = mpsc::channel(1);
        let mut stop = self.0.stopping.clone();
        let is_met = move |issue: &Issue| {
            (classes.is_empty() || classes.contains(&issue.class)) && issue.severity >= min_severity
        };
        tokio::spawn(async move {
            let _permit = permit;
            loop {
                let (issues, dropped_count) = tokio::select! {
                    next = subscription.watcher.next(MESSAGE_ISSUES) => next,
                    () = sender.closed() => return,
                    () = stopped(&mut stop) => {
                        // The reader may be gone.
                        let _ = sender.send(Err(stopping())).await;
                        return;
                    }
                };
                let issues = issues.iter().filter(|issue| is_met(issue));
                let issues: Vec<_> = issues.map(|issue| write::issue(issue)).collect();
                if issues.is_empty() && dropped_count == 0 {
                    continue;
                }
                let message = v1::WatchIssuesResponse {
                    issues,
                    dropped_count,
                };
                if sender.send(Ok(message)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn acknowledge_issue(
        &self,
        request: Request<v1::AcknowledgeIssueRequest>,
    ) -> Result<Response<v1::AcknowledgeIssueResponse>, Status> {
        let inner = request.get_ref();
        let what = Command::Acknowledge {
            issue: read::issue_id(&inner.id)?,
            note: inner.note.clone(),
        };
        let call = Call {
            method: "AcknowledgeIssue",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let answer = |reply: &_| v1::AcknowledgeIssueResponse {
            issue: issue_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn suppress_issue(
        &self,
        request: Request<v1::SuppressIssueRequest>,
    ) -> Result<Response<v1::SuppressIssueResponse>, Status> {
        let inner = request.get_ref();
        let what = Command::Suppress {
            issue: read::issue_id(&inner.id)?,
            for_s: inner.duration_s,
            note: inner.note.clone(),
        };
        let call = Call {
            method: "SuppressIssue",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let answer = |reply: &_| v1::SuppressIssueResponse {
            issue: issue_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn reopen_issue(
        &self,
        request: Request<v1::ReopenIssueRequest>,
    ) -> Result<Response<v1::ReopenIssueResponse>, Status> {
        let inner = request.get_ref();
        let what = Command::Reopen {
            issue: read::issue_id(&inner.id)?,
            note: inner.note.clone(),
        };
        let call = Call {
            method: "ReopenIssue",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let answer = |reply: &_| v1::ReopenIssueResponse {
            issue: issue_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn resolve_issue(
        &self,
        request: Request<v1::ResolveIssueRequest>,
    ) -> Result<Response<v1::ResolveIssueResponse>, Status> {
        let inner = request.get_ref();
        let what = Command::Resolve {
            issue: read::issue_id(&inner.id)?,
            note: inner.note.clone(),
        };
        let call = Call {
            method: "ResolveIssue",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let answer = |reply: &_| v1::ResolveIssueResponse {
            issue: issue_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn plan_issue(
        &self,
        request: Request<v1::PlanIssueRequest>,
    ) -> Result<Response<v1::PlanIssueResponse>, Status> {
        let inner = request.get_ref();
        let issue = read::issue_id(&inner.id)?;
        let planning = planning(&self.0)?;
        if inner.validate_only {
            let considered = planning.consider(issue).await.map_err(not_done)?;
            let (input, decision, plan) = considered
                .ok_or_else(|| Status::not_found(format!("there is no live issue {issue}")))?;
            let record = remedy::decision::record(&input, &decision);
            return Ok(Response::new(v1::PlanIssueResponse {
                explanation: Some(write::explanation(&decision, &record)),
                preview: match &plan {
                    Some(plan) => preview(planning, plan.clone(), self.0.clock.now()).await?,
                    None => String::new(),
                },
                plan: plan.as_ref().map(write::plan),
            }));
        }
        let call = Call {
            method: "PlanIssue",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let answer = |reply: &_| v1::PlanIssueResponse {
            plan: plan_of(reply),
            ..v1::PlanIssueResponse::default()
        };
        let what = Command::Plan { issue };
        let mut response = command(&self.0, &request, call, what, answer).await?;
        let plan = response.plan.as_ref();
        if let Some(Ok(id)) = plan.map(|plan| read::plan_id(&plan.id)) {
            response.explanation = Some(super::plans::explanation(planning, id).await?);
            if let Some(plan) = planning.board.plan(id) {
                // Whoever asks again under the same id gets the same answer, whatever came of the plan since.
                let plan = as_made(&plan);
                let made = plan.created;
                response.preview = preview(planning, plan, made).await?;
            }
        }
        Ok(Response::new(response))
    }
}

/// A plan as it was when it was made, as far as its page tells.
fn as_made(plan: &Plan) -> Plan {
    let mut made = plan.clone();
    made.state = match plan.deadline {
        Some(_) => PlanState::AwaitingApproval,
        None => PlanState::Scheduled,
    };
    made.approvals.clear();
    made.held.clear();
    made
}

pub(super) async fn preview(
    planning: &Planning,
    plan: Plan,
    now: Timestamp,
) -> Result<String, Status> {
    let preview = planning.preview(plan, now).await.map_err(not_done)?;
    Ok(preview.to_string())
}

/// Live issues from memory, gravest first, then newest.
fn live(
    planning: &Planning,
    request: &v1::ListIssuesRequest,
    wanted: &read::Wanted,
) -> Result<v1::ListIssuesResponse, Status> {
    let size = read::size(request.page_size, 50)? as usize;
    let mut issues = planning.board.issues();
    issues.retain(|issue| wanted.is_met(issue));
    let place = |issue: &Issue| {
        let severity = remedy::issue::Severity::ALL
            .iter()
            .position(|&s| s == issue.severity);
        crate::page::Place {
            rank: severity.unwrap_or(0) as f64 * 1e12 + issue.id.0 as f64,
            id: issue.id.0,
        }
    };
    let shape = format!(
        "{:?} {:?} {} {}",
        request.states, request.classes, request.min_severity, request.entity
    );
    let after = crate::page::place(&shape, &request.page_token)
        .map_err(|what| crate::grpc::from_proto::invalid("page_token", what))?;
    let places = issues.iter().map(|issue| place(issue)).collect();
    let (places, more) = crate::page::cut(places, after, size);
    let by_id: std::collections::HashMap<_, _> =
        issues.iter().map(|issue| (issue.id.0, issue)).collect();
    let shown = places.iter().filter_map(|place| by_id.get(&place.id));
    Ok(v1::ListIssuesResponse {
        issues: shown.map(|issue| write::issue(issue)).collect(),
        next_page_token: match (more, places.last()) {
            (true, Some(last)) => crate::page::token(&shape, *last),
            (true | false, _) => String::new(),
        },
    })
}

/// All issues from the ledger, newest first.
async fn all(
    planning: &Planning,
    request: &v1::ListIssuesRequest,
    wanted: read::Wanted,
) -> Result<v1::ListIssuesResponse, Status> {
    let page = read::page(request.page_size, &request.page_token)?;
    let filter = IssueFilter {
        states: wanted.states,
        classes: wanted.classes,
        min_severity: Some(wanted.min_severity),
        entity: (!wanted.entity.is_empty()).then_some(EntityFilter::Is(wanted.entity)),
        ..IssueFilter::default()
    };
    let issues = planning.ledger.issues(&filter, page).await;
    let issues = issues.map_err(|error| not_read(&error))?;
    let is_full = issues.len() as u32 == page.limit;
    let last = issues.last().filter(|_| is_full);
    Ok(v1::ListIssuesResponse {
        issues: issues.iter().map(write::issue).collect(),
        next_page_token: last.map(|issue| issue.id.0.to_string()).unwrap_or_default(),
    })
}

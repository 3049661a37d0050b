//! `PlanService`.

use std::sync::Arc;
use std::time::Duration;

use ledger::PlanFilter;
use proto::v1;
use proto::v1::plan_service_server::PlanService;
use remedy::decision::Decision;
use remedy::plan::{Plan, PlanId, PlanState};
use remedy::planner::Command;
use tonic::{Request, Response, Status};

use super::{Call, command, not_done, not_read, plan_of, planning, read, write};
use crate::grpc::from_proto::invalid;
use crate::grpc::{State, stopped, stopping};
use crate::planning::Planning;

/// The longest that an operation is waited for.
const MAX_WAIT_S: f64 = 600.0;

pub(in crate::grpc) struct Plans(pub(in crate::grpc) Arc<State>);

#[tonic::async_trait]
impl PlanService for Plans {
    async fn list_plans(
        &self,
        request: Request<v1::ListPlansRequest>,
    ) -> Result<Response<v1::ListPlansResponse>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let issue = match request.issue.as_str() {
            "" => None,
            text => Some(read::id("issue", text)?),
        };
        let filter = PlanFilter {
            issue,
            states: read::plan_states(&request.states)?,
            ..PlanFilter::default()
        };
        let page = read::page(request.page_size, &request.page_token)?;
        let plans = planning.ledger.plans(&filter, page).await;
        let plans = plans.map_err(|error| not_read(&error))?;
        Ok(Response::new(v1::ListPlansResponse {
            next_page_token: next(&plans, page.limit),
            plans: plans.iter().map(write::plan).collect(),
        }))
    }

    async fn get_plan(
        &self,
        request: Request<v1::GetPlanRequest>,
    ) -> Result<Response<v1::GetPlanResponse>, Status> {
        let planning = planning(&self.0)?;
        let plan = plan(planning, read::plan_id(&request.get_ref().id)?).await?;
        Ok(Response::new(v1::GetPlanResponse {
            plan: Some(write::plan(&plan)),
            preview: super::issues::preview(planning, plan, self.0.clock.now()).await?,
        }))
    }

    async fn explain_plan(
        &self,
        request: Request<v1::ExplainPlanRequest>,
    ) -> Result<Response<v1::ExplainPlanResponse>, Status> {
        let planning = planning(&self.0)?;
        let id = read::plan_id(&request.get_ref().id)?;
        Ok(Response::new(v1::ExplainPlanResponse {
            explanation: Some(explanation(planning, id).await?),
        }))
    }

    async fn approve_plan(
        &self,
        request: Request<v1::ApprovePlanRequest>,
    ) -> Result<Response<v1::ApprovePlanResponse>, Status> {
        let inner = request.get_ref();
        let id = read::plan_id(&inner.id)?;
        if inner.validate_only {
            return self.could_approve(&request, id).await;
        }
        let call = Call {
            method: "ApprovePlan",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Approve {
            plan: id,
            reason: inner.reason.clone(),
        };
        let answer = move |reply: &_| v1::ApprovePlanResponse {
            plan: plan_of(reply),
            operation: format!("operations/{id}"),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn refuse_plan(
        &self,
        request: Request<v1::RefusePlanRequest>,
    ) -> Result<Response<v1::RefusePlanResponse>, Status> {
        let inner = request.get_ref();
        let call = Call {
            method: "RefusePlan",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Refuse {
            plan: read::plan_id(&inner.id)?,
            reason: inner.reason.clone(),
        };
        let answer = |reply: &_| v1::RefusePlanResponse {
            plan: plan_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn cancel_plan(
        &self,
        request: Request<v1::CancelPlanRequest>,
    ) -> Result<Response<v1::CancelPlanResponse>, Status> {
        let inner = request.get_ref();
        let call = Call {
            method: "CancelPlan",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Cancel {
            plan: read::plan_id(&inner.id)?,
            reason: inner.reason.clone(),
        };
        let answer = |reply: &_| v1::CancelPlanResponse {
            plan: plan_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn undo_plan(
        &self,
        request: Request<v1::UndoPlanRequest>,
    ) -> Result<Response<v1::UndoPlanResponse>, Status> {
        let inner = request.get_ref();
        let id = read::plan_id(&inner.id)?;
        let call = Call {
            method: "UndoPlan",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Undo {
            plan: id,
            reason: inner.reason.clone(),
        };
        let answer = move |reply: &_| v1::UndoPlanResponse {
            plan: plan_of(reply),
            operation: format!("operations/{id}"),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn wait_operation(
        &self,
        request: Request<v1::WaitOperationRequest>,
    ) -> Result<Response<v1::WaitOperationResponse>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let id = read::operation(&request.name)?;
        if !(0.0..=MAX_WAIT_S).contains(&request.timeout_s) {
            let what = format!("{} is not between 0 and {MAX_WAIT_S}", request.timeout_s);
            return Err(invalid("timeout_s", what));
        }
        let mut turned = planning.board.turned.subscribe();
        let late = tokio::time::sleep(Duration::from_secs_f64(request.timeout_s));
        tokio::pin!(late);
        let mut stop = self.0.stopping.clone();
        loop {
            let plan = plan(planning, id).await?;
            let is_done = is_carried_out(&plan);
            if is_done || late.is_elapsed() {
                return Ok(Response::new(operation(&plan, is_done)));
            }
            tokio::select! {
                changed = turned.changed() => {
                    if changed.is_err() {
                        return Err(stopping());
                    }
                }
                () = &mut late => {}
                () = stopped(&mut stop) => return Err(stopping()),
            }
        }
    }

    async fn list_outcomes(
        &self,
        request: Request<v1::ListOutcomesRequest>,
    ) -> Result<Response<v1::ListOutcomesResponse>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let filter = PlanFilter {
            strategy: (!request.strategy.is_empty()).then_some(request.strategy),
            ..PlanFilter::default()
        };
        let page = read::page(request.page_size, &request.page_token)?;
        let plans = planning.ledger.outcomes(&filter, page).await;
        let plans = plans.map_err(|error| not_read(&error))?;
        Ok(Response::new(v1::ListOutcomesResponse {
            next_page_token: next(&plans, page.limit),
            plans: plans.iter().map(write::plan).collect(),
        }))
    }
}

impl Plans {
    /// Says whether a plan could be approved by whoever asks.
    async fn could_approve(
        &self,
        request: &Request<v1::ApprovePlanRequest>,
        id: PlanId,
    ) -> Result<Response<v1::ApprovePlanResponse>, Status> {
        let planning = planning(&self.0)?;
        let who = super::actor(planning, request.metadata(), &request.get_ref().actor)?;
        let asked = planning
            .ask(move |planner| planner.could_approve(&who, id))
            .await;
        let plan = asked.map_err(not_done)?;
        let plan = plan.map_err(|refused| not_done(refused.into()))?;
        Ok(Response::new(v1::ApprovePlanResponse {
            plan: Some(write::plan(&as_of_now(planning, plan))),
            operation: format!("operations/{id}"),
        }))
    }
}

fn next(plans: &[Plan], limit: u32) -> String {
    let last = plans.last().filter(|_| plans.len() as u32 == limit);
    last.map(|plan| plan.id.0.to_string()).unwrap_or_default()
}

/// A plan from memory, or else from the ledger, as it would be carried out now.
async fn plan(planning: &Planning, id: PlanId) -> Result<Plan, Status> {
    if let Some(plan) = planning.board.plan(id) {
        return Ok(as_of_now(planning, (*plan).clone()));
    }
    let plan = planning
        .ledger
        .plan(id)
        .await
        .map_err(|error| not_read(&error))?;
    let plan = plan.map(|plan| as_of_now(planning, plan));
    plan.ok_or_else(|| Status::not_found(format!("there is no plan {id}")))
}

/// The plan with the executor that it would be given to: the phase may have changed since it was made.
fn as_of_now(planning: &Planning, mut plan: Plan) -> Plan {
    let waits = matches!(
        plan.state,
        PlanState::AwaitingApproval | PlanState::Scheduled
    );
    if waits {
        plan.executor.clone_from(&planning.executor);
    }
    plan
}

/// How a plan came about, from what was recorded.
pub(super) async fn explanation(
    planning: &Planning,
    id: PlanId,
) -> Result<v1::Explanation, Status> {
    let decision = plan(planning, id).await?.decision;
    let record = planning.ledger.decision(decision).await;
    let record = record.map_err(|error| not_read(&error))?;
    let record =
        record.ok_or_else(|| Status::not_found(format!("there is no decision {decision}")))?;
    let decision: Decision = serde_json::from_str(&record.output)
        .map_err(|error| Status::data_loss(format!("reading decision {decision}: {error}")))?;
    Ok(write::explanation(&decision, &record))
}

/// Whether nothing more is carried out of a plan.
fn is_carried_out(plan: &Plan) -> bool {
    let is_judged = matches!(
        plan.state,
        PlanState::Verifying | PlanState::Shadow | PlanState::Withheld
    );
    plan.state.is_over() || is_judged
}

fn operation(plan: &Plan, done: bool) -> v1::WaitOperationResponse {
    let is_well = matches!(
        plan.state,
        PlanState::Verifying | PlanState::Done | PlanState::Shadow | PlanState::Withheld
    );
    v1::WaitOperationResponse {
        done,
        error: match done && !is_well {
            true => format!("{}: {}", plan.state.name(), plan.held),
            false => String::new(),
        },
        plan: Some(write::plan(plan)),
    }
}

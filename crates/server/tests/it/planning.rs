//! The planner from outside: what is wrong becomes an issue, an issue a plan, and a plan is carried out when the right person
//! says so, and never twice.

mod brake;
mod hostile;
mod life;
mod once;
mod outage;
mod people;
mod place;
mod receiver;
mod webhook;

use std::fs;
use std::path::Path;

use proto::v1;
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::safety_service_client::SafetyServiceClient;
use remedy::topology::Declared;
use remedy::{Bar, Phase};
use server::Config;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::harness::*;

/// Ada's own.
const TOKEN: &str = "a token of ada's own";
/// Answers take longer than 200 ms on one of four replicas.
const SLOW: &str = r#"slow_s{pod="api-1"}"#;
const DEADLINE_S: i64 = 300;

/// A planner that asks about whatever it finds, and carries out what is approved.
fn planner(dir: &Path) -> impl Fn(&mut Config) + use<> {
    let dir = dir.to_owned();
    move |config| {
        config.state.enabled = true;
        config.state.dir = dir.join("state");
        config.state.snapshot_interval_s = 3600.0;
        let token_file = dir.join("ada");
        fs::write(&token_file, TOKEN).unwrap();
        let people = serde_json::json!([
            {"name": "olga", "authority": "operator"},
            {"name": "owen", "authority": "owner"},
            {"name": "ada", "authority": "administrator", "token_file": token_file},
        ]);
        config.planner.people = serde_json::from_value(people).unwrap();
        let rule = serde_json::json!({
            "class": "network_latency", "metric": "slow_s", "above": 0.2, "for_s": 0.0, "unit": "seconds", "predict": false,
            // Which a restart mends before all else.
            "cause": "leak",
        });
        config.findings.rules = vec![serde_json::from_value(rule).unwrap()];
        let declared = serde_json::json!({
            "services": [{"name": "api", "tier": 2, "instances": ["api-1", "api-2", "api-3", "api-4"]}],
        });
        let declared: Declared = serde_json::from_value(declared).unwrap();
        config.topology = declared;
        let safety = &mut config.safety;
        safety.phase = Phase::Approve;
        safety.ask = Bar {
            confidence: 0.01,
            risk: 0.95,
        };
        safety.act = Bar {
            confidence: 0.99,
            risk: 0.05,
        };
        safety.settle_s = 0.0;
        safety.approval_deadline_s = DEADLINE_S as f64;
    }
}

/// A request with Ada's token.
fn by_ada<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let shown = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", shown);
    request
}

impl Server {
    fn issues(&self) -> IssueServiceClient<Channel> {
        IssueServiceClient::new(self.channel.clone())
    }

    fn plans(&self) -> PlanServiceClient<Channel> {
        PlanServiceClient::new(self.channel.clone())
    }

    fn safety(&self) -> SafetyServiceClient<Channel> {
        SafetyServiceClient::new(self.channel.clone())
    }

    async fn watch_issues(&self) -> Watch {
        let request = v1::WatchIssuesRequest::default();
        let stream = self.issues().watch_issues(request).await.unwrap();
        Watch(stream.into_inner())
    }

    /// Something is wrong now, and a plan for it waits.
    async fn slow(&self) -> v1::Issue {
        let mut watch = self.watch_issues().await;
        self.push_rows([(SLOW, 0, 1.5)]).await;
        watch
            .until(|issue| issue.state() == v1::IssueState::Planned)
            .await
    }

    async fn get_plan(&self, id: &str) -> v1::Plan {
        let request = v1::GetPlanRequest { id: id.to_owned() };
        let response = self.plans().get_plan(request).await.unwrap();
        response.into_inner().plan.unwrap()
    }

    async fn get_safety(&self) -> v1::GetSafetyResponse {
        let request = v1::GetSafetyRequest {};
        self.safety()
            .get_safety(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Waits until nothing more is carried out of a plan.
    async fn wait(&self, id: &str) -> v1::WaitOperationResponse {
        let request = v1::WaitOperationRequest {
            name: format!("operations/{id}"),
            timeout_s: 30.0,
        };
        let response = self
            .plans()
            .wait_operation(request)
            .await
            .unwrap()
            .into_inner();
        assert!(response.done, "{response:?}");
        response
    }

    async fn audit(&self) -> Vec<v1::AuditEntry> {
        let request = v1::ListAuditRequest {
            page_size: 1000,
            ..Default::default()
        };
        self.safety()
            .list_audit(request)
            .await
            .unwrap()
            .into_inner()
            .entries
    }

    /// How often something of this kind happened.
    async fn told(&self, kind: &str) -> usize {
        let audit = self.audit().await;
        audit.iter().filter(|entry| entry.kind == kind).count()
    }

    async fn approve(&self, plan: &str, actor: &str) -> Result<v1::ApprovePlanResponse, Status> {
        let response = self.plans().approve_plan(approval(plan, actor)).await;
        response.map(tonic::Response::into_inner)
    }

    /// Stops in good order, and starts again over the same state.
    async fn restart(self, edit: impl FnOnce(&mut Config)) -> Self {
        drop(self.channel);
        self.running.shutdown().await.unwrap();
        start(edit).await
    }
}

fn approval(plan: &str, actor: &str) -> v1::ApprovePlanRequest {
    v1::ApprovePlanRequest {
        id: plan.to_owned(),
        actor: actor.to_owned(),
        reason: "go".to_owned(),
        ..Default::default()
    }
}

/// A stream of issues.
struct Watch(Streaming<v1::WatchIssuesResponse>);

impl Watch {
    /// Waits for an issue as it should be.
    async fn until(&mut self, mut is_met: impl FnMut(&v1::Issue) -> bool) -> v1::Issue {
        within(async {
            loop {
                let message = self.0.message().await.unwrap().expect("the stream goes on");
                if let Some(issue) = message.issues.into_iter().find(&mut is_met) {
                    return issue;
                }
            }
        })
        .await
    }
}

/// Asks again and again: for what announces itself in no other way.
async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}

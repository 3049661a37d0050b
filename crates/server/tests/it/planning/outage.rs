//! The database goes away and comes back: nothing is done meanwhile, all else goes on, and what was found is not lost.

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::postgres::Postgres;

/// Each of a service of its own: what slows two instances of one service is one issue.
fn slow(i: usize) -> String {
    format!(r#"slow_s{{pod="shop{i}-1"}}"#)
}

async fn push(server: &Server, s: i64, pods: impl IntoIterator<Item = usize>) {
    let names: Vec<_> = pods.into_iter().map(slow).collect();
    let rows = names.iter().map(|name| (&**name, s, 1.5));
    let n = names.len() as u64;
    assert_eq!(server.push_rows(rows).await.taken_count, n);
}

async fn n_issues(server: &Server) -> usize {
    let request = v1::ListIssuesRequest {
        page_size: 1000,
        ..Default::default()
    };
    let listed = server.issues().list_issues(request).await.unwrap();
    listed.into_inner().issues.len()
}

async fn until_trouble(server: &Server, is_there: bool) -> String {
    eventually(async || {
        let why = server.get_safety().await.ledger_error;
        (why.is_empty() != is_there).then_some(why)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_written_nothing_is_done_and_all_works_again_after() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let url = postgres.url();
    let edit = |config: &mut Config| {
        planner(dir.path())(config);
        config.planner.ledger.clone_from(&url);
        config.planner.queue_findings = 64;
        config.safety.storm_issues = 1000;
        config.safety.correlate_s = 0.0;
    };
    let server = start(edit).await;
    let issue = server.slow().await;
    let plan = issue.plans[0].clone();
    postgres.stop();

    // Another finding: it cannot be written down.
    push(&server, 1, [2]).await;
    let why = until_trouble(&server, true).await;
    assert!(why.contains("committing"), "{why}");
    let status = server.approve(&plan, "olga").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("so nothing is done"), "{status}");
    let once = v1::ApprovePlanRequest {
        request_id: "approve-1".to_owned(),
        ..approval(&plan, "olga")
    };
    let status = server.plans().approve_plan(once.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let consider = v1::PlanIssueRequest {
        id: issue.id.clone(),
        validate_only: true,
        ..Default::default()
    };
    let status = server.issues().plan_issue(consider).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("committing"), "{status}");
    let status = server
        .safety()
        .get_health(v1::GetHealthRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");

    // What is known is shown, and whoever does not need the planner does not notice.
    let at_once = v1::WaitOperationRequest {
        name: format!("operations/{plan}"),
        timeout_s: 0.0,
    };
    let waiting = server.plans().wait_operation(at_once).await.unwrap();
    let state = waiting.into_inner().plan.unwrap().state();
    assert_eq!(state, v1::PlanState::AwaitingApproval);
    assert_eq!(n_issues(&server).await, 1);
    assert_eq!(server.push_rows([("load", 1, 1.0)]).await.taken_count, 1);
    let risk = v1::GetRiskRequest {
        series: Some(key("load")),
        history_size: 0,
    };
    server.risks().get_risk(risk).await.unwrap();
    let health = HealthClient::new(server.channel.clone());
    let health = { health }
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(health.status, 1, "serving");
    // More findings than may wait: what does not fit is counted.
    push(&server, 2, 3..=40).await;
    // 38 entities and as many findings came, and 64 of them may wait.
    eventually(async || (server.get_safety().await.refused_count == 12).then_some(())).await;

    postgres.start_again();
    until_trouble(&server, false).await;
    // Those that waited are issues, 26 when every entity came before the findings; those that were dropped are told again after
    // half a minute.
    eventually(async || (n_issues(&server).await >= 28).then_some(())).await;
    server.clock.advance_s(35);
    push(&server, 35, 2..=40).await;
    eventually(async || (n_issues(&server).await == 40).then_some(())).await;
    server.plans().approve_plan(once).await.unwrap();
    assert_eq!(server.wait(&plan).await.error, "");
    assert_eq!(server.told("plan.approved").await, 1);
}

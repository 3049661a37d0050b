//! From a sample to an issue, a plan and its end; and over a restart.

use std::slice::from_ref;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_becomes_an_issue_that_all_see_and_a_plan_that_waits() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    assert_eq!(issue.entity, "instance/api-1");
    assert_eq!(issue.class(), v1::IssueClass::NetworkLatency);
    assert_eq!(issue.evidence[0].signal, SLOW);

    let listed = server
        .issues()
        .list_issues(v1::ListIssuesRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().issues, from_ref(&issue));
    let get = v1::GetIssueRequest {
        id: issue.id.clone(),
    };
    let got = server.issues().get_issue(get).await.unwrap().into_inner();
    assert_eq!(got.issue.as_ref(), Some(&issue));
    assert_eq!(got.plans.len(), 1);
    assert_eq!(got.plans[0].state(), v1::PlanState::AwaitingApproval);
    let kinds: Vec<_> = got.history.iter().map(|entry| &*entry.kind).collect();
    let expected = [
        "issue.opened",
        "decision.made",
        "plan.awaiting_approval",
        "issue.planned",
    ];
    assert_eq!(kinds, expected);
    // Of another class, or graver: not this one.
    for request in [
        v1::ListIssuesRequest {
            classes: vec![v1::IssueClass::DiskExhaustion.into()],
            ..Default::default()
        },
        v1::ListIssuesRequest {
            entity: "instance/api-2".to_owned(),
            ..Default::default()
        },
        v1::ListIssuesRequest {
            states: vec![v1::IssueState::Open.into()],
            include_resolved: true,
            ..Default::default()
        },
    ] {
        let listed = server.issues().list_issues(request).await.unwrap();
        assert_eq!(listed.into_inner().issues, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_planning_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let refuse = v1::RefusePlanRequest {
        id: issue.plans[0].clone(),
        actor: "olga".to_owned(),
        reason: "not now".to_owned(),
        ..Default::default()
    };
    let refused = server
        .plans()
        .refuse_plan(refuse)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(refused.plan.unwrap().state(), v1::PlanState::Refused);
    let before = server.get_safety().await;
    let plan = v1::PlanIssueRequest {
        id: issue.id.clone(),
        validate_only: true,
        ..Default::default()
    };
    for _ in 0..3 {
        let would = server
            .issues()
            .plan_issue(plan.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(would.plan.unwrap().id, "p2");
        assert!(!would.preview.is_empty());
        assert!(!would.explanation.unwrap().candidates.is_empty());
    }
    let after = server.get_safety().await;
    assert_eq!(
        (after.audit_seq, &after.audit_hash),
        (before.audit_seq, &before.audit_hash)
    );
    assert_eq!(after.decisions_count, before.decisions_count);
    let missing = v1::GetPlanRequest {
        id: "p2".to_owned(),
    };
    let missing = server.plans().get_plan(missing).await.unwrap_err();
    assert_eq!(missing.code(), tonic::Code::NotFound);

    // In earnest it is the same plan.
    let plan = v1::PlanIssueRequest {
        actor: "olga".to_owned(),
        validate_only: false,
        ..plan
    };
    let made = server.issues().plan_issue(plan).await.unwrap().into_inner();
    assert_eq!(made.plan.unwrap().id, "p2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_and_what_waits_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let acknowledge = v1::AcknowledgeIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        note: "I see it".to_owned(),
        ..Default::default()
    };
    let seen = server
        .issues()
        .acknowledge_issue(acknowledge)
        .await
        .unwrap();
    let issue = seen.into_inner().issue.unwrap();
    let brake = v1::EngageBrakeRequest {
        actor: "olga".to_owned(),
        reason: "odd".to_owned(),
        ..Default::default()
    };
    let brake = server
        .safety()
        .engage_brake(brake)
        .await
        .unwrap()
        .into_inner()
        .brake;
    // That the brake would hold it is told before anybody approves.
    let plan = eventually(async || {
        let plan = server.get_plan(&issue.plans[0]).await;
        plan.held.contains("brake").then_some(plan)
    })
    .await;
    let before = server.get_safety().await;

    let server = server.restart(planner(dir.path())).await;
    let after = server.get_safety().await;
    assert_eq!((after.brake, after.audit_hash), (brake, before.audit_hash));
    let listed = server
        .issues()
        .list_issues(v1::ListIssuesRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().issues, from_ref(&issue));
    assert_eq!(server.get_plan(&plan.id).await, plan);

    // Approved, it is held by the brake, and goes on when that is released.
    server.push_rows([(SLOW, 1, 1.5)]).await;
    server.approve(&plan.id, "olga").await.unwrap();
    let release = v1::ReleaseBrakeRequest {
        actor: "owen".to_owned(),
        reason: "all is well".to_owned(),
        ..Default::default()
    };
    server.safety().release_brake(release).await.unwrap();
    let done = server.wait(&plan.id).await;
    assert_eq!(done.error, "");
    let server = server.restart(planner(dir.path())).await;
    assert_eq!(server.wait(&plan.id).await.plan, done.plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_that_is_over_is_told_once_more_and_listed_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let mut watch = server.watch_issues().await;
    let resolve = |note: &str| v1::ResolveIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        note: note.to_owned(),
        ..Default::default()
    };
    let nameless = server.issues().resolve_issue(resolve(" ")).await;
    assert_invalid(&nameless.unwrap_err(), "reason");
    server
        .issues()
        .resolve_issue(resolve("it was me"))
        .await
        .unwrap();
    let last = watch
        .until(|issue| issue.state() == v1::IssueState::Resolved)
        .await;
    assert_eq!(last.id, issue.id);
    assert_eq!(
        server.get_plan(&issue.plans[0]).await.state(),
        v1::PlanState::Cancelled
    );
    let list = |include_resolved| v1::ListIssuesRequest {
        include_resolved,
        ..Default::default()
    };
    let listed = server.issues().list_issues(list(false)).await.unwrap();
    assert_eq!(listed.into_inner().issues, []);
    let listed = server.issues().list_issues(list(true)).await.unwrap();
    assert_eq!(listed.into_inner().issues, [last]);
}

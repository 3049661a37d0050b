//! Who may decide what, and until when.

use tonic::Code;

use super::*;

async fn refused(
    server: &Server,
    request: impl tonic::IntoRequest<v1::ApprovePlanRequest>,
) -> Status {
    server.plans().approve_plan(request).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_can_approve_and_only_with_what_shows_that_it_is_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        planner(dir.path())(config);
        // A host, which it takes its owner to restart.
        config.topology = serde_json::from_value(serde_json::json!({
            "hosts": [{"name": "web-1", "attributes": {"pool_hosts": "4"}}],
        }))
        .unwrap();
        let rule = &mut config.findings.rules[0];
        (rule.class, rule.unit) = (remedy::Class::MemoryExhaustion, "ratio".to_owned());
        rule.cause = "leak".to_owned();
    })
    .await;
    let mut watch = server.watch_issues().await;
    server
        .push_rows([(r#"slow_s{node="web-1"}"#, 0, 1.0)])
        .await;
    let issue = watch
        .until(|issue| issue.state() == v1::IssueState::Planned)
        .await;
    let plan = server.get_plan(&issue.plans[0]).await;
    assert_eq!(
        (&*plan.strategy, &*plan.authority),
        ("drain_and_restart", "owner")
    );
    let before = server.get_safety().await.audit_seq;

    let nobody = refused(&server, approval(&plan.id, "mallory")).await;
    assert_eq!(nobody.code(), Code::PermissionDenied, "{nobody}");
    assert!(nobody.message().contains("mallory"), "{nobody}");
    let too_little = refused(&server, approval(&plan.id, "olga")).await;
    assert_eq!(too_little.code(), Code::PermissionDenied, "{too_little}");
    let told = "olga is operator, it takes the authority of owner";
    assert!(too_little.message().contains(told), "{too_little}");
    let anonymous = refused(&server, approval(&plan.id, "")).await;
    assert_eq!(anonymous.code(), Code::PermissionDenied, "{anonymous}");
    for reserved in ["forestall", "brake file"] {
        let status = refused(&server, approval(&plan.id, reserved)).await;
        assert_eq!(
            status.code(),
            Code::PermissionDenied,
            "{reserved}: {status}"
        );
    }
    // Ada has a token of her own: her name alone is not enough, and her token is nobody else's.
    let bare = refused(&server, approval(&plan.id, "ada")).await;
    assert_eq!(bare.code(), Code::PermissionDenied, "{bare}");
    assert!(bare.message().contains("token of their own"), "{bare}");
    let other = refused(&server, by_ada(approval(&plan.id, "olga"))).await;
    assert_eq!(other.code(), Code::PermissionDenied, "{other}");
    let mut wrong = Request::new(approval(&plan.id, "ada"));
    wrong.metadata_mut().insert(
        "authorization",
        "Bearer not the token of ada".parse().unwrap(),
    );
    assert_eq!(refused(&server, wrong).await.code(), Code::PermissionDenied);
    // The same holds for whoever only asks whether they could.
    let could = v1::ApprovePlanRequest {
        validate_only: true,
        ..approval(&plan.id, "ada")
    };
    assert_eq!(
        refused(&server, could.clone()).await.code(),
        Code::PermissionDenied
    );
    assert_eq!(
        server.get_safety().await.audit_seq,
        before,
        "nothing of it was done"
    );

    let could = server
        .plans()
        .approve_plan(by_ada(could))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(could.plan.unwrap().state(), v1::PlanState::AwaitingApproval);
    assert_eq!(server.get_safety().await.audit_seq, before);
    // With her token, even without her name.
    let approved = server
        .plans()
        .approve_plan(by_ada(approval(&plan.id, "")))
        .await
        .unwrap();
    let approved = approved.into_inner().plan.unwrap();
    assert_eq!(approved.approvals[0].actor, "ada");
    assert_eq!(approved.approvals[0].authority, "administrator");
    server.wait(&plan.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_brakes_and_an_owner_releases() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let release = |actor: &str| v1::ReleaseBrakeRequest {
        actor: actor.to_owned(),
        reason: "why not".to_owned(),
        ..Default::default()
    };
    let brake = v1::EngageBrakeRequest {
        actor: "olga".to_owned(),
        reason: "odd".to_owned(),
        ..Default::default()
    };
    server.safety().engage_brake(brake).await.unwrap();
    let status = server
        .safety()
        .release_brake(release("olga"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status}");
    assert!(status.message().contains("authority of owner"), "{status}");
    assert!(server.get_safety().await.brake.unwrap().engaged);
    server
        .safety()
        .release_brake(release("owen"))
        .await
        .unwrap();
    assert!(!server.get_safety().await.brake.unwrap().engaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_it_is_told_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = &issue.plans[0];
    server.clock.advance_s(DEADLINE_S + 5);
    let late = server.approve(plan, "olga").await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition, "{late}");
    assert!(
        late.message().contains("the deadline of p1 passed 5 s ago"),
        "{late}"
    );
    assert!(
        late.message()
            .contains("`forestall plan i1` makes a new one"),
        "{late}"
    );
    // Once it has expired it is told the same.
    let expired = server.wait(plan).await;
    assert_eq!(expired.plan.unwrap().state(), v1::PlanState::Expired);
    let late = server.approve(plan, "olga").await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert!(late.message().contains("passed 5 s ago"), "{late}");

    // As the hint says.
    server.push_rows([(SLOW, DEADLINE_S + 5, 1.5)]).await;
    let again = v1::PlanIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        ..Default::default()
    };
    let again = server
        .issues()
        .plan_issue(again)
        .await
        .unwrap()
        .into_inner()
        .plan
        .unwrap();
    assert_eq!(again.id, "p2");
    server.approve(&again.id, "olga").await.unwrap();
    assert_eq!(server.wait(&again.id).await.error, "");
    assert_eq!(server.told("plan.expired").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_a_reason_and_ends_the_matter() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = &issue.plans[0];
    let refuse = |reason: &str| v1::RefusePlanRequest {
        id: plan.clone(),
        actor: "olga".to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    };
    assert_invalid(
        &server.plans().refuse_plan(refuse("")).await.unwrap_err(),
        "reason",
    );
    let refused = server
        .plans()
        .refuse_plan(refuse("it is a sale"))
        .await
        .unwrap();
    let refused = refused.into_inner().plan.unwrap();
    assert_eq!(refused.state(), v1::PlanState::Refused);
    assert_eq!(refused.approvals[0].reason, "it is a sale");
    assert!(!refused.approvals[0].approved);
    let status = server.approve(plan, "olga").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("p1 is refused"), "{status}");
    let status = server
        .plans()
        .refuse_plan(refuse("again"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(server.told("step.ordered").await, 0);
    let done = server.wait(plan).await;
    assert!(done.error.contains("it is a sale"), "{done:?}");
}

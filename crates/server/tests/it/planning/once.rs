//! A request that is sent again is answered again, and done once.

use prost::Message as _;
use tonic::Code;

use super::*;

fn with_id(plan: &str, id: &str) -> v1::ApprovePlanRequest {
    v1::ApprovePlanRequest {
        request_id: id.to_owned(),
        ..approval(plan, "olga")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_the_same_answer_to_the_byte_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = issue.plans[0].clone();
    let approve = with_id(&plan, "approve-1");
    let first = server
        .plans()
        .approve_plan(approve.clone())
        .await
        .unwrap()
        .into_inner();
    server.wait(&plan).await;
    // By now the plan is another one: the answer is not.
    let again = server
        .plans()
        .approve_plan(approve.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.encode_to_vec(), first.encode_to_vec());
    assert_ne!(again.plan.as_ref(), Some(&server.get_plan(&plan).await));

    let other = v1::ApprovePlanRequest {
        reason: "stop".to_owned(),
        ..approve.clone()
    };
    let status = server.plans().approve_plan(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status}");
    // Under the same id, another method with a message of the same bytes.
    let other = v1::RefusePlanRequest::decode(&*approve.encode_to_vec()).unwrap();
    let status = server.plans().refuse_plan(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status}");

    let server = server.restart(planner(dir.path())).await;
    let again = server
        .plans()
        .approve_plan(approve)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.encode_to_vec(), first.encode_to_vec());
    assert_eq!(server.told("plan.approved").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_words_of_somebody_else_are_another_request() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        planner(dir.path())(config);
        let path = dir.path().join("olga");
        fs::write(&path, "a token of olga's own").unwrap();
        config.planner.people[0].token_file = path;
    })
    .await;
    let brake = v1::EngageBrakeRequest {
        reason: "odd".to_owned(),
        request_id: "brake-1".to_owned(),
        ..Default::default()
    };
    server
        .safety()
        .engage_brake(by_ada(brake.clone()))
        .await
        .unwrap();
    let mut by_olga = Request::new(brake.clone());
    let shown = "Bearer a token of olga's own".parse().unwrap();
    by_olga.metadata_mut().insert("authorization", shown);
    let status = server.safety().engage_brake(by_olga).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status}");
    let again = server.safety().engage_brake(by_ada(brake)).await.unwrap();
    assert_eq!(again.into_inner().brake.unwrap().actor, "ada");
    assert_eq!(server.told("brake.engaged").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = issue.plans[0].clone();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let mut client = server.plans();
        let approve = with_id(&plan, "approve-1");
        calls.spawn(async move { client.approve_plan(approve).await });
    }
    let mut answers = Vec::new();
    while let Some(answer) = calls.join_next().await {
        match answer.unwrap() {
            Ok(response) => answers.push(response.into_inner().encode_to_vec()),
            // It is being answered: to be asked again.
            Err(status) => assert_eq!(status.code(), Code::Aborted, "{status}"),
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    server.wait(&plan).await;
    assert_eq!(server.told("plan.approved").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_may_be_tried_again_under_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let early = with_id("p9", "approve-1");
    let status = server.plans().approve_plan(early).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    // Nothing was done under it.
    let approve = with_id(&issue.plans[0], "approve-1");
    server.plans().approve_plan(approve).await.unwrap();

    let plan = v1::PlanIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        request_id: "plan-1".to_owned(),
        ..Default::default()
    };
    let status = server.issues().plan_issue(plan).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn planning_is_answered_again_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = v1::PlanIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        request_id: "plan-1".to_owned(),
        ..Default::default()
    };
    let first = server
        .issues()
        .plan_issue(plan.clone())
        .await
        .unwrap()
        .into_inner();
    server.approve(&issue.plans[0], "olga").await.unwrap();
    server.wait(&issue.plans[0]).await;
    let again = server.issues().plan_issue(plan).await.unwrap().into_inner();
    // The page is for a reviewer, and shows what is so now.
    let told = |mut response: v1::PlanIssueResponse| {
        response.preview.clear();
        response.encode_to_vec()
    };
    assert_eq!(told(again), told(first));
}

//! The brake: over RPC and by a file; nothing is carried out while it is on.

use tonic::Code;

use super::*;

fn engage(actor: &str, reason: &str) -> v1::EngageBrakeRequest {
    v1::EngageBrakeRequest {
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

fn release(actor: &str) -> v1::ReleaseBrakeRequest {
    v1::ReleaseBrakeRequest {
        actor: actor.to_owned(),
        reason: "all is well".to_owned(),
        ..Default::default()
    }
}

/// Waits until the planner has had another turn of its own.
async fn a_turn(server: &Server, plan: &str, held: &str) -> v1::Plan {
    eventually(async || {
        let plan = server.get_plan(plan).await;
        plan.held.contains(held).then_some(plan)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_waits_for_the_brake() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = &issue.plans[0];
    let status = server
        .safety()
        .engage_brake(engage("olga", ""))
        .await
        .unwrap_err();
    assert_invalid(&status, "reason");
    let status = server
        .safety()
        .engage_brake(engage("mallory", "x"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let braked = server
        .safety()
        .engage_brake(engage("olga", "odd"))
        .await
        .unwrap();
    assert!(braked.into_inner().brake.unwrap().engaged);
    let approved = server.approve(plan, "olga").await.unwrap().plan.unwrap();
    assert_eq!(approved.state(), v1::PlanState::Scheduled);
    a_turn(&server, plan, "brake").await;
    assert_eq!(server.told("step.ordered").await, 0);

    server
        .safety()
        .release_brake(release("owen"))
        .await
        .unwrap();
    assert_eq!(server.wait(plan).await.error, "");
    assert!(server.told("step.ordered").await > 0);
    let audit = server.audit().await;
    let place = |kind: &str| audit.iter().position(|entry| entry.kind == kind);
    assert!(place("brake.released") < place("step.ordered"), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_brakes_and_its_removal_releases_what_it_engaged() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state/brake");
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = &issue.plans[0];
    let until = async |engaged: bool| {
        eventually(async || {
            let brake = server.get_safety().await.brake.unwrap();
            (brake.engaged == engaged).then_some(brake)
        })
        .await
    };
    fs::write(&file, "").unwrap();
    assert_eq!(until(true).await.actor, "brake file");
    server.approve(plan, "olga").await.unwrap();
    a_turn(&server, plan, "brake").await;
    assert_eq!(server.told("step.ordered").await, 0);
    fs::remove_file(&file).unwrap();
    until(false).await;
    assert_eq!(server.wait(plan).await.error, "");

    // One that a person engaged stays when a file comes and goes.
    server
        .safety()
        .engage_brake(engage("olga", "odd"))
        .await
        .unwrap();
    fs::write(&file, "").unwrap();
    fs::remove_file(&file).unwrap();
    let before = server.told("brake.released").await;
    let brake = server.get_safety().await.brake.unwrap();
    assert_eq!((brake.engaged, &*brake.actor), (true, "olga"));
    assert_eq!(server.told("brake.released").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_releases_the_brake_while_its_file_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let plan = &issue.plans[0];
    server
        .safety()
        .engage_brake(engage("olga", "odd"))
        .await
        .unwrap();
    server.approve(plan, "olga").await.unwrap();
    // While the file is there nobody releases it: it would brake again within a second.
    let file = dir.path().join("state/brake");
    fs::write(&file, "").unwrap();
    let refused = server.safety().release_brake(release("owen")).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains(&*file.to_string_lossy()),
        "{refused}"
    );
    let brake = server.get_safety().await.brake.unwrap();
    assert_eq!((brake.engaged, &*brake.actor), (true, "olga"));
    assert_eq!(server.told("step.ordered").await, 0);
    assert_eq!(
        server.get_plan(plan).await.state(),
        v1::PlanState::Scheduled
    );
}

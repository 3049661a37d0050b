//! Plans that are carried out by somebody else's program.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpListener;

use super::receiver::{Conduct, Receiver, SECRET};
use super::*;

fn with_webhook(dir: &Path, address: SocketAddr) -> impl Fn(&mut Config) + use<> {
    let edit = planner(dir);
    let path = dir.join("secret");
    fs::write(&path, SECRET).unwrap();
    move |config| {
        edit(config);
        config.planner.executor = "webhook".to_owned();
        config.planner.webhook.url = format!("http://{address}/orders");
        config.planner.webhook.secret_files = vec![path.clone()];
    }
}

/// What was done, in short.
fn actions(receiver: &Receiver) -> Vec<String> {
    let done = receiver.done();
    done.iter().map(|order| order.action.to_string()).collect()
}

fn states(plan: &v1::Plan) -> Vec<v1::StepState> {
    plan.steps.iter().map(v1::PlanStep::state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_is_delivered_signed_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, address) = Receiver::start(None).await;
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    assert_eq!(
        receiver.taken().len(),
        0,
        "nothing goes out before it is approved"
    );
    server.approve(&issue.plans[0], "olga").await.unwrap();
    let done = server.wait(&issue.plans[0]).await;
    assert_eq!(done.error, "");
    let plan = done.plan.unwrap();
    assert_eq!(plan.state(), v1::PlanState::Verifying);
    let wanted: Vec<_> = plan.steps.iter().map(|step| step.action.clone()).collect();
    assert_eq!(wanted.len(), 4, "{wanted:?}");
    assert_eq!(actions(&receiver), wanted);
    assert_eq!((receiver.taken().len(), receiver.n_forged()), (4, 0));
    assert!(
        plan.steps.iter().all(|step| step.said == "as I was told"),
        "{plan:?}"
    );
    // Each was written down before.
    let audit = server.audit().await;
    for order in receiver.done() {
        let key = format!("\"key\":\"{}\"", order.key);
        let mut ordered = audit.iter().filter(|entry| entry.kind == "step.ordered");
        assert!(ordered.any(|entry| entry.body.contains(&key)), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_another_secret_gets_nothing_done() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, address) = Receiver::start(None).await;
    let edit = with_webhook(dir.path(), address);
    fs::write(
        dir.path().join("secret"),
        "another secret, long enough to be one",
    )
    .unwrap();
    let server = start(edit).await;
    let issue = server.slow().await;
    server.approve(&issue.plans[0], "olga").await.unwrap();
    let done = server.wait(&issue.plans[0]).await;
    assert!(done.error.contains("rolled_back"), "{done:?}");
    assert!(done.plan.unwrap().steps[0].said.contains("401"));
    assert_eq!((receiver.done().len(), receiver.n_forged()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_has_those_before_it_undone_last_first() {
    let dir = tempfile::tempdir().unwrap();
    // The third is the restart.
    let (receiver, address) = Receiver::start(Some((2, Conduct::Fails))).await;
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    let mut watch = server.watch_issues().await;
    server.approve(&issue.plans[0], "olga").await.unwrap();
    let done = server.wait(&issue.plans[0]).await;
    assert!(
        done.error.contains("rolled_back: a step failed"),
        "{done:?}"
    );
    let plan = done.plan.unwrap();
    use v1::StepState as Step;
    assert_eq!(
        states(&plan),
        [Step::Undone, Step::Done, Step::Failed, Step::Waiting]
    );
    let done = actions(&receiver);
    assert_eq!(done.len(), 3, "{done:?}");
    assert!(done[0].starts_with("drain instance/api-1"), "{done:?}");
    assert_eq!(done[2], "undrain instance/api-1");
    assert!(receiver.done()[2].is_undo);
    let issue = watch
        .until(|issue| issue.state() == v1::IssueState::Escalated)
        .await;
    assert!(issue.note.contains("p1: a step failed"), "{}", issue.note);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_step_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, address) = Receiver::start(Some((1, Conduct::Fails))).await;
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    server.approve(&issue.plans[0], "olga").await.unwrap();
    let done = server.wait(&issue.plans[0]).await;
    assert_eq!(done.plan.unwrap().state(), v1::PlanState::RolledBack);
    let done = actions(&receiver);
    assert_eq!(done.len(), 2, "{done:?}");
    assert!(done[1].starts_with("undrain"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_left_to_people() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, address) = Receiver::start(Some((1, Conduct::Doubts))).await;
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    let mut watch = server.watch_issues().await;
    server.approve(&issue.plans[0], "olga").await.unwrap();
    let done = server.wait(&issue.plans[0]).await;
    assert!(
        done.error.contains("stuck: it is not known whether"),
        "{done:?}"
    );
    let plan = done.plan.unwrap();
    assert_eq!(plan.steps[1].state(), v1::StepState::InDoubt);
    watch
        .until(|issue| issue.state() == v1::IssueState::Escalated)
        .await;
    assert_eq!(receiver.done().len(), 1, "nothing more was done");

    // Whoever looked undoes what is certain.
    let undo = v1::UndoPlanRequest {
        id: plan.id.clone(),
        actor: "olga".to_owned(),
        reason: "it was not done".to_owned(),
        ..Default::default()
    };
    server.plans().undo_plan(undo).await.unwrap();
    receiver.until(3).await;
    assert_eq!(actions(&receiver)[1], "undrain instance/api-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_gets_the_order_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    let approved = server
        .approve(&issue.plans[0], "olga")
        .await
        .unwrap()
        .plan
        .unwrap();
    assert_eq!(approved.state(), v1::PlanState::Running);
    let ordered = v1::StepState::Ordered;
    assert_eq!(approved.steps[0].state(), ordered);
    // Not yet tried often enough to be given up.
    let at_once = v1::WaitOperationRequest {
        name: format!("operations/{}", approved.id),
        timeout_s: 0.0,
    };
    let waiting = server
        .plans()
        .wait_operation(at_once)
        .await
        .unwrap()
        .into_inner();
    assert!(!waiting.done && waiting.error.is_empty(), "{waiting:?}");
    let receiver = Receiver::serve(TcpListener::bind(address).await.unwrap(), None);
    assert_eq!(server.wait(&approved.id).await.error, "");
    assert_eq!((receiver.done().len(), receiver.taken().len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_before_the_answer_asks_and_does_not_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let (receiver, address) = Receiver::start(Some((1, Conduct::Hangs))).await;
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    let plan = issue.plans[0].clone();
    server.approve(&plan, "olga").await.unwrap();
    receiver.until(2).await;
    let server = server.restart(with_webhook(dir.path(), address)).await;
    // Its clock stands still meanwhile: what was found is as fresh as before.
    assert_eq!(server.wait(&plan).await.error, "");
    let taken = receiver.taken();
    let kinds: Vec<_> = taken
        .iter()
        .map(|taken| (taken.order.step, taken.ask))
        .collect();
    assert_eq!(
        kinds,
        [(0, false), (1, false), (1, true), (2, false), (3, false)]
    );
    assert_eq!(receiver.done().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_before_the_order_came_does_not_send_it() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = start(with_webhook(dir.path(), address)).await;
    let issue = server.slow().await;
    let plan = issue.plans[0].clone();
    server.approve(&plan, "olga").await.unwrap();
    drop(server.channel);
    server.running.shutdown().await.unwrap();
    // Whoever tried to deliver it does so no more, though this process lives on: it must not come after it was asked about.
    let receiver = Receiver::serve(TcpListener::bind(address).await.unwrap(), None);
    let server = start(with_webhook(dir.path(), address)).await;
    let done = server.wait(&plan).await;
    assert!(done.error.contains("rolled_back"), "{done:?}");
    // Longer than the first pause between two attempts.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.done().len(), 0);
    let asked: Vec<_> = receiver.taken().iter().map(|taken| taken.ask).collect();
    assert_eq!(asked, [true]);
    assert_eq!(server.told("step.ordered").await, 1);
}

//! Models as people change them, while samples flow.

use std::path::Path;

use proto::v1;
use proto::v1::model_service_client::ModelServiceClient;
use series::Timestamp;
use server::{Config, Hangup, Signals};
use store::models::{Card, Name, NewBundle, Registry, Version};
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::*;

fn name() -> Name {
    "lstm".parse().unwrap()
}

/// A registry with so many copies of the model that ships.
fn with_versions(dir: &Path, n: u32) -> Registry {
    let registry = Registry::new(&dir.join("models"));
    for _ in 0..n {
        let bundle = NewBundle {
            card: Card::parse(onnx::FORECASTER.card.as_bytes()).unwrap(),
            model: onnx::FORECASTER.model.to_vec(),
            golden: onnx::FORECASTER.golden.to_vec(),
        };
        let now = Timestamp::from_millis(START_S * 1_000);
        registry.install(&name(), bundle, "made", now).unwrap();
    }
    registry
}

async fn serving_from(dir: &Path) -> (Server, ModelServiceClient<Channel>) {
    let server = start(|config| {
        config.models.dir = dir.join("models");
        config.models.check_interval_s = 0.1;
        let options = toml::Table::from_iter([("enabled".to_owned(), true.into())]);
        config.engine.detectors.insert("lstm".to_owned(), options);
    })
    .await;
    let client = ModelServiceClient::new(server.channel.clone());
    (server, client)
}

fn promotion(version: u32, force_reason: &str) -> v1::PromoteModelRequest {
    v1::PromoteModelRequest {
        name: "lstm".to_owned(),
        version,
        why: "asked".to_owned(),
        force_reason: force_reason.to_owned(),
    }
}

async fn get(client: &mut ModelServiceClient<Channel>) -> v1::GetModelResponse {
    let request = v1::GetModelRequest {
        name: "lstm".to_owned(),
    };
    client.get_model(request).await.unwrap().into_inner()
}

async fn serves(client: &mut ModelServiceClient<Channel>) -> v1::ServingModel {
    get(client).await.model.unwrap().serving.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_promoted_and_rolled_back_while_samples_flow() {
    let dir = tempfile::tempdir().unwrap();
    with_versions(dir.path(), 2);
    let (server, mut client) = serving_from(dir.path()).await;
    assert!(server.info().await.detectors.contains(&"lstm".to_owned()));
    assert_eq!(serves(&mut client).await.model, "lstm/built-in");

    let refused = client.promote_model(promotion(1, "")).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("no comparison of lstm/1"),
        "{refused}"
    );
    let mut second = 0;
    for (to, before) in [(1, 0), (2, 1)] {
        let promoted = client.promote_model(promotion(to, "a test")).await.unwrap();
        assert_eq!(promoted.into_inner().previous_version, before);
        assert_eq!(serves(&mut client).await.version, to);
        for _ in 0..5 {
            second += 1;
            let pushed = server.push_rows([("load", second, 1.0)]).await;
            assert_eq!(pushed.taken_count, 1, "{pushed:?}");
        }
    }
    let back = v1::RollbackModelRequest {
        name: "lstm".to_owned(),
        why: "odd".to_owned(),
    };
    let now = client.rollback_model(back.clone()).await.unwrap();
    assert_eq!(now.into_inner().version, 1);
    assert_eq!(
        client
            .rollback_model(back.clone())
            .await
            .unwrap()
            .into_inner()
            .version,
        0
    );
    assert_eq!(serves(&mut client).await.model, "lstm/built-in");
    let nothing = client.rollback_model(back).await.unwrap_err();
    assert_eq!(nothing.code(), Code::FailedPrecondition);
    let history = get(&mut client).await.history;
    let actions: Vec<v1::ModelAction> = history.iter().map(v1::ModelRecord::action).collect();
    use v1::ModelAction::{Force, Install, Rollback};
    assert_eq!(
        actions,
        [Install, Install, Force, Force, Rollback, Rollback]
    );
    server.running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_and_the_one_before_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let registry = with_versions(dir.path(), 2);
    let (server, mut client) = serving_from(dir.path()).await;
    let two = registry.version_dir(&name(), Version::new(2).unwrap());
    std::fs::write(two.join("model.onnx"), "no graph").unwrap();

    let verify = |version| v1::VerifyModelRequest {
        name: "lstm".to_owned(),
        version,
    };
    let steps = client.verify_model(verify(1)).await.unwrap().into_inner();
    assert!(steps.golden_steps_count > 0);
    for refused in [
        client.verify_model(verify(2)).await.unwrap_err(),
        client.promote_model(promotion(2, "try")).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(
            refused.message().contains("model.onnx has SHA-256"),
            "{refused}"
        );
    }
    let serving = serves(&mut client).await;
    assert_eq!(
        (serving.model.as_str(), serving.refused_count),
        ("lstm/built-in", 1)
    );
    assert!(serving.last_error.contains("SHA-256"), "{serving:?}");
    for (asked, field) in [
        (promotion(0, ""), "version"),
        (
            v1::PromoteModelRequest {
                name: "../x".to_owned(),
                ..promotion(1, "")
            },
            "name",
        ),
        (
            v1::PromoteModelRequest {
                why: "x".repeat(5_000),
                ..promotion(1, "")
            },
            "why",
        ),
    ] {
        let refused = client.promote_model(asked).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with(field), "{refused}");
    }
    let compare = v1::CompareModelsRequest {
        name: "lstm".to_owned(),
        version: 1,
        ..Default::default()
    };
    let refused = client.compare_models(compare).await.unwrap_err();
    assert!(refused.message().contains("set capture.dir"), "{refused}");
    let unknown = v1::GetModelRequest {
        name: "nobody".to_owned(),
    };
    assert_eq!(
        client.get_model(unknown).await.unwrap_err().code(),
        Code::NotFound
    );
    let learning = client
        .get_learning_status(v1::GetLearningStatusRequest {})
        .await;
    assert!(!learning.unwrap().into_inner().enabled);
    server.running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_for_models_the_built_in_one_serves_and_calls_say_so() {
    let server = start(|_| {}).await;
    let mut client = ModelServiceClient::new(server.channel.clone());
    let refused = client
        .list_models(v1::ListModelsRequest {})
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("set models.dir"), "{refused}");
}

/// Sends SIGHUP to this process, in which nobody but the server below waits for it.
fn hang_up() {
    let id = std::process::id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-HUP", &id])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for signals in a task.
fn waiting(server: Server, hangup: Hangup) -> JoinHandle<std::io::Result<()>> {
    let signals = Signals::listen(hangup).unwrap();
    tokio::spawn(server.running.until_signal(signals))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_or_stops() {
    let dir = tempfile::tempdir().unwrap();
    let registry = with_versions(dir.path(), 1);
    let rarely = |config: &mut Config| {
        config.models.dir = dir.path().join("models");
        config.models.check_interval_s = 3_600.0;
    };
    let server = start(rarely).await;
    let mut client = ModelServiceClient::new(server.channel.clone());
    let until = waiting(server, Hangup::Reloads);
    std::fs::write(registry.model_dir(&name()).join("champion"), "1\n").unwrap();
    assert_eq!(serves(&mut client).await.version, 0);
    hang_up();
    within(async { while serves(&mut client).await.version != 1 {} }).await;
    // It goes on, and would stop at the next one if it belonged to a terminal.
    assert!(!until.is_finished());
    until.abort();

    let until = waiting(start(rarely).await, Hangup::Stops);
    hang_up();
    within(until).await.unwrap().unwrap();
}

//! What there is, and how it comes and goes.

use tonic::Code;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_is_told() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "step", bundle(1, Kind::LstmStep));
    let (_server, mut client) = serving(dir.path(), |_| {}).await;
    let live = client.server_live(oip::ServerLiveRequest {}).await.unwrap();
    assert!(live.into_inner().live);
    let ready = client
        .server_ready(oip::ServerReadyRequest {})
        .await
        .unwrap();
    assert!(ready.into_inner().ready);
    let server = client
        .server_metadata(oip::ServerMetadataRequest {})
        .await
        .unwrap();
    assert_eq!(server.into_inner().name, "forestall");
    let asked = oip::ModelMetadataRequest {
        name: "step".to_owned(),
        version: String::new(),
    };
    let about = client.model_metadata(asked).await.unwrap().into_inner();
    assert_eq!(
        (about.versions, about.platform.as_str()),
        (vec!["1".to_owned()], "forestall")
    );
    let h = &about.inputs[1];
    assert_eq!(
        (h.name.as_str(), h.datatype.as_str(), &h.shape[..]),
        ("h", "FP32", &[-1, 5][..])
    );
    assert_eq!(about.outputs.len(), 5);
    let asked = |name: &str, version: &str| oip::ModelReadyRequest {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    assert!(
        client
            .model_ready(asked("step", "1"))
            .await
            .unwrap()
            .into_inner()
            .ready
    );
    let unknown = client.model_ready(asked("none", "")).await.unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.message().contains("\"none\"")),
        (Code::NotFound, true)
    );
    let unknown = client.model_ready(asked("step", "9")).await.unwrap_err();
    assert_eq!(
        unknown.message(),
        "model \"step\" has no version \"9\"; there are 1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn models_come_and_go_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let first = install(dir.path(), "step", bundle(1, Kind::LstmStep));
    promote(dir.path(), "step", first);
    let (_server, mut client) = serving(dir.path(), |_| {}).await;
    let second = install(dir.path(), "step", bundle(2, Kind::LstmStep));
    let mut broken = bundle(3, Kind::Onnx);
    broken.model.truncate(100);
    install(dir.path(), "broken", broken);
    let index = async |client: &mut Client| {
        let asked = client.repository_index(oip::RepositoryIndexRequest::default());
        let models = asked.await.unwrap().into_inner().models;
        let row = |m: oip::repository_index_response::ModelIndex| (m.name, m.version, m.state);
        models.into_iter().map(row).collect::<Vec<_>>()
    };
    let row = |name: &str, version: &str, state: &str| {
        (name.to_owned(), version.to_owned(), state.to_owned())
    };
    let ask = async |client: &mut Client, version: &str| {
        let mut request = request("step", 0..1, As::Raw);
        request.model_version = version.to_owned();
        client
            .model_infer(request)
            .await
            .map(|answer| outputs(&answer.into_inner()))
    };
    assert_eq!(
        index(&mut client).await,
        [
            row("broken", "1", "UNAVAILABLE"),
            row("lstm", "builtin", "READY"),
            row("step", "1", "READY"),
            row("step", "2", "UNAVAILABLE"),
        ]
    );
    // Another version than the champion is loaded when it is asked for.
    assert_close(&ask(&mut client, "2").await.unwrap(), &expected(2, 0..1));
    assert_close(&ask(&mut client, "").await.unwrap(), &expected(1, 0..1));
    promote(dir.path(), "step", second);
    let load = |name: &str| oip::RepositoryModelLoadRequest {
        model_name: name.to_owned(),
        ..Default::default()
    };
    client.repository_model_load(load("step")).await.unwrap();
    assert_close(&ask(&mut client, "").await.unwrap(), &expected(2, 0..1));
    let unload = oip::RepositoryModelUnloadRequest {
        model_name: "step".to_owned(),
        ..Default::default()
    };
    client.repository_model_unload(unload).await.unwrap();
    let gone = ask(&mut client, "").await.unwrap_err();
    assert_eq!(gone.code(), Code::Unavailable);
    assert_eq!(index(&mut client).await[2].2, "UNAVAILABLE");
    client.repository_model_load(load("step")).await.unwrap();
    ask(&mut client, "").await.unwrap();
    let refused = client
        .repository_model_load(load("broken"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let unknown = client
        .repository_model_load(load("../step"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let mut overriding = load("step");
    overriding
        .parameters
        .insert("config".to_owned(), Default::default());
    let refused = client.repository_model_load(overriding).await.unwrap_err();
    assert_invalid(&refused, "parameters[\"config\"]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_followed_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, mut client) = serving(dir.path(), |_| {}).await;
    // What is part of the program answers until somebody promotes another.
    let about = oip::ModelReadyRequest {
        name: "lstm".to_owned(),
        version: "builtin".to_owned(),
    };
    assert!(client.model_ready(about).await.unwrap().into_inner().ready);
    for seed in [1, 2] {
        let version = install(dir.path(), "lstm", bundle(seed, Kind::LstmStep));
        promote(dir.path(), "lstm", version);
        within(async {
            loop {
                // Requests of the model before are answered or refused, never lost.
                let answer = client.model_infer(request("lstm", 0..1, As::Raw)).await;
                match answer.map(|answer| answer.into_inner()) {
                    Ok(answer) if answer.model_version == version.to_string() => {
                        assert_close(&outputs(&answer), &expected(seed, 0..1));
                        break;
                    }
                    Ok(answer) => assert_eq!(answer.model_version, "1"),
                    // The built-in model takes more columns.
                    Err(status) => assert_eq!(status.code(), Code::InvalidArgument),
                }
            }
        })
        .await;
    }
}

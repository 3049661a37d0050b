//! The Open Inference Protocol, with real models in a registry on disk.

use std::collections::HashMap;
use std::path::Path;

use predict::forecast::{Batch, Kernel, Model, Signature, Weights};
use proto::inference as oip;
use proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use proto::inference::infer_parameter::ParameterChoice;
use proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use series::Timestamp;
use server::models::record;
use store::models::{Action, Card, Kind, Name, NewBundle, Promotion, Registry, Version};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::*;

type Client = GrpcInferenceServiceClient<Channel>;

/// A step with 2 inputs, 5 numbers of state and 3 horizons.
const SIZES: [(&str, usize); 3] = [("x", 2), ("h", 5), ("c", 5)];
const OUTPUTS: [&str; 5] = ["location", "scale", "tail", "h_next", "c_next"];

fn kernel(seed: u64) -> (Kernel, Weights) {
    let names = ["level", "gap"];
    let signature = Signature::new(features::schema_hash(), &names, 5, vec![1, 2, 4], 4.0).unwrap();
    let weights = Weights::seeded(&signature, seed);
    (Kernel::new(signature, "1", &weights).unwrap(), weights)
}

fn bundle(seed: u64, kind: Kind) -> NewBundle {
    let (model, weights) = kernel(seed);
    let lstm = graph::Lstm {
        inputs: 2,
        hidden: 5,
        horizons: 3,
        w: weights.w,
        r: weights.r,
        b: weights.b,
        head_w: weights.head_w,
        head_b: weights.head_b,
    };
    let signature = toml::toml! {
        inputs = "level,gap"
        horizons = "1,2,4"
        soft_limit = 4.0
    };
    let mut signature = signature;
    let hash = format!("{:#018x}", features::schema_hash());
    signature.insert("schema_hash".to_owned(), hash.into());
    NewBundle {
        card: Card {
            name: "any".parse().unwrap(),
            version: Version::FIRST,
            kind,
            sha256: String::new(),
            golden_sha256: String::new(),
            created: String::new(),
            licence: String::new(),
            signature,
            training: toml::Table::new(),
            metrics: toml::Table::new(),
        },
        model: graph::write_step(&lstm, &graph::Metadata::new()),
        golden: serde_json::to_vec(&record(&model, 2, 1e-4).unwrap()).unwrap(),
    }
}

fn install(dir: &Path, name: &str, bundle: NewBundle) -> Version {
    let name: Name = name.parse().unwrap();
    let registry = Registry::new(&dir.join("models"));
    registry
        .install(&name, bundle, "test", Timestamp::default())
        .unwrap()
}

fn promote(dir: &Path, name: &str, to: Version) {
    let name: Name = name.parse().unwrap();
    let registry = Registry::new(&dir.join("models"));
    let promotion = Promotion {
        from: registry.champion(&name).unwrap(),
        to,
        action: Action::Force,
        why: "test",
    };
    registry
        .promote(&name, promotion, Timestamp::default())
        .unwrap();
}

/// A server over the models in a directory.
async fn serving(dir: &Path, edit: impl FnOnce(&mut server::InferenceConfig)) -> (Server, Client) {
    let server = start(|config| {
        config.state.enabled = true;
        config.state.dir = dir.to_owned();
        config.models.check_interval_s = 0.1;
        edit(&mut config.inference);
    })
    .await;
    let client = Client::new(server.channel.clone());
    (server, client)
}

/// What goes into row `row` of input `name`.
fn values(name: &str, columns: usize, rows: std::ops::Range<usize>) -> Vec<f32> {
    let seed = f32::from(name.as_bytes()[0]);
    let row = |row| (0..columns).map(move |i| ((row * 7 + i) as f32 * 0.3 + seed).sin());
    rows.flat_map(row).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum As {
    Raw,
    Typed,
}

fn request(model: &str, rows: std::ops::Range<usize>, form: As) -> oip::ModelInferRequest {
    let mut request = oip::ModelInferRequest {
        model_name: model.to_owned(),
        id: "question".to_owned(),
        ..Default::default()
    };
    for (name, columns) in SIZES {
        let values = values(name, columns, rows.clone());
        let mut input = InferInputTensor {
            name: name.to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![rows.len() as i64, columns as i64],
            ..Default::default()
        };
        if form == As::Raw {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            request.raw_input_contents.push(bytes.into());
        } else {
            input.contents = Some(oip::InferTensorContents {
                fp32_contents: values,
                ..Default::default()
            });
        }
        request.inputs.push(input);
    }
    request
}

/// What the model itself makes of these rows, output by output.
fn expected(seed: u64, rows: std::ops::Range<usize>) -> [Vec<f32>; 5] {
    let (model, _) = kernel(seed);
    let mut batch = Batch::default();
    batch.resize(rows.len(), model.signature());
    batch.x = values("x", 2, rows.clone());
    batch.h = values("h", 5, rows.clone());
    batch.c = values("c", 5, rows);
    model.session().unwrap().step(&mut batch).unwrap();
    [batch.location, batch.scale, batch.tail, batch.h, batch.c]
}

fn outputs(response: &oip::ModelInferResponse) -> Vec<Vec<f32>> {
    if response.raw_output_contents.is_empty() {
        let contents = response.outputs.iter().map(|o| o.contents.clone().unwrap());
        return contents.map(|c| c.fp32_contents).collect();
    }
    let raw = response.raw_output_contents.iter();
    raw.map(|bytes| {
        let chunks = bytes.as_chunks::<4>().0.iter();
        chunks.map(|four| f32::from_le_bytes(*four)).collect()
    })
    .collect()
}

#[track_caller]
fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            // Other runtimes add in another order.
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_answers_in_the_form_it_was_asked_in() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "step", bundle(1, Kind::LstmStep));
    // The same graph, run by the runtime and not by our own kernel.
    install(dir.path(), "graph", bundle(1, Kind::Onnx));
    let (_server, mut client) = serving(dir.path(), |_| {}).await;
    let expected = expected(1, 0..3);
    for model in ["step", "graph"] {
        for form in [As::Raw, As::Typed] {
            let asked = client.model_infer(request(model, 0..3, form)).await;
            let answer = asked.unwrap().into_inner();
            assert_eq!(answer.raw_output_contents.is_empty(), form == As::Typed);
            assert_eq!(
                (answer.model_name.as_str(), answer.model_version.as_str()),
                (model, "1")
            );
            assert_eq!(answer.id, "question");
            let names: Vec<&str> = answer.outputs.iter().map(|o| o.name.as_str()).collect();
            assert_eq!(names, OUTPUTS);
            let shapes: Vec<&[i64]> = answer.outputs.iter().map(|o| &o.shape[..]).collect();
            assert_eq!(shapes, [[3, 3], [3, 3], [3, 3], [3, 5], [3, 5]]);
            assert_close(&outputs(&answer), &expected);
        }
    }
    // Some outputs, in the order in which they are wanted.
    let mut some = request("step", 0..3, As::Raw);
    for name in ["c_next", "location"] {
        some.outputs.push(InferRequestedOutputTensor {
            name: name.to_owned(),
            ..Default::default()
        });
    }
    let answer = client.model_infer(some).await.unwrap().into_inner();
    assert_close(
        &outputs(&answer),
        &[expected[4].clone(), expected[0].clone()],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_each_get_their_own_rows() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "graph", bundle(3, Kind::Onnx));
    let (_server, client) = serving(dir.path(), |config| {
        config.max_batch = 16;
        config.max_delay_us = 20_000;
    })
    .await;
    let asked: Vec<_> = (0..64)
        .map(|i| {
            let mut client = client.clone();
            let request = request("graph", i..i + 1 + i % 3, As::Raw);
            tokio::spawn(async move { client.model_infer(request).await })
        })
        .collect();
    for (i, asked) in asked.into_iter().enumerate() {
        let answer = within(asked).await.unwrap().unwrap().into_inner();
        assert_close(&outputs(&answer), &expected(3, i..i + 1 + i % 3));
    }
    let mut client = client;
    let asked = client.model_statistics(oip::ModelStatisticsRequest::default());
    let stats = asked.await.unwrap().into_inner().model_stats.remove(0);
    let rows: u64 = (0..64).map(|i| 1 + i % 3).sum();
    assert_eq!(
        (stats.name.as_str(), stats.inference_count),
        ("graph", rows)
    );
    assert!(
        stats.execution_count < 32,
        "{} batches",
        stats.execution_count
    );
    let times = stats.inference_stats.unwrap();
    assert_eq!(times.success.unwrap().count, 64);
}

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

/// Changes a good request into a bad one.
type Spoil = fn(&mut oip::ModelInferRequest);

/// What is done to a good request, and what is said of it.
const BAD: [(Spoil, &str, &str); 13] = [
    (
        |r| r.inputs[1].name = "y".to_owned(),
        "inputs[\"y\"]",
        "no such input; there are x, h, c",
    ),
    (
        |r| {
            r.inputs.pop();
            r.raw_input_contents.pop();
        },
        "inputs[\"c\"]",
        "missing",
    ),
    (
        |r| r.inputs[0].datatype = "FP64".to_owned(),
        "inputs[\"x\"]",
        "1 elements of FP64 for shape [1, 2]",
    ),
    (
        |r| {
            r.inputs[0].datatype = "INT32".to_owned();
        },
        "inputs[\"x\"]",
        "datatype INT32, expected FP32",
    ),
    (
        |r| r.inputs[2].shape = vec![5],
        "inputs[\"c\"]",
        "shape [5], expected [-1, 5]",
    ),
    (
        |r| r.inputs[2].shape = vec![1, -5],
        "inputs[\"c\"]",
        "shape [1, -5] has a negative",
    ),
    (
        |r| r.raw_input_contents[2] = vec![0; 19].into(),
        "inputs[\"c\"]",
        "19 bytes of FP32 for shape [1, 5]",
    ),
    (
        |r| {
            r.raw_input_contents.pop();
        },
        "raw_input_contents",
        "2 of them for 3 inputs",
    ),
    (
        |r| {
            let nan = [0.0, f32::NAN].map(f32::to_le_bytes).concat();
            r.raw_input_contents[0] = nan.into();
        },
        "inputs[\"x\"]",
        "element 1 is not a finite number",
    ),
    (
        |r| {
            r.inputs[0].shape = vec![1 << 32, 1 << 32];
        },
        "inputs[\"x\"]",
        "is beyond all bounds",
    ),
    (
        |r| {
            r.outputs.push(InferRequestedOutputTensor {
                name: "y".to_owned(),
                parameters: HashMap::new(),
            });
        },
        "outputs[\"y\"]",
        "no such output; there are location, scale, tail, h_next, c_next",
    ),
    (
        |r| {
            let id = oip::InferParameter {
                parameter_choice: Some(ParameterChoice::Int64Param(3)),
            };
            r.parameters.insert("sequence_id".to_owned(), id);
        },
        "parameters[\"sequence_id\"]",
        "carry h and c yourself",
    ),
    (
        |r| {
            r.inputs[0].shape = vec![2000, 2];
            r.raw_input_contents[0] = vec![0; 16_000].into();
        },
        "inputs",
        "inference.max_tensor_bytes allows 4096",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_tensor_and_good_ones_go_on() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "step", bundle(1, Kind::LstmStep));
    install(dir.path(), "graph", bundle(1, Kind::Onnx));
    let (server, mut client) = serving(dir.path(), |config| config.max_tensor_bytes = 4096).await;
    for model in ["step", "graph"] {
        for (spoil, field, what) in BAD {
            let mut bad = request(model, 0..1, As::Raw);
            spoil(&mut bad);
            let status: Status = client.model_infer(bad).await.unwrap_err();
            assert_invalid(&status, field);
            assert!(
                status.message().contains(what),
                "{status} says not {what:?}"
            );
        }
        client
            .model_infer(request(model, 0..1, As::Typed))
            .await
            .unwrap();
    }
    let page = metrics(&server, None).await;
    for line in [
        "forestall_inference_failures_total{model=\"step\",version=\"1\",reason=\"invalid\"} 13\n",
        "forestall_inference_requests_total{model=\"graph\",version=\"1\"} 1\n",
        "forestall_inference_batch_rows_count{model=\"graph\",version=\"1\"} 1\n",
        "forestall_samples_refused_total{reason=\"duplicate\"} 0\n",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
}

/// The page for Prometheus, over HTTP/1.1, as `curl` gets it.
async fn metrics(server: &Server, token: Option<&str>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = server.running.local_addr();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let token = token.map_or_else(String::new, |t| format!("Authorization: Bearer {t}\r\n"));
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{token}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    // A server that does not speak HTTP/1.1 hangs up.
    match within(stream.read_to_string(&mut page)).await {
        Ok(_) => page,
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_and_models_ask_for_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let token = "correct horse battery staple";
    std::fs::write(&file, token).unwrap();
    let server = start(|config| config.server.token_file = file.clone()).await;
    assert!(metrics(&server, None).await.starts_with("HTTP/1.1 401 "));
    assert!(
        metrics(&server, Some("wrong"))
            .await
            .starts_with("HTTP/1.1 401 ")
    );
    let page = metrics(&server, Some(token)).await;
    assert!(
        page.starts_with("HTTP/1.1 200 ") && page.contains("\nforestall_series 0\n"),
        "{page}"
    );
    let mut client = Client::new(server.channel.clone());
    let refused = client
        .server_live(oip::ServerLiveRequest {})
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_is_not_there() {
    let server = start(|config| {
        config.inference.enabled = false;
        config.server.metrics = false;
    })
    .await;
    let mut client = Client::new(server.channel.clone());
    let refused = client
        .server_live(oip::ServerLiveRequest {})
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(!metrics(&server, None).await.starts_with("HTTP/1.1 200 "));
}

//! What is refused, and counted.

use std::collections::HashMap;

use proto::inference::infer_parameter::ParameterChoice;
use proto::inference::model_infer_request::InferRequestedOutputTensor;
use tonic::{Code, Status};

use super::*;

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
    let page = server.metrics(None).await;
    for line in [
        "forestall_inference_failures_total{model=\"step\",version=\"1\",reason=\"invalid\"} 13\n",
        "forestall_inference_requests_total{model=\"graph\",version=\"1\"} 1\n",
        "forestall_inference_batch_rows_count{model=\"graph\",version=\"1\"} 1\n",
        "forestall_samples_refused_total{reason=\"duplicate\"} 0\n",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_and_models_ask_for_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let token = "correct horse battery staple";
    std::fs::write(&file, token).unwrap();
    let server = start(|config| config.server.token_file = file.clone()).await;
    assert!(server.metrics(None).await.starts_with("HTTP/1.1 401 "));
    assert!(
        server
            .metrics(Some("wrong"))
            .await
            .starts_with("HTTP/1.1 401 ")
    );
    let page = server.metrics(Some(token)).await;
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
    assert!(!server.metrics(None).await.starts_with("HTTP/1.1 200 "));
}

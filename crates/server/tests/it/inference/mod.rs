//! The Open Inference Protocol, with real models in a registry on disk.

mod answers;
mod changes;
mod refusals;

use std::path::Path;

use onnx::Golden;
use predict::forecast::{Batch, Kernel, Model, Signature, Weights};
use proto::inference as oip;
use proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use proto::inference::model_infer_request::InferInputTensor;
use series::Timestamp;
use store::models::{Action, Card, Kind, Name, NewBundle, Promotion, Registry, Version};
use tonic::transport::Channel;

use crate::harness::*;

type Client = GrpcInferenceServiceClient<Channel>;

/// A step with 2 inputs, 5 numbers of state and 3 horizons.
const SIZES: [(&str, usize); 3] = [("x", 2), ("h", 5), ("c", 5)];

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
    let golden = Golden::record(&model, 2, 1e-4).unwrap();
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
        golden: golden.to_json().unwrap().into_bytes(),
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

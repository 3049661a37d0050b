//! Files and requests that lie.

use graph::{Limits, Metadata, write_step};
use onnx::{Graph, InferError, Options, Tensor, TensorData, load, step_model};

use super::carried::{lstm, metadata};
use super::{fixture, refused};

fn step() -> Vec<u8> {
    write_step(&lstm(3, 4, 2), &metadata(3, 2))
}

pub(crate) fn files_are_refused_by_name() {
    let says = |bytes: &[u8], text: &str| {
        let message = refused(bytes);
        assert!(message.contains(text), "{message:?} lacks {text:?}");
    };
    let good = step();
    says(&[], "not an ONNX file");
    says(&good[..good.len() / 2], "cut off");
    says(b"not a model at all", "not an ONNX file");
    says(&fixture("loop"), "Loop");
    says(&fixture("stateless"), "initial_h");
    says(&fixture("external"), "another file");
    let mut broken = lstm(3, 4, 2);
    broken.w[5] = f32::NAN;
    says(
        &write_step(&broken, &Metadata::new()),
        "\"lstm_w\" holds NaN at place 5",
    );
    let limits = Limits {
        bytes: 1_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let error = load(&good, &options).unwrap_err().to_string();
    assert!(error.contains("limit of 1000"), "{error}");
}

pub(crate) fn models_that_do_not_fit_are_refused_by_name() {
    let says = |metadata: &Metadata, text: &str| {
        let bytes = write_step(&lstm(3, 4, 2), metadata);
        let error = step_model(&bytes, None, "1", &Options::default()).unwrap_err();
        assert!(error.to_string().contains(text), "{error} lacks {text:?}");
    };
    let with = |key: &str, value: &str| {
        let mut metadata = metadata(3, 2);
        metadata.insert(format!("forestall.{key}"), value.to_owned());
        metadata
    };
    says(&with("schema_hash", "0xdead"), "0x000000000000dead");
    says(
        &with("inputs", "level"),
        "\"x\" is f32 of shape [None, Some(3)]",
    );
    says(&with("horizons", "1,2,4"), "\"location\"");
    // Another name of the same length, so that the file stays whole.
    let mut bytes = write_step(&lstm(3, 4, 2), &metadata(3, 2));
    let (from, to) = (b"location", b"lucation");
    while let Some(at) = bytes.windows(from.len()).position(|part| part == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    let error = step_model(&bytes, None, "1", &Options::default()).unwrap_err();
    let says = "its outputs are c_next, h_next, lucation";
    assert!(error.to_string().contains(says), "{error}");
    // A tail that is no distribution: nothing above the least one, and that one lowered. At the least one it is taken.
    let mut flat = lstm(3, 4, 2);
    flat.head_w.fill(0.0);
    flat.head_b.fill(-200.0);
    let mut bytes = write_step(&flat, &metadata(3, 2));
    step_model(&bytes, None, "1", &Options::default()).unwrap();
    let least = 2.0_f32.to_le_bytes();
    let places = bytes.windows(4).enumerate();
    let places: Vec<_> = places
        .filter(|(_, part)| *part == least)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 1, "{places:?}");
    bytes[places[0]..places[0] + 4].copy_from_slice(&1.5_f32.to_le_bytes());
    let error = step_model(&bytes, None, "1", &Options::default()).unwrap_err();
    assert!(error.to_string().contains("a tail of 1.5"), "{error}");
}

fn inputs() -> Vec<Tensor> {
    let zeros = |name, width| Tensor::f32(name, &[2, width], vec![0.0; 2 * width]);
    vec![zeros("x", 3), zeros("h", 4), zeros("c", 4)]
}

pub(crate) fn requests_are_refused_by_name() {
    let graph = load(&step(), &Options::default()).unwrap();
    assert_eq!(graph.infer(&inputs()).unwrap().len(), 5);
    let says = |change: &dyn Fn(&mut Vec<Tensor>), text: &str| {
        let mut inputs = inputs();
        change(&mut inputs);
        let error = graph.infer(&inputs).unwrap_err();
        assert!(matches!(error, InferError::Input { .. }), "{error}");
        assert!(error.to_string().contains(text), "{error} lacks {text:?}");
    };
    says(&|i| i.truncate(2), "\"c\" is missing");
    says(&|i| i.push(i[0].clone()), "\"x\" is given twice");
    says(
        &|i| i.push(Tensor::f32("z", &[1], vec![0.0])),
        "\"z\" is not among",
    );
    says(
        &|i| i[1].shape = vec![2, 5],
        "\"h\" has shape [2, 5], expected [_, 4]",
    );
    says(&|i| i[1].shape = vec![8], "\"h\" has shape [8]");
    says(
        &|i| i[1] = Tensor::f32("h", &[1, 4], vec![0.0; 4]),
        "batch of 1, but that of \"x\" is 2",
    );
    says(
        &|i| i[0] = Tensor::f32("x", &[2, 3], vec![0.0; 5]),
        "5 elements",
    );
    says(
        &|i| i[0] = Tensor::f32("x", &[0, 3], vec![]),
        "nothing in it",
    );
    says(
        &|i| i[0].data = TensorData::F64(vec![0.0; 6]),
        "f64, expected f32",
    );
    says(
        &|i| i[2].data = TensorData::F32(vec![f32::NAN; 8]),
        "\"c\" holds a number that is not finite",
    );
    says(
        &|i| i[0].shape = vec![usize::MAX, 3],
        "does not go with its shape",
    );
}

/// An index beyond the table is an error, not the end of the process.
pub(crate) fn indices_beyond_the_table_are_answered() {
    let graph = load(&fixture("embedding"), &Options::default()).unwrap();
    let look_up = |graph: &Graph, rows: [i64; 2]| {
        let data = TensorData::I64(rows.to_vec());
        graph.infer(&[Tensor {
            name: "x".to_owned(),
            shape: vec![1, 2],
            data,
        }])
    };
    let found = look_up(&graph, [3, 0]).unwrap();
    assert_eq!(
        found[0].data.as_f32(),
        Some(&[9.0, 10.0, 11.0, 0.0, 1.0, 2.0][..])
    );
    let error = look_up(&graph, [0, 4]).unwrap_err();
    assert!(matches!(error, InferError::Runtime(_)), "{error}");
    assert!(look_up(&graph, [1, 1]).is_ok());
}

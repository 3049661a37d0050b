//! Models are run by many threads at once.

use std::sync::Arc;

use graph::write_step;
use onnx::{Options, Tensor, load};

use super::carried::{lstm, metadata};

pub(crate) fn many_threads_get_the_same_answer() {
    let bytes = write_step(&lstm(3, 4, 2), &metadata(3, 2));
    let graph = load(&bytes, &Options::default()).unwrap();
    let inputs = |rows: usize| {
        let ramp = |name, width| {
            let data = (0..rows * width).map(|i| (i % 7) as f32 * 0.1).collect();
            Tensor::f32(name, &[rows, width], data)
        };
        vec![ramp("x", 3), ramp("h", 4), ramp("c", 4)]
    };
    let alone: Vec<_> = (1..6)
        .map(|rows| graph.infer(&inputs(rows)).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (graph, alone) = (Arc::clone(&graph), &alone);
            scope.spawn(move || {
                for round in 0..200 {
                    let rows = round % 5 + 1;
                    assert_eq!(graph.infer(&inputs(rows)).unwrap(), alone[rows - 1]);
                }
            });
        }
    });
}

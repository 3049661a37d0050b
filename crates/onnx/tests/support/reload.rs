//! Models come and go. Memory is the process's, so each test of it has a test binary to itself.

use graph::write_step;
use onnx::{Options, Prefer, step_model};
use predict::forecast::Batch;

use super::carried::{lstm, metadata};

/// Reloads before memory is measured: allocators take what they keep at first.
const WARM_UP: usize = 100;
/// Growth allowed for each reload after that.
const GROWTH_BYTES: usize = 1_000;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

pub(crate) fn memory_stays_as_it_was(reloads: usize) {
    let bytes = write_step(&lstm(3, 4, 2), &metadata(3, 2));
    let options = Options {
        prefer: Prefer::Session,
        ..Options::default()
    };
    let mut batch = Batch::default();
    let mut before = 0;
    for reload in 0..WARM_UP + reloads {
        if reload == WARM_UP {
            before = resident_bytes();
        }
        let model = step_model(&bytes, None, "1", &options).unwrap();
        batch.resize(3, model.signature());
        model.session().unwrap().step(&mut batch).unwrap();
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(
        grown < GROWTH_BYTES * reloads,
        "{grown} bytes in {reloads} reloads"
    );
}

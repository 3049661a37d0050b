//! Graphs that pass every check and are tried in a process of their own: this test binary, started again.

use std::path::PathBuf;
use std::process::exit;

use onnx::{Guard, GuardError, LoadError, Options, load, probe_main};

use super::fixture;

/// What the child is told apart by.
const CHILD: &str = "__probe-model";

fn guard() -> Guard {
    Guard {
        program: std::env::current_exe().unwrap(),
        arguments: ["child", "--exact", "--nocapture", CHILD]
            .map(str::to_owned)
            .to_vec(),
        memory_bytes: 2 << 30,
        seconds: 3,
    }
}

/// The child: does nothing in a run of the tests.
pub(crate) fn child() {
    if !std::env::args().any(|argument| argument == CHILD) {
        return;
    }
    if let Err(error) = probe_main(&mut std::io::stdin().lock(), &guard()) {
        eprintln!("error: {error}");
        exit(1);
    }
    exit(0);
}

fn tried(name: &str) -> Result<(), LoadError> {
    let options = Options {
        guard: Some(guard()),
        ..Options::default()
    };
    load(&fixture(name), &options).map(|_| ())
}

pub(crate) fn good_graphs_of_others_pass_the_guard() {
    for name in ["lstm", "lstm_torchscript", "lstm_cell"] {
        tried(name).unwrap();
    }
}

pub(crate) fn graphs_that_take_all_there_is_do_not() {
    let hog = tried("hog").unwrap_err();
    assert!(matches!(hog, LoadError::Guard(_)), "{hog}");
    let slow = tried("slow").unwrap_err();
    assert!(matches!(slow, LoadError::Guard(_)), "{slow}");
}

pub(crate) fn a_graph_that_ends_its_process_does_not_end_this_one() {
    let zero = tried("zero").unwrap_err();
    let died = matches!(
        zero,
        LoadError::Guard(GuardError::Died { .. } | GuardError::Refused(_))
    );
    assert!(died, "{zero}");
}

pub(crate) fn a_guard_that_is_not_there_is_an_error() {
    let guard = Guard::new(PathBuf::from("no-such-program"));
    let error = guard.check(&fixture("lstm")).unwrap_err();
    assert!(matches!(error, GuardError::Start { .. }), "{error}");
}

//! Everything that a runtime must do, on ONNX Runtime.

mod support;

use onnx::{Backend, backend};
use support::{both, in_workspace};

fn native() {
    let place = in_workspace("target/onnxruntime/lib");
    let choice = backend(&[place]);
    let Backend::OnnxRuntime { version, .. } = &choice.backend else {
        panic!("run `cargo xtask onnxruntime` first: {:?}", choice.tried);
    };
    assert_eq!((&**version, choice.broken()), ("1.31.1", None));
}

both! { native:
    carried::a_thousand_carried_steps,
    carried::exports_of_pytorch_agree,
    hostile::files_are_refused_by_name,
    hostile::models_that_do_not_fit_are_refused_by_name,
    hostile::requests_are_refused_by_name,
    hostile::indices_beyond_the_table_are_answered,
    guarded::good_graphs_of_others_pass_the_guard,
    guarded::graphs_that_take_all_there_is_do_not,
    guarded::a_graph_that_ends_its_process_does_not_end_this_one,
    guarded::a_guard_that_is_not_there_is_an_error,
    threads::many_threads_get_the_same_answer,
}

/// Started again by the tests of the guard, on the runtime that it names.
#[test]
fn child() {
    support::guarded::child();
}

/// Two trees over two numbers: the mean of their depths, as a score.
#[test]
fn a_forest_scores() {
    native();
    let graph = onnx::load(&support::forest(), &onnx::Options::default()).unwrap();
    let x = onnx::Tensor::f32("x", &[2, 2], vec![0.0, 0.4, 0.0, 0.5]);
    let score = graph.infer(&[x]).unwrap().swap_remove(0);
    // Depths (1 + 2) / 2 and (3 + 2) / 2, each over 2.
    let expected = [2.0_f32.powf(-0.75), 2.0_f32.powf(-1.25)];
    for (found, expected) in score.data.as_f32().unwrap().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }
}

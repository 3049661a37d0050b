//! Everything that a runtime must do, on tract.

mod support;

use onnx::{Backend, backend};
use support::both;

fn tract() {
    let choice = backend(&[]);
    assert_eq!((&choice.backend, choice.broken()), (&Backend::Tract, None));
}

both! { tract:
    carried::a_thousand_carried_steps,
    carried::exports_of_pytorch_agree,
    hostile::files_are_refused_by_name,
    hostile::models_that_do_not_fit_are_refused_by_name,
    hostile::requests_are_refused_by_name,
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

/// A forest is for the native runtime; tract says so.
#[test]
fn a_forest_is_refused_clearly() {
    tract();
    let message = support::refused(&support::forest());
    assert!(message.contains("tract cannot load the graph"), "{message}");
    assert!(message.contains("TreeEnsembleRegressor"), "{message}");
}

/// tract ends the process when an index is beyond the table, so such graphs are refused.
#[test]
fn indices_that_a_request_chooses_are_refused() {
    tract();
    let message = support::refused(&support::fixture("embedding"));
    assert!(message.contains("(Gather) looks where"), "{message}");
}

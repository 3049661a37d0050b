//! Files that lie, loop, or grow. Each starts from a good one, changed in one place.

use proptest::prelude::*;
use prost::Message;

use crate::build::{indices, int, node, rows, tensor};
use crate::message::{Attribute, Dimension, Entry, Model, Tensor};
use crate::testing::lstm;
use crate::{DataType, Forest, Limits, Metadata, TreeNode, check, write_forest, write_step};

fn step() -> Model {
    let metadata = Metadata::from([("note".to_owned(), "a step".to_owned())]);
    Model::decode(&*write_step(&lstm(3, 4, 2), &metadata)).unwrap()
}

/// What the check says of the good file after a change.
fn refused(change: impl FnOnce(&mut Model)) -> String {
    let mut model = step();
    change(&mut model);
    check(&model.encode_to_vec(), &Limits::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn every_lie_is_named() {
    let says = |text: &str, change: &dyn Fn(&mut Model)| {
        let message = refused(change);
        assert!(message.contains(text), "{message:?} lacks {text:?}");
    };
    says("no graph", &|m| m.graph = None);
    says("IR version 0", &|m| m.ir_version = 0);
    says("which opset", &|m| m.opset_import.clear());
    says("opset 99", &|m| m.opset_import[0].version = 99);
    says("functions", &|m| m.functions.push(vec![]));
    says("training", &|m| m.training_info.push(vec![]));
    says("\"note\" stands there twice", &|m| {
        m.metadata_props.push(Entry {
            key: "note".to_owned(),
            value: String::new(),
        });
    });
}

#[test]
fn a_graph_that_could_loop_or_leads_around_is_refused() {
    let says = |text: &str, change: &dyn Fn(&mut crate::message::Graph)| {
        let message = refused(|m| change(m.graph.as_mut().unwrap()));
        assert!(message.contains(text), "{message:?} lacks {text:?}");
    };
    says("\"loop_y\" (Loop)", &|g| {
        g.node.push(node("Loop", &["x"], &["y"], vec![]));
    });
    says("a graph inside", &|g| {
        let body = Attribute {
            name: "body".to_owned(),
            g: Some(vec![]),
            ..Attribute::default()
        };
        g.node.push(node("Relu", &["x"], &["y"], vec![body]));
    });
    says("\"com.example\"", &|g| {
        g.node[0].domain = "com.example".to_owned()
    });
    says("a circle", &|g| g.node.swap(0, 3));
    says("takes \"nothing\"", &|g| {
        g.node[0].input[0] = "nothing".to_owned();
    });
    says("\"x\" is defined twice", &|g| {
        g.node[0].output[0] = "x".to_owned()
    });
    says("output \"nowhere\" is given by no node", &|g| {
        g.output[0].name = "nowhere".to_owned();
    });
    says("1 to 256", &|g| g.output.clear());
    says("initial_h", &|g| g.node[3].input.truncate(4));
    says("input \"x\" is not a tensor", &|g| g.input[0].r#type = None);
    says("sparse", &|g| g.sparse_initializer.push(vec![]));
    says("NaN in its attribute", &|g| {
        g.node[3].attribute[0].f = f32::NAN
    });
}

#[test]
fn sizes_that_a_request_could_choose_are_refused() {
    let expand = |by: &'static str, shape_of: bool| {
        refused(move |m| {
            let graph = m.graph.as_mut().unwrap();
            graph.input.push(rows("extent", 1));
            if shape_of {
                graph.node.push(node("Shape", &[by], &["by"], vec![]));
            }
            let by = if shape_of { "by" } else { by };
            graph.node.push(node("Expand", &["x", by], &["y"], vec![]));
            // Something else is wrong behind it, so that both cases are refused.
            graph.node.push(node("Loop", &["y"], &["z"], vec![]));
        })
    };
    assert!(expand("extent", false).contains("takes its size from the values of an input"));
    assert!(expand("extent", true).contains("Loop"));
}

#[test]
fn only_constants_may_divide_whole_numbers() {
    let divide = |kind: DataType| {
        refused(move |m| {
            let graph = m.graph.as_mut().unwrap();
            let mut by = rows("by", 3);
            let tensor = by.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
            tensor.elem_type = kind as i32;
            graph.input.push(by);
            graph.node.push(node("Div", &["x", "by"], &["y"], vec![]));
            graph.node.push(node("Loop", &["y"], &["z"], vec![]));
        })
    };
    assert!(divide(DataType::I64).contains("a zero would end the process"));
    assert!(divide(DataType::F32).contains("Loop"));
}

#[test]
fn a_fixed_batch_needs_no_state_from_outside() {
    let mut model = step();
    let graph = model.graph.as_mut().unwrap();
    graph.node[3].input.truncate(4);
    for end in &mut graph.input {
        let tensor = end.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
        tensor.shape.as_mut().unwrap().dim[0] = Dimension {
            value: Some(crate::message::Extent::Value(1)),
        };
    }
    let checked = check(&model.encode_to_vec(), &Limits::default()).unwrap();
    assert_eq!(checked.step, None);
}

#[test]
fn limits_hold() {
    let bytes = write_step(&lstm(3, 4, 2), &Metadata::new());
    let check = |limits: &Limits| check(&bytes, limits).unwrap_err().to_string();
    let limits = Limits::default();
    assert!(
        check(&Limits {
            bytes: 100,
            ..limits
        })
        .contains("bytes are more than the limit of 100")
    );
    assert!(check(&Limits { nodes: 5, ..limits }).contains("12 nodes"));
    assert!(
        check(&Limits {
            entries: 9,
            ..limits
        })
        .contains("entries")
    );
    assert!(
        check(&Limits {
            elements: 60,
            ..limits
        })
        .contains("elements")
    );
    assert!(
        check(&Limits {
            elements: 100,
            ..limits
        })
        .contains("weights")
    );
}

#[test]
fn a_graph_that_only_resembles_ours_is_not_taken_for_it() {
    let step_after = |change: &dyn Fn(&mut crate::message::Graph)| {
        let mut model = step();
        change(model.graph.as_mut().unwrap());
        check(&model.encode_to_vec(), &Limits::default())
            .unwrap()
            .step
    };
    assert!(step_after(&|_| {}).is_some());
    let weight = |g: &mut crate::message::Graph, name: &str, new: Tensor| {
        *g.initializer.iter_mut().find(|t| t.name == name).unwrap() = new;
    };
    // Another constant, other activations, heads of another input, another split, a scale without softplus.
    assert_eq!(
        step_after(&|g| weight(g, "least_scale", tensor("least_scale", &[1], &[0.01]))),
        None
    );
    assert_eq!(
        step_after(&|g| g.node[3].attribute.push(int("input_forget", 1))),
        None
    );
    assert_eq!(
        step_after(&|g| g.node[6].input[0] = "c_next".to_owned()),
        None
    );
    assert_eq!(
        step_after(&|g| weight(g, "thirds", indices("thirds", &[1, 2, 3]))),
        None
    );
    assert_eq!(step_after(&|g| g.node[8].op_type = "Relu".to_owned()), None);
    assert_eq!(step_after(&|g| g.node[6].attribute.clear()), None);
}

/// The good files that are spoilt.
fn samples() -> Vec<Vec<u8>> {
    let forest = Forest {
        features: 2,
        normaliser: 1.5,
        trees: vec![vec![TreeNode::Leaf { depth: 1.0 }; 3]; 2],
    };
    let step = write_step(&lstm(2, 3, 2), &Metadata::from([("a".into(), "b".into())]));
    vec![step, write_forest(&forest, &Metadata::new())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// Any bytes in any place: an answer, not a panic.
    #[test]
    fn spoilt_files_are_answered(
        which in 0..2_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = samples().swap_remove(which);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(checked) = check(&bytes, &Limits::default()) {
            prop_assert!(checked.step.is_none_or(|step| step.is_sound()));
        }
    }

    /// Bytes without any sense.
    #[test]
    fn noise_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _answer = check(&bytes, &Limits::default());
    }
}

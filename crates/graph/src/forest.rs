//! An isolation forest as an ONNX graph.

use crate::Metadata;
use crate::build::{file, floats, int, ints, node, rows, tensor, text, texts};
use crate::message::{Attribute, Graph, Node};
use crate::operators::ML;

/// Trees that isolate points; Liu, Ting & Zhou, "Isolation Forest", ICDM 2008.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// Numbers of a point.
    pub features: usize,
    /// c(n): the mean depth of a search without success among as many points as a tree is grown from; above 0.
    pub normaliser: f32,
    /// The trees; node 0 of each is its root.
    pub trees: Vec<Vec<TreeNode>>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TreeNode {
    /// Goes to `below` when the feature is less than the cut, else to `above`; both are places in the same tree.
    Cut {
        /// Which number of the point.
        feature: usize,
        /// Where it is cut.
        at: f32,
        /// The node for less.
        below: usize,
        /// The node for the rest.
        above: usize,
    },
    /// The end: depth of the node, plus c of the points of the sample that ended there.
    Leaf {
        /// In cuts.
        depth: f32,
    },
}

/// The file of a forest: input `x` of shape `(batch, features)`, output `score` of shape `(batch, 1)`, both f32; the score
/// is `2^(-mean depth / normaliser)`, between 0 and 1, and near 1 for points that few cuts isolate.
#[must_use]
pub fn write_forest(forest: &Forest, metadata: &Metadata) -> Vec<u8> {
    // 2^(-d / c) is exp(d * (-ln 2 / c)).
    let rate = -std::f32::consts::LN_2 / forest.normaliser;
    let graph = Graph {
        name: "isolation_forest".to_owned(),
        node: vec![
            Node {
                domain: ML.to_owned(),
                ..node(
                    "TreeEnsembleRegressor",
                    &["x"],
                    &["depth"],
                    ensemble(&forest.trees),
                )
            },
            node("Mul", &["depth", "rate"], &["exponent"], vec![]),
            node("Exp", &["exponent"], &["score"], vec![]),
        ],
        initializer: vec![tensor("rate", &[1], &[rate])],
        input: vec![rows("x", forest.features)],
        output: vec![rows("score", 1)],
        sparse_initializer: Vec::new(),
    };
    file(graph, metadata)
}

/// The trees as the operator takes them: a dozen parallel lists.
fn ensemble(trees: &[Vec<TreeNode>]) -> Vec<Attribute> {
    let n = trees.iter().map(Vec::len).sum();
    let list = || Vec::with_capacity(n);
    let (mut tree_ids, mut node_ids, mut features) = (list(), list(), list());
    let (mut below_ids, mut above_ids) = (list(), list());
    let (mut cuts, mut modes) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut leaf_trees, mut leaf_nodes, mut depths) = (vec![], vec![], vec![]);
    for (tree, nodes) in trees.iter().enumerate() {
        for (id, node) in nodes.iter().enumerate() {
            let (tree, id) = (tree as i64, id as i64);
            tree_ids.push(tree);
            node_ids.push(id);
            let (feature, cut, below, above, mode) = match *node {
                TreeNode::Cut {
                    feature,
                    at,
                    below,
                    above,
                } => (feature, at, below, above, "BRANCH_LT"),
                TreeNode::Leaf { depth } => {
                    leaf_trees.push(tree);
                    leaf_nodes.push(id);
                    depths.push(depth);
                    (0, 0.0, 0, 0, "LEAF")
                }
            };
            features.push(feature as i64);
            cuts.push(cut);
            below_ids.push(below as i64);
            above_ids.push(above as i64);
            modes.push(mode.as_bytes().to_vec());
        }
    }
    let target_ids = vec![0; leaf_trees.len()];
    vec![
        text("aggregate_function", "AVERAGE"),
        int("n_targets", 1),
        ints("nodes_treeids", tree_ids),
        ints("nodes_nodeids", node_ids),
        ints("nodes_featureids", features),
        floats("nodes_values", cuts),
        texts("nodes_modes", modes),
        ints("nodes_truenodeids", below_ids),
        ints("nodes_falsenodeids", above_ids),
        ints("target_treeids", leaf_trees),
        ints("target_nodeids", leaf_nodes),
        ints("target_ids", target_ids),
        floats("target_weights", depths),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, check};

    #[test]
    fn a_forest_passes_the_checks() {
        let leaf = |depth| TreeNode::Leaf { depth };
        let cut = TreeNode::Cut {
            feature: 1,
            at: 0.5,
            below: 1,
            above: 2,
        };
        let forest = Forest {
            features: 2,
            normaliser: 1.0,
            trees: vec![vec![cut, leaf(1.0), leaf(3.0)], vec![leaf(2.0)]],
        };
        let checked = check(&write_forest(&forest, &Metadata::new()), &Limits::default()).unwrap();
        assert_eq!(checked.inputs[0].shape, [None, Some(2)]);
        assert_eq!(checked.outputs[0].shape, [None, Some(1)]);
        assert_eq!((checked.nodes, checked.step), (3, None));
    }

    #[test]
    fn a_normaliser_of_zero_is_refused() {
        let forest = Forest {
            features: 1,
            normaliser: 0.0,
            trees: vec![vec![TreeNode::Leaf { depth: 0.0 }]],
        };
        let error = check(&write_forest(&forest, &Metadata::new()), &Limits::default());
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "tensor \"rate\" holds -inf at place 0");
    }
}

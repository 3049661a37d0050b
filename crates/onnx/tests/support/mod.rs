//! What both runtimes must do alike. A process has one runtime, so each has a test binary of its own over this.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part of it"
)]

pub(crate) mod carried;
pub(crate) mod guarded;
pub(crate) mod hostile;
pub(crate) mod reload;
pub(crate) mod threads;

use std::path::{Path, PathBuf};

use onnx::{Options, SignatureCard};

/// A file beside the tests.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()
}

/// A place under the workspace, whatever folder the tests run in.
pub(crate) fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The card of the models that PyTorch exported.
pub(crate) fn card() -> SignatureCard {
    let text = serde_json::json!({
        "schema_hash": format!("{:#018x}", features::schema_hash()),
        "inputs": "level,difference,long_residual",
        "horizons": [1, 4],
        "soft_limit": 4.0,
    });
    serde_json::from_value(text).unwrap()
}

/// Loads with the defaults, and gives what was said against it.
pub(crate) fn refused(bytes: &[u8]) -> String {
    onnx::load(bytes, &Options::default())
        .unwrap_err()
        .to_string()
}

/// Writes out the tests of a runtime: each calls the function of its name.
macro_rules! both {
    ($choose:ident: $($module:ident::$test:ident),+ $(,)?) => {
        $(#[test]
        fn $test() {
            $choose();
            support::$module::$test();
        })+
    };
}

pub(crate) use both;

/// A tree with a cut at 0.5 of the second number, and one of a single leaf.
pub(crate) fn forest() -> Vec<u8> {
    let leaf = |depth| graph::TreeNode::Leaf { depth };
    let cut = graph::TreeNode::Cut {
        feature: 1,
        at: 0.5,
        below: 1,
        above: 2,
    };
    let forest = graph::Forest {
        features: 2,
        normaliser: 2.0,
        trees: vec![vec![cut, leaf(1.0), leaf(3.0)], vec![leaf(2.0)]],
    };
    graph::write_forest(&forest, &graph::Metadata::new())
}

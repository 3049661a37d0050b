//! The checker of the ONNX project accepts what we write, and ONNX Runtime by way of Python runs it to the same numbers.

use std::path::Path;
use std::process::Command;

use graph::{Forest, Lstm, Metadata, TreeNode, write_forest, write_step};

const SCRIPT: &str = "
import sys, numpy, onnx, onnxruntime
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    feeds = {i.name: numpy.full((2, i.shape[1]), 0.5, numpy.float32) for i in session.get_inputs()}
    for output, value in zip(session.get_outputs(), session.run(None, feeds)):
        print(output.name, value.shape, ' '.join(f'{x:.6f}' for x in value.ravel()[:2]))
    print({p.key: p.value for p in model.metadata_props})
";

#[test]
fn others_read_what_we_write() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/python/bin/python3");
    assert!(
        python.exists(),
        "run `cargo xtask test` (or `cargo xtask python`) first"
    );
    // All weights 0: locations 0, scales ln 2 + 0.001, tails ln 2 + 2, states 0 and half of the cell.
    let zeros = Lstm {
        inputs: 3,
        hidden: 4,
        horizons: 2,
        w: vec![0.0; 48],
        r: vec![0.0; 64],
        b: vec![0.0; 16],
        head_w: vec![0.0; 24],
        head_b: vec![0.0; 6],
    };
    let forest = Forest {
        features: 2,
        normaliser: 2.0,
        trees: vec![vec![TreeNode::Leaf { depth: 2.0 }]; 3],
    };
    let notes = Metadata::from([("forestall.seed".to_owned(), "7".to_owned())]);
    let folder = tempfile::tempdir().unwrap();
    let (step, trees) = (
        folder.path().join("step.onnx"),
        folder.path().join("trees.onnx"),
    );
    std::fs::write(&step, write_step(&zeros, &notes)).unwrap();
    std::fs::write(&trees, write_forest(&forest, &Metadata::new())).unwrap();
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args([&step, &trees])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let expected = "\
location (2, 2) 0.000000 0.000000
scale (2, 2) 0.694147 0.694147
tail (2, 2) 2.693147 2.693147
h_next (2, 4) 0.122459 0.122459
c_next (2, 4) 0.250000 0.250000
{'forestall.seed': '7'}
score (2, 1) 0.500000 0.500000
{}
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

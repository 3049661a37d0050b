//! `forestall rig --plan`: many runs, listed in a file.

#[expect(dead_code, reason = "recordings are made here by the rig itself")]
mod run;

use std::fs;
use std::path::Path;

use run::forestall;

#[test]
fn a_plan_is_run_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    let text = "[defaults]\nfor = \"4s\"\nscrape = \"500ms\"\n\
        [[run]]\nkind = \"descriptors\"\nshape = \"flat\"\nlimit = 128\nseed = 1\n\
        [[run]]\nkind = \"descriptors\"\nshape = \"linear\"\nlimit = 128\nseed = 2\n";
    fs::write(&plan, text).unwrap();
    let out = folder.path().join("out");
    let (plan, out_text) = (plan.to_str().unwrap(), out.to_str().unwrap());
    let run = forestall(&["rig", "--plan", plan, "--out", out_text, "--jobs", "2"]).succeeds();
    assert!(run.out.starts_with("2 of 2 runs recorded"), "{}", run.out);
    assert!(run.out.contains("1 ran out"), "{}", run.out);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4);
    // The same plan again would write over what is there.
    let again = forestall(&["rig", "--plan", plan, "--out", out_text]).fails(1);
    assert!(again.err.contains("2 of 2 runs failed"), "{}", again.err);
    let hint = "another seed than 1 in the plan, or another --out";
    assert!(again.err.contains(hint), "{}", again.err);
}

#[test]
fn the_plans_that_come_along_are_well_formed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/rig");
    for (name, runs) in [("small.toml", 12), ("all.toml", 108)] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(rig::Plan::read(&text).unwrap().runs.len(), runs, "{name}");
    }
}

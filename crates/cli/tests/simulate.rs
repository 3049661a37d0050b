//! `forestall simulate` as a person meets it.

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use eval::exhaustion::episodes;
use run::forestall;

/// The files of a folder by name.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("a folder");
    entries
        .map(|entry| {
            let entry = entry.expect("listed");
            let name = entry.file_name().into_string().expect("text");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

#[test]
fn what_is_simulated_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("episodes");
    let path = out.to_str().unwrap();
    let simulate = |more: &[&str]| {
        let fixed = [
            "simulate",
            "--out",
            path,
            "--episodes",
            "6",
            "--time-scale",
            "20",
            "--hours",
            "3",
        ];
        forestall(&[&fixed[..], more].concat())
    };
    let rough = ["--several", "0.5", "--restarts", "0.5", "--gaps", "0.02"];
    let kinds = [
        "--kind",
        "memory,inodes,fd",
        "--events",
        "0.67",
        "--seed",
        "5",
    ];
    let run = simulate(&[&rough[..], &kinds[..]].concat()).succeeds();
    let first = files(&out);
    assert_eq!(first.len(), 12);

    // Whatever reads recordings of real faults reads these.
    let found = episodes(&out).unwrap();
    assert_eq!(found.len(), 6);
    let events = found
        .iter()
        .filter(|episode| episode.truth.exhausted)
        .count();
    assert!((3..=5).contains(&events), "{events}");
    let said = "6 episodes, ";
    assert!(run.out.contains(said), "{}", run.out);
    assert!(
        run.out.contains(&format!("Run to failure: {events} (")),
        "{}",
        run.out
    );
    let run = forestall(&["eval", "exhaustion", "--data", path, "--no-baselines"]).succeeds();
    for row in ["\nforestall ", "\nfd "] {
        assert!(run.out.contains(row), "{row:?} is not in\n{}", run.out);
    }

    // A folder is not overwritten unasked; asked, the same chances give the same bytes, and a stranger's file stays.
    let run = simulate(&kinds).fails(1);
    assert!(run.err.contains("is not empty\nhint: "), "{}", run.err);
    fs::write(out.join("sim-notes.txt"), "mine").unwrap();
    simulate(&[&rough[..], &kinds[..], &["--force"]].concat()).succeeds();
    let mut again = files(&out);
    assert_eq!(again.remove("sim-notes.txt").as_deref(), Some(&b"mine"[..]));
    assert!(first == again);
    simulate(&["--kind", "disk", "--seed", "6", "--force"]).succeeds();
    let other = files(&out);
    assert_eq!(other.len(), 13);
    assert!(first.keys().all(|name| !other.contains_key(name)));
}

#[test]
fn what_makes_no_sense_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    let path = path.to_str().unwrap();
    for (options, code, expected) in [
        (
            &["--events", "2"][..],
            1,
            "the share of events is 2, not between 0 and 1",
        ),
        (
            &["--kind", "memory", "--several", "1"],
            1,
            "memory is the only kind",
        ),
        (&["--kind", "ram"], 2, "invalid value 'ram'"),
        (&["--episodes", "0"], 2, "'0'"),
        (&["--hours", "0.2"], 1, "hours is 0.2"),
    ] {
        let run = forestall(&[&["simulate", "--out", path], options].concat()).fails(code);
        assert!(run.err.contains(expected), "{}", run.err);
    }
    assert!(!Path::new(path).exists(), "nothing is made for nothing");
}

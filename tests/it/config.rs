//! A configuration that cannot be used: all that is wrong with it, at once.

use std::fs;

use crate::harness::run;

#[test]
fn all_errors_of_a_file_are_told_at_once_and_nothing_starts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("forestall.toml");
    let text = "[server]\nlisten = \"not an address\"\ncolour = \"blue\"\n\
                [host]\ninterval_s = 0.0\ntop_processes = \"ten\"\n\
                [state]\nsnapshot_interval_s = -1.0\n\
                [engine.detectors.no_such_detector]\nenabled = true\n\
                [nonsense]\nx = 1\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    for args in [
        &[
            "serve",
            "--no-state",
            "--listen",
            "127.0.0.1:0",
            "--config",
            path,
        ][..],
        &["config", "check", path],
    ] {
        let complaint = run(args).fails();
        for key in [
            "server.listen",
            "server.colour",
            "host.interval_s",
            "host.top_processes",
            "state.snapshot_interval_s",
            "engine.detectors.no_such_detector",
            "nonsense",
        ] {
            let lines = complaint.lines().filter(|line| line.contains(key));
            assert_eq!(lines.count(), 1, "{key}: {complaint}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("latin1.toml"), b"[server]\nlisten = \"\xe9\"\n").unwrap();
    fs::write(path("broken.toml"), "[server]\n\nlisten = \n").unwrap();
    for (file, expected) in [
        (path("none.toml"), "No such file"),
        (path("."), "s a directory"),
        (path("latin1.toml"), "UTF-8"),
        (path("broken.toml"), "line 3"),
    ] {
        let complaint = run(&["serve", "--no-state", "--config", &file]).fails();
        assert!(
            complaint.contains(&file) && complaint.contains(expected),
            "{complaint}"
        );
    }
}

#[test]
fn what_config_print_prints_is_accepted_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("forestall.toml");
    fs::write(&path, run(&["config", "print"]).succeeds()).unwrap();
    run(&["config", "check", path.to_str().unwrap()]).succeeds();
}

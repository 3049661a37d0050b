//! However a run ends, nothing is left behind.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::may_mount;
use crate::run::command;

/// Processes whose command line holds `word`.
fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(word)).collect()
}

/// Starts a long run in a temporary folder of its own, and waits until its driver is there: the last part of a sandbox.
fn begin(kind: &str, temporary: &Path) -> Child {
    let log = temporary.join("said");
    let mut command = command(&["rig", kind, "--for", "2m"]);
    command
        .env("TMPDIR", temporary)
        .stderr(fs::File::create(&log).unwrap())
        .stdin(Stdio::null());
    let child = command.spawn().unwrap();
    within(Duration::from_secs(30), || {
        children(child.id())
            .iter()
            .any(|(_, line)| line.contains("__rig-driver"))
    });
    child
}

/// The children of a process, and their command lines.
fn children(parent: u32) -> Vec<(String, String)> {
    let ppid = format!("PPid:\t{parent}\n");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|entry| {
        fs::read_to_string(entry.path().join("status")).is_ok_and(|text| text.contains(&ppid))
    });
    ours.map(|entry| {
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        (entry.file_name().to_string_lossy().into_owned(), line)
    })
    .collect()
}

/// Whether a process is there, and not only waiting for its parent to notice its end.
fn is_alive(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

fn mounts(folder: &Path) -> usize {
    let text = fs::read_to_string("/proc/self/mounts").unwrap();
    text.lines()
        .filter(|line| line.contains(folder.to_str().unwrap()))
        .count()
}

/// Waits for something that nobody tells us of.
fn within(patience: Duration, happened: impl Fn() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < patience, "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// That neither processes nor folders, mounts or control groups of a run are left.
fn nothing_is_left(temporary: &Path, pid: u32) {
    let groups = || {
        let trees = fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten();
        let ours = format!("-{pid}-");
        trees
            .flat_map(|tree| fs::read_dir(tree.path()).into_iter().flatten().flatten())
            .filter(|entry| entry.file_name().to_string_lossy().contains(&ours))
            .count()
    };
    let folder = temporary.to_str().unwrap();
    within(Duration::from_secs(20), || {
        let folders = fs::read_dir(temporary).unwrap().count();
        processes_with(folder).is_empty() && folders == 1 && mounts(temporary) == 0 && groups() == 0
    });
}

#[test]
fn nothing_is_left_when_it_is_killed() {
    let temporary = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user, who has to get there.
    Command::new("chmod")
        .arg("755")
        .arg(temporary.path())
        .status()
        .unwrap();
    let kinds = if may_mount() {
        &["connections", "disk"][..]
    } else {
        &["connections"]
    };
    for kind in kinds {
        let mut child = begin(kind, temporary.path());
        let pid = child.id();
        let parts = children(pid);
        assert!(parts.len() >= 2, "driver and keeper: {parts:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        nothing_is_left(temporary.path(), pid);
        within(Duration::from_secs(10), || {
            !parts.iter().any(|(pid, _)| is_alive(pid))
        });
    }
}

#[test]
fn an_interrupt_ends_it_in_order() {
    let temporary = tempfile::tempdir().unwrap();
    Command::new("chmod")
        .arg("755")
        .arg(temporary.path())
        .status()
        .unwrap();
    let mut child = begin("connections", temporary.path());
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let said = fs::read_to_string(temporary.path().join("said")).unwrap();
    assert!(
        said.ends_with("error: interrupted; the sandbox is cleaned up\n"),
        "{said}"
    );
    nothing_is_left(temporary.path(), child.id());
}

#[test]
fn an_interrupt_waits_for_no_scrape() {
    let temporary = tempfile::tempdir().unwrap();
    let log = temporary.path().join("said");
    let args = ["rig", "descriptors", "--for", "4m", "--scrape", "60s"];
    let mut child = command(&args)
        .stderr(fs::File::create(&log).unwrap())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    within(Duration::from_secs(30), || {
        let parts = children(child.id());
        parts.iter().any(|(_, line)| line.contains("__rig-driver"))
    });
    // The first scrape is over at once.
    std::thread::sleep(Duration::from_secs(2));
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let begin = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(20));
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains("error: interrupted"), "{said}");
}

//! Finds the binary under test, and runs it to its end.
//!
//! Cargo tells a test where the binaries of its own package are, and of no other. So: `forestall` is built into the
//! folder that our own `hog` came from. When it is there already and newer than every file it was made from, as after
//! `cargo nextest run --workspace`, nothing is built: a second build under other features would cost minutes.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::LIMIT;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Run {
    /// What it printed.
    #[track_caller]
    pub(crate) fn succeeds(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// What it complained of; a complaint is no crash.
    #[track_caller]
    pub(crate) fn fails(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

/// The binary, without what the developer's own environment would tell it.
pub(crate) fn command(args: &[&str]) -> Command {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(BINARY.get_or_init(binary));
    for name in ["FORESTALL_ADDR", "FORESTALL_TOKEN_FILE", "FORESTALL_TLS_CA"] {
        command.env_remove(name);
    }
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to the end.
pub(crate) fn run(args: &[&str]) -> Run {
    let mut child = command(args).spawn().unwrap();
    let out = collect(child.stdout.take().unwrap());
    let err = collect(child.stderr.take().unwrap());
    let code = wait(&mut child, args);
    Run {
        out: out.join().unwrap(),
        err: err.join().unwrap(),
        code,
    }
}

/// Waits for the end, and ends what would not.
fn wait(child: &mut Child, args: &[&str]) -> Option<i32> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begin.elapsed() > LIMIT {
            let _ = child.kill();
            panic!(
                "forestall {args:?} did not end within {} s",
                LIMIT.as_secs()
            );
        }
        // std has no wait with a limit.
        thread::sleep(Duration::from_millis(5));
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

fn binary() -> PathBuf {
    // Such as target/debug/hog.
    let folder = Path::new(env!("CARGO_BIN_EXE_hog")).parent().unwrap();
    let binary = folder.join("forestall");
    if !is_fresh(&binary) {
        build(folder);
    }
    binary
}

/// Whether the binary is newer than all that it was made from, as listed beside it by cargo.
fn is_fresh(binary: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let Some((made, list)) =
        modified(binary).zip(fs::read_to_string(binary.with_extension("d")).ok())
    else {
        return false;
    };
    let older = |path: &str| modified(Path::new(path)).is_some_and(|at: SystemTime| at <= made);
    // `binary: source source…`, with blanks in names escaped.
    let list = list.replace("\\ ", "\0");
    let mut sources = list.split_whitespace().skip(1);
    sources.all(|source| older(&source.replace('\0', " ")))
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--package", "forestall", "--target-dir"])
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("cargo build --package forestall failed");
    }
}

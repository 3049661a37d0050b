//! The test suite, step by step. Every step runs even when one before it failed: one run shows all there is to mend.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::count::{Count, in_line};
use crate::needs;
use crate::{cargo, is_ci};

/// What has come of the steps so far.
struct Report {
    started: Instant,
    steps: usize,
    failed: Vec<&'static str>,
    skipped: Vec<&'static str>,
    tests: Count,
}

/// Which stream of a step carries the counts of tests.
#[derive(Clone, Copy)]
enum Counted {
    Neither,
    Stdout,
    Stderr,
}

impl Report {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            steps: 0,
            failed: Vec::new(),
            skipped: Vec::new(),
            tests: Count::default(),
        }
    }

    fn step(&mut self, name: &'static str, mut command: Command, counted: Counted) -> Result<()> {
        self.steps += 1;
        println!("\n=== {name}: {}", words(&command));
        let status = match counted {
            Counted::Neither => command.status(),
            Counted::Stdout => {
                command.stdout(Stdio::piped());
                self.watch(&mut command)
            }
            Counted::Stderr => {
                command.stderr(Stdio::piped());
                self.watch(&mut command)
            }
        };
        if !status
            .with_context(|| format!("starting {}", words(&command)))?
            .success()
        {
            self.failed.push(name);
        }
        Ok(())
    }

    /// Runs a command whose one piped stream is passed on line by line, and read.
    fn watch(&mut self, command: &mut Command) -> std::io::Result<std::process::ExitStatus> {
        if std::io::stderr().is_terminal() {
            // The pipe hides from the command that a person is watching.
            command.env("CARGO_TERM_COLOR", "always");
        }
        let mut child = command.spawn()?;
        let stream: Option<Box<dyn std::io::Read>> =
            match (child.stdout.take(), child.stderr.take()) {
                (Some(stdout), _) => Some(Box::new(stdout)),
                (None, Some(stderr)) => Some(Box::new(stderr)),
                (None, None) => None,
            };
        if let Some(stream) = stream {
            for line in BufReader::new(stream).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                self.tests += in_line(&line);
                println!("{line}");
            }
        }
        child.wait()
    }

    fn skip(&mut self, name: &'static str, how: &str) {
        println!("\n=== {name}: skipped; {how}");
        self.skipped.push(name);
    }

    /// Prints the closing lines; whether all is well.
    fn close(self) -> bool {
        let seconds = self.started.elapsed().as_secs();
        println!(
            "\n{} steps in {} min {} s",
            self.steps,
            seconds / 60,
            seconds % 60
        );
        if !self.skipped.is_empty() {
            println!("skipped: {}", self.skipped.join(", "));
        }
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        self.failed.is_empty()
    }
}

/// As a person would type it.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Everything.
pub(crate) fn test() -> Result<bool> {
    if !needs::meet()? {
        return Ok(false);
    }
    let mut report = Report::new();
    check(&mut report)?;
    if needs::on_path("cargo-nextest").is_some() {
        report.step(
            "tests",
            cargo("nextest run --workspace --no-fail-fast"),
            Counted::Stderr,
        )?;
    } else {
        report.step(
            "tests",
            cargo("test --workspace --lib --bins --tests --no-fail-fast"),
            Counted::Stdout,
        )?;
    }
    report.step(
        "doc tests",
        cargo("test --workspace --doc --no-fail-fast"),
        Counted::Stdout,
    )?;
    let tests = report.tests;
    let well = report.close();
    println!("{} passed, {} failed", tests.passed, tests.failed);
    Ok(well)
}

/// Everything that needs no test to run.
pub(crate) fn lint() -> Result<bool> {
    let mut report = Report::new();
    check(&mut report)?;
    Ok(report.close())
}

fn check(report: &mut Report) -> Result<()> {
    report.step("format", cargo("fmt --all --check"), Counted::Neither)?;
    // A build server must not mend the lock file behind our backs.
    let locked = if is_ci() { "--locked" } else { "" };
    let clippy = format!("clippy --workspace --all-targets {locked} -- -D warnings");
    report.step("clippy", cargo(&clippy), Counted::Neither)?;
    let mut doc = cargo("doc --workspace --no-deps");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    report.step("documentation", doc, Counted::Neither)?;
    if needs::on_path("cargo-deny").is_some() {
        // Advisories need the network and change by the day: `cargo deny check` by hand.
        report.step(
            "dependencies",
            cargo("deny --offline check bans licenses sources"),
            Counted::Neither,
        )?;
    } else {
        report.skip(
            "dependencies",
            "cargo-deny is not there: cargo install --locked cargo-deny",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_after_a_failed_one_run_and_are_counted() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let mut report = Report::new();
        report
            .step(
                "one",
                shell("echo 'test result: FAILED. 2 passed; 1 failed'; exit 1"),
                Counted::Stdout,
            )
            .unwrap();
        report
            .step(
                "two",
                shell("echo '  Summary [ 1s] 4 tests run: 4 passed' >&2"),
                Counted::Stderr,
            )
            .unwrap();
        report
            .step("three", shell("exit 3"), Counted::Neither)
            .unwrap();
        assert_eq!(
            report.tests,
            Count {
                passed: 6,
                failed: 1
            }
        );
        assert_eq!(
            (&report.failed[..], report.steps),
            (&["one", "three"][..], 3)
        );
        assert!(!report.close());
    }
}

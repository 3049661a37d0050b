//! What is done to this repository by command: `cargo xtask test`, `lint`, `bench`. A crate because it fences what
//! only developers need; nothing imports it.

#![expect(
    clippy::print_stdout,
    reason = "a command speaks to the one who gave it"
)]

mod bench;
mod count;
mod criterion;
mod machine;
mod needs;
mod python;
mod suite;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What is done to this repository by command.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole suite: what `lint` checks, all tests, all examples in the documentation.
    ///
    /// Installs the Debian packages that tests need when it may, and otherwise says which. With the environment
    /// variable CI set, a need that is not met fails the run.
    Test,
    /// Format, clippy, documentation, dependencies.
    Lint,
    /// Runs the benchmarks and writes one table: target/bench/table.md and table.json.
    Bench(bench::Options),
    /// What the tests need besides Rust, and whether it is there.
    Needs,
    /// Fetches the native ONNX Runtime into target/onnxruntime: a pinned version, held against its checksum.
    Onnxruntime,
    /// Makes target/python, with what the tests need of Python: pinned versions.
    Python,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test => suite::test(),
        Command::Lint => suite::lint(),
        Command::Bench(options) => bench::run(&options),
        Command::Needs => needs::list(),
        Command::Onnxruntime => python::runtime(),
        Command::Python => python::environment(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace, wherever the command is given.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// `cargo` with arguments, at the root: the cargo that started us, so that a toolchain override holds.
fn cargo(arguments: &str) -> std::process::Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command
        .current_dir(root())
        .args(arguments.split_whitespace());
    command
}

/// Whether this is the build server rather than a person.
fn is_ci() -> bool {
    std::env::var_os("CI")
        .is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

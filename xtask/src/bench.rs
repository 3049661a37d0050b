//! The benchmarks, gathered into one table.
//!
//! Two kinds: binaries in `benches/src/bin`, which print one [`Figure`] per line as JSON on standard output (other
//! lines are for people) and measure the engine as a whole; and criterion's micro-benches in `crates/*/benches`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::criterion;
use crate::machine::Machine;
use crate::table::{Figure, Section, Table};
use crate::{cargo, root};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only benchmarks whose name contains this, as `hotpath` or `predict`; the table then holds only those.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// A Python with torch: trainings are run in it too, and the ratio is printed.
    #[arg(long, value_name = "PATH")]
    torch: Option<PathBuf>,
    /// A Python with mlserver and onnxruntime: it serves the same model under the same load.
    #[arg(long, value_name = "PATH")]
    mlserver: Option<PathBuf>,
}

impl Options {
    /// The interpreter that a benchmark compares with, if one was named.
    fn python(&self, name: &str) -> Option<&Path> {
        match name {
            "train" => self.torch.as_deref(),
            "inference" => self.mlserver.as_deref(),
            _ => None,
        }
    }
}

/// Runs the benchmarks and writes the table.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let chosen = |name: &str| {
        options
            .only
            .as_ref()
            .is_none_or(|text| name.contains(text.as_str()))
    };
    let metadata = metadata()?;
    let mut sections = Vec::new();
    for (package, name) in
        targets(&metadata, "bin").filter(|(package, name)| *package == "benches" && chosen(name))
    {
        sections.push(binary(package, name, options.python(name))?);
    }
    for (package, name) in
        targets(&metadata, "bench").filter(|(package, name)| chosen(package) || chosen(name))
    {
        sections.push(micro(&metadata, package, name, None)?);
        if package == "onnx" {
            // Once more without the native runtime: on the one that is always there.
            sections.push(micro(&metadata, package, name, Some("none"))?);
        }
    }
    if sections.is_empty() {
        bail!(
            "no benchmark's name contains {:?}",
            options.only.as_deref().unwrap_or_default()
        );
    }
    let table = Table {
        machine: Machine::here(),
        sections,
    };
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    write(&folder.join("table.md"), &table.markdown())?;
    write(
        &folder.join("table.json"),
        &serde_json::to_string_pretty(&table)?,
    )?;
    println!("\n{}", table.markdown());
    println!("written to target/bench/table.md and table.json");
    Ok(true)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn metadata() -> Result<Value> {
    let output = cargo("metadata --no-deps --format-version 1")
        .output()
        .context("running cargo metadata")?;
    serde_json::from_slice(&output.stdout).context("reading what cargo metadata prints")
}

/// Package and name of each target of a kind.
fn targets<'a>(metadata: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let list = |value: &'a Value| value.as_array().into_iter().flatten();
    list(&metadata["packages"]).flat_map(move |package| {
        let of_kind = list(&package["targets"])
            .filter(move |target| list(&target["kind"]).any(|k| k == kind));
        of_kind.filter_map(|target| Some((package["name"].as_str()?, target["name"].as_str()?)))
    })
}

fn binary(package: &str, name: &str, python: Option<&Path>) -> Result<Section> {
    let arguments = format!("run --release --package {package} --bin {name}");
    let command = announce(&arguments);
    let mut run = cargo(&arguments);
    if let Some(python) = python {
        run.args(["--", "--python"]).arg(python);
    }
    let mut child = run
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command}"))?;
    let mut figures = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.with_context(|| format!("reading what {command} prints"))?;
            println!("{line}");
            if line.starts_with('{') {
                let figure: Figure = serde_json::from_str(&line)
                    .with_context(|| format!("{name} printed {line}"))?;
                figures.push(figure);
            }
        }
    }
    if !child.wait()?.success() {
        bail!("{command} failed");
    }
    Ok(Section { command, figures })
}

#[expect(
    clippy::disallowed_methods,
    reason = "held against the times of files, which are the system's"
)]
fn micro(
    metadata: &Value,
    package: &str,
    name: &str,
    onnxruntime: Option<&str>,
) -> Result<Section> {
    let arguments = format!("bench --package {package} --bench {name}");
    let command = announce(&arguments);
    let started = SystemTime::now();
    let mut run = spread_to_files(cargo(&arguments));
    if let Some(place) = onnxruntime {
        run.env("FORESTALL_ONNXRUNTIME", place);
    }
    let status = run
        .status()
        .with_context(|| format!("starting {command}"))?;
    if !status.success() {
        bail!("{command} failed");
    }
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names no target directory")?;
    Ok(Section {
        command,
        figures: criterion::figures(&Path::new(target).join("criterion"), started)?,
    })
}

/// No plots: only the samples are read.
fn spread_to_files(mut command: Command) -> Command {
    command.args(["--", "--noplot"]);
    command
}

fn announce(arguments: &str) -> String {
    let command = format!("cargo {arguments}");
    println!("\n=== {command}");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_kind() {
        let metadata = serde_json::json!({"packages": [
            {"name": "a", "targets": [{"name": "x", "kind": ["bench"]}, {"name": "a", "kind": ["lib"]}]},
            {"name": "benches", "targets": [{"name": "hot", "kind": ["bin"]}]},
        ]});
        assert_eq!(
            targets(&metadata, "bench").collect::<Vec<_>>(),
            [("a", "x")]
        );
        assert_eq!(
            targets(&metadata, "bin").collect::<Vec<_>>(),
            [("benches", "hot")]
        );
    }
}

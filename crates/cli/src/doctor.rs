//! `forestall doctor`: what this installation runs on, and what is wrong with it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use features::{SCHEMA, schema_hash};
use onnx::{Backend, FORECASTER, Golden, Options};
use predict::forecast::Kernel;
use rustix::fs::{Access, access};
use serde::Serialize;
use server::Config;

const EXAMPLES: &str = "\
Examples:
  forestall doctor
  forestall doctor --config forestall.toml --json

The native ONNX Runtime is looked for near the binary and where the system keeps libraries.
FORESTALL_ONNXRUNTIME names its file or folder instead; `none` asks for the runtime in pure Rust.";

/// Says which runtime models run on and why, and whether all is well.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Configuration file to look at; without it, the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
}

/// Everything that is found.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    architecture: &'static str,
    processors: usize,
    runtime: Runtime,
    /// Instructions that our own kernel uses.
    kernel: &'static str,
    features: usize,
    schema_hash: String,
    directories: Vec<Directory>,
    limits: Vec<Limit>,
    /// What is broken; empty when all is well.
    problems: Vec<String>,
}

/// The runtime of models.
#[derive(Debug, Serialize)]
struct Runtime {
    name: String,
    library: Option<PathBuf>,
    /// Where no library could be loaded, and why.
    tried: Vec<(PathBuf, String)>,
    why: String,
}

/// A directory that `serve` would use.
#[derive(Debug, Serialize)]
struct Directory {
    what: &'static str,
    path: Option<PathBuf>,
    state: String,
}

#[derive(Debug, Serialize)]
struct Limit {
    key: &'static str,
    value: String,
}

/// Runs it.
///
/// # Errors
/// When something is broken, after the report; or when standard output cannot be written.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let report = examine(args.config.as_deref());
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print(&report, &mut out)?;
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => bail!("one thing is broken"),
        n => bail!("{n} things are broken"),
    }
}

fn examine(config: Option<&Path>) -> Report {
    let mut problems = Vec::new();
    let config = match config.map(Config::load) {
        None => Config::default(),
        Some(Ok(config)) => config,
        Some(Err(error)) => {
            problems.push(error.to_string());
            Config::default()
        }
    };
    let runtime = runtime(&mut problems);
    let directories = directories(&config, &mut problems);
    let limit = |key, value: String| Limit { key, value };
    Report {
        version: env!("CARGO_PKG_VERSION"),
        architecture: std::env::consts::ARCH,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        runtime,
        kernel: Kernel::instructions(),
        features: SCHEMA.len(),
        schema_hash: format!("{:#018x}", schema_hash()),
        directories,
        limits: vec![
            limit(
                "models.max_model_bytes",
                config.models.max_model_bytes.to_string(),
            ),
            limit(
                "inference.max_models",
                config.inference.max_models.to_string(),
            ),
            limit(
                "inference.max_batch",
                config.inference.max_batch.to_string(),
            ),
            limit(
                "inference.max_tensor_bytes",
                config.inference.max_tensor_bytes.to_string(),
            ),
            limit(
                "server.max_message_bytes",
                config.server.max_message_bytes.to_string(),
            ),
            limit("capture.max_bytes", config.capture.max_bytes.to_string()),
        ],
        problems,
    }
}

/// Which runtime there is, and whether it computes what it should.
fn runtime(problems: &mut Vec<String>) -> Runtime {
    let choice = onnx::chosen();
    let named = std::env::var_os("FORESTALL_ONNXRUNTIME").filter(|value| !value.is_empty());
    let (library, why) = match (&choice.backend, &named) {
        (Backend::OnnxRuntime { path, .. }, Some(_)) => {
            (Some(path.clone()), "FORESTALL_ONNXRUNTIME names it")
        }
        (Backend::OnnxRuntime { path, .. }, None) => (Some(path.clone()), "its library was found"),
        (Backend::Tract, Some(name)) if name == onnx::NO_RUNTIME => {
            (None, "FORESTALL_ONNXRUNTIME says none")
        }
        (Backend::Tract, _) => (None, "no library of ONNX Runtime could be loaded"),
    };
    if let (Backend::Tract, Some(name)) = (&choice.backend, &named)
        && name != onnx::NO_RUNTIME
    {
        let name = name.to_string_lossy();
        let reason = choice.tried.first().map_or("", |(_, reason)| reason);
        problems.push(format!(
            "FORESTALL_ONNXRUNTIME is {name:?}, but there is no runtime: {reason}"
        ));
    }
    if let Some(reason) = choice.broken() {
        problems.push(format!("{} does not start: {reason}", choice.backend));
    } else if let Err(reason) = golden() {
        problems.push(format!(
            "{} does not compute the built-in model as it should: {reason:#}",
            choice.backend
        ));
    }
    Runtime {
        name: choice.backend.to_string(),
        library,
        tried: choice.tried.clone(),
        why: why.to_owned(),
    }
}

/// The built-in model against its golden file: on the runtime, and on our kernel.
fn golden() -> anyhow::Result<()> {
    let golden = Golden::parse(FORECASTER.golden)?;
    golden.verify(&*onnx::load(FORECASTER.model, &Options::default())?)?;
    golden.verify_step(&*onnx::default_step_model()?)?;
    Ok(())
}

fn directories(config: &Config, problems: &mut Vec<String>) -> Vec<Directory> {
    let state = config.state.resolved_dir().filter(|_| config.state.enabled);
    let capture = Some(&config.capture.dir).filter(|dir| !dir.as_os_str().is_empty());
    let wanted = [
        ("state", state),
        ("models", config.models.resolved_dir(&config.state)),
        ("capture", capture.cloned()),
    ];
    wanted
        .into_iter()
        .map(|(what, path)| {
            let state = match path.as_deref().map(writable) {
                None => "off".to_owned(),
                Some(Ok(state)) => state.to_owned(),
                Some(Err(problem)) => {
                    problems.push(format!("the directory for {what} {problem}"));
                    problem
                }
            };
            Directory { what, path, state }
        })
        .collect()
}

/// Whether a directory can be written, or made where it is not there yet. Nothing is written to find out.
fn writable(path: &Path) -> Result<&'static str, String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let there = path.ancestors().find(|path| path.exists());
    let Some(there) = there else {
        return Err(format!("cannot be made: {}", path.display()));
    };
    if !there.is_dir() {
        return Err(format!("cannot be used: {} is a file", there.display()));
    }
    access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("cannot be written: {}: {error}", there.display()))?;
    Ok(if there == path {
        "writable"
    } else {
        "will be made"
    })
}

fn print(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let plural = if report.processors == 1 { "" } else { "s" };
    writeln!(
        out,
        "forestall {}, {}, {} processor{plural}\n",
        report.version, report.architecture, report.processors
    )?;
    let runtime = &report.runtime;
    writeln!(out, "runtime   {}: {}", runtime.name, runtime.why)?;
    if let Some(library) = &runtime.library {
        writeln!(out, "          {}", library.display())?;
    }
    for (place, reason) in &runtime.tried {
        writeln!(out, "          not {}: {reason}", place.display())?;
    }
    if runtime.library.is_none() {
        writeln!(
            out,
            "          the pure-Rust runtime serves, at a third of the speed; `cargo xtask onnxruntime` fetches the native one"
        )?;
    }
    writeln!(
        out,
        "kernel    {}, for plain steps of an LSTM",
        report.kernel
    )?;
    writeln!(
        out,
        "features  {}, schema {}",
        report.features, report.schema_hash
    )?;
    writeln!(out)?;
    let shown = |directory: &Directory| match &directory.path {
        Some(path) => path.display().to_string(),
        None => "-".to_owned(),
    };
    let widths = report.directories.iter().map(|d| shown(d).chars().count());
    let width = widths.max().unwrap_or(0);
    for directory in &report.directories {
        let path = shown(directory);
        writeln!(
            out,
            "{:<9} {path:<width$}  {}",
            directory.what, directory.state
        )?;
    }
    writeln!(out)?;
    for limit in &report.limits {
        writeln!(out, "{:<28} {}", limit.key, limit.value)?;
    }
    writeln!(out)?;
    for problem in &report.problems {
        writeln!(out, "broken: {problem}")?;
    }
    if report.problems.is_empty() {
        writeln!(
            out,
            "all is well: the runtime and the kernel give the golden numbers of the built-in model"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_looked_at_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(writable(folder.path()), Ok("writable"));
        let below = folder.path().join("a/b");
        assert_eq!(writable(&below), Ok("will be made"));
        assert!(!below.exists());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(writable(&file.join("x")).unwrap_err().contains("is a file"));
    }

    #[test]
    fn a_bad_configuration_is_broken_and_the_rest_is_told() {
        let report = examine(Some(Path::new("/no/such/file.toml")));
        assert!(
            report
                .problems
                .iter()
                .any(|p| p.contains("/no/such/file.toml")),
            "{report:?}"
        );
        assert!(report.schema_hash.starts_with("0x"));
        let mut text = Vec::new();
        print(&report, &mut text).unwrap();
        assert!(String::from_utf8(text).unwrap().contains("broken: "));
    }
}

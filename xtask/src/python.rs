//! `cargo xtask python` and `cargo xtask onnxruntime`: what comes from the index that pip is set up with.
//!
//! Nothing of it is needed to build or to run Forestall. Both commands do nothing when all is in place already.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{needs, root};

/// The version of the wheel in `python/onnxruntime.txt`.
const RUNTIME: &str = "1.31.1";
/// One wheel per machine, whatever the Python here: the library inside knows nothing of Python.
const WHEEL_PYTHON: &str = "312";
/// SHA-256 of the library inside the wheel, by architecture.
const LIBRARIES: [(&str, &str); 2] = [
    (
        "x86_64",
        "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    ),
    (
        "aarch64",
        "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    ),
];

/// The Python that tests run.
fn interpreter() -> PathBuf {
    root().join("target/python/bin/python3")
}

/// Makes the environment `target/python` with what the tests need.
pub(crate) fn environment() -> Result<bool> {
    let folder = root().join("target/python");
    let requirements = root().join("xtask/python/tests.txt");
    let wanted = fs::read_to_string(&requirements).context("reading xtask/python/tests.txt")?;
    let done = folder.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) && interpreter().exists() {
        println!("python: {} is up to date", shown(&folder));
        return Ok(true);
    }
    ensure!(
        needs::on_path("python3").is_some(),
        "there is no python3: apt-get install python3-venv"
    );
    println!("python: making {}", shown(&folder));
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    run(&mut venv).context("making a virtual environment: apt-get install python3-venv")?;
    let mut install = pip(["install", "--only-binary", ":all:", "-r"]);
    run(install.arg(&requirements))
        .context("installing xtask/python/tests.txt, which needs the network once")?;
    fs::write(&done, wanted)?;
    Ok(true)
}

/// Puts the pinned library of ONNX Runtime into `target/onnxruntime/lib`, where binaries under `target` find it.
pub(crate) fn runtime() -> Result<bool> {
    let folder = root().join("target/onnxruntime");
    let name = format!("libonnxruntime.so.{RUNTIME}");
    let library = folder.join("lib").join(&name);
    let architecture = std::env::consts::ARCH;
    let Some((_, expected)) = LIBRARIES.iter().find(|(arch, _)| *arch == architecture) else {
        bail!(
            "there is no pinned library for {architecture}; models run on tract, or set FORESTALL_ONNXRUNTIME to a \
             library of your own"
        );
    };
    if fs::read(&library).is_ok_and(|bytes| digest(&bytes) == *expected) {
        println!("onnxruntime: {} is up to date", shown(&library));
        return Ok(true);
    }
    environment()?;
    let scratch = folder.join("download");
    let _absent = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    println!("onnxruntime: fetching the wheel of {RUNTIME} for {architecture}");
    let platform = format!("manylinux_2_28_{architecture}");
    let abi = format!("cp{WHEEL_PYTHON}");
    let mut download = pip([
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--implementation",
        "cp",
        "--python-version",
        WHEEL_PYTHON,
        "--abi",
        &abi,
        "--platform",
        &platform,
        "--require-hashes",
        "-r",
    ]);
    download.arg(root().join("xtask/python/onnxruntime.txt"));
    run(download.arg("-d").arg(&scratch))
        .context("fetching the wheel, which needs the network once")?;
    let wheel = fs::read_dir(&scratch)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension() == Some(OsStr::new("whl")))
        .context("pip brought no wheel")?;
    let mut unpack = Command::new(interpreter());
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel);
    run(unpack.arg(&scratch)).context("unpacking the wheel")?;
    let inside = scratch.join("onnxruntime");
    let bytes = fs::read(inside.join("capi").join(&name)).context("the wheel holds no library")?;
    let found = digest(&bytes);
    ensure!(
        found == *expected,
        "the library in the wheel has SHA-256 {found}, expected {expected}"
    );
    fs::create_dir_all(folder.join("lib"))?;
    // Written beside and renamed: a process that has the old one mapped keeps it whole.
    let beside = library.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, &library)?;
    for licence in ["LICENSE", "ThirdPartyNotices.txt"] {
        fs::copy(inside.join(licence), folder.join(licence))
            .with_context(|| format!("the wheel holds no {licence}"))?;
    }
    fs::remove_dir_all(&scratch)?;
    println!("onnxruntime: {}", shown(&library));
    Ok(true)
}

/// The environment's own pip: the system's may be missing.
fn pip<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(interpreter());
    command.args([
        "-m",
        "pip",
        "-q",
        "--disable-pip-version-check",
        "--no-input",
    ]);
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("starting {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path as it looks from the root.
fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_pin_the_same_runtime() {
        for list in ["tests.txt", "onnxruntime.txt"] {
            let text = fs::read_to_string(root().join("xtask/python").join(list)).unwrap();
            assert!(
                text.contains(&format!("\nonnxruntime=={RUNTIME}")),
                "{list}"
            );
            let pinned = |line: &str| line.contains("==") || line.trim().starts_with("--hash");
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            assert!(lines.into_iter().all(pinned), "{list}");
        }
    }

    #[test]
    fn digests_are_hexadecimal() {
        assert!(digest(b"").starts_with("e3b0c44298fc1c14"));
        assert!(LIBRARIES.iter().all(|(_, sha256)| sha256.len() == 64));
    }
}

//! What the tests need besides Rust, and how it comes onto the machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::{is_ci, python};

/// One Debian package that tests need.
struct Need {
    package: &'static str,
    /// Found on the path when the package is there.
    binary: &'static str,
    why: &'static str,
}

/// Everything the suite needs. Add a line with the test that needs it; remove it with the last one.
const NEEDS: &[Need] = &[
    Need {
        package: "gcc",
        binary: "cc",
        why: "links the tests, and builds the C inside ring and zstd",
    },
    Need {
        package: "python3-venv",
        binary: "python3",
        why: "checks our models with the tools of others: cargo xtask python",
    },
    Need {
        package: "postgresql",
        binary: "initdb",
        why: "runs out of connections: forestall rig connections",
    },
];

/// Where Debian keeps the programs of PostgreSQL, by version: not on the path.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Whether a need is met. Debian's Python comes without what makes an environment, so that is asked for by name.
fn is_met(need: &Need) -> bool {
    let Some(program) = place(need) else {
        return false;
    };
    if need.package != "python3-venv" {
        return true;
    }
    let probe = Command::new(program)
        .args(["-c", "import ensurepip, venv"])
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Where the program of a need is.
fn place(need: &Need) -> Option<PathBuf> {
    let in_folder = || {
        let versions = std::fs::read_dir(POSTGRES).into_iter().flatten().flatten();
        let mut programs = versions.map(|version| version.path().join("bin").join(need.binary));
        programs.find(|program| program.is_file())
    };
    on_path(need.binary).or_else(in_folder)
}

/// What is missing, and could be had by `apt-get`.
fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !is_met(need)).collect()
}

/// Where a program is, if it can be started by name.
pub(crate) fn on_path(binary: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(binary))
        .find(|file| file.is_file())
}

/// Prints the table of needs.
pub(crate) fn list() -> Result<bool> {
    for need in NEEDS {
        let place = match place(need).filter(|_| is_met(need)) {
            Some(path) => path.display().to_string(),
            None => "missing".to_owned(),
        };
        println!("{:<14} {:<24} {}", need.package, place, need.why);
    }
    Ok(missing().is_empty())
}

/// Installs what is missing if that is possible without asking; otherwise says how. `Ok(false)` when something the
/// suite cannot do without is still missing.
pub(crate) fn meet() -> Result<bool> {
    if !packages()? {
        return Ok(false);
    }
    // From the network, once: what tests compare our models with.
    let fetched = python::environment().and_then(|_| python::runtime());
    if let Err(error) = fetched {
        println!("missing: {error:#}");
        if is_ci() {
            return Ok(false);
        }
        println!("going on without; the tests that need it will fail");
    }
    Ok(true)
}

fn packages() -> Result<bool> {
    let wanted = missing();
    if wanted.is_empty() {
        return Ok(true);
    }
    for need in &wanted {
        println!("missing: {} ({}): {}", need.binary, need.package, need.why);
    }
    let packages: Vec<_> = wanted.iter().map(|need| need.package).collect();
    if let Some(prefix) = may_install() {
        println!("installing {}", packages.join(" "));
        // The lists of packages may be older than the mirror, or absent as in a fresh container.
        if !apt_get(prefix, &["install"], &packages) {
            apt_get(prefix, &["update"], &[]);
            apt_get(prefix, &["install"], &packages);
        }
    }
    if missing().is_empty() {
        return Ok(true);
    }
    println!(
        "please install what the tests need:\n    sudo apt-get install {}",
        packages.join(" ")
    );
    if !is_ci() {
        println!("going on without; the tests that need it will fail");
    }
    Ok(!is_ci())
}

/// How `apt-get` can be run without a password: nothing before it as root, `sudo -n` if that works; `None` if not.
fn may_install() -> Option<&'static [&'static str]> {
    on_path("apt-get")?;
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    let sudo = Command::new("sudo")
        .args(["-n", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    sudo.is_ok_and(|status| status.success())
        .then_some(&["sudo", "-n"])
}

fn apt_get(prefix: &[&str], verb: &[&str], packages: &[&str]) -> bool {
    let quiet = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
        "--no-install-recommends",
    ];
    let words: Vec<_> = [prefix, &quiet, verb, packages].concat();
    Command::new(words[0])
        .args(&words[1..])
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_programs_and_only_those() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-here").is_none());
    }
}

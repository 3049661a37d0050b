//! Where the library of ONNX Runtime may be.

use std::path::{Path, PathBuf};

/// What to say instead of a place to be served by the pure-Rust runtime, whatever is installed.
pub const NO_RUNTIME: &str = "none";

/// Where a distribution, or an administrator, puts libraries.
const SYSTEM_FOLDERS: [&str; 4] = [
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
];

/// Folders that are looked into, from the folder of the binary upwards: `../onnxruntime/lib` is where
/// `cargo xtask onnxruntime` puts it, `../lib` where an installation would.
const NEAR_THE_BINARY: [&str; 2] = ["onnxruntime/lib", "lib"];
/// How far up: `target/debug/deps` is three below `target`.
const LEVELS: usize = 3;

/// The places that are tried, in order.
///
/// A setting, or else the environment variable `FORESTALL_ONNXRUNTIME`, names a file or a folder and then is the only
/// place; `none` is no place at all. Otherwise: beside the binary, folders near it, and the system's own.
#[must_use]
pub fn default_places(setting: Option<&Path>) -> Vec<PathBuf> {
    let named = match setting {
        Some(path) if !path.as_os_str().is_empty() => Some(path.to_owned()),
        _ => std::env::var_os("FORESTALL_ONNXRUNTIME")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from),
    };
    match named {
        Some(path) if path.as_os_str() == NO_RUNTIME => Vec::new(),
        Some(path) => vec![path],
        None => near(std::env::current_exe().ok().as_deref()),
    }
}

/// Places near a binary, then folders of the system.
fn near(binary: Option<&Path>) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let folders = binary.into_iter().flat_map(|b| b.ancestors().skip(1));
    for (level, folder) in folders.take(LEVELS).enumerate() {
        if level == 0 {
            places.push(folder.to_owned());
        }
        places.extend(NEAR_THE_BINARY.map(|near| folder.join(near)));
    }
    places.extend(SYSTEM_FOLDERS.map(PathBuf::from));
    // A library is tried once: two ways to the same folder would be two tries.
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.clone()));
    places
}

/// The library in a place: the place itself, or the newest library in a folder.
///
/// # Errors
/// A sentence when there is none.
pub(crate) fn library(place: &Path) -> Result<PathBuf, String> {
    if !place.is_absolute() && place.components().count() == 1 && !place.exists() {
        // A bare name is for the system's loader to find.
        return Ok(place.to_owned());
    }
    if !place.is_dir() {
        return match place.exists() {
            true => absolute(place),
            false => Err("does not exist".to_owned()),
        };
    }
    let entries = std::fs::read_dir(place).map_err(|error| error.to_string())?;
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((version_of(&entry.path())?, entry.path())))
        .collect();
    found.sort();
    let newest = found.pop().ok_or("holds no libonnxruntime.so")?;
    absolute(&newest.1)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
}

/// The numbers behind `libonnxruntime.so` in the name of a file; none for the bare name. `None` for other files.
pub(crate) fn version_of(path: &Path) -> Option<Vec<u32>> {
    let rest = path
        .file_name()?
        .to_str()?
        .strip_prefix("libonnxruntime.so")?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let numbers = rest.strip_prefix('.')?.split('.');
    numbers.map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_place_is_the_only_one() {
        assert_eq!(
            default_places(Some(Path::new("/x/y"))),
            [PathBuf::from("/x/y")]
        );
        assert_eq!(default_places(Some(Path::new("none"))), [] as [PathBuf; 0]);
    }

    #[test]
    fn near_a_binary_under_target() {
        let places = near(Some(Path::new("/w/target/debug/deps/test")));
        for expected in [
            "/w/target/debug/deps",
            "/w/target/onnxruntime/lib",
            "/w/target/lib",
            "/usr/lib",
        ] {
            assert!(places.contains(&PathBuf::from(expected)), "{places:?}");
        }
        assert!(!places.contains(&PathBuf::from("/w/lib")));
    }

    #[test]
    fn the_newest_library_of_a_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert!(library(folder.path()).unwrap_err().contains("holds no"));
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime.so",
            "libonnxruntime_providers_shared.so",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let newest = folder.path().join("libonnxruntime.so.1.31.1");
        assert_eq!(library(folder.path()), Ok(newest.clone()));
        assert_eq!(library(&newest), Ok(newest));
        assert!(
            library(&folder.path().join("gone"))
                .unwrap_err()
                .contains("exist")
        );
    }
}

//! A small file system of its own: ext4 in a file where the machine can, else in memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Keeper, SandboxError, Undo, is_root, program};

/// A mounted file system.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    pub(crate) point: PathBuf,
    /// As `mount` knows it.
    pub(crate) fs_type: &'static str,
}

/// Bytes for each inode of a file system that is to run out of inodes: the least that leaves room for all of them.
const BYTES_PER_INODE: f64 = 8192.0;
/// Below this ext4 has no room for itself.
const LEAST_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

impl SmallDisk {
    /// Makes one in `folder`, with so many bytes, or inodes.
    ///
    /// # Errors
    /// When we are not root, or the system refuses.
    pub(crate) fn mount(
        folder: &Path,
        limit: f64,
        inodes: bool,
        keeper: &mut Keeper,
    ) -> Result<Self, SandboxError> {
        if !is_root() {
            return Err(SandboxError::NotRoot);
        }
        let point = folder.join("data");
        fs::create_dir(&point).map_err(SandboxError::io("making", &point))?;
        keeper.will(Undo::Unmount(point.clone()))?;
        let (bytes, inodes) = if inodes {
            ((limit * BYTES_PER_INODE).max(LEAST_BYTES), Some(limit))
        } else {
            (limit, None)
        };
        if ext4(folder, &point, bytes, inodes).is_ok() {
            return Ok(Self {
                point,
                fs_type: "ext4",
            });
        }
        // A container may have no loop devices. Memory it is, and bounded as well.
        let mut options = format!("size={bytes},mode=0755");
        if let Some(inodes) = inodes {
            options = format!("{options},nr_inodes={inodes}");
        }
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &options, "forestall-rig"])
            .arg(&point);
        program("mount", &mut mount)?;
        Ok(Self {
            point,
            fs_type: "tmpfs",
        })
    }
}

fn ext4(folder: &Path, point: &Path, bytes: f64, inodes: Option<f64>) -> Result<(), SandboxError> {
    let image = folder.join("image");
    #[expect(clippy::cast_sign_loss, reason = "a size within bounds")]
    let bytes = bytes as u64;
    File::create(&image)
        .and_then(|file| file.set_len(bytes))
        .map_err(SandboxError::io("making", &image))?;
    let mut mkfs = Command::new("mkfs.ext4");
    // No journal and nothing kept for root: what is shown as available is what can be written.
    mkfs.args([
        "-q",
        "-F",
        "-m",
        "0",
        "-O",
        "^has_journal",
        "-E",
        "lazy_itable_init=0",
    ]);
    if let Some(inodes) = inodes {
        mkfs.args(["-N", &inodes.to_string()]);
    }
    program("mkfs.ext4", mkfs.arg(&image))?;
    program(
        "mount",
        Command::new("mount")
            .args(["-o", "loop"])
            .args([&image, point]),
    )
}

//! What is to be undone of a sandbox, and how.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::PREFIX;
use super::group::CONTROL;

/// How long something may resist, in tries of 20 ms.
const TRIES: u32 = 250;

/// One thing to undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Undo {
    /// End a process; told from a later one with its number by when it began.
    End { pid: u32, began: u64 },
    /// Remove a control group, after ending what is in it.
    Group(PathBuf),
    /// Disable a controller again in a file `cgroup.subtree_control`, once no other group of ours is beside that.
    Controller {
        /// The file.
        file: PathBuf,
        /// `memory` or `cpu`.
        name: Controller,
    },
    /// Unmount a file system.
    Unmount(PathBuf),
    /// Remove a folder and all that is in it.
    Folder(PathBuf),
}

/// What may be enabled for a group, and is disabled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    /// As the kernel spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

/// Things that are still there.
#[derive(Debug, thiserror::Error)]
#[error("not cleaned up: {}", .0.join("; "))]
pub(super) struct LeftBehind(Vec<String>);

/// Undoes the last first, and all that can be.
pub(super) fn undo_all(list: &[Undo]) -> Result<(), LeftBehind> {
    let mut left = Vec::new();
    for undo in list.iter().rev() {
        let (what, done) = match undo {
            Undo::End { pid, began } => (format!("process {pid}"), end(*pid, *began)),
            Undo::Group(folder) if is_ours(folder) => (
                format!("control group {}", folder.display()),
                remove_group(folder),
            ),
            Undo::Controller { file, name } => (
                format!("controller {} in {}", name.name(), file.display()),
                disable(file, *name),
            ),
            Undo::Unmount(point) => (format!("mount {}", point.display()), unmount(point)),
            Undo::Folder(folder) if is_ours(folder) => (
                format!("folder {}", folder.display()),
                insist(|| fs::remove_dir_all(folder)),
            ),
            Undo::Group(_) | Undo::Folder(_) => continue,
        };
        if let Err(error) = done {
            left.push(format!("{what} ({error})"));
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(LeftBehind(left))
    }
}

fn is_ours(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// Tries until it works or is not there any more.
fn insist(mut action: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut last = Ok(());
    for _ in 0..TRIES {
        last = action();
        match &last {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Time does not change these.
            Err(error) if is_for_good(error) => return last,
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
    last
}

fn is_for_good(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    matches!(
        error.kind(),
        NotADirectory | PermissionDenied | ReadOnlyFilesystem
    )
}

/// Ends a process: PostgreSQL ends its sessions at once on SIGINT, and what does not end on it is killed.
fn end(pid: u32, began_at: u64) -> io::Result<()> {
    let alive = || began(pid) == Some(began_at);
    let signal = |signal| {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    };
    if alive() {
        signal(Signal::INT);
        thread::sleep(Duration::from_millis(20));
    }
    for i in 0..TRIES {
        if !alive() {
            return Ok(());
        }
        if i == TRIES / 5 {
            signal(Signal::KILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(io::Error::new(
        io::ErrorKind::TimedOut,
        "it does not end on SIGKILL",
    ))
}

/// When a process began, in ticks since boot; `None` if it is not there, or has ended and waits for its parent.
pub(super) fn began(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut columns = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = columns.next()?;
    (!matches!(state, "Z" | "X")).then_some(())?;
    columns.nth(18)?.parse().ok()
}

fn remove_group(folder: &Path) -> io::Result<()> {
    insist(|| {
        let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for pid in procs
            .lines()
            .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        fs::remove_dir(folder)
    })
}

/// Disables a controller, unless another run needs it still: that one found it enabled, and would lose it.
fn disable(file: &Path, controller: Controller) -> io::Result<()> {
    let Some(tree) = file.parent().filter(|_| file.ends_with(CONTROL)) else {
        return Ok(());
    };
    if fs::read_dir(tree)?.flatten().any(|beside| {
        let name = beside.file_name();
        name.to_string_lossy().starts_with(PREFIX)
    }) {
        return Ok(());
    }
    fs::write(file, format!("-{}", controller.name()))
}

fn unmount(point: &Path) -> io::Result<()> {
    let run = |lazy: &[&str]| {
        let status = Command::new("umount")
            .args(lazy)
            .arg(point)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    let busy = || {
        if !is_mounted(point)? || run(&[]) {
            Ok(())
        } else {
            Err(io::ErrorKind::ResourceBusy.into())
        }
    };
    insist(busy).or_else(|error| if run(&["-l"]) { Ok(()) } else { Err(error) })
}

/// Whether something is mounted there: it is on another device than the folder that it is in. The list of mounts would not
/// do, which writes some characters of a path as others.
fn is_mounted(point: &Path) -> io::Result<bool> {
    let folder = point.parent().unwrap_or(Path::new("/"));
    Ok(fs::symlink_metadata(point)?.dev() != fs::metadata(folder)?.dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_bears_our_name_is_removed() {
        let top = tempfile::tempdir().unwrap();
        let (ours, other) = (top.path().join("forestall-rig-1"), top.path().join("data"));
        for folder in [&ours, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("file"), "").unwrap();
        }
        undo_all(&[
            Undo::Folder(ours.clone()),
            Undo::Folder(other.clone()),
            Undo::Group(other.clone()),
            Undo::Controller {
                file: other.join("file"),
                name: Controller::Cpu,
            },
        ])
        .unwrap();
        assert!(!ours.exists() && other.join("file").exists());
    }

    #[test]
    fn a_process_is_ended_but_not_another_with_its_number() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let when = began(pid).unwrap();
        undo_all(&[Undo::End {
            pid,
            began: when + 1,
        }])
        .unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        undo_all(&[Undo::End { pid, began: when }]).unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn what_cannot_be_undone_is_named_and_the_rest_is_undone() {
        let top = tempfile::tempdir().unwrap();
        let (file, ours) = (
            top.path().join("forestall-rig-file"),
            top.path().join("forestall-rig-1"),
        );
        fs::write(&file, "").unwrap();
        fs::create_dir(&ours).unwrap();
        // The last is undone first; a file is no control group.
        let list = [Undo::Folder(ours.clone()), Undo::Group(file.clone())];
        let said = undo_all(&list).unwrap_err().to_string();
        let begin = format!("not cleaned up: control group {} (", file.display());
        assert!(said.starts_with(&begin), "{said}");
        assert!(!ours.exists());
    }

    #[test]
    fn a_controller_is_disabled_when_no_other_run_is_left() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join(CONTROL);
        let other = top.path().join("forestall-rig-cpu-1");
        fs::write(&file, "memory cpu").unwrap();
        fs::create_dir(&other).unwrap();
        let undo = [Undo::Controller {
            file: file.clone(),
            name: Controller::Memory,
        }];
        undo_all(&undo).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "memory cpu");
        fs::remove_dir(other).unwrap();
        undo_all(&undo).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "-memory");
    }

    #[test]
    fn a_mount_is_told_by_its_device() {
        let top = tempfile::tempdir().unwrap();
        assert!(is_mounted(Path::new("/proc")).unwrap());
        let plain = top.path().join("a folder");
        fs::create_dir(&plain).unwrap();
        assert!(!is_mounted(&plain).unwrap());
        assert!(unmount(&top.path().join("gone")).is_ok());
    }
}

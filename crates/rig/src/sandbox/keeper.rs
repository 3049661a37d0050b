//! Undoes the sandbox, whatever became of the one who made it.
//!
//! A process that is killed cannot clean up after itself, so another one does: it reads a list of what is to be undone
//! and, when its standard input ends, undoes it in reverse order. There is one way to clean up: after a run that went
//! well the same happens as after `kill -9`.

use std::fs;
use std::io::{self, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::{PREFIX, SandboxError};
use crate::wire::{receive, send};

/// How long something may resist, in tries of 20 ms.
const TRIES: u32 = 250;

/// One thing to undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Undo {
    /// End a process; told from a later one with its number by when it began.
    End { pid: u32, began: u64 },
    /// Remove a control group, after ending what is in it.
    Group(PathBuf),
    /// Unmount a file system.
    Unmount(PathBuf),
    /// Remove a folder and all that is in it.
    Folder(PathBuf),
}

/// The keeper of one run. Dropping it cleans up and waits until that is done.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
    stdin: Option<ChildStdin>,
    list: Vec<Undo>,
}

impl Keeper {
    /// Starts one: `program` is this binary.
    ///
    /// # Errors
    /// When the system gives no process.
    pub(crate) fn start(program: &Path) -> Result<Self, SandboxError> {
        let child = Command::new(program)
            .arg("__rig-keeper")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole group: this one must survive it.
            .process_group(0)
            .spawn();
        let mut child = child.map_err(SandboxError::io("starting", program))?;
        let stdin = child.stdin.take();
        Ok(Self {
            child,
            stdin,
            list: Vec::new(),
        })
    }

    /// Takes care of something. To be called before the thing is made, where that can be.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub(crate) fn will(&mut self, undo: Undo) -> Result<(), SandboxError> {
        let stdin = self.stdin.as_mut().ok_or(SandboxError::Keeper)?;
        self.list.push(undo.clone());
        send(stdin, &undo).map_err(|_| SandboxError::Keeper)
    }

    /// Takes care of a process.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub(crate) fn will_end(&mut self, pid: u32) -> Result<(), SandboxError> {
        began(pid).map_or(Ok(()), |began| self.will(Undo::End { pid, began }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stdin = None;
        let well = self.child.wait().is_ok_and(|status| status.success());
        if !well {
            // Somebody killed it: this one is still there.
            undo_all(&self.list);
        }
    }
}

/// The whole life of a keeper: reads what is to be undone, waits for the end, and undoes it.
///
/// # Errors
/// When its input is no such list.
pub fn keeper_main() -> io::Result<()> {
    // No terminal that closes takes it along.
    let _ = rustix::process::setsid();
    let mut from = BufReader::new(io::stdin());
    let mut list = Vec::new();
    while let Some(undo) = receive(&mut from)? {
        list.push(undo);
    }
    undo_all(&list);
    Ok(())
}

fn undo_all(list: &[Undo]) {
    for undo in list.iter().rev() {
        match undo {
            Undo::End { pid, began } => end(*pid, *began),
            Undo::Group(folder) if is_ours(folder) => remove_group(folder),
            Undo::Unmount(point) => unmount(point),
            Undo::Folder(folder) if is_ours(folder) => {
                let _ = insist(|| fs::remove_dir_all(folder));
            }
            Undo::Group(_) | Undo::Folder(_) => {}
        }
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
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
    last
}

/// Ends a process: PostgreSQL ends its sessions at once on SIGINT, and what does not end on it is killed.
fn end(pid: u32, began_at: u64) {
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
            return;
        }
        if i == TRIES / 5 {
            signal(Signal::KILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// When a process began, in ticks since boot; `None` if it is not there, or has ended and waits for its parent.
fn began(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut columns = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = columns.next()?;
    (!matches!(state, "Z" | "X")).then_some(())?;
    columns.nth(18)?.parse().ok()
}

fn remove_group(folder: &Path) {
    let _ = insist(|| {
        let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for pid in procs
            .lines()
            .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        fs::remove_dir(folder)
    });
}

fn unmount(point: &Path) {
    let run = |lazy: &[&str]| {
        let status = Command::new("umount")
            .args(lazy)
            .arg(point)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    let mounted = || {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        mounts
            .lines()
            .any(|line| line.split(' ').nth(1) == point.to_str())
    };
    let busy = || {
        if !mounted() || run(&[]) {
            Ok(())
        } else {
            Err(io::ErrorKind::ResourceBusy.into())
        }
    };
    if insist(busy).is_err() {
        run(&["-l"]);
    }
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
        ]);
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
        }]);
        assert_eq!(child.try_wait().unwrap(), None);
        undo_all(&[Undo::End { pid, began: when }]);
        assert!(!child.wait().unwrap().success());
    }
}

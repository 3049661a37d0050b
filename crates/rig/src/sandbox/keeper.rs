//! Undoes the sandbox, whatever became of the one who made it.
//!
//! A process that is killed cannot clean up after itself, so another one does: it reads a list of what is to be undone
//! and, when its standard input ends, undoes it in reverse order. There is one way to clean up: after a run that went
//! well the same happens as after `kill -9`.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::SandboxError;
use super::undo::{Undo, began, undo_all};
use crate::wire::{receive, send};

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
            // What it cannot undo it says on standard error, which is ours.
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
        // One that failed has said why; one that was killed has not, and this process is still there.
        let was_killed = self
            .child
            .wait()
            .map_or(true, |status| status.code().is_none());
        if was_killed && let Err(error) = undo_all(&self.list) {
            let _ = writeln!(io::stderr(), "error: {error}");
        }
    }
}

/// The whole life of a keeper: reads what is to be undone, waits for the end, and undoes it.
///
/// # Errors
/// When its input is no such list, or something cannot be undone. All else is undone then.
pub fn keeper_main() -> io::Result<()> {
    // No terminal that closes takes it along.
    let _ = rustix::process::setsid();
    let (list, unreadable) = read(&mut BufReader::new(io::stdin()));
    let undone = undo_all(&list).map_err(io::Error::other);
    undone.and(unreadable.map_or(Ok(()), Err))
}

/// All lines that can be read, to the end, and what is wrong with the last of the others.
fn read(from: &mut impl BufRead) -> (Vec<Undo>, Option<io::Error>) {
    let (mut list, mut unreadable) = (Vec::new(), None);
    loop {
        match receive(from) {
            Ok(Some(undo)) => list.push(undo),
            Ok(None) => return (list, unreadable),
            Err(error) => {
                // A line that makes no sense is passed over; a pipe that breaks has no next one.
                let is_line = matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                );
                let doing = "reading what is to be undone";
                unreadable = Some(io::Error::new(error.kind(), format!("{doing}: {error}")));
                if !is_line {
                    return (list, unreadable);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::group::CONTROL;
    use super::super::undo::Controller;
    use super::super::{Group, Limits};
    use super::*;

    #[test]
    fn a_line_that_makes_no_sense_hides_no_other() {
        let mut text = Vec::new();
        send(&mut text, &Undo::Unmount("a".into())).unwrap();
        text.extend(b"nonsense\n{\"Group\":\n\xff\xfe\n");
        send(&mut text, &Undo::Unmount("b".into())).unwrap();
        let (list, unreadable) = read(&mut text.as_slice());
        assert_eq!(list, ["a", "b"].map(|point| Undo::Unmount(point.into())));
        let said = unreadable.unwrap().to_string();
        assert!(said.starts_with("reading what is to be undone: "), "{said}");
    }

    /// One that undoes nothing.
    fn idle_keeper(folder: &Path) -> Keeper {
        let program = folder.join("keeper");
        fs::write(&program, "#!/bin/sh\ncat >/dev/null\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Keeper::start(&program).unwrap()
    }

    #[test]
    fn only_controllers_that_were_not_enabled_are_disabled_again() {
        let top = tempfile::tempdir().unwrap();
        let mut keeper = idle_keeper(top.path());
        let file = top.path().join(CONTROL);
        for (name, text) in [
            ("cgroup.controllers", "cpuset cpu io memory pids"),
            ("cgroup.procs", ""),
            (CONTROL, "memory pids"),
        ] {
            fs::write(top.path().join(name), text).unwrap();
        }
        let name = "forestall-rig-cpu-1";
        Group::create(top.path(), name, Limits::default(), &mut keeper).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "+cpu");
        let expected = [
            Undo::Controller {
                file,
                name: Controller::Cpu,
            },
            Undo::Group(top.path().join(name)),
        ];
        assert_eq!(keeper.list, expected);
    }

    #[test]
    fn a_group_that_somebody_else_made_is_not_removed() {
        let top = tempfile::tempdir().unwrap();
        let mut keeper = idle_keeper(top.path());
        let tree = top.path().join("memory");
        let theirs = tree.join("forestall-rig-memory-1");
        fs::create_dir_all(&theirs).unwrap();
        fs::write(tree.join("cgroup.procs"), "").unwrap();
        let limits = Limits::default();
        let made = Group::create(top.path(), "forestall-rig-memory-1", limits, &mut keeper);
        let said = made.unwrap_err().to_string();
        assert!(said.starts_with("making the control group"), "{said}");
        assert_eq!(keeper.list, []);
        drop(keeper);
        assert!(theirs.exists());
    }
}

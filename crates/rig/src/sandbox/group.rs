//! A control group of version 1 or 2, if we may make one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::undo::Controller;
use super::{Keeper, SandboxError, Undo};

/// Where controllers are enabled for the groups of a folder.
pub(super) const CONTROL: &str = "cgroup.subtree_control";

/// What a group may use; `None` is all there is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: Option<f64>,
    pub(crate) cpu_cores: Option<f64>,
}

/// A quota of processor time is counted over this.
const PERIOD_US: f64 = 50_000.0;

/// The folders of one group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Whether it is of version 2.
    pub(crate) unified: bool,
    pub(crate) memory: PathBuf,
    pub(crate) cpu: PathBuf,
    pub(crate) usage: PathBuf,
    /// Where pressure is shown, if it is.
    pub(crate) pressure: Option<PathBuf>,
}

impl Group {
    /// Makes a group called `name` under `top`, where groups are mounted.
    ///
    /// # Errors
    /// When this machine has none, or we may not make one. What has been made by then is the keeper's to remove.
    pub(crate) fn create(
        top: &Path,
        name: &str,
        limits: Limits,
        keeper: &mut Keeper,
    ) -> Result<Self, SandboxError> {
        let group = if top.join("cgroup.controllers").exists() {
            Self::unified(top, name, keeper)?
        } else {
            Self::separate(top, name, keeper)?
        };
        group.limit(limits)?;
        Ok(group)
    }

    /// Version 2: one tree.
    fn unified(top: &Path, name: &str, keeper: &mut Keeper) -> Result<Self, SandboxError> {
        let control = top.join(CONTROL);
        let enabled =
            fs::read_to_string(&control).map_err(SandboxError::io("reading", &control))?;
        // What is enabled already is somebody else's to disable.
        for controller in [Controller::Memory, Controller::Cpu] {
            let name = controller.name();
            if !enabled.split_ascii_whitespace().any(|word| word == name) {
                write(&control, &format!("+{name}"))?;
                keeper.will(Undo::Controller {
                    file: control.clone(),
                    name: controller,
                })?;
            }
        }
        let folder = make(top, name, keeper)?;
        Ok(Self {
            unified: true,
            memory: folder.clone(),
            cpu: folder.clone(),
            usage: folder.clone(),
            pressure: Some(folder),
        })
    }

    /// Version 1: a tree for each controller; pressure is shown by version 2 alone, which may stand beside it.
    fn separate(top: &Path, name: &str, keeper: &mut Keeper) -> Result<Self, SandboxError> {
        let tree = |names: [&str; 2]| {
            let trees = names.map(|name| top.join(name));
            let found = trees.iter().find(|tree| tree.join("cgroup.procs").exists());
            found.unwrap_or(&trees[0]).clone()
        };
        let memory = make(&tree(["memory", "memory"]), name, keeper)?;
        let cpu_tree = tree(["cpu", "cpu,cpuacct"]);
        let usage_tree = tree(["cpuacct", "cpu,cpuacct"]);
        let cpu = make(&cpu_tree, name, keeper)?;
        let usage = match usage_tree == cpu_tree {
            true => cpu.clone(),
            false => make(&usage_tree, name, keeper)?,
        };
        let pressure = make(&top.join("unified"), name, keeper).ok();
        Ok(Self {
            unified: false,
            memory,
            cpu,
            usage,
            pressure: pressure.filter(|folder| folder.join("cpu.pressure").exists()),
        })
    }

    fn limit(&self, limits: Limits) -> Result<(), SandboxError> {
        if let Some(bytes) = limits.memory_bytes {
            if self.unified {
                write(&self.memory.join("memory.max"), &bytes.to_string())?;
                // Swapping would put off what is to be shown.
                let _ = write(&self.memory.join("memory.swap.max"), "0");
            } else {
                write(
                    &self.memory.join("memory.limit_in_bytes"),
                    &bytes.to_string(),
                )?;
                let _ = write(
                    &self.memory.join("memory.memsw.limit_in_bytes"),
                    &bytes.to_string(),
                );
                let _ = write(&self.memory.join("memory.swappiness"), "0");
            }
        }
        if let Some(cores) = limits.cpu_cores {
            let quota = (cores * PERIOD_US).round();
            if self.unified {
                write(&self.cpu.join("cpu.max"), &format!("{quota} {PERIOD_US}"))?;
            } else {
                write(&self.cpu.join("cpu.cfs_period_us"), &PERIOD_US.to_string())?;
                write(&self.cpu.join("cpu.cfs_quota_us"), &quota.to_string())?;
            }
        }
        Ok(())
    }

    /// Puts a process into the group.
    ///
    /// # Errors
    /// When it is not there, or the group is full.
    pub(crate) fn add(&self, pid: u32) -> Result<(), SandboxError> {
        let mut folders = vec![&self.memory, &self.cpu, &self.usage];
        folders.extend(&self.pressure);
        folders.dedup();
        for folder in folders {
            write(&folder.join("cgroup.procs"), &pid.to_string())?;
        }
        Ok(())
    }

    /// Bytes of memory in use; 0 if that cannot be read.
    pub(crate) fn used_bytes(&self) -> f64 {
        let file = if self.unified {
            "memory.current"
        } else {
            "memory.usage_in_bytes"
        };
        let text = fs::read_to_string(self.memory.join(file)).unwrap_or_default();
        text.trim().parse().unwrap_or(0.0)
    }

    /// How often the kernel has killed for want of memory in this group.
    pub(crate) fn oom_kills(&self) -> u64 {
        let file = if self.unified {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        let text = fs::read_to_string(self.memory.join(file)).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }
}

fn make(tree: &Path, name: &str, keeper: &mut Keeper) -> Result<PathBuf, SandboxError> {
    let folder = tree.join(name);
    if !tree.join("cgroup.procs").exists() {
        let none = io::Error::new(
            io::ErrorKind::NotFound,
            "no such control groups on this machine",
        );
        return Err(SandboxError::io("making the control group", folder)(none));
    }
    // Only what was made here is removed: with the group goes all that is in it.
    fs::create_dir(&folder).map_err(SandboxError::io("making the control group", &folder))?;
    keeper.will(Undo::Group(folder.clone())).inspect_err(|_| {
        let _ = fs::remove_dir(&folder);
    })?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<(), SandboxError> {
    fs::write(path, text).map_err(SandboxError::io("writing to", path))
}

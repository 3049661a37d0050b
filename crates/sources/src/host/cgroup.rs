//! Control groups that have a limit on memory or CPU: containers, services, and the one that we may be in.
//!
//! Names are cAdvisor's; `id` is the path of the group, as there. Groups of version 1 and 2 are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use series::Timestamp;

use super::limits::{Cpu, Memory, Pids, V1, V2};
use super::probe::Trouble;
use super::{Collector, Config, Reading};

/// How often, in ticks, groups with a limit are looked for.
const REFRESH_TICKS: u32 = 60;
/// How many groups are looked at in such a search, and how deep.
const MOST_VISITED: usize = 500;
const DEEPEST: usize = 8;
/// Beyond this many the rest is not reported.
const MOST_GROUPS: usize = 32;
pub(super) struct Cgroups {
    top: PathBuf,
    groups: BTreeMap<String, Group>,
    refresh_in: u32,
}

#[derive(Default)]
struct Group {
    memory: Option<Memory>,
    cpu: Option<Cpu>,
    pids: Option<Pids>,
}

impl Cgroups {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            top: config.sys.join("fs/cgroup"),
            groups: BTreeMap::new(),
            refresh_in: 0,
        }
    }

    /// Finds the groups that have a limit, and keeps what is known of those that were there before.
    fn refresh(&mut self) -> Result<(), Trouble> {
        let trouble = |source| Trouble::Read {
            path: self.top.clone(),
            source,
        };
        std::fs::read_dir(&self.top).map_err(trouble)?;
        let mut found: BTreeMap<String, Group> = BTreeMap::new();
        // Version 1 has a tree for each controller, under one of these names; version 2 has one tree for all, or
        // stands beside version 1 under `unified`.
        for (tree, files) in [
            ("", V2),
            ("unified", V2),
            ("memory", V1),
            ("cpu", V1),
            ("cpu,cpuacct", V1),
            ("pids", V1),
        ] {
            let root = self.top.join(tree);
            // `cpu` is often a link to `cpu,cpuacct`.
            if root.is_symlink() || (tree.is_empty() && !root.join("cgroup.controllers").exists()) {
                continue;
            }
            for folder in folders(&root) {
                let id = format!(
                    "/{}",
                    folder.strip_prefix(&root).unwrap_or(&folder).display()
                );
                if !found.contains_key(&id) && found.len() >= MOST_VISITED {
                    continue;
                }
                let group = found.entry(id.clone()).or_default();
                let mut known = self.groups.remove(&id).unwrap_or_default();
                group.memory = group
                    .memory
                    .take()
                    .or_else(|| Memory::find(&folder, &id, files, known.memory.take()));
                group.cpu = group
                    .cpu
                    .take()
                    .or_else(|| Cpu::find(&folder, &id, files, known.cpu.take()));
                group.pids = group
                    .pids
                    .take()
                    .or_else(|| Pids::find(&folder, &id, known.pids.take()));
                self.groups.insert(id, known);
            }
        }
        // Systemd limits the number of tasks of everything, so that alone is no reason to report a group.
        found.retain(|_, group| group.memory.is_some() || group.cpu.is_some());
        let mut ids: Vec<String> = found.keys().cloned().collect();
        ids.sort_by_key(|id| (id.matches('/').count(), id.clone()));
        for id in ids.iter().skip(MOST_GROUPS) {
            found.remove(id);
        }
        self.groups = found;
        Ok(())
    }
}

impl Collector for Cgroups {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        if self.refresh_in == 0 {
            self.refresh()?;
            self.refresh_in = REFRESH_TICKS;
        }
        self.refresh_in -= 1;
        for group in self.groups.values_mut() {
            // A group that is gone since the last search is silent until the next.
            if let Some(memory) = &mut group.memory {
                let _ = memory.read(out);
            }
            if let Some(cpu) = &mut group.cpu {
                let _ = cpu.read(out);
            }
            if let Some(pids) = &mut group.pids {
                let _ = pids.read(out);
            }
        }
        Ok(())
    }
}

/// A folder and those under it, nearest first.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_owned()];
    let mut next = 0;
    let base = root.components().count();
    while next < all.len() && all.len() < MOST_VISITED {
        let folder = all[next].clone();
        next += 1;
        if folder.components().count() - base >= DEEPEST {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        let mut below: Vec<_> = entries
            .flatten()
            .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
            .collect();
        below.sort_by_key(std::fs::DirEntry::file_name);
        all.extend(below.into_iter().map(|entry| entry.path()));
    }
    all.truncate(MOST_VISITED);
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn version_2_shows_use_beside_limits() {
        let tree = Tree::new();
        let write = |file: &str, text: &str| tree.write(&format!("sys/fs/cgroup/{file}"), text);
        write("cgroup.controllers", "cpu memory pids\n");
        write("free.slice/memory.max", "max\n");
        write("free.slice/cpu.max", "max 100000\n");
        write("free.slice/pids.max", "100\n");
        write("a/b/memory.max", "4096\n");
        write("a/b/memory.current", "3000\n");
        write("a/b/memory.stat", "anon 1\ninactive_file 1000\n");
        write("a/b/memory.events", "low 0\noom 2\noom_kill 1\n");
        write("a/b/cpu.max", "50000 100000\n");
        write(
            "a/b/cpu.stat",
            "usage_usec 5\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n",
        );
        write("a/b/pids.max", "20\n");
        write("a/b/pids.current", "3\n");
        check(
            &mut Cgroups::new(&tree.config()),
            0.0,
            &[
                "container_memory_usage_bytes{id=\"/a/b\"} 3000",
                "container_spec_memory_limit_bytes{id=\"/a/b\"} 4096",
                "container_memory_working_set_bytes{id=\"/a/b\"} 2000",
                "container_oom_events_total{id=\"/a/b\"} 1",
                "container_spec_cpu_quota{id=\"/a/b\"} 50000",
                "container_spec_cpu_period{id=\"/a/b\"} 100000",
                "container_cpu_cfs_periods_total{id=\"/a/b\"} 10",
                "container_cpu_cfs_throttled_periods_total{id=\"/a/b\"} 4",
                "container_cpu_cfs_throttled_seconds_total{id=\"/a/b\"} 1.5",
                "container_threads{id=\"/a/b\"} 3",
                "container_threads_max{id=\"/a/b\"} 20",
            ],
        );
    }

    #[test]
    fn version_1_has_a_tree_for_each_controller() {
        let tree = Tree::new();
        let write = |file: &str, text: &str| tree.write(&format!("sys/fs/cgroup/{file}"), text);
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/x/memory.limit_in_bytes", "4096\n");
        write("memory/x/memory.usage_in_bytes", "3000\n");
        write(
            "memory/x/memory.stat",
            "inactive_file 7\ntotal_inactive_file 1000\n",
        );
        write(
            "memory/x/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        );
        write("cpu/cpu.cfs_quota_us", "-1\n");
        write("cpu/x/cpu.cfs_quota_us", "50000\n");
        write("cpu/x/cpu.cfs_period_us", "100000\n");
        write(
            "cpu/x/cpu.stat",
            "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\n",
        );
        let mut cgroups = Cgroups::new(&tree.config());
        check(
            &mut cgroups,
            0.0,
            &[
                "container_memory_usage_bytes{id=\"/x\"} 3000",
                "container_spec_memory_limit_bytes{id=\"/x\"} 4096",
                "container_memory_working_set_bytes{id=\"/x\"} 2000",
                "container_oom_events_total{id=\"/x\"} 1",
                "container_spec_cpu_quota{id=\"/x\"} 50000",
                "container_spec_cpu_period{id=\"/x\"} 100000",
                "container_cpu_cfs_periods_total{id=\"/x\"} 10",
                "container_cpu_cfs_throttled_periods_total{id=\"/x\"} 4",
                "container_cpu_cfs_throttled_seconds_total{id=\"/x\"} 1.5",
            ],
        );
        tree.remove("sys/fs/cgroup/memory/x");
        tree.remove("sys/fs/cgroup/cpu/x");

        cgroups.refresh().unwrap();
        check(&mut cgroups, 1.0, &[]);
    }
}

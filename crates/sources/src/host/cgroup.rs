//! Control groups that have a limit on memory or CPU: containers, services, and the one that we may be in.
//!
//! Names are cAdvisor's; `id` is the path of the group, as there. Groups of version 1 and 2 are read.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use series::Timestamp;

use super::limits::{Cpu, Memory, Pids, Pressure, Spent, V1, V2};
use super::probe::Trouble;
use super::{Collector, Config, Reading};

/// How often, in ticks, groups with a limit are looked for at the least: a limit may be set on a group that was there
/// before, and one group may take the place of another.
const REFRESH_TICKS: u32 = 60;
/// And at the most, where a search costs so little that it does not matter.
const CHEAP_REFRESH_TICKS: u32 = 10;
/// Ticks between two searches for each millisecond that one costs: a search stays a small share of the time.
const TICKS_PER_MILLI: u32 = 10;
/// How often, in ticks, the folders of the upper levels are asked whether a group was made or removed in them, which
/// costs a few microseconds and brings the next search forward.
const GLANCE_TICKS: u32 = 3;
/// How many groups are looked at in such a search, and how deep.
const MOST_VISITED: usize = 500;
const DEEPEST: usize = 8;
/// Beyond this many the rest is not reported.
const MOST_GROUPS: usize = 32;
/// Of one tree, so many folders are looked at for changes.
const MOST_GLANCED: usize = 32;

pub(super) struct Cgroups {
    top: PathBuf,
    groups: BTreeMap<String, Group>,
    refresh_in: u32,
    /// Ticks since the last search.
    since: u32,
    /// The folders of the upper two levels of each tree, as of the last search.
    upper: Vec<(PathBuf, Option<Mark>)>,
}

#[derive(Default)]
struct Group {
    memory: Option<Memory>,
    cpu: Option<Cpu>,
    spent: Option<Spent>,
    pids: Option<Pids>,
    pressure: Option<Pressure>,
}

impl Cgroups {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            top: config.sys.join("fs/cgroup"),
            groups: BTreeMap::new(),
            refresh_in: 0,
            since: 0,
            upper: Vec::new(),
        }
    }

    /// Finds the groups that have a limit, and keeps what is known of those that were there before.
    fn refresh(&mut self) -> Result<(), Trouble> {
        let trouble = |source| Trouble::Read {
            path: self.top.clone(),
            source,
        };
        std::fs::read_dir(&self.top).map_err(trouble)?;
        self.upper.clear();
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
            let folders = folders(&root);
            let depth = root.components().count() + 1;
            let upper = folders
                .iter()
                .filter(|folder| folder.components().count() <= depth)
                .take(MOST_GLANCED);
            self.upper
                .extend(upper.map(|folder| (folder.clone(), mark(folder))));
            for folder in folders {
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
                group.pressure = group
                    .pressure
                    .take()
                    .or_else(|| Pressure::find(&folder, &id, known.pressure.take()));
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
        for (id, group) in &mut found {
            let known = self.groups.get_mut(id).and_then(|known| known.spent.take());
            group.spent = Spent::find(&self.top, id, known);
        }
        self.groups = found;
        Ok(())
    }
}

impl Cgroups {
    /// Whether groups were made or removed since the last search, as far as the upper levels tell.
    fn has_changed(&self) -> bool {
        self.upper
            .iter()
            .any(|(folder, then)| mark(folder) != *then)
    }

    /// Whether to search now.
    fn is_due(&mut self) -> bool {
        self.refresh_in = self.refresh_in.saturating_sub(1);
        self.since = self.since.saturating_add(1);
        self.refresh_in == 0 || (self.since.is_multiple_of(GLANCE_TICKS) && self.has_changed())
    }
}

impl Collector for Cgroups {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        if self.is_due() {
            // What it costs us, which is no part of what is measured.
            let began = Instant::now();
            self.refresh()?;
            let millis = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
            let rest = millis.saturating_mul(TICKS_PER_MILLI);
            self.refresh_in = rest.clamp(CHEAP_REFRESH_TICKS, REFRESH_TICKS);
            self.since = 0;
        }
        for group in self.groups.values_mut() {
            // A group that is gone since the last search is silent until the next.
            if let Some(memory) = &mut group.memory {
                let _ = memory.read(out);
            }
            if let Some(cpu) = &mut group.cpu {
                let _ = cpu.read(out);
            }
            if let Some(spent) = &mut group.spent {
                let _ = spent.read(out);
            }
            if let Some(pids) = &mut group.pids {
                let _ = pids.read(out);
            }
            if let Some(pressure) = &mut group.pressure {
                let _ = pressure.read(out);
            }
        }
        Ok(())
    }
}

/// What changes when a group is made or removed in a folder: the number of links, of which each folder below is one,
/// and on other file systems than the kernel's own the time of change.
type Mark = (u64, Option<SystemTime>);

/// `None` if the folder is gone.
fn mark(folder: &Path) -> Option<Mark> {
    let meta = std::fs::metadata(folder).ok()?;
    Some((meta.nlink(), meta.modified().ok()))
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
        write(
            "a/b/memory.stat",
            "anon 1500\nfile 1200\ninactive_file 1000\n",
        );
        write("a/b/memory.events", "low 0\noom 2\noom_kill 1\n");
        write("a/b/cpu.max", "50000 100000\n");
        write(
            "a/b/cpu.stat",
            "usage_usec 5\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n",
        );
        write("a/b/pids.max", "20\n");
        write("a/b/pids.current", "3\n");
        write("a/b/cpu.pressure", "some avg10=0.00 total=2000000\n");
        write(
            "a/b/memory.pressure",
            "some avg10=0.00 total=3000000\nfull avg10=0.00 total=1000000\n",
        );
        check(
            &mut Cgroups::new(&tree.config()),
            0.0,
            &[
                "container_memory_usage_bytes{id=\"/a/b\"} 3000",
                "container_spec_memory_limit_bytes{id=\"/a/b\"} 4096",
                "container_memory_working_set_bytes{id=\"/a/b\"} 2000",
                "container_memory_rss{id=\"/a/b\"} 1500",
                "container_memory_cache{id=\"/a/b\"} 1200",
                "container_oom_events_total{id=\"/a/b\"} 1",
                "container_spec_cpu_quota{id=\"/a/b\"} 50000",
                "container_spec_cpu_period{id=\"/a/b\"} 100000",
                "container_cpu_cfs_periods_total{id=\"/a/b\"} 10",
                "container_cpu_cfs_throttled_periods_total{id=\"/a/b\"} 4",
                "container_cpu_cfs_throttled_seconds_total{id=\"/a/b\"} 1.5",
                "container_cpu_usage_seconds_total{id=\"/a/b\"} 0.000005",
                "container_threads{id=\"/a/b\"} 3",
                "container_threads_max{id=\"/a/b\"} 20",
                "container_pressure_cpu_waiting_seconds_total{id=\"/a/b\"} 2",
                "container_pressure_memory_waiting_seconds_total{id=\"/a/b\"} 3",
                "container_pressure_memory_stalled_seconds_total{id=\"/a/b\"} 1",
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
            "inactive_file 7\nrss 8\ntotal_cache 1200\ntotal_rss 1500\ntotal_inactive_file 1000\n",
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
        write("cpuacct/x/cpuacct.usage", "2500000000\n");
        write("unified/x/cpu.pressure", "some avg10=0.00 total=2000000\n");
        write("unified/x/memory.pressure", "");
        let mut cgroups = Cgroups::new(&tree.config());
        check(
            &mut cgroups,
            0.0,
            &[
                "container_memory_usage_bytes{id=\"/x\"} 3000",
                "container_spec_memory_limit_bytes{id=\"/x\"} 4096",
                "container_memory_working_set_bytes{id=\"/x\"} 2000",
                "container_memory_rss{id=\"/x\"} 1500",
                "container_memory_cache{id=\"/x\"} 1200",
                "container_oom_events_total{id=\"/x\"} 1",
                "container_spec_cpu_quota{id=\"/x\"} 50000",
                "container_spec_cpu_period{id=\"/x\"} 100000",
                "container_cpu_cfs_periods_total{id=\"/x\"} 10",
                "container_cpu_cfs_throttled_periods_total{id=\"/x\"} 4",
                "container_cpu_cfs_throttled_seconds_total{id=\"/x\"} 1.5",
                "container_cpu_usage_seconds_total{id=\"/x\"} 2.5",
                "container_pressure_cpu_waiting_seconds_total{id=\"/x\"} 2",
            ],
        );
        tree.remove("sys/fs/cgroup/memory/x");
        tree.remove("sys/fs/cgroup/cpu/x");

        cgroups.refresh().unwrap();
        check(&mut cgroups, 1.0, &[]);
    }

    #[test]
    fn a_new_group_is_seen_within_a_few_ticks() {
        let tree = Tree::new();
        let write = |file: &str, text: &str| tree.write(&format!("sys/fs/cgroup/{file}"), text);
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/old/memory.limit_in_bytes", "4096\n");
        let mut cgroups = Cgroups::new(&tree.config());
        let mut ids = |n: u32| -> Vec<bool> {
            (0..n)
                .map(|i| {
                    let lines = super::super::tests::lines(&mut cgroups, f64::from(i));
                    lines.iter().any(|line| line.contains("new"))
                })
                .collect()
        };
        assert!(!ids(5).contains(&true));
        // One at the top, and one in a group that is there.
        for folder in ["memory/new", "memory/old/new"] {
            write(&format!("{folder}/memory.limit_in_bytes"), "8192\n");
            write(&format!("{folder}/memory.usage_in_bytes"), "4096\n");
            assert_eq!(ids(2 * GLANCE_TICKS).last(), Some(&true), "{folder}");
            tree.remove(&format!("sys/fs/cgroup/{folder}"));
            assert_eq!(ids(2 * GLANCE_TICKS).last(), Some(&false), "{folder}");
        }
    }
}

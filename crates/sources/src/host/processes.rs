//! The processes that use most, or are nearest to a limit of their own: CPU, memory, descriptors, threads, address
//! space.

use series::Timestamp;

use super::probe::Trouble;
use super::ranking::{Column, Order, Ranking};
use super::table::{Process, Table};
use super::{Collector, Config, Reading};

const CPU: &[Column] = &[("process_cpu_ratio", |p| p.cpu_ratio)];
const MEMORY: &[Column] = &[("process_resident_memory_bytes", |p| Some(p.rss_bytes))];
const FDS: &[Column] = &[
    ("process_open_fds", |p| p.fds.map(|n| n as f64)),
    ("process_max_fds", |p| p.max_fds.map(|n| n as f64)),
];
const THREADS: &[Column] = &[("process_threads", |p| Some(p.threads as f64))];

const ADDRESS_SPACE: &[Column] = &[
    ("process_virtual_memory_bytes", |p| {
        bounded(p).map(|(used, _)| used)
    }),
    ("process_virtual_memory_max_bytes", |p| {
        bounded(p).map(|(_, most)| most)
    }),
];

/// Columns and orders of each list. Below the floors a process is nobody's trouble, and the lists of a quiet machine
/// stay short. Address space is only of interest where it is limited, which it hardly ever is.
const LISTS: [(&[Column], &[Order]); 5] = [
    (CPU, &[(|p| p.cpu_ratio, 0.02)]),
    (MEMORY, &[(|p| Some(p.rss_bytes), 16.0 * 1024.0 * 1024.0)]),
    (
        FDS,
        &[(|p| p.fds.map(|n| n as f64), 64.0), (descriptors, 0.25)],
    ),
    (THREADS, &[(|p| Some(p.threads as f64), 16.0)]),
    (
        ADDRESS_SPACE,
        &[(|p| bounded(p).map(|(used, most)| used / most), 0.1)],
    ),
];
/// Places in it of descriptors and of address space.
const DESCRIPTORS: usize = 2;
const BOUNDED: usize = 4;

/// The share of the limit on open files that is used.
fn descriptors(process: &Process) -> Option<f64> {
    let most = process.max_fds.filter(|most| *most > 0)?;
    Some(process.fds? as f64 / most as f64)
}

/// Address space and its limit, where there is one.
fn bounded(process: &Process) -> Option<(f64, f64)> {
    let most = process.max_space.filter(|most| *most > 0)?;
    Some((process.space_bytes as f64, most as f64))
}

/// Processes that have a series are looked at on every tick, up to eighteen for each place of a list; the budget is
/// never so small that the others would not get their turn.
const LEAST_BUDGET_PER_PLACE: usize = 24;

pub(super) struct Processes {
    table: Table,
    rankings: [Ranking; LISTS.len()],
    tracked: Vec<u32>,
}

impl Processes {
    pub(super) fn new(config: &Config) -> Self {
        let top = config.top_processes;
        let budget = config
            .scanned_processes
            .max(top.saturating_mul(LEAST_BUDGET_PER_PLACE))
            .max(1);
        Self {
            table: Table::new(&config.proc, budget),
            rankings: LISTS.map(|(columns, orders)| Ranking::new(columns, orders, top)),
            tracked: Vec::new(),
        }
    }
}

impl Collector for Processes {
    fn collect(&mut self, at: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        self.tracked.clear();
        self.tracked
            .extend(self.rankings.iter().flat_map(Ranking::pids));
        self.table.refresh(at, &self.tracked)?;
        self.tracked.clear();
        self.tracked.extend(self.rankings[DESCRIPTORS].pids());
        self.tracked.extend(self.rankings[BOUNDED].pids());
        self.table.count_fds(&self.tracked);
        for ranking in &mut self.rankings {
            ranking.tick(self.table.tick, &self.table.processes, out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, lines};
    use super::*;

    fn stat(tree: &Tree, pid: u32, comm: &str, ticks: u64, pages: u64) {
        let text = format!(
            "{pid} ({comm}) S 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 20 0 77 1000 {pages} 1 1\n"
        );
        tree.write(&format!("proc/{pid}/stat"), &text);
    }

    #[test]
    fn names_the_process_that_is_busy() {
        let tree = Tree::new();
        let mut processes = Processes::new(&tree.config());
        let hz = processes.table.hz;
        let mut seen = Vec::new();
        for i in 0..6_u64 {
            stat(&tree, 7, "hog (x)", i * hz / 2, 1);
            stat(&tree, 8, "idle", 3, 1);
            tree.write("proc/7/fd/0", "");
            seen = lines(&mut processes, i as f64);
        }
        let labels = "{comm=\"hog (x)\",pid=\"7\"}";
        assert!(
            seen.contains(&format!("process_cpu_ratio{labels} 0.5")),
            "{seen:?}"
        );
        assert!(
            seen.contains(&format!("process_threads{labels} 20")),
            "{seen:?}"
        );
        assert!(
            !seen
                .iter()
                .any(|line| line.contains("idle") && line.contains("cpu")),
            "{seen:?}"
        );
        tree.remove("proc/7");
        assert!(
            !lines(&mut processes, 6.0)
                .iter()
                .any(|line| line.contains("hog"))
        );
    }

    #[test]
    fn descriptors_stand_beside_their_limit() {
        let tree = Tree::new();
        stat(&tree, 7, "server", 0, 1);
        tree.write(
            "proc/7/limits",
            "Limit  Soft  Hard\nMax open files            1024      4096      files\n",
        );
        for i in 0..70 {
            tree.write(&format!("proc/7/fd/{i}"), "");
        }
        let mut processes = Processes::new(&tree.config());
        let seen = (0..4)
            .map(|i| lines(&mut processes, f64::from(i)))
            .last()
            .unwrap();
        assert!(
            seen.contains(&"process_open_fds{comm=\"server\",pid=\"7\"} 70".to_owned()),
            "{seen:?}"
        );
        assert!(
            seen.contains(&"process_max_fds{comm=\"server\",pid=\"7\"} 1024".to_owned()),
            "{seen:?}"
        );
    }

    #[test]
    fn a_process_near_a_limit_of_its_own_is_named_however_small() {
        let tree = Tree::new();
        let limits = |files: u32, space: &str| {
            format!(
                "Limit  Soft  Hard\nMax open files            {files}      4096      files\n\
                 Max address space         {space}      unlimited      bytes\n"
            )
        };
        // Two that use most, and a small one near the end of what it may use.
        for (pid, comm, fds, limit) in [
            (6, "big", 80, 100_000),
            (7, "large", 90, 100_000),
            (8, "small", 9, 12),
        ] {
            stat(&tree, pid, comm, 0, 1);
            tree.write(
                &format!("proc/{pid}/limits"),
                &limits(limit, if pid == 8 { "4000" } else { "unlimited" }),
            );
            for i in 0..fds {
                tree.write(&format!("proc/{pid}/fd/{i}"), "");
            }
        }
        let mut processes = Processes::new(&Config {
            top_processes: 1,
            ..tree.config()
        });
        let seen = (0..5)
            .map(|i| lines(&mut processes, f64::from(i)))
            .last()
            .unwrap();
        let labels = "{comm=\"small\",pid=\"8\"}";
        for line in [
            format!("process_open_fds{labels} 9"),
            format!("process_max_fds{labels} 12"),
            // The made-up `stat` says 1000.
            format!("process_virtual_memory_bytes{labels} 1000"),
            format!("process_virtual_memory_max_bytes{labels} 4000"),
        ] {
            assert!(seen.contains(&line), "{line} in {seen:?}");
        }
        assert!(seen.iter().any(|line| line.contains("large")), "{seen:?}");
        assert!(
            !seen.contains(&"process_open_fds{comm=\"big\",pid=\"6\"} 80".to_owned()),
            "{seen:?}"
        );
    }

    #[test]
    fn a_small_budget_reaches_everybody_in_turn() {
        let tree = Tree::new();
        for pid in 1..=20 {
            stat(&tree, pid, "p", 0, 1);
        }
        let mut processes = Processes::new(&Config {
            scanned_processes: 4,
            top_processes: 0,
            ..tree.config()
        });
        let mut most_looks = 0;
        for i in 0..10 {
            lines(&mut processes, f64::from(i));
            let looks = processes
                .table
                .processes
                .values()
                .filter(|p| p.tick == processes.table.tick)
                .count();
            most_looks = most_looks.max(looks);
        }
        assert_eq!(most_looks, 4);
        assert!(
            (1..=20).all(|pid| processes.table.processes[&pid].tick > 5),
            "each was looked at again"
        );
    }
}

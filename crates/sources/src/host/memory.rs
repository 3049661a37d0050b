//! `/proc/meminfo` and `/proc/vmstat`: what memory is left, and what it costs to be short of it.

use series::Timestamp;

use super::probe::{Probe, Trouble, number_after};
use super::{Collector, Config, Line, Reading};

/// Fields of `/proc/meminfo`, and the same under the names of the node exporter. Those that only split up others are
/// left out.
const FIELDS: [(&str, &str); 10] = [
    ("MemTotal", "node_memory_MemTotal_bytes"),
    ("MemAvailable", "node_memory_MemAvailable_bytes"),
    ("Cached", "node_memory_Cached_bytes"),
    ("AnonPages", "node_memory_AnonPages_bytes"),
    ("Slab", "node_memory_Slab_bytes"),
    ("Shmem", "node_memory_Shmem_bytes"),
    ("Dirty", "node_memory_Dirty_bytes"),
    ("SwapTotal", "node_memory_SwapTotal_bytes"),
    ("SwapFree", "node_memory_SwapFree_bytes"),
    ("Committed_AS", "node_memory_Committed_AS_bytes"),
];

/// Fields of `/proc/vmstat`. The node exporter leaves out `_total`; our kinds are read off the names.
const EVENTS: [(&str, &str); 4] = [
    ("pgmajfault", "node_vmstat_pgmajfault_total"),
    ("pswpin", "node_vmstat_pswpin_total"),
    ("pswpout", "node_vmstat_pswpout_total"),
    ("oom_kill", "node_vmstat_oom_kill_total"),
];

pub(super) struct Memory {
    meminfo: Probe,
    lines: [(&'static str, Line); FIELDS.len()],
}

impl Memory {
    pub(super) fn new(config: &Config) -> Self {
        let lines = FIELDS.map(|(field, metric)| (field, Line::new(metric, &[])));
        Self {
            meminfo: Probe::new(config.proc.join("meminfo")),
            lines,
        }
    }
}

impl Collector for Memory {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.meminfo.read()?;
        let before = out.len();
        // A machine without swap has nothing to say about it.
        let swap = number_after(text, "SwapTotal").is_some_and(|kib| kib > 0);
        for (field, line) in &self.lines {
            if let Some(kib) =
                number_after(text, field).filter(|_| swap || !field.starts_with("Swap"))
            {
                line.put(kib as f64 * 1024.0, out);
            }
        }
        if out.len() > before {
            Ok(())
        } else {
            Err(self.meminfo.absent("amount of memory"))
        }
    }
}

pub(super) struct Paging {
    vmstat: Probe,
    lines: [(&'static str, Line); EVENTS.len()],
}

impl Paging {
    pub(super) fn new(config: &Config) -> Self {
        let lines = EVENTS.map(|(field, metric)| (field, Line::new(metric, &[])));
        Self {
            vmstat: Probe::new(config.proc.join("vmstat")),
            lines,
        }
    }
}

impl Collector for Paging {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.vmstat.read()?;
        let before = out.len();
        for (field, line) in &self.lines {
            if let Some(count) = number_after(text, field) {
                line.put(count as f64, out);
            }
        }
        if out.len() > before {
            Ok(())
        } else {
            Err(self.vmstat.absent("count of page faults"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn kibibytes_become_bytes_and_no_swap_is_silent() {
        let tree = Tree::new();
        tree.write(
            "proc/meminfo",
            "MemTotal:  2 kB\nMemAvailable: 1 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nFoo: x\n",
        );
        let lines = [
            "node_memory_MemTotal_bytes 2048",
            "node_memory_MemAvailable_bytes 1024",
        ];
        check(&mut Memory::new(&tree.config()), 0.0, &lines);
        tree.write("proc/meminfo", "SwapTotal: 4 kB\nSwapFree: 3 kB\n");
        let lines = [
            "node_memory_SwapTotal_bytes 4096",
            "node_memory_SwapFree_bytes 3072",
        ];
        check(&mut Memory::new(&tree.config()), 0.0, &lines);
    }

    #[test]
    fn events_are_counted() {
        let tree = Tree::new();
        tree.write("proc/vmstat", "pgmajfault 7\noom_kill 1\n");
        let lines = [
            "node_vmstat_pgmajfault_total 7",
            "node_vmstat_oom_kill_total 1",
        ];
        check(&mut Paging::new(&tree.config()), 0.0, &lines);
    }
}

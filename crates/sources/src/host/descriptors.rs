//! Descriptors and threads of the whole machine, beside their limits.

use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

pub(super) struct Descriptors {
    file_nr: Probe,
    allocated: Line,
    maximum: Line,
}

impl Descriptors {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            file_nr: Probe::new(config.proc.join("sys/fs/file-nr")),
            allocated: Line::new("node_filefd_allocated", &[]),
            maximum: Line::new("node_filefd_maximum", &[]),
        }
    }
}

impl Collector for Descriptors {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        // `448  0  2466177`: allocated, unused (always 0 since Linux 2.6), maximum.
        let mut columns = self
            .file_nr
            .read()?
            .split_ascii_whitespace()
            .map_while(|column| column.parse::<u64>().ok());
        let (Some(allocated), Some(_), Some(maximum)) =
            (columns.next(), columns.next(), columns.next())
        else {
            return Err(self.file_nr.absent("three numbers"));
        };
        self.allocated.put(allocated as f64, out);
        self.maximum.put(maximum as f64, out);
        Ok(())
    }
}

pub(super) struct Threads {
    loadavg: Probe,
    limit: Probe,
    threads: Line,
    maximum: Line,
}

impl Threads {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            loadavg: Probe::new(config.proc.join("loadavg")),
            limit: Probe::new(config.proc.join("sys/kernel/threads-max")),
            threads: Line::new("node_processes_threads", &[]),
            maximum: Line::new("node_processes_max_threads", &[]),
        }
    }
}

impl Collector for Threads {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        // `0.20 0.18 0.12 1/80 11206`: the fourth column is runnable/all.
        let all = self
            .loadavg
            .read()?
            .split_ascii_whitespace()
            .nth(3)
            .and_then(|column| column.split_once('/'));
        let Some(threads) = all.and_then(|(_, all)| all.parse::<u64>().ok()) else {
            return Err(self.loadavg.absent("number of threads"));
        };
        self.threads.put(threads as f64, out);
        if let Ok(maximum) = self.limit.read()?.trim().parse::<u64>() {
            self.maximum.put(maximum as f64, out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn use_stands_beside_its_limit() {
        let tree = Tree::new();
        tree.write("proc/sys/fs/file-nr", "448\t0\t2466177\n");
        check(
            &mut Descriptors::new(&tree.config()),
            0.0,
            &["node_filefd_allocated 448", "node_filefd_maximum 2466177"],
        );
        tree.write("proc/loadavg", "0.20 0.18 0.12 1/80 11206\n");
        tree.write("proc/sys/kernel/threads-max", "4096\n");
        let lines = [
            "node_processes_threads 80",
            "node_processes_max_threads 4096",
        ];
        check(&mut Threads::new(&tree.config()), 0.0, &lines);
    }
}

//! `/proc/diskstats`: what whole disks read and write, and how long that takes.

use std::collections::HashMap;
use std::path::PathBuf;

use procfs::DiskStat;
use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

/// A host has fewer; a bound in case one is fed endless device names.
const MOST_DISKS: usize = 256;
/// The kernel counts in sectors of this size, whatever the disk's own.
const SECTOR_BYTES: f64 = 512.0;

type Field = (&'static str, fn(&DiskStat) -> f64);

const FIELDS: [Field; 7] = [
    ("node_disk_read_bytes_total", |d| {
        d.sectors_read as f64 * SECTOR_BYTES
    }),
    ("node_disk_written_bytes_total", |d| {
        d.sectors_written as f64 * SECTOR_BYTES
    }),
    ("node_disk_reads_completed_total", |d| d.reads as f64),
    ("node_disk_writes_completed_total", |d| d.writes as f64),
    ("node_disk_read_time_seconds_total", |d| {
        d.time_reading as f64 / 1e3
    }),
    ("node_disk_write_time_seconds_total", |d| {
        d.time_writing as f64 / 1e3
    }),
    ("node_disk_io_time_seconds_total", |d| {
        d.time_in_progress as f64 / 1e3
    }),
];

pub(super) struct Disks {
    diskstats: Probe,
    block: PathBuf,
    /// `None`: a partition, whose whole disk is reported, or a disk that cannot fill or fail.
    known: HashMap<String, Option<[Line; FIELDS.len()]>>,
}

impl Disks {
    pub(super) fn new(config: &Config) -> Self {
        let block = config.sys.join("block");
        Self {
            diskstats: Probe::new(config.proc.join("diskstats")),
            block,
            known: HashMap::new(),
        }
    }
}

impl Collector for Disks {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.diskstats.read()?;
        for line in text.lines() {
            let Ok(disk) = DiskStat::from_line(line) else {
                continue;
            };
            // An idle device has nothing to tell; most loop devices never do anything.
            if disk.reads + disk.writes == 0 {
                continue;
            }
            if !self.known.contains_key(&disk.name) && self.known.len() < MOST_DISKS {
                let passing = ["loop", "ram", "zram", "sr", "fd"]
                    .iter()
                    .any(|p| disk.name.starts_with(p));
                let whole = !passing && self.block.join(disk.name.replace('/', "!")).exists();
                let lines = whole.then(|| {
                    FIELDS.map(|(metric, _)| Line::new(metric, &[("device", &disk.name)]))
                });
                self.known.insert(disk.name.clone(), lines);
            }
            let Some(Some(lines)) = self.known.get(&disk.name) else {
                continue;
            };
            for (line, (_, value)) in lines.iter().zip(FIELDS) {
                line.put(value(&disk), out);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn whole_disks_that_work_are_reported() {
        let tree = Tree::new();
        tree.write("sys/block/vda/size", "1");
        tree.write("sys/block/vdb/size", "1");
        tree.write(
            "proc/diskstats",
            " 254 0 vda 10 1 20 500 30 2 40 1500 0 2500 9 9\n 254 1 vda1 10 1 20 500 30 2 40 1500 0 2500 9 9\n\
             254 16 vdb 0 0 0 0 0 0 0 0 0 0 0 0\n 7 0 loop0 1 0 1 0 0 0 0 0 0 0 0 0\nnonsense\n",
        );
        check(
            &mut Disks::new(&tree.config()),
            0.0,
            &[
                "node_disk_read_bytes_total{device=\"vda\"} 10240",
                "node_disk_written_bytes_total{device=\"vda\"} 20480",
                "node_disk_reads_completed_total{device=\"vda\"} 10",
                "node_disk_writes_completed_total{device=\"vda\"} 30",
                "node_disk_read_time_seconds_total{device=\"vda\"} 0.5",
                "node_disk_write_time_seconds_total{device=\"vda\"} 1.5",
                "node_disk_io_time_seconds_total{device=\"vda\"} 2.5",
            ],
        );
    }
}

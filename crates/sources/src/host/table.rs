//! What is known of every process, brought up to date within a budget per tick.
//!
//! Looking at a process costs the kernel some 10 µs for its `stat` and more for its descriptors, so each tick looks
//! first at those that have a series, then at new ones, then at the others in turn. On a host with fewer processes
//! than the budget every one is looked at on every tick.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use series::Timestamp;

use super::probe::Trouble;
use super::procstat::{limits, parse_stat};

/// How many processes have their descriptors counted in one tick, beside those that have a series of them.
const FDS_PER_TICK: usize = 16;
/// Kernels before 6.2 make us list descriptors to count them; one with many is listed less often.
const LISTED_FDS_PER_TICK: u64 = 500;
/// The table holds no more; the default limit of the kernel is half of it.
const MOST_PROCESSES: usize = 65_536;
/// Listing `/proc` costs about a microsecond per process; with many, new ones are looked for less often.
const LISTED_PER_TICK: usize = 1_000;
/// How often, in ticks, the limits of a process that has a series of them are read again.
const LIMIT_TICKS: u64 = 60;

/// The same for the others: a limit seldom changes after the start.
const OTHERS_LIMIT_TICKS: u64 = 300;

/// What is known of one process.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// Never given twice: a process that takes over a number, or another name, is another process.
    pub(super) id: u64,
    pub(super) comm: String,
    /// Since boot, in the kernel's ticks; with the number it names a process.
    pub(super) started: u64,
    /// User and system time so far, in the kernel's ticks.
    pub(super) spent: u64,
    pub(super) looked: Timestamp,
    /// The tick in which it was last looked at.
    pub(super) tick: u64,
    /// In processors: 1 is one processor busy. `None` before the second look.
    pub(super) cpu_ratio: Option<f64>,
    pub(super) space_bytes: u64,
    pub(super) rss_bytes: f64,
    pub(super) threads: u64,
    /// `None` if not counted yet, or not ours to count.
    pub(super) fds: Option<u64>,
    /// Soft limits, where they are known and there are any.
    pub(super) max_fds: Option<u64>,
    pub(super) max_space: Option<u64>,
    /// The tick in which the limits were read; 0 before.
    pub(super) limits_read: u64,
    /// The tick from which its descriptors may be counted again.
    pub(super) fds_due: u64,
}

/// All processes.
pub(super) struct Table {
    proc: PathBuf,
    budget: usize,
    /// Ticks per second of the kernel's clock, and bytes of a page.
    pub(super) hz: u64,
    page_bytes: u64,
    counting: Counting,
    pub(super) processes: HashMap<u32, Process>,
    pids: Vec<u32>,
    pub(super) tick: u64,
    list_at: u64,
    next_id: u64,
    cursor: usize,
    fds_cursor: usize,
    path: String,
    text: Vec<u8>,
}

/// How a process' descriptors are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// The size of its `fd` folder is their number, since Linux 6.2.
    Size,
    /// The folder has to be listed.
    Listing,
}

impl Table {
    /// Of the processes under `proc`, of which a tick looks at `budget`.
    pub(super) fn new(proc: &Path, budget: usize) -> Self {
        let genuine =
            rustix::fs::statfs(proc).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC);
        let sized = genuine && fs::metadata(proc.join("self/fd")).is_ok_and(|meta| meta.len() > 0);
        Self {
            proc: proc.to_owned(),
            budget,
            hz: procfs::ticks_per_second(),
            page_bytes: procfs::page_size(),
            counting: if sized {
                Counting::Size
            } else {
                Counting::Listing
            },
            processes: HashMap::new(),
            pids: Vec::new(),
            tick: 0,
            list_at: 0,
            next_id: 0,
            cursor: 0,
            fds_cursor: 0,
            path: String::new(),
            text: Vec::new(),
        }
    }

    /// Begins a tick, in which `tracked` are looked at before all others.
    pub(super) fn refresh(&mut self, at: Timestamp, tracked: &[u32]) -> Result<(), Trouble> {
        self.tick += 1;
        if self.tick >= self.list_at {
            self.list()?;
        }
        self.scan(at, tracked);
        Ok(())
    }

    /// Finds out which processes there are, and forgets the others.
    fn list(&mut self) -> Result<(), Trouble> {
        let trouble = |source| Trouble::Read {
            path: self.proc.clone(),
            source,
        };
        self.pids.clear();
        for entry in fs::read_dir(&self.proc).map_err(trouble)? {
            let name = entry.map_err(trouble)?.file_name();
            if let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) {
                self.pids.push(pid);
            }
        }
        self.pids.sort_unstable();
        self.processes
            .retain(|pid, _| self.pids.binary_search(pid).is_ok());
        self.list_at = self.tick + 1 + (self.pids.len() / LISTED_PER_TICK) as u64;
        Ok(())
    }

    /// Looks at as many processes as the budget allows, each at most once.
    fn scan(&mut self, at: Timestamp, tracked: &[u32]) {
        let mut left = self.budget;
        for &pid in tracked {
            left = left.saturating_sub(usize::from(self.look(pid, at)));
        }
        for i in 0..self.pids.len() {
            let pid = self.pids[i];
            if left > 0
                && self.processes.len() < MOST_PROCESSES
                && !self.processes.contains_key(&pid)
            {
                self.look(pid, at);
                left -= 1;
            }
        }
        for _ in 0..self.pids.len() {
            if left == 0 {
                break;
            }
            self.cursor = (self.cursor + 1) % self.pids.len();
            let pid = self.pids[self.cursor];
            if self.processes.contains_key(&pid) {
                left -= usize::from(self.look(pid, at));
            }
        }
    }

    /// Reads one process' `stat`, unless this tick already did; returns whether it was read.
    fn look(&mut self, pid: u32, at: Timestamp) -> bool {
        if self
            .processes
            .get(&pid)
            .is_some_and(|process| process.tick == self.tick)
        {
            return false;
        }
        let read = self.read(pid, "stat").is_some();
        let Some(stat) = Some(&self.text)
            .filter(|_| read)
            .and_then(|text| parse_stat(text))
        else {
            // It exited, which is no trouble.
            self.processes.remove(&pid);
            return true;
        };
        let process = self.processes.entry(pid).or_default();
        if process.tick > 0 && process.started == stat.started && process.comm == stat.comm {
            let passed_s = at.seconds_since(process.looked);
            let spent_s = stat.spent.saturating_sub(process.spent) as f64 / self.hz as f64;
            process.cpu_ratio = (passed_s > 0.0).then(|| spent_s / passed_s);
        } else {
            self.next_id += 1;
            let (id, comm) = (self.next_id, stat.comm.into_owned());
            *process = Process {
                id,
                comm,
                started: stat.started,
                ..Process::default()
            };
        }
        process.spent = stat.spent;
        process.looked = at;
        process.tick = self.tick;
        process.space_bytes = stat.space_bytes;
        process.rss_bytes = stat.rss_pages as f64 * self.page_bytes as f64;
        process.threads = stat.threads;
        true
    }

    /// Reads a file of a process into `text`; a `stat` or `limits` is far shorter than what is read at most.
    fn read(&mut self, pid: u32, file: &str) -> Option<()> {
        self.path.clear();
        write!(self.path, "{}/{pid}/{file}", self.proc.display()).ok()?;
        self.text.resize(4096, 0);
        let n = File::open(&self.path).ok()?.read(&mut self.text).ok()?;
        self.text.truncate(n);
        Some(())
    }

    /// Counts the descriptors of `tracked`, and of a few others in turn, and reads their limits: those of the others are
    /// read with their first turn and seldom after it.
    pub(super) fn count_fds(&mut self, tracked: &[u32]) {
        for &pid in tracked {
            self.count_fds_of(pid);
            self.read_limits(pid, LIMIT_TICKS);
        }
        for _ in 0..FDS_PER_TICK.min(self.pids.len()) {
            self.fds_cursor = (self.fds_cursor + 1) % self.pids.len();
            let pid = self.pids[self.fds_cursor];
            self.count_fds_of(pid);
            self.read_limits(pid, OTHERS_LIMIT_TICKS);
        }
    }

    /// Reads the limits of a process, unless that was done in the last `ticks`.
    fn read_limits(&mut self, pid: u32, ticks: u64) {
        let tick = self.tick;
        let due =
            |process: &Process| process.limits_read == 0 || tick - process.limits_read >= ticks;
        if !self.processes.get(&pid).is_some_and(due) {
            return;
        }
        let read = self.read(pid, "limits").is_some();
        let limits = if read { limits(&self.text) } else { [None; 2] };
        if let Some(process) = self.processes.get_mut(&pid) {
            [process.max_fds, process.max_space] = limits;
            process.limits_read = tick;
        }
    }

    fn count_fds_of(&mut self, pid: u32) {
        let Some(process) = self
            .processes
            .get_mut(&pid)
            .filter(|p| p.fds_due <= self.tick)
        else {
            return;
        };
        self.path.clear();
        let _ = write!(self.path, "{}/{pid}/fd", self.proc.display());
        process.fds = fds(Path::new(&self.path), self.counting).ok();
        let listed = process.fds.filter(|_| self.counting == Counting::Listing);
        process.fds_due = self.tick + 1 + listed.unwrap_or(0) / LISTED_FDS_PER_TICK;
    }
}

fn fds(folder: &Path, counting: Counting) -> io::Result<u64> {
    Ok(match counting {
        Counting::Size => fs::metadata(folder)?.len(),
        Counting::Listing => fs::read_dir(folder)?.count() as u64,
    })
}

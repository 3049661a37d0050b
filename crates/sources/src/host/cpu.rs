//! `/proc/stat`: where the processors' time goes, as shares of the time since the last look.

use series::Timestamp;

use super::probe::{Probe, Trouble, number_after};
use super::{Collector, Config, Line, Reading};

/// Columns of a `cpu` line: user, nice, system, idle, iowait, irq, softirq, steal, in ticks since boot. The guests'
/// columns after these are part of user and nice already: proc(5).
const COLUMNS: usize = 8;
const IDLE: usize = 3;
const IOWAIT: usize = 4;

/// Modes that are reported for the whole machine, and the columns that make them up.
const MODES: [(&str, &[usize]); 5] = [
    ("user", &[0, 1]),
    ("system", &[2]),
    ("iowait", &[IOWAIT]),
    ("irq", &[5, 6]),
    ("steal", &[7]),
];

/// More processors than any kernel supports today (8,192 is the limit on x86-64).
const MOST_CORES: usize = 8192;

type Ticks = [u64; COLUMNS];

pub(super) struct Cpu {
    stat: Probe,
    total: Line,
    modes: [Line; MODES.len()],
    last: Option<Ticks>,
    cores: Vec<Core>,
    counts: [(&'static str, Line); 4],
}

struct Core {
    line: Line,
    last: Option<Ticks>,
}

impl Cpu {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            stat: Probe::new(config.proc.join("stat")),
            total: Line::new("node_cpu_utilization_ratio", &[]),
            modes: MODES.map(|(mode, _)| Line::new("node_cpu_mode_ratio", &[("mode", mode)])),
            last: None,
            cores: Vec::new(),
            counts: [
                ("ctxt", Line::new("node_context_switches_total", &[])),
                ("processes", Line::new("node_forks_total", &[])),
                ("procs_running", Line::new("node_procs_running", &[])),
                ("procs_blocked", Line::new("node_procs_blocked", &[])),
            ],
        }
    }
}

impl Collector for Cpu {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.stat.read()?;
        let mut found = false;
        for line in text.lines() {
            let Some((name, ticks)) = line
                .strip_prefix("cpu")
                .and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let Some(now) = parse(ticks) else { continue };
            if name.is_empty() {
                found = true;
                if let Some(spent) = self.last.replace(now).and_then(|last| spent(last, now)) {
                    self.total.put(busy(&spent), out);
                    for (line, (_, columns)) in self.modes.iter().zip(MODES) {
                        line.put(columns.iter().map(|&c| spent[c]).sum(), out);
                    }
                }
                continue;
            }
            let Some(core) = name.parse::<usize>().ok().filter(|core| *core < MOST_CORES) else {
                continue;
            };
            while self.cores.len() <= core {
                let number = self.cores.len().to_string();
                let line = Line::new("node_cpu_core_utilization_ratio", &[("cpu", &number)]);
                self.cores.push(Core { line, last: None });
            }
            let core = &mut self.cores[core];
            if let Some(spent) = core.last.replace(now).and_then(|last| spent(last, now)) {
                core.line.put(busy(&spent), out);
            }
        }
        for (name, line) in &self.counts {
            if let Some(count) = number_after(text, name) {
                line.put(count as f64, out);
            }
        }
        if found {
            Ok(())
        } else {
            Err(self.stat.absent("line of all processors"))
        }
    }
}

/// Kernels before 2.6.11 have fewer columns; what is not there was not spent.
fn parse(ticks: &str) -> Option<Ticks> {
    let mut out = [0; COLUMNS];
    let mut columns = ticks.split_ascii_whitespace();
    for (i, slot) in out.iter_mut().enumerate() {
        match columns.next() {
            Some(column) => *slot = column.parse().ok()?,
            None if i > IDLE => break,
            None => return None,
        }
    }
    Some(out)
}

/// The share of each column in the time between two looks; `None` if no time has passed. A column may go back by a
/// few ticks (proc(5) says so of iowait), and has then had no time.
fn spent(last: Ticks, now: Ticks) -> Option<[f64; COLUMNS]> {
    let mut out = [0.0; COLUMNS];
    for (i, slot) in out.iter_mut().enumerate() {
        *slot = now[i].saturating_sub(last[i]) as f64;
    }
    let all: f64 = out.iter().sum();
    (all > 0.0).then(|| out.map(|ticks| ticks / all))
}

fn busy(spent: &[f64; COLUMNS]) -> f64 {
    (1.0 - spent[IDLE] - spent[IOWAIT]).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn shares_begin_with_the_second_look() {
        let tree = Tree::new();
        let mut cpu = Cpu::new(&tree.config());
        tree.write(
            "proc/stat",
            "cpu  10 0 10 100 0 0 0 0 0 0\ncpu1 10 0 10 100 0 0 0 0 0 0\nctxt 5\nprocs_running 2\n",
        );
        check(
            &mut cpu,
            0.0,
            &["node_context_switches_total 5", "node_procs_running 2"],
        );
        tree.write(
            "proc/stat",
            "cpu  14 1 11 102 1 0 0 1 4 0\ncpu1 10 0 10 110 0 0 0 0 0 0\n",
        );
        check(
            &mut cpu,
            1.0,
            &[
                "node_cpu_utilization_ratio 0.7",
                "node_cpu_mode_ratio{mode=\"user\"} 0.5",
                "node_cpu_mode_ratio{mode=\"system\"} 0.1",
                "node_cpu_mode_ratio{mode=\"iowait\"} 0.1",
                "node_cpu_mode_ratio{mode=\"irq\"} 0",
                "node_cpu_mode_ratio{mode=\"steal\"} 0.1",
                "node_cpu_core_utilization_ratio{cpu=\"1\"} 0",
            ],
        );
        // No time has passed: no share can be told.
        check(&mut cpu, 2.0, &[]);
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let tree = Tree::new();
        tree.write(
            "proc/stat",
            "cpu one two\ncpu99999999999 1 2 3 4\ncpu8192 1 2 3 4\n",
        );
        let error = Cpu::new(&tree.config())
            .collect(Timestamp::default(), &mut Vec::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("proc/stat holds no line of all processors"),
            "{error}"
        );
    }
}

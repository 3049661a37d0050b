//! `/proc/pressure`: the time in which somebody (`some`) or everybody (`full`) waited for a resource; Linux 4.20
//! and later, where it is not turned off.

use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

pub(super) struct Pressure {
    probe: Probe,
    waiting: Line,
    /// The kernel has no `full` for the processor of the whole machine, or a zero in its place.
    stalled: Option<Line>,
}

impl Pressure {
    pub(super) fn cpu(config: &Config) -> Self {
        let waiting = Line::new("node_pressure_cpu_waiting_seconds_total", &[]);
        Self {
            probe: Probe::new(config.proc.join("pressure/cpu")),
            waiting,
            stalled: None,
        }
    }

    pub(super) fn memory(config: &Config) -> Self {
        let waiting = Line::new("node_pressure_memory_waiting_seconds_total", &[]);
        let stalled = Some(Line::new("node_pressure_memory_stalled_seconds_total", &[]));
        Self {
            probe: Probe::new(config.proc.join("pressure/memory")),
            waiting,
            stalled,
        }
    }

    pub(super) fn io(config: &Config) -> Self {
        let waiting = Line::new("node_pressure_io_waiting_seconds_total", &[]);
        let stalled = Some(Line::new("node_pressure_io_stalled_seconds_total", &[]));
        Self {
            probe: Probe::new(config.proc.join("pressure/io")),
            waiting,
            stalled,
        }
    }
}

impl Collector for Pressure {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.probe.read()?;
        let Some(waiting) = total_s(text, "some ") else {
            return Err(self.probe.absent("total of waiting"));
        };
        let stalled = total_s(text, "full ");
        self.waiting.put(waiting, out);
        if let (Some(line), Some(stalled)) = (&self.stalled, stalled) {
            line.put(stalled, out);
        }
        Ok(())
    }
}

/// `some avg10=0.00 avg60=0.94 avg300=2.30 total=18211950`; the total is in microseconds.
pub(super) fn total_s(text: &str, kind: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
    let total: u64 = line.split_once("total=")?.1.trim().parse().ok()?;
    Some(total as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn totals_are_seconds() {
        let tree = Tree::new();
        let text = "some avg10=0.00 avg60=0.94 avg300=2.30 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n";
        tree.write("proc/pressure/cpu", text);
        tree.write("proc/pressure/io", text);
        check(
            &mut Pressure::cpu(&tree.config()),
            0.0,
            &["node_pressure_cpu_waiting_seconds_total 1.5"],
        );
        check(
            &mut Pressure::io(&tree.config()),
            0.0,
            &[
                "node_pressure_io_waiting_seconds_total 1.5",
                "node_pressure_io_stalled_seconds_total 0.25",
            ],
        );
    }
}

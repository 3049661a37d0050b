//! `/proc/loadavg`: how many processes run or wait to run, or wait for a disk.

use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

/// Over one minute and five. The third, over fifteen, is so smooth that it tells nothing that these do not.
pub(super) struct Load {
    loadavg: Probe,
    lines: [Line; 2],
}

impl Load {
    pub(super) fn new(config: &Config) -> Self {
        let lines = ["node_load1", "node_load5"].map(|metric| Line::new(metric, &[]));
        Self {
            loadavg: Probe::new(config.proc.join("loadavg")),
            lines,
        }
    }
}

impl Collector for Load {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let mut columns = self
            .loadavg
            .read()?
            .split_ascii_whitespace()
            .map_while(|column| column.parse::<f64>().ok());
        let (Some(one), Some(five)) = (columns.next(), columns.next()) else {
            return Err(self.loadavg.absent("load averages"));
        };
        self.lines[0].put(one, out);
        self.lines[1].put(five, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check};
    use super::*;

    #[test]
    fn reads_two_averages() {
        let tree = Tree::new();
        tree.write("proc/loadavg", "0.25 1.5 0.10 1/123 456\n");
        check(
            &mut Load::new(&tree.config()),
            0.0,
            &["node_load1 0.25", "node_load5 1.5"],
        );
    }
}

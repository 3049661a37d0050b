//! `/proc/net/dev`: what network interfaces carry, lose and refuse.

use std::collections::HashMap;

use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

/// Interfaces of containers come and go; beyond this many the rest is not reported.
const MOST_INTERFACES: usize = 64;

/// Columns of `/proc/net/dev` after the name, and their metrics.
const FIELDS: [(usize, &str); 8] = [
    (0, "node_network_receive_bytes_total"),
    (1, "node_network_receive_packets_total"),
    (2, "node_network_receive_errs_total"),
    (3, "node_network_receive_drop_total"),
    (8, "node_network_transmit_bytes_total"),
    (9, "node_network_transmit_packets_total"),
    (10, "node_network_transmit_errs_total"),
    (11, "node_network_transmit_drop_total"),
];
const COLUMNS: usize = 16;

pub(super) struct Network {
    dev: Probe,
    known: HashMap<String, [Line; FIELDS.len()]>,
}

impl Network {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            dev: Probe::new(config.proc.join("net/dev")),
            known: HashMap::new(),
        }
    }
}

impl Collector for Network {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        for line in self.dev.read()?.lines() {
            // The name may itself hold a colon (an alias, `eth0:1`); the numbers never do.
            let Some((name, numbers)) = line.rsplit_once(':') else {
                continue;
            };
            let name = name.trim();
            let mut columns = [0_u64; COLUMNS];
            let mut found = 0;
            for (slot, column) in columns.iter_mut().zip(numbers.split_ascii_whitespace()) {
                let Ok(number) = column.parse() else { break };
                *slot = number;
                found += 1;
            }
            // An interface that never carried anything has nothing to tell. Those of containers are named at random
            // and would each be a new series for a short life; the bridge carries their sum.
            if found < COLUMNS || columns[1] + columns[9] == 0 || name.starts_with("veth") {
                continue;
            }
            if !self.known.contains_key(name) && self.known.len() < MOST_INTERFACES {
                let lines = FIELDS.map(|(_, metric)| Line::new(metric, &[("device", name)]));
                self.known.insert(name.to_owned(), lines);
            }
            let Some(lines) = self.known.get(name) else {
                continue;
            };
            for (line, (column, _)) in lines.iter().zip(FIELDS) {
                line.put(columns[column] as f64, out);
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
    fn interfaces_that_carry_something_are_reported() {
        let tree = Tree::new();
        tree.write(
            "proc/net/dev",
            "Inter-|   Receive  |  Transmit\n face |bytes    packets errs\n    lo:    0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n\
             eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\nveth12: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\nbad: 1 2 x\n",
        );
        check(
            &mut Network::new(&tree.config()),
            0.0,
            &[
                "node_network_receive_bytes_total{device=\"eth0\"} 1",
                "node_network_receive_packets_total{device=\"eth0\"} 2",
                "node_network_receive_errs_total{device=\"eth0\"} 3",
                "node_network_receive_drop_total{device=\"eth0\"} 4",
                "node_network_transmit_bytes_total{device=\"eth0\"} 5",
                "node_network_transmit_packets_total{device=\"eth0\"} 6",
                "node_network_transmit_errs_total{device=\"eth0\"} 7",
                "node_network_transmit_drop_total{device=\"eth0\"} 8",
            ],
        );
    }
}

//! TCP: how many connections are in which state, and what the protocol had to repeat, refuse or drop.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

/// The states in the kernel's order, from 1: include/net/tcp_states.h. NEW_SYN_RECV counts as SYN_RECV.
const STATES: [&str; 11] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];

/// The kernel writes a line for each socket, at about a microsecond a line. With more than this many sockets they are
/// counted every few ticks, so that the cost per tick stays what it is with this many.
const SOCKETS_PER_TICK: u64 = 500;

pub(super) struct Tcp {
    sockstat: Probe,
    tables: [PathBuf; 2],
    states: [Line; STATES.len()],
    used: Line,
    line: Vec<u8>,
    wait_ticks: u64,
}

impl Tcp {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            sockstat: Probe::new(config.proc.join("net/sockstat")),
            tables: [config.proc.join("net/tcp"), config.proc.join("net/tcp6")],
            states: STATES
                .map(|state| Line::new("node_tcp_connection_states", &[("state", state)])),
            used: Line::new("node_sockstat_sockets_used", &[]),
            line: Vec::new(),
            wait_ticks: 0,
        }
    }

    /// Adds up the states of one table.
    fn count(&mut self, table: usize, counts: &mut [u64; STATES.len()]) -> std::io::Result<u64> {
        let mut lines = BufReader::with_capacity(64 << 10, File::open(&self.tables[table])?);
        let mut sockets = 0;
        loop {
            self.line.clear();
            if lines.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(sockets);
            }
            // `   0: 0100007F:1F90 00000000:0000 0A ...`: slot, local, remote, state in hexadecimal.
            let mut columns = self
                .line
                .split(u8::is_ascii_whitespace)
                .filter(|column| !column.is_empty());
            let state = columns
                .nth(3)
                .and_then(|column| std::str::from_utf8(column).ok());
            let Some(state) = state.and_then(|hex| usize::from_str_radix(hex, 16).ok()) else {
                continue;
            };
            let state = if state == 12 { 3 } else { state };
            if let Some(count) = state.checked_sub(1).and_then(|i| counts.get_mut(i)) {
                *count += 1;
                sockets += 1;
            }
        }
    }
}

impl Collector for Tcp {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        if let Ok(text) = self.sockstat.read()
            && let Some(used) = text
                .lines()
                .find_map(|line| line.strip_prefix("sockets: used "))
            && let Ok(used) = used.trim().parse::<u64>()
        {
            self.used.put(used as f64, out);
        }
        if self.wait_ticks > 0 {
            self.wait_ticks -= 1;
            return Ok(());
        }
        let mut counts = [0; STATES.len()];
        let mut sockets = self.count(0, &mut counts).map_err(|source| Trouble::Read {
            path: self.tables[0].clone(),
            source,
        })?;
        // A kernel without IPv6 has no second table.
        sockets += self.count(1, &mut counts).unwrap_or(0);
        self.wait_ticks = sockets / SOCKETS_PER_TICK;
        for (line, count) in self.states.iter().zip(counts) {
            line.put(count as f64, out);
        }
        Ok(())
    }
}

/// Counters of `/proc/net/snmp` and `/proc/net/netstat`: table, column, metric. The node exporter leaves out
/// `_total`; our kinds are read off the names.
const COUNTERS: [(&str, &str, &str); 7] = [
    ("Tcp:", "ActiveOpens", "node_netstat_Tcp_ActiveOpens_total"),
    (
        "Tcp:",
        "PassiveOpens",
        "node_netstat_Tcp_PassiveOpens_total",
    ),
    (
        "Tcp:",
        "AttemptFails",
        "node_netstat_Tcp_AttemptFails_total",
    ),
    ("Tcp:", "EstabResets", "node_netstat_Tcp_EstabResets_total"),
    ("Tcp:", "RetransSegs", "node_netstat_Tcp_RetransSegs_total"),
    (
        "TcpExt:",
        "ListenOverflows",
        "node_netstat_TcpExt_ListenOverflows_total",
    ),
    (
        "TcpExt:",
        "ListenDrops",
        "node_netstat_TcpExt_ListenDrops_total",
    ),
];

pub(super) struct Protocol {
    snmp: Probe,
    netstat: Probe,
    lines: [Line; COUNTERS.len()],
}

impl Protocol {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            snmp: Probe::new(config.proc.join("net/snmp")),
            netstat: Probe::new(config.proc.join("net/netstat")),
            lines: COUNTERS.map(|(_, _, metric)| Line::new(metric, &[])),
        }
    }
}

impl Collector for Protocol {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let snmp = self.snmp.read()?;
        let netstat = self.netstat.read().unwrap_or_default();
        for (line, (table, column, _)) in self.lines.iter().zip(COUNTERS) {
            let text = if table == "Tcp:" { snmp } else { netstat };
            if let Some(count) = column_of(text, table, column) {
                line.put(count as f64, out);
            }
        }
        Ok(())
    }
}

/// A table is a line of names and a line of numbers, both behind the table's own name.
fn column_of(text: &str, table: &str, column: &str) -> Option<u64> {
    let mut rows = text
        .lines()
        .filter_map(|line| line.strip_prefix(table))
        .filter(|row| row.starts_with(' '));
    let (names, numbers) = (rows.next()?, rows.next()?);
    let at = names
        .split_ascii_whitespace()
        .position(|name| name == column)?;
    numbers.split_ascii_whitespace().nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, check, lines};
    use super::*;

    const HEADER: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[test]
    fn both_tables_are_added_up() {
        let tree = Tree::new();
        let socket = |state: &str| {
            format!("   0: 0100007F:1F90 00000000:0000 {state} 00000000:00000000 00:00000000\n")
        };
        tree.write(
            "proc/net/tcp",
            &(HEADER.to_owned() + &socket("0A") + &socket("01") + &socket("0C") + "x\n"),
        );
        tree.write(
            "proc/net/tcp6",
            &(HEADER.to_owned() + &socket("01") + &socket("FF") + &socket("00")),
        );
        tree.write("proc/net/sockstat", "sockets: used 12\nTCP: inuse 1\n");
        let got = lines(&mut Tcp::new(&tree.config()), 0.0);
        assert_eq!(got.len(), 12);
        assert_eq!(got[0], "node_sockstat_sockets_used 12");
        let some: Vec<_> = got[1..]
            .iter()
            .filter(|line| !line.ends_with(" 0"))
            .collect();
        let state =
            |state: &str, n: u32| format!("node_tcp_connection_states{{state=\"{state}\"}} {n}");
        assert_eq!(
            some,
            [
                &state("established", 2),
                &state("syn_recv", 1),
                &state("listen", 1)
            ]
        );
    }

    #[test]
    fn many_sockets_are_counted_less_often() {
        let tree = Tree::new();
        tree.write("proc/net/tcp", &"0: a b 01\n".repeat(1000));
        let mut tcp = Tcp::new(&tree.config());
        let per_tick: Vec<_> = (0..6)
            .map(|i| lines(&mut tcp, f64::from(i)).len())
            .collect();
        assert_eq!(per_tick, [11, 0, 0, 11, 0, 0]);
    }

    #[test]
    fn counters_are_found_by_name() {
        let tree = Tree::new();
        tree.write(
            "proc/net/snmp",
            "Ip: A B\nIp: 1 2\nTcp: MaxConn RetransSegs EstabResets\nTcp: -1 7 95\n",
        );
        tree.write("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 3\n");
        check(
            &mut Protocol::new(&tree.config()),
            0.0,
            &[
                "node_netstat_Tcp_EstabResets_total 95",
                "node_netstat_Tcp_RetransSegs_total 7",
                "node_netstat_TcpExt_ListenDrops_total 3",
            ],
        );
    }
}

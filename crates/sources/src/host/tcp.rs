//! TCP: how many connections are in which state, and what the protocol had to repeat, refuse or drop.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::{Duration, Instant};

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

/// The kernel walks its whole table of connections for each reading, empty or not: 5 ms on a machine with 24 GiB of
/// memory and one socket, more with many sockets. So the states are counted at most so often that they take this share
/// of the time; what changes from second to second shows in the cheap counters beside them.
const SHARE_OF_TIME: f64 = 0.002;

/// Fields of the `TCP:` line of `/proc/net/sockstat`.
const SOCKSTAT: [(&str, &str); 3] = [
    ("orphan", "node_sockstat_TCP_orphan"),
    ("tw", "node_sockstat_TCP_tw"),
    ("alloc", "node_sockstat_TCP_alloc"),
];

pub(super) struct Tcp {
    sockstat: Probe,
    tables: [PathBuf; 2],
    states: [Line; STATES.len()],
    used: Line,
    lines: [(&'static str, Line); SOCKSTAT.len()],
    text: Vec<u8>,
    /// When the states may be counted again.
    due: Option<Timestamp>,
}

impl Tcp {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            sockstat: Probe::new(config.proc.join("net/sockstat")),
            tables: [config.proc.join("net/tcp"), config.proc.join("net/tcp6")],
            states: STATES
                .map(|state| Line::new("node_tcp_connection_states", &[("state", state)])),
            used: Line::new("node_sockstat_sockets_used", &[]),
            lines: SOCKSTAT.map(|(field, metric)| (field, Line::new(metric, &[]))),
            text: Vec::new(),
            due: None,
        }
    }

    /// Adds up the states of one table.
    fn count(&mut self, table: usize, counts: &mut [u64; STATES.len()]) -> std::io::Result<()> {
        let mut lines = BufReader::with_capacity(64 << 10, File::open(&self.tables[table])?);
        loop {
            self.text.clear();
            if lines.read_until(b'\n', &mut self.text)? == 0 {
                return Ok(());
            }
            // `   0: 0100007F:1F90 00000000:0000 0A ...`: slot, local, remote, state in hexadecimal.
            let mut columns = self
                .text
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
            }
        }
    }

    fn sockstat(&mut self, out: &mut Vec<Reading>) {
        let Ok(text) = self.sockstat.read() else {
            return;
        };
        for line in text.lines() {
            if let Some(used) = line
                .strip_prefix("sockets: used ")
                .and_then(|used| used.trim().parse::<u64>().ok())
            {
                self.used.put(used as f64, out);
            }
            let Some(fields) = line.strip_prefix("TCP: ") else {
                continue;
            };
            for (field, line) in &self.lines {
                let mut words = fields
                    .split_ascii_whitespace()
                    .skip_while(|word| word != field)
                    .skip(1);
                if let Some(count) = words.next().and_then(|count| count.parse::<u64>().ok()) {
                    line.put(count as f64, out);
                }
            }
        }
    }
}

impl Collector for Tcp {
    fn collect(&mut self, at: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        self.sockstat(out);
        if self.due.is_some_and(|due| at < due) {
            return Ok(());
        }
        // What it costs us, which is no part of what is measured: the one clock read here.
        let began = Instant::now();
        let mut counts = [0; STATES.len()];
        let first = self.count(0, &mut counts);
        first.map_err(|source| Trouble::Read {
            path: self.tables[0].clone(),
            source,
        })?;
        // A kernel without IPv6 has no second table.
        let _ = self.count(1, &mut counts);
        self.due = Some(due(at, began.elapsed()));
        for (line, count) in self.states.iter().zip(counts) {
            line.put(count as f64, out);
        }
        Ok(())
    }
}

/// When something that took `cost` may be done again.
fn due(at: Timestamp, cost: Duration) -> Timestamp {
    // A day is far beyond any reading.
    let wait_s = (cost.as_secs_f64() / SHARE_OF_TIME).min(86_400.0);
    at.plus_micros((wait_s * 1e6) as i64)
}

/// Counters of `/proc/net/snmp` and `/proc/net/netstat`: table, column, metric. The node exporter leaves out
/// `_total`; our kinds are read off the names.
const COUNTERS: [(&str, &str, &str); 8] = [
    ("Tcp:", "CurrEstab", "node_netstat_Tcp_CurrEstab"),
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
        tree.write(
            "proc/net/sockstat",
            "sockets: used 12\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\n",
        );
        let got = lines(&mut Tcp::new(&tree.config()), 0.0);
        assert_eq!(got.len(), 15);
        assert_eq!(
            got[..4],
            [
                "node_sockstat_sockets_used 12",
                "node_sockstat_TCP_orphan 2",
                "node_sockstat_TCP_tw 3",
                "node_sockstat_TCP_alloc 4"
            ]
        );
        let some: Vec<_> = got[4..]
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
    fn what_is_dear_is_done_less_often() {
        let at = Timestamp::from_millis(1_000);
        assert_eq!(
            due(at, Duration::from_millis(10)),
            Timestamp::from_millis(6_000)
        );
        assert_eq!(
            due(at, Duration::from_micros(100)),
            Timestamp::from_millis(1_050)
        );
        assert_eq!(due(at, Duration::MAX), Timestamp::from_millis(86_401_000));
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

//! What a monitoring system would see of the sandbox, under the names that its exporters give.

mod container;
mod database;
mod node;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::metrics::Sample;
use crate::postgres::Client;
use crate::sandbox::Group;

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Scraper {
    pub(crate) kind: Kind,
    /// The driver's process.
    pub(crate) pid: u32,
    /// Whether its address space is what is bounded.
    pub(crate) address_space: bool,
    pub(crate) group: Option<Group>,
    /// Where a small file system is mounted, and its type.
    pub(crate) disk: Option<(PathBuf, &'static str)>,
    pub(crate) database: Option<Client>,
    errors: BTreeMap<&'static str, u64>,
}

impl Scraper {
    pub(crate) const fn new(kind: Kind, pid: u32) -> Self {
        Self {
            kind,
            pid,
            address_space: false,
            group: None,
            disk: None,
            database: None,
            errors: BTreeMap::new(),
        }
    }

    /// All but what the application says of itself. What is not there is not exported.
    pub(crate) fn scrape(&mut self, out: &mut Vec<Sample>) {
        if let Some(group) = &self.group {
            container::scrape(group, self.kind, out);
        }
        process::scrape(self.pid, self.address_space, out);
        node::scrape(out);
        if let Some((point, fs_type)) = &self.disk {
            node::filesystem(point, fs_type, out);
        }
        if let Some(client) = &mut self.database {
            let well = database::scrape(client, out);
            if well.is_err() {
                *self.errors.entry("postgres").or_default() += 1;
            }
            out.push(Sample::new("pg_up", "", f64::from(u8::from(well.is_ok()))));
        }
    }

    /// Notes that a scrape of the application failed.
    pub(crate) fn failed(&mut self, job: &'static str) {
        *self.errors.entry(job).or_default() += 1;
    }

    /// What failed, and how often.
    pub(crate) fn errors(&self) -> Map<String, Value> {
        let errors = self.errors.iter();
        errors
            .map(|(job, n)| ((*job).to_owned(), Value::from(*n)))
            .collect()
    }
}

/// The number that a file holds.
fn number(path: &Path) -> Option<f64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number after a name at the beginning of a line: `name 12`, `name: 12 kB`.
fn number_after(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with([' ', ':', '\t']).then_some(rest)
    })?;
    let word = line.trim_start_matches(':').split_ascii_whitespace().next();
    word?.parse().ok()
}

/// Seconds that somebody (`some`) or everybody (`full`) waited, of a file of pressure.
fn pressure_s(text: &str, kind: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
    let total: f64 = line.split_once("total=")?.1.trim().parse().ok()?;
    Some(total / 1e6)
}

/// Pushes a value if there is one.
fn push(out: &mut Vec<Sample>, metric: &str, labels: &str, value: Option<f64>) {
    if let Some(value) = value {
        out.push(Sample::new(metric, labels, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_whole_names() {
        let text = "rss 10\nrss_huge 2\nMemTotal:  7 kB\n";
        assert_eq!(number_after(text, "rss"), Some(10.0));
        assert_eq!(number_after(text, "MemTotal"), Some(7.0));
        assert_eq!(number_after(text, "none"), None);
        assert_eq!(
            pressure_s("some avg10=0.00 total=1500000\n", "some "),
            Some(1.5)
        );
    }

    #[test]
    fn this_process_shows_what_the_recordings_show() {
        let mut out = Vec::new();
        Scraper::new(Kind::Descriptors, std::process::id()).scrape(&mut out);
        let names: Vec<_> = out.iter().map(|s| s.metric.as_str()).collect();
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_cpu_seconds_total",
            "process_threads",
            "process_up",
            "node_filefd_allocated",
            "node_load1",
            "node_memory_MemAvailable_bytes",
            "node_memory_MemTotal_bytes",
        ] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
    }
}

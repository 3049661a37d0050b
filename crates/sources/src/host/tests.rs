//! A made-up `/proc` and `/sys`, and what the whole host says of it.

use std::path::Path;

use super::*;

/// A folder that stands for a host.
pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn config(&self) -> Config {
        Config {
            proc: self.path().join("proc"),
            sys: self.path().join("sys"),
            ..Config::default()
        }
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        std::fs::remove_dir_all(self.path().join(path)).unwrap();
    }
}

/// What a collector reads at `at_s`, as `key value`; shares are rounded to a billionth.
pub(super) fn lines(collector: &mut dyn Collector, at_s: f64) -> Vec<String> {
    let mut out = Vec::new();
    collector
        .collect(Timestamp::from_secs_f64(at_s).unwrap(), &mut out)
        .unwrap();
    out.iter()
        .map(|r| format!("{} {}", r.key, (r.value * 1e9).round() / 1e9))
        .collect()
}

pub(super) fn check(collector: &mut dyn Collector, at_s: f64, expected: &[&str]) {
    assert_eq!(lines(collector, at_s), expected);
}

#[test]
fn what_is_missing_is_listed_once_and_skipped() {
    let tree = Tree::new();
    tree.write("proc/loadavg", "0.25 1.5 0.10 1/123 456\n");
    let mut host = Host::new(&tree.config());
    let mut out = Vec::new();
    host.collect(Timestamp::from_millis(0), &mut out);
    let missing: Vec<_> = host.missing().iter().map(|m| m.group).collect();
    assert!(
        missing.contains(&"cpu pressure")
            && missing.contains(&"cgroups")
            && !missing.contains(&"load")
    );
    assert!(
        host.missing()[0].reason.contains("proc/stat"),
        "{:?}",
        host.missing()[0]
    );
    out.clear();
    host.collect(Timestamp::from_millis(1000), &mut out);
    assert_eq!(out.len(), 2);
    assert_eq!(host.missing().len(), missing.len());
    // What has worked stays, and leaves a gap when it fails.
    tree.write("proc/loadavg", "");
    out.clear();
    host.collect(Timestamp::from_millis(2000), &mut out);
    assert_eq!((out.len(), host.failures()), (0, 1));
}

#[test]
fn this_host_shows_the_same_series_on_every_tick() {
    let mut host = Host::new(&Config::default());
    let mut ticks = [Vec::new(), Vec::new(), Vec::new()];
    for (i, out) in ticks.iter_mut().enumerate() {
        host.collect(Timestamp::from_millis(1000 * i as i64), out);
    }
    let stable = |out: &[Reading]| -> Vec<Arc<SeriesKey>> {
        let node = out
            .iter()
            .filter(|r| r.key.metric().starts_with("node_memory"));
        node.map(|r| Arc::clone(&r.key)).collect()
    };
    let (one, two) = (stable(&ticks[1]), stable(&ticks[2]));
    assert!(!one.is_empty(), "{:?}", host.missing());
    assert!(
        one.iter().zip(&two).all(|(a, b)| Arc::ptr_eq(a, b)),
        "keys are built once"
    );
    assert!(ticks[2].iter().all(|r| r.value.is_finite()));
    let mut keys: Vec<_> = ticks[2].iter().map(|r| &r.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), ticks[2].len(), "no series twice in one tick");
}

//! What criterion measured, from the files it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::table::Figure;

/// `new/benchmark.json`, the part we read.
#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// `new/sample.json`, the part we read: by sample, how many iterations and how long they took in ns.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Figures under `target/criterion` that were written after `since`, by name.
pub(crate) fn figures(folder: &Path, since: SystemTime) -> Result<Vec<Figure>> {
    let mut found = Vec::new();
    find(folder, since, &mut found)?;
    let mut figures: Vec<_> = found
        .iter()
        .map(|folder| read(folder))
        .collect::<Result<_>>()?;
    figures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(figures)
}

/// Every folder `new` that holds a sample.
fn find(folder: &Path, since: SystemTime, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let sample = path.join("sample.json");
        if path.ends_with("new") && sample.is_file() {
            if sample.metadata()?.modified()? >= since {
                found.push(path);
            }
        } else {
            find(&path, since, found)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Figure> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let benchmark: Benchmark =
        serde_json::from_str(&text("benchmark.json")?).context("reading benchmark.json")?;
    let sample: Sample =
        serde_json::from_str(&text("sample.json")?).context("reading sample.json")?;
    let mut each: Vec<f64> = sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(ns, n)| ns / n)
        .collect();
    each.sort_by(f64::total_cmp);
    Ok(Figure {
        name: benchmark.full_id,
        unit: "ns".to_owned(),
        median: quantile(&each, 50),
        low: quantile(&each, 5),
        high: quantile(&each, 95),
        runs: each.len() as u64,
        note: String::new(),
    })
}

/// The nearest rank; NaN of nothing.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(
            [5, 50, 95].map(|p| quantile(&ten, p).to_string()),
            ["1", "5", "10"]
        );
        assert!(quantile(&[], 50).is_nan());
    }
}

//! The engine over labelled series: one fresh shard for each, several at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, anyhow};
use eval::column::Column;
use eval::datasets::Series;
use hotpath::{SeriesSpec, Shard};
use series::{Kind, Sample, SeriesId};

use super::variants::{Variables, Variant};

/// Places of the two outputs among the columns.
const SCORE: usize = 0;
const ALERT: usize = 1;

/// The scores of one series by one variant, one vector per column.
type Scores = Vec<Vec<f64>>;

/// Scores all series with all variants, on as many threads as there are cores. `done` is called after each.
///
/// # Errors
/// When a variant cannot be built.
pub(super) fn score(
    corpus: &[Series],
    variants: &[Variant],
    done: &(dyn Fn() + Sync),
) -> anyhow::Result<Vec<Column>> {
    let jobs: Vec<(&Variant, &Series)> = variants
        .iter()
        .flat_map(|v| corpus.iter().map(move |s| (v, s)))
        .collect();
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<anyhow::Result<Scores>>>> =
        Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while let Some((i, (variant, series))) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(i).map(|job| (i, job))
        } {
            let scores = one(variant, series);
            // A poisoned lock means that another thread panicked, and the scope passes that on.
            if let Ok(mut results) = results.lock() {
                results[i] = Some(scores);
            }
            done();
        }
    };
    let n_threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(jobs.len());
    std::thread::scope(|scope| (0..n_threads).for_each(|_| drop(scope.spawn(work))));
    let mut results = results
        .into_inner()
        .map_err(|_| anyhow!("a scoring thread panicked"))?
        .into_iter();
    let mut columns = Vec::new();
    for variant in variants {
        let mut of_variant = names(variant)?;
        for scores in results.by_ref().take(corpus.len()) {
            let scores = scores.context("a series was not scored")??;
            for (column, scores) in of_variant.iter_mut().zip(scores) {
                column.scores.push(scores);
            }
        }
        columns.extend(of_variant);
    }
    Ok(columns)
}

/// The columns of a variant, still empty.
fn names(variant: &Variant) -> anyhow::Result<Vec<Column>> {
    let column = |name: &str, threshold| Column {
        name: format!("{name}{}", variant.suffix),
        scores: Vec::new(),
        threshold,
    };
    let opens_events = Some(f64::from(variant.config.ensemble.event_threshold));
    let mut columns = vec![column("score", None), column("alert_score", opens_events)];
    if variant.with_members {
        let shard = Shard::new(&variant.config).context("building the engine")?;
        columns.extend(
            shard
                .member_names()
                .iter()
                .map(|name| column(&format!("member {name}"), None)),
        );
    }
    Ok(columns)
}

/// One series from a fresh start. A row that the engine refuses, such as a repeated instant, raises no alarm: 0.
fn one(variant: &Variant, series: &Series) -> anyhow::Result<Scores> {
    let mut shard = Shard::new(&variant.config).context("building the engine")?;
    let n_variables = match variant.variables {
        Variables::First => series.columns.len().min(1),
        Variables::All => series.columns.len(),
    };
    for _ in 0..n_variables {
        shard.add_series(SeriesSpec {
            kind: Kind::Gauge,
            unit: series::Unit::None,
            group: None,
        });
    }
    let n_members = shard.member_names().len();
    let n_columns = 2 + if variant.with_members { n_members } else { 0 };
    let mut scores = vec![vec![0.0; series.times.len()]; n_columns];
    let (mut samples, mut risks, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (row, &at) in series.times.iter().enumerate() {
        samples.clear();
        let values = series
            .columns
            .iter()
            .take(n_variables)
            .map(|column| column[row]);
        samples.extend(values.zip(0..).map(|(value, i)| Sample {
            series: SeriesId(i),
            at,
            value,
        }));
        risks.clear();
        refused.clear();
        shard.push(&samples, &mut risks, &mut refused);
        let members = shard.members().chunks(n_members.max(1));
        for column in scores.iter_mut().filter(|_| row > 0) {
            // What was not scored repeats the score before it, as in `replay --scores`; no alert repeats itself.
            column[row] = column[row - 1];
        }
        scores[ALERT][row] = 0.0;
        // The surprise of the metric itself counts in full, that of all its companions together as much again.
        let share = |i: usize| {
            if i == 0 {
                1.0
            } else {
                1.0 / (n_variables - 1) as f64
            }
        };
        for (i, (risk, members)) in risks.iter().zip(members).enumerate() {
            let outputs = [risk.score.get(), f64::from(risk.alert_score)];
            let all = outputs
                .into_iter()
                .chain(members.iter().map(|m| f64::from(*m)));
            for (k, (column, score)) in scores.iter_mut().zip(all).enumerate() {
                let before = if i == 0 { 0.0 } else { column[row] };
                column[row] = if k == SCORE && n_variables > 1 {
                    // A surprise for now; made a score once more below.
                    before
                        - share(risk.series.index()) * (1.0 - score).max(f64::MIN_POSITIVE).log10()
                } else {
                    before.max(score)
                };
            }
        }
        if n_variables > 1 && !risks.is_empty() {
            scores[SCORE][row] = 1.0 - 10f64.powf(-scores[SCORE][row]);
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpath::EngineConfig;
    use series::Timestamp;

    /// A wave with one spike, and a second variable that is constant.
    fn corpus() -> Vec<Series> {
        let values: Vec<f64> = (0..600)
            .map(|i| {
                if i == 500 {
                    50.0
                } else {
                    f64::from(i % 20) / 20.0
                }
            })
            .collect();
        let times = (0..600)
            .map(|i| Timestamp::from_millis(i * 60_000))
            .collect();
        let labels = (0..600).map(|i| i == 500).collect();
        let windows = std::iter::once(500..501).collect();
        let columns = vec![values, vec![1.0; 600]];
        vec![Series {
            name: "made".to_owned(),
            times,
            columns,
            labels,
            windows,
            probation: 90,
        }]
    }

    #[test]
    fn every_row_has_every_score_and_the_spike_stands_out() {
        let variant = |suffix: &str, variables| Variant {
            suffix: suffix.to_owned(),
            config: EngineConfig::default(),
            with_members: true,
            variables,
        };
        let variants = [
            variant("", Variables::First),
            variant(", all", Variables::All),
        ];
        let columns = score(&corpus(), &variants, &|| ()).unwrap();
        let (first, all) = columns.split_at(columns.len() / 2);
        assert_eq!(
            (first[0].name.as_str(), first[1].name.as_str()),
            ("score", "alert_score")
        );
        assert_eq!(all[0].name, "score, all");
        assert!(first.len() > 2 && first[2].name.starts_with("member "));
        for column in &columns {
            assert_eq!(column.scores[0].len(), 600, "{}", column.name);
        }
        for column in [&first[1], &all[1]] {
            let scores = &column.scores[0];
            let higher = scores[90..].iter().filter(|s| **s > scores[500]).count();
            assert_eq!(
                higher, 0,
                "{}: nothing after warm-up stands out more than the spike",
                column.name
            );
        }
    }
}

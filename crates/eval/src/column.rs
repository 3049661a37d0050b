//! What is judged: a named score per row of each series.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::datasets::Series;

/// One score under its name: the ensemble's, a member's, a floor's.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As the tables print it.
    pub name: String,
    /// One vector per series, one entry per row, warm-up included.
    pub scores: Vec<Vec<f64>>,
    /// Where events open by default, if this score opens any.
    pub threshold: Option<f64>,
}

/// Why scores do not fit the series they are for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// A series has another set of scores than the first one.
    #[error("{series} is scored by [{found}], the first series by [{expected}]")]
    Names {
        /// Whose scores.
        series: String,
        /// Names of its scores.
        found: String,
        /// Names of the first series' scores.
        expected: String,
    },
    /// Not one score per row.
    #[error("{column} gives {found} scores for the {expected} rows of {series}")]
    Rows {
        /// The score.
        column: String,
        /// The series.
        series: String,
        /// Scores given.
        found: usize,
        /// Rows of the series.
        expected: usize,
    },
}

/// Scores every series, as many at once as there are cores, and turns the result into columns.
///
/// `score` returns the named scores of one series, one entry per row each, and must name the same ones for every series;
/// `done` is called after each series, from any thread.
///
/// # Errors
/// When names or lengths do not fit.
///
/// # Panics
/// Passes on a panic of `score` or `done`.
pub fn score_all(
    series: &[Series],
    score: impl Fn(&Series) -> Vec<(String, Vec<f32>)> + Sync,
    done: impl Fn(&Series) + Sync,
) -> Result<Vec<Column>, ColumnError> {
    let scored = parallel_map(series, |s| {
        let scores = score(s);
        done(s);
        scores
    });
    let mut columns: Vec<Column> = Vec::new();
    for (k, (one, scores)) in series.iter().zip(scored).enumerate() {
        if k == 0 {
            columns.extend(scores.iter().map(|(name, _)| Column {
                name: name.clone(),
                scores: Vec::new(),
                threshold: None,
            }));
        }
        if !columns
            .iter()
            .map(|c| &c.name)
            .eq(scores.iter().map(|(name, _)| name))
        {
            return Err(ColumnError::Names {
                series: one.name.clone(),
                found: scores
                    .iter()
                    .map(|(n, _)| n.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                expected: columns
                    .iter()
                    .map(|c| c.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
        for (column, (_, values)) in columns.iter_mut().zip(scores) {
            column
                .scores
                .push(values.into_iter().map(f64::from).collect());
        }
    }
    check(series, &columns)?;
    Ok(columns)
}

/// That every column has one score per row of every series; the tables rely on it.
///
/// # Errors
/// Names the first column and series that do not fit.
pub fn check(series: &[Series], columns: &[Column]) -> Result<(), ColumnError> {
    for column in columns {
        for (k, one) in series.iter().enumerate() {
            let found = column.scores.get(k).map_or(0, Vec::len);
            if found != one.times.len() {
                return Err(ColumnError::Rows {
                    column: column.name.clone(),
                    series: one.name.clone(),
                    found,
                    expected: one.times.len(),
                });
            }
        }
    }
    Ok(())
}

/// `f` of each item, in order, on as many threads as there are cores. Items are taken one by one, since series differ in
/// length tenfold.
pub fn parallel_map<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let n_threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(items.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((i, item)) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            items.get(i).map(|item| (i, item))
        } {
            done.push((i, f(item)));
        }
        done
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    results.sort_unstable_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, r)| r).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, n_rows: usize) -> Series {
        Series {
            name: name.to_owned(),
            times: vec![::series::Timestamp::default(); n_rows],
            columns: vec![vec![0.0; n_rows]],
            labels: vec![false; n_rows],
            windows: Vec::new(),
            probation: 0,
        }
    }

    #[test]
    fn order_is_kept_whatever_the_threads_do() {
        let items: Vec<usize> = (0..1_000).collect();
        assert_eq!(
            parallel_map(&items, |i| i * 2),
            items.iter().map(|i| i * 2).collect::<Vec<_>>()
        );
    }

    #[test]
    fn columns_per_name_and_series() {
        let all = [series("a", 2), series("b", 3)];
        let columns = score_all(
            &all,
            |s| vec![("x".to_owned(), vec![0.5; s.times.len()])],
            |_| (),
        );
        let expected = Column {
            name: "x".to_owned(),
            scores: vec![vec![0.5; 2], vec![0.5; 3]],
            threshold: None,
        };
        assert_eq!(columns, Ok(vec![expected]));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let all = [series("a", 2), series("b", 3)];
        let short = score_all(&all, |_| vec![("x".to_owned(), vec![0.5; 2])], |_| ());
        assert_eq!(
            short.expect_err("b has three rows").to_string(),
            "x gives 2 scores for the 3 rows of b"
        );
        let other = score_all(
            &all,
            |s| vec![(s.name.clone(), vec![0.5; s.times.len()])],
            |_| (),
        );
        assert_eq!(
            other.expect_err("other names").to_string(),
            "b is scored by [b], the first series by [a]"
        );
    }
}

//! Forecasts that need no state: what a model has to beat to be worth its keep.
//!
//! Each is a Student t distribution around a linear function of the last row, fitted per horizon by iteratively
//! reweighted least squares (Lange, Little & Taylor, JASA 84, 1989).

use super::Sample;
use super::student::Student;
use crate::recipe::Recipe;

/// Rounds of reweighting: the fit stands still well before.
const ROUNDS: usize = 24;
/// Degrees of freedom that are tried.
const TAILS: [f64; 10] = [1.2, 1.6, 2.0, 2.5, 3.2, 4.0, 6.0, 10.0, 20.0, 60.0];
/// Keeps the normal equations solvable when a column never moves.
const RIDGE: f64 = 1e-6;

/// What the location depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reads {
    /// Nothing: one number for all.
    Nothing,
    /// The target now, times 1.
    Last,
    /// These inputs.
    Inputs(Vec<usize>),
}

/// One kind of forecast, for all horizons.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    name: &'static str,
    reads: Reads,
    fits: Vec<(Vec<f64>, Student)>,
}

impl Baseline {
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Negative log-likelihood of `came` at a horizon, after a row.
    pub(super) fn nll(
        &self,
        horizon: usize,
        now: f64,
        row: impl Fn(usize) -> f64,
        came: f64,
    ) -> f64 {
        let (weights, student) = &self.fits[horizon];
        let location = match &self.reads {
            Reads::Nothing => weights[0],
            Reads::Last => now,
            Reads::Inputs(columns) => {
                let terms = columns.iter().zip(&weights[1..]);
                weights[0] + terms.map(|(&j, w)| w * row(j)).sum::<f64>()
            }
        };
        student.moved(location).nll(came)
    }
}

/// All baselines that the inputs allow: a constant, persistence, the seasonal expectation, and all inputs at once.
pub(super) fn fit_all(recipe: &Recipe, samples: &[Sample]) -> Vec<Baseline> {
    let place = |name: &str| recipe.model.inputs.iter().position(|input| input == name);
    let mut kinds = vec![("constant", Reads::Nothing), ("persistence", Reads::Last)];
    if let (Some(long), Some(seasonal)) = (place("long_residual"), place("seasonal_residual")) {
        // Their difference is what is usual at this hour, above the mean of the last hours.
        kinds.push(("seasonal", Reads::Inputs(vec![long, seasonal])));
    }
    kinds.push((
        "linear",
        Reads::Inputs((0..recipe.model.inputs.len()).collect()),
    ));
    let fit = |(name, reads): (&'static str, Reads)| {
        let horizons = 0..recipe.model.horizons.len();
        let fits = horizons
            .map(|horizon| fit_one(&reads, horizon, samples))
            .collect();
        Baseline { name, reads, fits }
    };
    kinds.into_iter().map(fit).collect()
}

fn fit_one(reads: &Reads, horizon: usize, samples: &[Sample]) -> (Vec<f64>, Student) {
    let mut rows: Vec<(Vec<f64>, f64)> = Vec::with_capacity(samples.len());
    for sample in samples
        .iter()
        .filter(|sample| sample.ahead[horizon].is_finite())
    {
        let came = sample.ahead[horizon];
        rows.push(match reads {
            Reads::Nothing => (vec![1.0], came),
            Reads::Last => (Vec::new(), came - sample.now),
            Reads::Inputs(columns) => {
                let numbers = columns.iter().map(|&j| sample.inputs[j]);
                (std::iter::once(1.0).chain(numbers).collect(), came)
            }
        });
    }
    let p = rows.first().map_or(0, |(x, _)| x.len());
    let (mut weights, mut scale, mut tail) = (vec![0.0; p], 1.0, 4.0);
    for round in 0..ROUNDS {
        let mut normal = vec![vec![0.0; p + 1]; p];
        let (mut squares, mut n) = (0.0, 0.0);
        for (x, came) in &rows {
            let z = (came - dot(&weights, x)) / scale;
            let pull = (tail + 1.0) / (tail + z * z);
            for i in 0..p {
                for j in 0..p {
                    normal[i][j] += pull * x[i] * x[j];
                }
                normal[i][p] += pull * x[i] * came;
            }
        }
        solve(&mut normal, &mut weights);
        for (x, came) in &rows {
            let error = came - dot(&weights, x);
            let z = error / scale;
            squares += (tail + 1.0) / (tail + z * z) * error * error;
            n += 1.0;
        }
        scale = (squares / f64::max(n, 1.0)).sqrt().max(1e-3);
        if round % 4 == 3 {
            let nll = |tail: f64| {
                let student = Student::new(0.0, scale, tail);
                let errors = rows
                    .iter()
                    .step_by(4)
                    .map(|(x, came)| came - dot(&weights, x));
                errors.map(|error| student.nll(error)).sum::<f64>()
            };
            let tried = TAILS.map(|tail| (nll(tail), tail));
            let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            tail = best.map_or(tail, |(_, tail)| tail);
        }
    }
    if weights.is_empty() {
        weights.push(0.0);
    }
    (weights, Student::new(0.0, scale, tail))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves the symmetric positive system in place, with a small ridge; `rows` carries the right side as a last column.
fn solve(rows: &mut [Vec<f64>], out: &mut [f64]) {
    let p = rows.len();
    for (i, row) in rows.iter_mut().enumerate() {
        row[i] += RIDGE * (1.0 + row[i].abs());
    }
    for i in 0..p {
        let (above, below) = rows.split_at_mut(i + 1);
        let pivot = &above[i];
        for row in below {
            let factor = row[i] / pivot[i];
            for (number, own) in row.iter_mut().zip(pivot).skip(i) {
                *number -= factor * own;
            }
        }
    }
    for i in (0..p).rev() {
        let known: f64 = (i + 1..p).map(|j| rows[i][j] * out[j]).sum();
        out[i] = (rows[i][p] - known) / rows[i][i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_line_under_outliers_is_found() {
        let mut rng = Rng::new(3, 0);
        let samples: Vec<Sample> = (0..4_000)
            .map(|_| {
                let x = rng.normal();
                let odd = if rng.chance(0.05) { 80.0 } else { 0.0 };
                Sample {
                    inputs: vec![x, rng.normal()],
                    now: x,
                    ahead: vec![0.5 + 2.0 * x + 0.1 * rng.normal() + odd],
                }
            })
            .collect();
        let (weights, student) = fit_one(&Reads::Inputs(vec![0, 1]), 0, &samples);
        for (found, expected) in weights.iter().zip([0.5, 2.0, 0.0]) {
            assert!((found - expected).abs() < 0.02, "{weights:?}");
        }
        let (_, constant) = fit_one(&Reads::Nothing, 0, &samples);
        assert!(student.nll(0.0) < constant.nll(0.0) - 1.0);
    }

    #[test]
    fn what_never_moves_does_no_harm() {
        let sample = || Sample {
            inputs: vec![0.0, 0.0],
            now: 1.0,
            ahead: vec![1.0],
        };
        let samples: Vec<Sample> = (0..10).map(|_| sample()).collect();
        for reads in [Reads::Nothing, Reads::Last, Reads::Inputs(vec![0, 1])] {
            let (weights, student) = fit_one(&reads, 0, &samples);
            assert!(weights.iter().all(|w| w.is_finite()), "{reads:?}");
            assert!(student.nll(0.0).is_finite());
        }
        assert_eq!(fit_one(&Reads::Nothing, 0, &[]).0, [0.0]);
    }
}

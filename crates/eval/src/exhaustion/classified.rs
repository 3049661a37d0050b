//! Does it run out within a horizon: F1, precision and recall at one half, AUC-PR, Brier score.
//!
//! Everything is a function of how often each episode counts, so that a resample costs one pass over what was sorted once.

use super::figures::Horizon;

/// A prediction counts as a yes from here on.
const YES: f64 = 0.5;

/// The answers for one horizon.
#[derive(Debug, Clone)]
pub(super) struct Classified {
    /// Likeliest first.
    sorted: Vec<Answer>,
    /// One per episode.
    sums: Vec<Sums>,
}

/// A probability and what was right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) episode: usize,
    pub(super) p: f64,
    pub(super) right: bool,
}

/// What F1 and the Brier score are made of.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: u64,
    true_positive: u64,
    false_positive: u64,
    false_negative: u64,
    squared: f64,
}

impl Classified {
    pub(super) fn new(n_episodes: usize, mut answers: Vec<Answer>) -> Self {
        let mut sums = vec![Sums::default(); n_episodes];
        for answer in &answers {
            let sum = &mut sums[answer.episode];
            sum.n += 1;
            match (answer.p >= YES, answer.right) {
                (true, true) => sum.true_positive += 1,
                (true, false) => sum.false_positive += 1,
                (false, true) => sum.false_negative += 1,
                (false, false) => {}
            }
            sum.squared += (answer.p - f64::from(u8::from(answer.right))).powi(2);
        }
        answers.sort_by(|a, b| b.p.total_cmp(&a.p));
        Self {
            sorted: answers,
            sums,
        }
    }

    /// Every measure when episode `i` counts `times[i]` times.
    pub(super) fn at(&self, times: &[u32]) -> Horizon {
        let sum = self.sum(times);
        let yes = sum.true_positive + sum.false_positive;
        let positive = sum.true_positive + sum.false_negative;
        Horizon {
            n: sum.n,
            positive,
            precision: sum.true_positive as f64 / yes.max(1) as f64,
            recall: sum.true_positive as f64 / positive.max(1) as f64,
            f1: self.f1(times),
            auc_pr: self.auc_pr(times),
            brier: self.brier(times),
        }
    }

    fn sum(&self, times: &[u32]) -> Sums {
        let mut total = Sums::default();
        for (sum, times) in self.sums.iter().zip(times) {
            let times = u64::from(*times);
            total.n += times * sum.n;
            total.true_positive += times * sum.true_positive;
            total.false_positive += times * sum.false_positive;
            total.false_negative += times * sum.false_negative;
            total.squared += times as f64 * sum.squared;
        }
        total
    }

    pub(super) fn f1(&self, times: &[u32]) -> f64 {
        let sum = self.sum(times);
        let twice = 2 * sum.true_positive;
        twice as f64 / (twice + sum.false_positive + sum.false_negative).max(1) as f64
    }

    /// NaN if nothing was asked.
    pub(super) fn brier(&self, times: &[u32]) -> f64 {
        let sum = self.sum(times);
        sum.squared / sum.n as f64
    }

    /// Average precision: the sum over thresholds of precision times the recall that is gained. Equal probabilities are one
    /// threshold. NaN if nothing was asked.
    pub(super) fn auc_pr(&self, times: &[u32]) -> f64 {
        let (mut n, mut hits, mut before, mut area) = (0_u64, 0_u64, 0_u64, 0.0);
        let mut rest = self.sorted.iter().peekable();
        while let Some(answer) = rest.next() {
            let count = u64::from(times[answer.episode]);
            n += count;
            hits += count * u64::from(answer.right);
            let ends = rest
                .peek()
                .is_none_or(|next| next.p.total_cmp(&answer.p).is_ne());
            if ends && hits > before {
                area += (hits - before) as f64 * hits as f64 / n as f64;
                before = hits;
            }
        }
        if n == 0 {
            f64::NAN
        } else {
            area / (hits as f64).max(1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(answers: &[(usize, f64, bool)]) -> Classified {
        let answers = answers
            .iter()
            .map(|&(episode, p, right)| Answer { episode, p, right });
        Classified::new(3, answers.collect())
    }

    #[test]
    fn figures_by_hand() {
        let all = classified(&[
            (0, 0.9, true),
            (0, 0.5, false),
            (1, 0.5, true),
            (1, 0.4, true),
            (2, 0.1, false),
        ]);
        let found = all.at(&[1, 1, 1]);
        assert_eq!((found.n, found.positive), (5, 3));
        assert!((found.precision - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-12);
        // Thresholds 0.9, 0.5 (two rows), 0.4: gains of a third at precisions 1, 2/3, 3/4.
        assert!((found.auc_pr - (1.0 + 2.0 / 3.0 + 0.75) / 3.0).abs() < 1e-12);
        assert!((found.brier - (0.01 + 0.25 + 0.25 + 0.36 + 0.01) / 5.0).abs() < 1e-12);
        assert!(all.at(&[0, 0, 0]).brier.is_nan() && all.auc_pr(&[0, 0, 0]).is_nan());
    }

    #[test]
    fn an_episode_that_counts_twice_is_an_episode_that_is_there_twice() {
        let rows = [
            (0, 0.9, false),
            (0, 0.3, true),
            (1, 0.3, false),
            (1, 0.8, true),
            (2, 0.2, true),
        ];
        let twice: Vec<_> = rows
            .iter()
            .chain(rows.iter().filter(|r| r.0 == 1))
            .copied()
            .collect();
        let (a, b) = (
            classified(&rows).at(&[1, 2, 0]),
            classified(&twice).at(&[1, 1, 0]),
        );
        assert_eq!((a.n, a.positive), (b.n, b.positive));
        for (a, b) in [(a.auc_pr, b.auc_pr), (a.f1, b.f1), (a.brier, b.brier)] {
            assert!((a - b).abs() < 1e-12);
        }
    }
}

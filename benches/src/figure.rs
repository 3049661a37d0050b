//! A measured figure, as `cargo xtask bench` reads it.

use serde::Serialize;

/// One figure with its spread.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    name: String,
    unit: &'static str,
    median: f64,
    low: f64,
    high: f64,
    runs: usize,
    note: String,
}

impl Figure {
    /// From one number per run, at least one. `note` says what a reader must know: sizes, and the target.
    #[must_use]
    pub fn new(name: String, unit: &'static str, runs: &[f64], note: impl Into<String>) -> Self {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            name,
            unit,
            median: quantile(&sorted, 0.5),
            low: quantile(&sorted, 0.0),
            high: quantile(&sorted, 1.0),
            runs: runs.len(),
            note: note.into(),
        }
    }

    /// Prints it as one line of JSON.
    #[expect(clippy::print_stdout, reason = "the figures are this program's output")]
    pub fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{} cannot be written: {error}", self.name),
        }
    }
}

/// The value at share `q` (0..=1) of sorted values, by the nearest rank; NaN of nothing.
#[must_use]
#[expect(clippy::cast_sign_loss, reason = "a rank is not negative")]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted
        .get(rank - 1)
        .or(sorted.last())
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_line_of_json_with_its_spread() {
        let figure = Figure::new("a/b".to_owned(), "s", &[3.0, 1.0, 2.0], "of three");
        assert_eq!(
            serde_json::to_string(&figure).unwrap(),
            r#"{"name":"a/b","unit":"s","median":2.0,"low":1.0,"high":3.0,"runs":3,"note":"of three"}"#
        );
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let got = [0.0, 0.5, 0.99, 1.0].map(|q| quantile(&ten, q).to_string());
        assert_eq!(got, ["1", "5", "10", "10"]);
        assert!(quantile(&[], 0.5).is_nan());
    }
}

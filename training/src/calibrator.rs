//! How seldom normal behaviour is how surprising: a curve of two numbers, fitted to what was seen.
//!
//! `tail(s) = 10^-((s / scale)^exponent)`: the form with which the ensemble judges a series that it does not know yet
//! (`predict/src/ensemble.rs`). Fitted to the surprise of captured scores, `-log10(1 - score)`, scale and exponent are 1
//! when the scores keep their promise, and say by how much they do not.

use std::path::Path;

use graph::{Curve, write_curve};

use crate::bundle::{Bundle, CardText, Golden, metadata, sha256_hex};
use crate::step_model::TrainError;

/// Bins per unit of surprise, and where the last one begins: a score cannot be nearer to 1 than 1e-16.
const BINS_PER_UNIT: usize = 50;
const N_BINS: usize = 17 * BINS_PER_UNIT;
/// Fewest samples to fit to, and fewest that must lie beyond a point for it to count.
const LEAST_ROWS: u64 = 2_000;
const LEAST_BEYOND: u64 = 20;

/// Counts surprises; a few kilobytes, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surprises {
    bins: Vec<u64>,
    total: u64,
}

impl Default for Surprises {
    fn default() -> Self {
        Self {
            bins: vec![0; N_BINS],
            total: 0,
        }
    }
}

/// A fitted curve, and how well scores kept their promise before.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrator {
    /// The curve.
    pub curve: Curve,
    /// Promised tail probability, and the share of samples that was at least so surprising, largest first.
    pub kept: Vec<(f64, f64)>,
    /// Samples counted.
    pub rows: u64,
    counts: Surprises,
}

impl Surprises {
    /// Counts a score, 0 to 1, of a sample that was normal. What is not a number is left out.
    pub fn push(&mut self, score: f64) {
        if score.is_nan() {
            return;
        }
        let surprise = -(1.0 - score.clamp(0.0, 1.0)).max(1e-17).log10();
        #[expect(
            clippy::cast_sign_loss,
            reason = "a score is at most 1, so this is at least 0"
        )]
        let bin = (surprise * BINS_PER_UNIT as f64) as usize;
        self.bins[bin.min(N_BINS - 1)] += 1;
        self.total += 1;
    }

    /// The share of samples at least this surprising.
    fn share(&self, bin: usize) -> (f64, u64) {
        let beyond = self.bins[bin..].iter().sum::<u64>();
        (beyond as f64 / self.total.max(1) as f64, beyond)
    }

    /// Fits the curve by least squares in the logarithms of both sides, over what was seen often enough.
    ///
    /// # Errors
    /// [`TrainError::TooFewRows`] when there is too little to fit to.
    pub fn fit(self) -> Result<Calibrator, TrainError> {
        let too_few = TrainError::TooFewRows {
            found: self.total as usize,
            least: LEAST_ROWS as usize,
        };
        if self.total < LEAST_ROWS {
            return Err(too_few);
        }
        // ln(-log10 tail) = exponent * (ln s - ln scale)
        let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for bin in 1..N_BINS {
            let (share, beyond) = self.share(bin);
            if beyond < LEAST_BEYOND || self.bins[bin] == 0 {
                continue;
            }
            let decades = -share.log10();
            // The body of the distribution is not what thresholds are about.
            if decades < 0.3 {
                continue;
            }
            let (x, y) = ((bin as f64 / BINS_PER_UNIT as f64).ln(), decades.ln());
            n += 1.0;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }
        let spread = n * sxx - sx * sx;
        if n < 3.0 || spread <= 1e-9 {
            return Err(too_few);
        }
        let exponent = ((n * sxy - sx * sy) / spread).clamp(0.05, 20.0);
        let scale = (sx / n - sy / n / exponent).exp().clamp(1e-3, 1e3);
        let kept = [1usize, 2, 3, 4]
            .into_iter()
            .map(|decade| {
                (
                    0.1f64.powi(decade as i32),
                    self.share(decade * BINS_PER_UNIT).0,
                )
            })
            .collect();
        Ok(Calibrator {
            curve: Curve {
                scale: scale as f32,
                exponent: exponent as f32,
            },
            kept,
            rows: self.total,
            counts: self,
        })
    }
}

/// What the graph computes, directly.
#[must_use]
pub fn tail(curve: &Curve, surprise: f32) -> f32 {
    let decades = (surprise / curve.scale).powf(curve.exponent);
    (-std::f32::consts::LN_10 * decades).exp()
}

impl Calibrator {
    /// Writes the bundle into `dir`.
    ///
    /// # Errors
    /// [`TrainError`] when a file cannot be written.
    pub fn write(
        &self,
        description: &str,
        created: &str,
        command: &str,
        dir: &Path,
    ) -> Result<(), TrainError> {
        let data_sha256 = sha256_hex(bytemuck::cast_slice(&self.counts.bins));
        let mut meta = metadata("calibrator/1", 0, &data_sha256);
        for (key, value) in [
            ("scale", self.curve.scale),
            ("exponent", self.curve.exponent),
        ] {
            meta.insert(format!("forestall.{key}"), value.to_string());
        }
        let surprises: Vec<f32> = (0..17).map(|i| i as f32 / 2.0).collect();
        let tails = surprises.iter().map(|&s| tail(&self.curve, s)).collect();
        let mut golden = Golden::default();
        golden.step(
            &[("surprise", [surprises.len(), 1], surprises.clone())],
            &[("tail", [surprises.len(), 1], tails)],
        );
        let mut metrics = toml::toml! {
            scale = (f64::from(self.curve.scale))
            exponent = (f64::from(self.curve.exponent))
        };
        for (decade, (_, share)) in (1..).zip(&self.kept) {
            metrics.insert(format!("share_at_1e-{decade}"), toml::Value::Float(*share));
        }
        let training = toml::toml! {
            recipe = "calibrator"
            data = (description.to_owned())
            data_sha256 = (data_sha256.clone())
            rows = (self.rows as i64)
            command = (command.to_owned())
        };
        let bundle = Bundle {
            model: write_curve(&self.curve, &meta),
            golden,
            card: CardText {
                name: "calibrator".to_owned(),
                version: 1,
                kind: "calibrator/1",
                sha256: String::new(),
                golden_sha256: String::new(),
                created: created.to_owned(),
                licence: "Apache-2.0 OR MIT".to_owned(),
                signature: toml::Table::new(),
                training,
                metrics,
            },
        };
        Ok(bundle.write(dir)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Scores whose tail is the curve's.
    fn drawn(scale: f64, exponent: f64, n: u32) -> Surprises {
        let mut rng = Rng::new(4, 0);
        let mut surprises = Surprises::default();
        for _ in 0..n {
            let decades = -(1.0 - rng.uniform()).log10();
            let surprise = scale * decades.powf(1.0 / exponent);
            surprises.push(1.0 - 0.1f64.powf(surprise));
        }
        surprises
    }

    #[test]
    fn the_curve_that_scores_were_drawn_from_is_found() {
        for (scale, exponent) in [(1.0, 1.0), (1.4, 0.8), (0.7, 1.3)] {
            let found = drawn(scale, exponent, 200_000).fit().unwrap();
            let (a, b) = (
                f64::from(found.curve.scale),
                f64::from(found.curve.exponent),
            );
            assert!(
                (a / scale - 1.0).abs() < 0.05,
                "{scale} {exponent}: {found:?}"
            );
            assert!(
                (b / exponent - 1.0).abs() < 0.05,
                "{scale} {exponent}: {found:?}"
            );
        }
        let honest = drawn(1.0, 1.0, 200_000).fit().unwrap();
        assert!(
            (honest.kept[1].1 / 0.01 - 1.0).abs() < 0.1,
            "{:?}",
            honest.kept
        );
    }

    #[test]
    fn the_bundle_passes_the_checks_and_too_little_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let fitted = drawn(1.0, 1.0, 5_000).fit().unwrap();
        fitted.write("test", "", "test", dir.path()).unwrap();
        let model = std::fs::read(dir.path().join("model.onnx")).unwrap();
        let checked = graph::check(&model, &graph::Limits::default()).unwrap();
        assert_eq!(checked.metadata["forestall.signature"], "calibrator/1");
        assert!(
            drawn(1.0, 1.0, 100)
                .fit()
                .unwrap_err()
                .to_string()
                .contains("2000")
        );
        let mut same = Surprises::default();
        (0..5_000).for_each(|_| same.push(0.5));
        same.push(f64::NAN);
        assert!(same.fit().is_err());
    }
}

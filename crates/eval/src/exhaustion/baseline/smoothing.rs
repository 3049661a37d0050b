//! Exponential smoothing of level and trend (Holt 1957), and the same with a trend that may be damped (Gardner & McKenzie,
//! Management Science 31, 1985) and a variance that grows with the horizon as in Hyndman et al. 2008, class 1.

use super::passage::{above_limit, exhausted, prediction};
use super::{Baseline, Past, Prediction};

pub(super) const HOLT: Baseline = Baseline {
    name: "holt",
    about: "double exponential smoothing; parameters by the squared error one step ahead, spread by its size",
    foresee: |past| foresee(past, Spread::OfOneStep, &[1.0]),
};
pub(super) const ETS: Baseline = Baseline {
    name: "ets",
    about: "ETS(A,A or Ad,N): a trend, damped if that fits better, and a spread that grows with the horizon",
    foresee: |past| foresee(past, Spread::Growing, &[0.8, 0.9, 0.95, 0.98, 1.0]),
};

/// How uncertain the forecast is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// As one step ahead, at every horizon.
    OfOneStep,
    /// More with every step, as the smoothing lets errors into level and trend.
    Growing,
}

const ALPHAS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// Share of `alpha` by which the trend learns.
const BETAS: [f64; 4] = [0.02, 0.1, 0.3, 0.6];
/// No more of the past than this, in samples.
const MAX_POINTS: usize = 360;
/// Errors of the first few steps are those of the start, not of the method.
const SETTLING: usize = 4;
/// No more steps ahead than this; a day at 20 s.
const MAX_STEPS: usize = 4_320;

/// A fit: parameters, the state at the end, and the variance of the error one step ahead.
#[derive(Debug, Clone, Copy)]
struct Fit {
    alpha: f64,
    beta: f64,
    damping: f64,
    level: f64,
    trend: f64,
    variance: f64,
}

fn foresee(past: Past<'_>, spread: Spread, dampings: &[f64]) -> Option<Prediction> {
    let points = past.points();
    let recent = &points[points.len().saturating_sub(MAX_POINTS)..];
    let (&(first_s, _), &(last_s, newest)) = (recent.first()?, recent.last()?);
    if newest >= 1.0 {
        return exhausted();
    }
    if recent.len() < 2 * SETTLING || last_s <= first_s {
        return None;
    }
    let step_s = (last_s - first_s) / (recent.len() - 1) as f64;
    let levels: Vec<f64> = recent.iter().map(|p| p.1).collect();
    let mut fits = dampings.iter().flat_map(|damping| {
        let levels = &levels;
        ALPHAS.iter().flat_map(move |alpha| {
            BETAS
                .iter()
                .map(move |share| smooth(levels, *alpha, alpha * share, *damping))
        })
    });
    let first = fits.next()?;
    let best = fits.fold(first, |best, fit| {
        if fit.variance < best.variance {
            fit
        } else {
            best
        }
    });
    let ahead = ahead(&best, spread);
    prediction(|time_s| {
        #[expect(
            clippy::cast_sign_loss,
            reason = "a positive time over a positive step"
        )]
        let step = ((time_s / step_s).round() as usize).clamp(1, ahead.len());
        let (mean, variance) = ahead[step - 1];
        above_limit(mean, variance.sqrt())
    })
}

/// Equal steps are taken for granted: a gap counts as one.
fn smooth(levels: &[f64], alpha: f64, beta: f64, damping: f64) -> Fit {
    let (mut level, mut trend, mut squares) = (levels[0], 0.0, 0.0);
    for (i, value) in levels.iter().enumerate().skip(1) {
        let forecast = level + damping * trend;
        let error = value - forecast;
        if i >= SETTLING {
            squares += error * error;
        }
        level = forecast + alpha * error;
        trend = damping * trend + beta * error;
    }
    Fit {
        alpha,
        beta,
        damping,
        level,
        trend,
        variance: squares / (levels.len() - SETTLING) as f64,
    }
}

/// Mean and variance at each step ahead.
fn ahead(fit: &Fit, spread: Spread) -> Vec<(f64, f64)> {
    let (mut damped, mut sum, mut growth) = (fit.damping, 0.0, 1.0);
    let mut steps = Vec::with_capacity(MAX_STEPS);
    for _ in 0..MAX_STEPS {
        sum += damped;
        damped *= fit.damping;
        let factor = match spread {
            Spread::OfOneStep => 1.0,
            Spread::Growing => growth,
        };
        steps.push((fit.level + fit.trend * sum, fit.variance * factor));
        growth += (fit.alpha + fit.beta * sum).powi(2);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_is_that_of_the_textbook() {
        // Hyndman et al. 2008, table 6.1, for an undamped trend.
        let fit = Fit {
            alpha: 0.3,
            beta: 0.1,
            damping: 1.0,
            level: 0.5,
            trend: 0.01,
            variance: 2.0,
        };
        let steps = ahead(&fit, Spread::Growing);
        for h in [1.0_f64, 2.0, 7.0] {
            let expected =
                2.0 * (1.0 + (h - 1.0) * (0.09 + 0.3 * 0.1 * h + 0.01 * h * (2.0 * h - 1.0) / 6.0));
            let place = [1.0, 2.0, 7.0]
                .iter()
                .position(|x: &f64| (x - h).abs() < 0.1);
            let (mean, variance) = steps[[0, 1, 6][place.unwrap()]];
            assert!(
                (variance - expected).abs() < 1e-9,
                "{h}: {variance} {expected}"
            );
            assert!((mean - (0.5 + 0.01 * h)).abs() < 1e-9);
        }
    }
}

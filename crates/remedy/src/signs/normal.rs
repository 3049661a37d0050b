//! The normal distribution, far out in its tails too.

use std::f64::consts::{LN_2, SQRT_2};

/// ln erfc(z) for z ≥ 0, to about 1.2e-7: the Chebyshev fit of Press et al., Numerical Recipes, section 6.2. Its logarithm
/// is taken term by term, so that it does not underflow where a large factor would bring it back.
fn ln_erfc(z: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * z);
    let fit = FIT.iter().rev().fold(0.0, |sum, c| sum * t + c);
    t.ln() - z * z + fit
}

/// ln Φ(x): the logarithm of the probability that a standard normal is at most `x`. NaN for NaN.
pub(super) fn ln_cdf(x: f64) -> f64 {
    if x < 0.0 {
        return ln_erfc(-x / SQRT_2) - LN_2;
    }
    (-0.5 * ln_erfc(x / SQRT_2).exp()).ln_1p()
}

/// P(a Brownian motion with drift reaches `distance` within `h_s` seconds), 0 to 1.
///
/// `drift` in units per second, `variance` in units squared per second, at least 0. The first passage time is inverse
/// Gaussian: Φ((μh−d)/(σ√h)) + exp(2μd/σ²)·Φ((−d−μh)/(σ√h)). The second term is a huge factor times a tiny one, so its
/// logarithm is made first. 1 when the distance is not above 0; 0 for what is not a number.
pub(super) fn passage(distance: f64, drift: f64, variance: f64, h_s: f64) -> f64 {
    if distance <= 0.0 {
        return 1.0;
    }
    if !(h_s > 0.0 && distance.is_finite() && drift.is_finite() && variance.is_finite()) {
        return 0.0;
    }
    let spread = (variance.max(0.0) * h_s).sqrt();
    let lead = drift * h_s - distance;
    // Also where the spread is so small that a quotient would overflow.
    if spread <= 1e-12 * distance {
        return if lead >= 0.0 { 1.0 } else { 0.0 };
    }
    let straight = ln_cdf(lead / spread).exp();
    let turned = 2.0 * drift * distance / variance + ln_cdf((-distance - drift * h_s) / spread);
    let all = straight + turned.min(0.0).exp();
    if all.is_finite() {
        all.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// P(at least `k` events) of a Poisson distribution with this mean, 0 to 1; 1 for `k` = 0. `k` at most 100: above a mean of
/// 700, where the first term underflows, it is certain.
pub(super) fn at_least(k: u32, mean: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if mean.is_nan() || mean <= 0.0 {
        return 0.0;
    }
    if mean > 700.0 {
        return 1.0;
    }
    let (mut term, mut below) = ((-mean).exp(), 0.0);
    for i in 0..k.min(100) {
        below += term;
        term *= mean / f64::from(i + 1);
    }
    (1.0 - below).clamp(0.0, 1.0)
}

/// The time in seconds by which a share `p` of what comes within `end_s` has come, where `within` says how likely it is by
/// some time. By bisection over the logarithm of time, to 1 %.
pub(super) fn quantile_s(p: f64, end_s: f64, within: impl Fn(f64) -> f64) -> f64 {
    let goal = p * within(end_s);
    let (mut low, mut high) = (1.0_f64.ln(), end_s.ln());
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        if within(middle.exp()) < goal {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.exp()
}

/// 5, 50 and 95 % quantiles of the same; they do not fall.
pub(super) fn quantiles_s(end_s: f64, within: impl Fn(f64) -> f64) -> [f64; 3] {
    let [low, middle, high] = [0.05, 0.5, 0.95].map(|p| quantile_s(p, end_s, &within));
    let middle = middle.max(low);
    [low, middle, high.max(middle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn the_normal_is_known_from_tables() {
        check(ln_cdf(0.0).exp(), 0.5);
        check(ln_cdf(1.959_964).exp(), 0.975);
        check(ln_cdf(-1.0).exp(), 0.158_655_25);
        // Φ(−40) is below the smallest number, its logarithm is not: −804.608…
        assert!((ln_cdf(-40.0) + 804.608_442).abs() < 1e-3);
        assert_eq!(ln_cdf(50.0).to_bits(), (-0.0_f64).to_bits());
    }

    #[test]
    fn passages_are_as_the_formula_says() {
        // Without drift, by the reflection principle: 2·Φ(−d/(σ√h)).
        check(passage(1.0, 0.0, 1.0, 1.0), 2.0 * 0.158_655_25);
        // With μ = d = σ = 1 and h = 1: Φ(0) + e²·Φ(−2) = 0.5 + 7.389056·0.0227501.
        check(passage(1.0, 1.0, 1.0, 1.0), 0.668_102);
        // Away from it: given forever, exp(2μd/σ²).
        assert!((passage(1.0, -1.0, 1.0, 1e6) - (-2.0_f64).exp()).abs() < 1e-6);
        check(passage(10.0, 1.0, 0.0, 9.0), 0.0);
        check(passage(10.0, 1.0, 0.0, 10.0), 1.0);
        check(passage(-1.0, -5.0, 1.0, 1.0), 1.0);
        check(passage(1.0, f64::NAN, 1.0, 1.0), 0.0);
        // A factor of e^20000.
        assert!((passage(1.0, 100.0, 0.01, 1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn events_are_counted_as_by_poisson() {
        check(at_least(1, 1.0), 0.632_120_56);
        check(at_least(3, 2.0), 0.323_323_58);
        check(at_least(3, 0.0), 0.0);
        check(at_least(3, 1e9), 1.0);
        check(at_least(0, 0.0), 1.0);
    }

    #[test]
    fn quantiles_are_where_the_shares_are() {
        // An even hazard of 1/100 s: the median of what ends is at 69.3 s.
        let found = quantiles_s(86_400.0, |s| 1.0 - (-s / 100.0).exp());
        for (found, expected) in found.into_iter().zip([5.13, 69.3, 299.6]) {
            assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
        }
    }
}

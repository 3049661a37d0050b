//! Student's t distribution: how likely a value was under a forecast, and how far out it lies.

use libm::lgamma;

/// Negative logarithm of the density at `x`, in nats.
///
/// `scale` above 0, `tail` (degrees of freedom) above 0. Johnson, Kotz & Balakrishnan, "Continuous Univariate
/// Distributions" 2 (1995), equation 28.1.
pub(super) fn negative_log_density(x: f64, location: f64, scale: f64, tail: f64) -> f64 {
    let z = (x - location) / scale;
    let shape = lgamma(0.5 * tail) - lgamma(0.5 * (tail + 1.0));
    let width = 0.5 * (tail * std::f64::consts::PI).ln() + scale.ln();
    shape + width + 0.5 * (tail + 1.0) * (z * z / tail).ln_1p()
}

/// The share of the distribution below `z` standardised units, 0..=1.
///
/// By the regularised incomplete beta function (Abramowitz & Stegun 26.7.1), which keeps its relative precision in the
/// tails: a far value on the left is not rounded to 0.
pub(super) fn below(z: f64, tail: f64) -> f64 {
    let outside = 0.5 * incomplete_beta(tail / (tail + z * z), 0.5 * tail, 0.5);
    if z < 0.0 { outside } else { 1.0 - outside }
}

/// The share further out than `z` on either side, 0..=1.
pub(super) fn beyond(z: f64, tail: f64) -> f64 {
    incomplete_beta(tail / (tail + z * z), 0.5 * tail, 0.5)
}

/// Regularised incomplete beta function by its continued fraction (DLMF 8.17.22), evaluated after Lentz (1976).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on one side of the mean; the other side follows by symmetry.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    (front.exp() * fraction(x, a, b) / a).clamp(0.0, 1.0)
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS: u32 = 300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..=STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-13 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        let error = (got - expected).abs();
        assert!(
            error <= 1e-9 * expected.abs().max(1e-3),
            "{got} for {expected}"
        );
    }

    /// One and two degrees of freedom have closed forms: the Cauchy distribution, and 0.5 + z / (2 sqrt(2 + z²)).
    #[test]
    fn shares_are_those_of_closed_forms() {
        for z in [-1e3, -4.0, -1.0, -0.1, 0.0, 0.3, 2.0, 50.0] {
            close(below(z, 1.0), 0.5 + z.atan() / std::f64::consts::PI);
            close(below(z, 2.0), 0.5 + 0.5 * z / (2.0 + z * z).sqrt());
            close(beyond(z, 2.0), 2.0 * below(-z.abs(), 2.0));
        }
        // The textbook's table: 95 % of 10 degrees of freedom lie within 2.228.
        assert!((beyond(2.228_138_85, 10.0) - 0.05).abs() < 1e-8);
        assert!(below(f64::NAN, 3.0).is_nan() || below(f64::NAN, 3.0) <= 1.0);
    }

    #[test]
    fn the_density_is_the_slope_of_the_share() {
        for (z, tail) in [(0.2, 3.0), (-1.7, 2.1), (4.0, 30.0)] {
            let slope = (below(z + 1e-5, tail) - below(z - 1e-5, tail)) / 2e-5;
            let density = (-negative_log_density(1.0 + 2.0 * z, 1.0, 2.0, tail)).exp();
            assert!((density * 2.0 - slope).abs() < 1e-7, "{z} {tail}");
        }
    }
}

//! A Student t distribution in double precision.

use libm::lgamma;

/// Location, scale and degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Student {
    location: f64,
    scale: f64,
    tail: f64,
    /// -ln of the density at the location.
    at_peak: f64,
}

impl Student {
    /// `scale` and `tail` must be above 0.
    pub(super) fn new(location: f64, scale: f64, tail: f64) -> Self {
        let at_peak = lgamma(0.5 * tail) - lgamma(0.5 * (tail + 1.0))
            + 0.5 * (tail * std::f64::consts::PI).ln()
            + scale.ln();
        Self {
            location,
            scale,
            tail,
            at_peak,
        }
    }

    /// The same shape elsewhere.
    pub(super) const fn moved(self, location: f64) -> Self {
        Self { location, ..self }
    }

    /// Negative log-likelihood.
    pub(super) fn nll(&self, x: f64) -> f64 {
        self.at_peak + self.nats(x)
    }

    /// How much less likely `x` is than the likeliest value, in nats.
    pub(super) fn nats(&self, x: f64) -> f64 {
        let z = (x - self.location) / self.scale;
        0.5 * (self.tail + 1.0) * (z * z / self.tail).ln_1p()
    }

    /// Probability of something at least as far out: the regularised incomplete beta function at `ν / (ν + z^2)`.
    pub(super) fn two_sided(&self, x: f64) -> f64 {
        let z = (x - self.location) / self.scale;
        incomplete_beta(0.5 * self.tail, 0.5, self.tail / (self.tail + z * z))
    }
}

/// Regularised incomplete beta function by its continued fraction (DLMF 8.17.22), evaluated from the front as Lentz
/// does.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast below this point only; the other side is its mirror image.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..200 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() < 1e-12 * fraction.abs() {
            break;
        }
    }
    let front = a * x.ln() + b * (-x).ln_1p() + lgamma(a + b) - lgamma(a) - lgamma(b);
    (front.exp() * fraction / a).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against tables: 97.5 % points of the t distribution, and the Cauchy distribution in closed form.
    #[test]
    fn tails_are_those_of_the_tables() {
        for (tail, point) in [
            (2.0, 4.302_65),
            (5.0, 2.570_58),
            (30.0, 2.042_27),
            (1e6, 1.959_97),
        ] {
            let p = Student::new(1.0, 2.0, tail).two_sided(1.0 - 2.0 * point);
            assert!((p - 0.05).abs() < 2e-4, "{tail}: {p}");
        }
        let cauchy = Student::new(0.0, 1.0, 1.0);
        for z in [0.01f64, 0.5, 1.0, 30.0] {
            let expected = 1.0 - 2.0 / std::f64::consts::PI * z.atan();
            assert!((cauchy.two_sided(z) - expected).abs() < 1e-10, "{z}");
            let density = (std::f64::consts::PI * (1.0 + z * z)).ln();
            assert!((cauchy.nll(z) - density).abs() < 1e-10, "{z}");
        }
        assert!((cauchy.moved(7.0).nll(7.0) - cauchy.nll(0.0)).abs() < 1e-12);
    }
}

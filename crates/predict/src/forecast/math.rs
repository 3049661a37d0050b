//! Exponentials that vectorise: polynomials and bit shifts in place of calls, with errors below 3e-7.
//!
//! Range reduction after Cody & Waite, "Software Manual for the Elementary Functions" (1980); the polynomial is the
//! Taylor series, which converges to `f32` on the reduced range within seven terms.

/// `e^x`, relative error below 3e-7; beyond ±87 as at ±87.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    /// Adding and taking away 1.5 · 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 87.0);
    let whole = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    let series = 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = series * r * r + r + 1.0;
    let power = f32::from_bits(((whole as i32 + 127) << 23).cast_unsigned());
    series * power
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent.
#[inline(always)]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// `ln(1 + e^x)`.
#[inline(always)]
#[must_use]
pub fn softplus(x: f32) -> f32 {
    // ln(1 + u) = 2 artanh(u / (2 + u)), and the argument is at most 1/3.
    let u = exp(-x.abs());
    let s = u / (2.0 + u);
    let s2 = s * s;
    let series = 1.0 / 13.0;
    let series = series * s2 + 1.0 / 11.0;
    let series = series * s2 + 1.0 / 9.0;
    let series = series * s2 + 1.0 / 7.0;
    let series = series * s2 + 0.2;
    let series = series * s2 + 1.0 / 3.0;
    let series = series * s2 + 1.0;
    x.max(0.0) + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the standard library in double precision, over all that a gate can see.
    #[test]
    fn errors_stay_below_what_is_promised() {
        for i in -90_000..=90_000 {
            let x = i as f32 / 1000.0;
            let wide = f64::from(x);
            let relative = |got: f32, true_value: f64| (f64::from(got) / true_value - 1.0).abs();
            if x.abs() < 87.0 {
                assert!(relative(exp(x), wide.exp()) < 3e-7, "exp({x}) = {}", exp(x));
            }
            assert!(
                (f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 3e-7,
                "sigmoid({x})"
            );
            assert!(
                (f64::from(tanh(x)) - wide.tanh()).abs() < 4e-7,
                "tanh({x}) = {}",
                tanh(x)
            );
            let soft = wide.max(0.0) + (-wide.abs()).exp().ln_1p();
            assert!(
                (f64::from(softplus(x)) - soft).abs() < 4e-7 * soft.max(1.0),
                "softplus({x})"
            );
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_infinities_saturate() {
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert!(tanh(f32::INFINITY) > 0.999_999 && sigmoid(f32::NEG_INFINITY) < 1e-30);
    }
}

//! Exponentials that vectorise: polynomials and bit shifts in place of calls, with errors below 3e-7.
//!
//! Range reduction after Cody & Waite, "Software Manual for the Elementary Functions" (1980); the polynomial is the
//! Taylor series, which converges to `f32` on the reduced range within seven terms.

/// `a * b + c`, in one rounding where the machine has an instruction for it.
#[inline(always)]
pub(super) fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The polynomial with these coefficients, the highest power first.
#[inline(always)]
fn polynomial<const FUSED: bool, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = 0.0;
    for coefficient in coefficients {
        sum = mul_add::<FUSED>(sum, x, coefficient);
    }
    sum
}

/// `e^x`, relative error below 3e-7; beyond ±87 as at ±87.
#[inline(always)]
#[must_use]
pub fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// Adding 1.5 · 2^23 rounds to a whole number, and leaves it in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 87.0);
    let shifted = mul_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let r = mul_add::<FUSED>(-whole, LN2_HIGH, x);
    let r = mul_add::<FUSED>(-whole, LN2_LOW, r);
    let series = [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    polynomial::<FUSED, 7>(r, series) * power
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
#[must_use]
pub fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FUSED>(-x))
}

/// Hyperbolic tangent.
#[inline(always)]
#[must_use]
pub fn tanh<const FUSED: bool>(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp::<FUSED>(2.0 * x))
}

/// `ln(1 + e^x)`.
#[inline(always)]
#[must_use]
pub fn softplus<const FUSED: bool>(x: f32) -> f32 {
    // ln(1 + u) = 2 artanh(u / (2 + u)), and the argument is at most 1/3.
    let u = exp::<FUSED>(-x.abs());
    let s = u / (2.0 + u);
    let series = [
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        0.2,
        1.0 / 3.0,
        1.0,
    ];
    mul_add::<FUSED>(2.0 * s, polynomial::<FUSED, 7>(s * s, series), x.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the standard library in double precision, over all that a gate can see.
    #[test]
    fn errors_stay_below_what_is_promised() {
        errors::<false>();
        errors::<true>();
    }

    fn errors<const F: bool>() {
        for i in -90_000..=90_000 {
            let x = i as f32 / 1000.0;
            let wide = f64::from(x);
            let relative = |got: f32, true_value: f64| (f64::from(got) / true_value - 1.0).abs();
            if x.abs() < 87.0 {
                assert!(
                    relative(exp::<F>(x), wide.exp()) < 3e-7,
                    "exp({x}) = {}",
                    exp::<F>(x)
                );
            }
            assert!(
                (f64::from(sigmoid::<F>(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 3e-7,
                "sigmoid({x})"
            );
            assert!(
                (f64::from(tanh::<F>(x)) - wide.tanh()).abs() < 4e-7,
                "tanh({x}) = {}",
                tanh::<F>(x)
            );
            let soft = wide.max(0.0) + (-wide.abs()).exp().ln_1p();
            assert!(
                (f64::from(softplus::<F>(x)) - soft).abs() < 4e-7 * soft.max(1.0),
                "softplus({x})"
            );
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_infinities_saturate() {
        assert!(exp::<false>(f32::NAN).is_nan() && sigmoid::<false>(f32::NAN).is_nan());
        assert!(
            tanh::<false>(f32::INFINITY) > 0.999_999 && sigmoid::<false>(f32::NEG_INFINITY) < 1e-30
        );
    }
}

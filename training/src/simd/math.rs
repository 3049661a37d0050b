//! Functions of [`Lanes`], accurate to a few units of the last place at 1 (tested in the module above).

use super::Lanes;

/// Adding this to a number below 2^22 leaves its nearest integer in the low bits.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few bits, so that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e^x; the argument is held to ±87, beyond which an `f32` has no normal result.
#[inline(always)]
fn exp<V: Lanes>(x: V) -> V {
    let x = x.max(V::splat(-87.0)).min(V::splat(87.0));
    let rounded = x.fma(V::splat(std::f32::consts::LOG2_E), V::splat(ROUNDER));
    let n = rounded.sub(V::splat(ROUNDER));
    let r = n.fma(V::splat(-LN_2_HIGH), x);
    let r = n.fma(V::splat(-LN_2_LOW), r);
    // Taylor's series: |r| <= ln(2) / 2, where the first term left out is below 6e-9.
    let mut sum = V::splat(1.0 / 5_040.0);
    for inverse in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0f32] {
        sum = sum.fma(r, V::splat(1.0 / inverse));
    }
    sum.scale_by_power(rounded)
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid<V: Lanes>(x: V) -> V {
    let one = V::splat(1.0);
    one.div(one.add(exp(V::splat(0.0).sub(x))))
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<V: Lanes>(x: V) -> V {
    let two = V::splat(2.0);
    let one = V::splat(1.0);
    one.sub(two.div(exp(x.mul(two)).add(one)))
}

/// Natural logarithm of a positive normal number.
#[inline(always)]
pub(crate) fn ln<V: Lanes>(x: V) -> V {
    let (m, e) = x.split();
    let one = V::splat(1.0);
    // ln m = 2 artanh s; |s| < 0.172, where the first term left out is below 3e-9.
    let s = m.sub(one).div(m.add(one));
    let square = s.mul(s);
    let mut sum = V::splat(1.0 / 9.0);
    for n in [7.0, 5.0, 3.0, 1.0f32] {
        sum = sum.fma(square, V::splat(1.0 / n));
    }
    let low = s.add(s).fma(sum, e.mul(V::splat(LN_2_LOW)));
    e.fma(V::splat(LN_2_HIGH), low)
}

/// ln(1 + x) of a number of at least 0, exact to the last places however small it is.
#[inline(always)]
pub(crate) fn ln_1p<V: Lanes>(x: V) -> V {
    let one = V::splat(1.0);
    let w = one.add(x);
    let lost = x.sub(w.sub(one));
    ln(w).add(lost.div(w))
}

/// ln(1 + e^x), above 0 for every x.
#[inline(always)]
pub(crate) fn softplus<V: Lanes>(x: V) -> V {
    let zero = V::splat(0.0);
    let size = x.max(zero.sub(x));
    x.max(zero).add(ln_1p(exp(zero.sub(size))))
}

//! The loss: how surprised the forecast Student t distributions were by what came, and the gradient at the head.
//!
//! Negative log-likelihood in nats. With heavy tails the pull of an outlier falls as it grows, so anomalies among the
//! training data do little harm (Lange, Little & Taylor, JASA 84, 1989).

use super::parameters::{LEAST_SCALE, LEAST_TAIL};
use super::tape::{Tape, Targets};
use crate::simd::{Kernel, Lanes, Wide, dispatch, ln, ln_1p, sigmoid, softplus};

/// Forecast of one horizon and what came, to the loss and its gradient by location, raw scale and raw tail.
#[inline(always)]
fn student<V: Lanes>(location: V, raw_scale: V, raw_tail: V, came: V) -> (V, [V; 3]) {
    let (zero, half, one) = (V::splat(0.0), V::splat(0.5), V::splat(1.0));
    let scale = softplus(raw_scale).add(V::splat(LEAST_SCALE));
    let tail = softplus(raw_tail).add(V::splat(LEAST_TAIL));
    let z = came.sub(location).div(scale);
    let square = z.mul(z);
    let far = ln_1p(square.div(tail));
    let a = tail.mul(half);
    let (gamma, gamma_slope) = half_step_of_ln_gamma(a);
    let power = a.add(half);
    // -ln of the density, less ln(pi)/2, which is added at the end.
    let loss = half
        .mul(ln(tail))
        .sub(gamma)
        .add(ln(scale))
        .add(power.mul(far))
        .add(V::splat(0.5 * 1.144_729_9));
    // The share (tail + 1) / (tail + z^2) is what weighs outliers down.
    let pull = tail.add(one).div(tail.add(square));
    let by_location = zero.sub(pull.mul(z).div(scale));
    let by_scale = one.sub(pull.mul(square)).div(scale);
    let by_tail = half.mul(
        one.sub(pull.mul(square))
            .div(tail)
            .add(far)
            .sub(gamma_slope),
    );
    (
        loss,
        [
            by_location,
            by_scale.mul(sigmoid(raw_scale)),
            by_tail.mul(sigmoid(raw_tail)),
        ],
    )
}

/// `ln Γ(a + 1/2) - ln Γ(a)` and its slope, for `a` of at least 1: three steps up by the recurrence of Γ, then Stirling's
/// series of the ratio (Tricomi & Erdélyi, Pacific J. Math. 1, 1951), whose first term left out is below 8e-8 there.
#[inline(always)]
fn half_step_of_ln_gamma<V: Lanes>(a: V) -> (V, V) {
    let (half, one) = (V::splat(0.5), V::splat(1.0));
    let (mut ratio, mut slope) = (one, V::splat(0.0));
    let mut z = a;
    for _ in 0..3 {
        let above = z.add(half);
        let both = z.mul(above);
        // ln of z / (z + 1/2), and the slope of it: 1/z - 1/(z + 1/2).
        ratio = ratio.mul(z.div(above));
        slope = slope.add(half.div(both));
        z = z.add(one);
    }
    let inverse = one.div(z);
    let square = inverse.mul(inverse);
    // ln z / 2 - 1/(8 z) + 1/(192 z^3) - 1/(640 z^5)
    let series = V::splat(-1.0 / 640.0)
        .fma(square, V::splat(1.0 / 192.0))
        .fma(square, V::splat(-1.0 / 8.0))
        .mul(inverse);
    let series_slope = V::splat(1.0 / 128.0)
        .fma(square, V::splat(-1.0 / 64.0))
        .fma(square, V::splat(1.0 / 8.0))
        .mul(square);
    (
        half.mul(ln(z)).add(ln(ratio)).add(series),
        half.mul(inverse).add(slope).add(series_slope),
    )
}

struct Loss<'a> {
    tape: &'a mut Tape,
    targets: Targets<'a>,
}

impl Kernel for Loss<'_> {
    type Output = (Wide, Wide);

    #[inline(always)]
    fn run<V: Lanes>(self) -> (Wide, Wide) {
        let Self { tape, targets } = self;
        let k = tape.shape.horizons;
        let (mut total, mut weight) = (V::splat(0.0), V::splat(0.0));
        for t in 0..tape.steps {
            let out = tape.outputs_mut(t);
            let (locations, rest) = out.split_at_mut(k);
            let (scales, tails) = rest.split_at_mut(k);
            for i in 0..k {
                let ahead = t + targets.horizons[i];
                let w = V::load(&targets.weights[ahead]).mul(V::splat(targets.horizon_weights[i]));
                let (loss, gradient) = student(
                    V::load(&locations[i]),
                    V::load(&scales[i]),
                    V::load(&tails[i]),
                    V::load(&targets.values[ahead]),
                );
                total = w.fma(loss, total);
                weight = weight.add(w);
                w.mul(gradient[0]).store(&mut locations[i]);
                w.mul(gradient[1]).store(&mut scales[i]);
                w.mul(gradient[2]).store(&mut tails[i]);
            }
        }
        let mut sums = (Wide::ZERO, Wide::ZERO);
        total.store(&mut sums.0);
        weight.store(&mut sums.1);
        sums
    }
}

impl Tape {
    /// Judges a window that went forward: the weighted losses of each lane, summed, and the sum of the weights. The
    /// outputs of the head are replaced by the gradient of the first.
    pub fn loss(&mut self, targets: Targets<'_>) -> (Wide, Wide) {
        dispatch(Loss {
            tape: self,
            targets,
        })
    }
}

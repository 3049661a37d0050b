//! Sixteen windows side by side: one number of each in a register, or in two or four.
//!
//! What trains is written once over [`Lanes`]; [`dispatch`] runs it with the widest registers that the processor has.
//! The types that stand for registers are private to this folder, so code can come by one only through `dispatch`,
//! which has asked the processor first: that is what makes their safe methods safe.

mod math;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use math::{ln, ln_1p, sigmoid, softplus, tanh};

use bytemuck::{Pod, Zeroable};

/// Windows that are trained side by side.
pub const LANES: usize = 16;

/// One number of each of [`LANES`] windows.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Wide(pub [f32; LANES]);

impl Wide {
    /// All zero.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Arithmetic on [`LANES`] numbers at once.
pub(crate) trait Lanes: Copy {
    /// Whether some thirty of them fit the processor's registers, or only seven.
    const MANY: bool;

    fn load(from: &Wide) -> Self;
    fn store(self, to: &mut Wide);
    fn splat(x: f32) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `self * by + plus`, rounded once where the processor can.
    fn fma(self, by: Self, plus: Self) -> Self;
    /// `self` times 2 to the integer that stands in the low bits of `exponent`.
    fn scale_by_power(self, exponent: Self) -> Self;
    /// Mantissa within a factor of sqrt(2) of 1, and exponent, of a positive normal number.
    fn split(self) -> (Self, Self);
    /// The lanes added up, in an order that does not depend on the data.
    #[inline(always)]
    fn sum(self) -> f32 {
        let mut wide = Wide::ZERO;
        self.store(&mut wide);
        let mut lanes = wide.0;
        let mut n = LANES;
        while n > 1 {
            n /= 2;
            for i in 0..n {
                lanes[i] += lanes[i + n];
            }
        }
        lanes[0]
    }
}

/// Work that runs on any kind of [`Lanes`]; `run` must be `#[inline(always)]`, or it is compiled for the oldest processor.
pub(crate) trait Kernel {
    type Output;
    fn run<V: Lanes>(self) -> Self::Output;
}

/// Runs a kernel with the widest registers there are.
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    return x86::dispatch(kernel);
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<portable::Portable>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs and outputs of one function over a grid of numbers.
    struct Grid(fn(f64) -> f64, f64, f64, u8);

    impl Kernel for Grid {
        type Output = f64;
        #[inline(always)]
        fn run<V: Lanes>(self) -> f64 {
            let mut worst: f64 = 0.0;
            for block in 0..4_000 {
                let x: [f32; LANES] = std::array::from_fn(|lane| {
                    let part = f64::from(block * 16 + lane as i32) / 64_000.0;
                    (self.1 + (self.2 - self.1) * part) as f32
                });
                let v = V::load(&Wide(x));
                let y = match self.3 {
                    0 => sigmoid(v),
                    1 => tanh(v),
                    2 => softplus(v),
                    3 => ln(v),
                    _ => ln_1p(v),
                };
                let mut out = Wide::ZERO;
                y.store(&mut out);
                for (x, y) in x.iter().zip(out.0) {
                    let expected = (self.0)(f64::from(*x));
                    let error = (f64::from(y) - expected).abs() / expected.abs().max(1.0);
                    assert!(error.is_finite(), "{x} {y}");
                    worst = worst.max(error);
                }
            }
            worst
        }
    }

    #[test]
    fn functions_agree_with_those_of_the_library() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        for (f, from, to, which) in [
            (sigmoid as fn(f64) -> f64, -100.0, 100.0, 0),
            (sigmoid, -4.0, 4.0, 0),
            (f64::tanh, -60.0, 60.0, 1),
            (f64::tanh, -2.0, 2.0, 1),
            (softplus, -200.0, 200.0, 2),
            (f64::ln, 1e-6, 3.0, 3),
            (f64::ln, 1e-3, 1e9, 3),
            (f64::ln_1p, 0.0, 1e-3, 4),
            (f64::ln_1p, 0.0, 1e6, 4),
        ] {
            let wide = dispatch(Grid(f, from, to, which));
            let portable = Grid(f, from, to, which).run::<portable::Portable>();
            assert!(
                wide.max(portable) < 2.5e-7,
                "{which} on {from}..{to}: {wide:e} {portable:e}"
            );
        }
    }

    struct Arithmetic;

    impl Kernel for Arithmetic {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<V: Lanes>(self) -> Vec<f32> {
            let a = V::load(&Wide(std::array::from_fn(|i| i as f32 - 7.5)));
            let b = V::splat(2.0);
            let (mantissa, exponent) = V::splat(12.0).split();
            [
                a.add(b),
                a.sub(b),
                a.mul(b),
                a.div(b),
                a.min(b),
                a.max(b),
                a.fma(b, b),
                mantissa,
                exponent,
            ]
            .iter()
            .map(|v| {
                let mut out = Wide::ZERO;
                v.store(&mut out);
                v.sum() + 100.0 * out.0[3]
            })
            .collect()
        }
    }

    #[test]
    fn every_kind_of_register_computes_the_same() {
        let expected = Arithmetic.run::<portable::Portable>();
        assert_eq!(dispatch(Arithmetic), expected);
        // 12 is 1.5 * 2^3, but 0.75 * 2^4 is nearer to 1 by ratio: both are within sqrt(2).
        assert_eq!(expected[7..], [0.75 * 116.0, 4.0 * 116.0]);
    }
}

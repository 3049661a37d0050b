//! [`Lanes`] in plain Rust, for processors without the wider registers.

use super::{LANES, Lanes, Wide};

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Lanes for Portable {
    const MANY: bool = false;

    #[inline(always)]
    fn load(from: &Wide) -> Self {
        Self(from.0)
    }

    #[inline(always)]
    fn store(self, to: &mut Wide) {
        to.0 = self.0;
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    /// Rounded twice: without the instruction, `f32::mul_add` is a call.
    #[inline(always)]
    fn fma(self, by: Self, plus: Self) -> Self {
        self.mul(by).add(plus)
    }

    #[inline(always)]
    fn scale_by_power(self, exponent: Self) -> Self {
        self.zip(exponent, |a, e| {
            f32::from_bits(a.to_bits().wrapping_add(e.to_bits() << 23))
        })
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let exponent = |x: f32| x.to_bits().wrapping_sub(SQRT_HALF).cast_signed() >> 23;
        let mantissa = |x: f32| {
            let shifted = exponent(x).cast_unsigned() << 23;
            f32::from_bits(x.to_bits().wrapping_sub(shifted))
        };
        (
            Self(self.0.map(mantissa)),
            Self(self.0.map(|x| exponent(x) as f32)),
        )
    }
}

/// Bits of sqrt(1/2).
pub(super) const SQRT_HALF: u32 = 0x3f35_04f3;

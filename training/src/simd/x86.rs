//! [`Lanes`] in the registers of x86-64: one of 512 bits, or two of 256.
#![expect(
    unsafe_code,
    reason = "vector instructions: `dispatch` asks the processor before anything here runs, and only it can name the types"
)]

use std::arch::x86_64::*;

use super::portable::{Portable, SQRT_HALF};
use super::{Kernel, Lanes, Wide};

/// Runs the kernel on what the processor has.
pub(super) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the feature.
        unsafe { with_avx512(kernel) }
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features.
        unsafe { with_avx2(kernel) }
    } else {
        kernel.run::<Portable>()
    }
}

#[target_feature(enable = "avx512f")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

#[derive(Clone, Copy)]
struct Avx512(__m512);

/// Methods that are one instruction each.
macro_rules! instructions {
    ($($name:ident: $instruction:ident),*) => { $(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            // SAFETY: see the top of the file.
            Self(unsafe { $instruction(self.0, other.0) })
        }
    )* };
}

impl Lanes for Avx512 {
    const MANY: bool = true;

    instructions! { add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps, div: _mm512_div_ps,
    min: _mm512_min_ps, max: _mm512_max_ps }

    #[inline(always)]
    fn load(from: &Wide) -> Self {
        // SAFETY: see the top of the file; a `Wide` is 64 bytes and aligned to as many.
        Self(unsafe { _mm512_load_ps(from.0.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut Wide) {
        // SAFETY: as for `load`.
        unsafe { _mm512_store_ps(to.0.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    fn fma(self, by: Self, plus: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe { _mm512_fmadd_ps(self.0, by.0, plus.0) })
    }

    #[inline(always)]
    fn scale_by_power(self, exponent: Self) -> Self {
        // SAFETY: see the top of the file.
        Self(unsafe {
            let shift = _mm512_slli_epi32::<23>(_mm512_castps_si512(exponent.0));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), shift))
        })
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        // SAFETY: see the top of the file.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let above = _mm512_sub_epi32(bits, _mm512_set1_epi32(SQRT_HALF.cast_signed()));
            let exponent = _mm512_srai_epi32::<23>(above);
            let mantissa = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(exponent));
            (
                Self(_mm512_castsi512_ps(mantissa)),
                Self(_mm512_cvtepi32_ps(exponent)),
            )
        }
    }
}

#[derive(Clone, Copy)]
struct Avx2(__m256, __m256);

/// Methods that are one instruction on each half.
macro_rules! on_halves {
    ($($name:ident: $instruction:ident),*) => { $(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            // SAFETY: see the top of the file.
            unsafe { Self($instruction(self.0, other.0), $instruction(self.1, other.1)) }
        }
    )* };
}

impl Lanes for Avx2 {
    const MANY: bool = false;

    on_halves! { add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps, div: _mm256_div_ps,
    min: _mm256_min_ps, max: _mm256_max_ps }

    #[inline(always)]
    fn load(from: &Wide) -> Self {
        let start = from.0.as_ptr();
        // SAFETY: see the top of the file; a `Wide` is 64 bytes and aligned to as many.
        unsafe { Self(_mm256_load_ps(start), _mm256_load_ps(start.add(8))) }
    }

    #[inline(always)]
    fn store(self, to: &mut Wide) {
        let start = to.0.as_mut_ptr();
        // SAFETY: as for `load`.
        unsafe {
            _mm256_store_ps(start, self.0);
            _mm256_store_ps(start.add(8), self.1);
        }
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the top of the file.
        let half = unsafe { _mm256_set1_ps(x) };
        Self(half, half)
    }

    #[inline(always)]
    fn fma(self, by: Self, plus: Self) -> Self {
        // SAFETY: see the top of the file.
        unsafe {
            Self(
                _mm256_fmadd_ps(self.0, by.0, plus.0),
                _mm256_fmadd_ps(self.1, by.1, plus.1),
            )
        }
    }

    #[inline(always)]
    fn scale_by_power(self, exponent: Self) -> Self {
        let half = |x: __m256, e: __m256| {
            // SAFETY: see the top of the file.
            unsafe {
                let shift = _mm256_slli_epi32::<23>(_mm256_castps_si256(e));
                _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), shift))
            }
        };
        Self(half(self.0, exponent.0), half(self.1, exponent.1))
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let half = |x: __m256| {
            // SAFETY: see the top of the file.
            unsafe {
                let bits = _mm256_castps_si256(x);
                let above = _mm256_sub_epi32(bits, _mm256_set1_epi32(SQRT_HALF.cast_signed()));
                let exponent = _mm256_srai_epi32::<23>(above);
                let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
                (_mm256_castsi256_ps(mantissa), _mm256_cvtepi32_ps(exponent))
            }
        };
        let ((m0, e0), (m1, e1)) = (half(self.0), half(self.1));
        (Self(m0, m1), Self(e0, e1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ln, sigmoid};
    use super::*;

    struct Both;

    impl Kernel for Both {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<V: Lanes>(self) -> Vec<f32> {
            let mut all = Vec::new();
            for i in 0..100u8 {
                let x = V::splat(f32::from(i) * 0.37 + 0.01);
                all.extend([sigmoid(x).sum(), ln(x).sum()]);
            }
            all
        }
    }

    /// Both widths multiply and add in one rounding and hold the lanes in one order.
    #[test]
    fn halves_and_wholes_give_the_same_bits() {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features.
            let (wide, halves) = unsafe { (with_avx512(Both), with_avx2(Both)) };
            assert_eq!(wide, halves);
        }
    }
}

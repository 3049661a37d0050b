//! Chance that is the same everywhere: a seed, and no state outside.

/// A small generator (SplitMix64: Steele, Lea & Flood, OOPSLA 2014). Good enough for tests, and the same on every
/// machine and in every release, which a generator from a library does not promise.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 even bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Uniform, 0 included, 1 not.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.bits() % choices.len() as u64) as usize]
    }

    /// Standard normal (Box & Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        // 1 - uniform is never 0, so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Poisson of the given mean, by multiplication (Knuth): takes time in proportion to the mean.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
        while product > limit {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tolerance;

    const N: usize = 100_000;

    /// Mean and variance of what `draw` gives.
    fn moments(mut draw: impl FnMut(&mut Noise) -> f64) -> (f64, f64) {
        let mut noise = Noise::new(7);
        let all: Vec<f64> = (0..N).map(|_| draw(&mut noise)).collect();
        let mean = all.iter().sum::<f64>() / N as f64;
        (
            mean,
            all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64,
        )
    }

    #[test]
    fn moments_are_those_of_the_textbook() {
        // Five standard errors of the worst of them, the variance of the Poisson.
        let sampling = Tolerance {
            name: "sampling error of 100,000 draws",
            absolute: 0.08,
            relative: 0.0,
        };
        for ((mean, variance), (want_mean, want_variance)) in [
            (moments(Noise::uniform), (0.5, 1.0 / 12.0)),
            (moments(Noise::normal), (0.0, 1.0)),
            (moments(|noise| noise.poisson(3.0)), (3.0, 3.0)),
        ] {
            sampling.assert(mean, want_mean);
            sampling.assert(variance, want_variance);
        }
    }
}

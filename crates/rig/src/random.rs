//! A small seeded generator, so that a run can be made again with the same shape.

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): one word of state, passes BigCrush.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Any seed will do, zero too.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits: as many as an f64 holds, so one is never reached by rounding.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        (high - low).mul_add(self.unit(), low)
    }

    /// One of `choices`, which are not empty.
    pub(crate) fn of(&mut self, choices: &[f64]) -> f64 {
        let at = (self.unit() * choices.len() as f64).floor();
        choices
            .iter()
            .zip(0_u32..)
            .find(|&(_, i)| f64::from(i) >= at)
            .map_or(f64::NAN, |(choice, _)| *choice)
    }

    /// Standard normal: Box & Muller, Annals of Mathematical Statistics 29 (1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Exponential with mean 1: the wait for the next of what comes at random.
    pub(crate) fn wait(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_start_and_right_moments() {
        // The published first output for seed 0.
        assert_eq!(Random::new(0).next_u64(), 0xE220_A839_7B1D_CDAF);
        let mut random = Random::new(1);
        let n = 20_000;
        let mean =
            |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        // Standard errors are below 0.01: five of them.
        assert!(mean(&mut || random.normal()).abs() < 0.05);
        let mut random = Random::new(2);
        assert!((mean(&mut || random.normal().powi(2)) - 1.0).abs() < 0.07);
        assert!((mean(&mut || random.wait()) - 1.0).abs() < 0.05);
        assert!((mean(&mut || random.of(&[1.0, 2.0, 3.0])) - 2.0).abs() < 0.05);
    }
}

//! Synthetic series, each for a reason. All are seeded, and none needs a file.

use series::{Kind, Timestamp};

use crate::{Noise, STEP_S, Trace};

/// Samples of a day.
pub const DAY: usize = (86_400 / STEP_S) as usize;

/// A way to draw a series.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The name of its function.
    pub name: &'static str,
    /// Draws `n` samples from a seed.
    pub draw: fn(n: usize, seed: u64) -> Trace,
}

macro_rules! shapes {
    ($($name:ident)*) => { &[$(Shape { name: stringify!($name), draw: $name }),*] };
}

/// Every shape there is: what a conformance suite walks.
pub const SHAPES: &[Shape] = shapes! {
    constant gaussian autoregressive lognormal counts seasonal sawtooth counter ramp step spikes stuck irregular extremes
    alternating
};

/// Normal behaviour: one law from beginning to end, nothing to be found. What calibration is judged on.
pub const CALM: &[Shape] = shapes! { gaussian autoregressive lognormal counts seasonal };

/// Never moves: a limit, a configured size. The seed is not used.
#[must_use]
pub fn constant(n: usize, _: u64) -> Trace {
    Trace::gauge(std::iter::repeat_n(42.0, n))
}

/// Independent and normal, 100 ± 5: the textbook's quiet gauge.
#[must_use]
pub fn gaussian(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|_| 100.0 + 5.0 * noise.normal()))
}

/// Autoregressive of order 1 with coefficient 0.9, started in equilibrium: load that lingers, as most does.
#[must_use]
pub fn autoregressive(n: usize, seed: u64) -> Trace {
    const PHI: f64 = 0.9;
    let mut noise = Noise::new(seed);
    let mut x = noise.normal() / (1.0 - PHI * PHI).sqrt();
    Trace::gauge((0..n).map(|_| {
        x = PHI * x + noise.normal();
        100.0 + x
    }))
}

/// Log-normal with log-scale 0.5: latencies, whose high values are no news.
#[must_use]
pub fn lognormal(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|_| (0.5 * noise.normal()).exp()))
}

/// Poisson counts of mean 0.3: errors per minute, mostly none and always whole.
#[must_use]
pub fn counts(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|_| noise.poisson(0.3)))
}

/// A sine a day, lower at the weekend, with normal noise of a tenth of its height: people at work.
#[must_use]
pub fn seasonal(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|i| {
        let day = (i as f64 / DAY as f64 * std::f64::consts::TAU).sin();
        let height = if i / DAY % 7 < 5 { 30.0 } else { 15.0 };
        100.0 + height * day + 3.0 * noise.normal()
    }))
}

/// Climbs for 60 samples and falls at once: a heap between collections.
#[must_use]
pub fn sawtooth(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|i| 20.0 + (i % 60) as f64 + noise.uniform()))
}

/// A running total of about 90 a sample that begins again at 0 every few hundred samples, as a restarted process does.
#[must_use]
pub fn counter(n: usize, seed: u64) -> Trace {
    let (mut noise, mut total) = (Noise::new(seed), 1e6);
    let values = (0..n).map(|_| {
        total = if noise.chance(0.004) {
            0.0
        } else {
            total + 90.0 + 9.0 * noise.normal()
        };
        total
    });
    Trace {
        kind: Kind::Counter,
        ..Trace::gauge(values)
    }
}

/// Grows without end by a tenth of its noise a sample: a slow leak.
#[must_use]
pub fn ramp(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|i| 100.0 + 0.1 * i as f64 + noise.normal()))
}

/// Normal noise that moves up by ten standard deviations half way and stays: a deployment.
#[must_use]
pub fn step(n: usize, seed: u64) -> Trace {
    gaussian(n, seed).bent(n / 2..n, |x| x + 50.0)
}

/// Normal noise with one sample in a hundred far above.
#[must_use]
pub fn spikes(n: usize, seed: u64) -> Trace {
    let mut noise = Noise::new(seed);
    Trace::gauge(
        (0..n).map(|_| 100.0 + 5.0 * noise.normal() + if noise.chance(0.01) { 200.0 } else { 0.0 }),
    )
}

/// Normal noise that freezes half way at its last value: a broken exporter.
#[must_use]
pub fn stuck(n: usize, seed: u64) -> Trace {
    let moving = gaussian(n, seed);
    let last = moving.points.get(n / 2).map_or(0.0, |&(_, value)| value);
    moving.bent(n / 2..n, |_| last)
}

/// Normal noise at steps of 1 s to 10 min, with a gap of hours to days now and then.
#[must_use]
pub fn irregular(n: usize, seed: u64) -> Trace {
    let (mut trace, mut noise) = (gaussian(n, seed), Noise::new(!seed));
    let mut at = crate::START;
    for point in &mut trace.points {
        let seconds = if noise.chance(0.01) {
            2e5 * noise.uniform()
        } else {
            1.0 + 599.0 * noise.uniform()
        };
        at = Timestamp::from_micros(at.micros() + (1e6 * seconds) as i64);
        point.0 = at;
    }
    trace
}

/// Values from the ends of what an `f64` can be, in no order: nothing honest, everything finite.
#[must_use]
pub fn extremes(n: usize, seed: u64) -> Trace {
    const ENDS: [f64; 12] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e300,
        -1e300,
        1e-300,
        -1e-300,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
    ];
    let mut noise = Noise::new(seed);
    Trace::gauge((0..n).map(|_| noise.pick(&ENDS)))
}

/// 1e300 and -1e300 by turns: the widest swing that repeats.
#[must_use]
pub fn alternating(n: usize, _: u64) -> Trace {
    Trace::gauge((0..n).map(|i| if i % 2 == 0 { 1e300 } else { -1e300 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_finite_in_order_and_the_same_again() {
        for shape in SHAPES {
            for n in [0, 1, 2, 3_000] {
                let trace = (shape.draw)(n, 3);
                assert_eq!(
                    (trace.len(), &trace),
                    (n, &(shape.draw)(n, 3)),
                    "{}",
                    shape.name
                );
                assert!(
                    trace.points.iter().all(|(_, value)| value.is_finite()),
                    "{}",
                    shape.name
                );
                assert!(
                    trace.points.windows(2).all(|pair| pair[0].0 < pair[1].0),
                    "{}",
                    shape.name
                );
            }
        }
    }

    #[test]
    fn a_counter_falls_only_to_nothing() {
        let values: Vec<f64> = counter(5_000, 1)
            .points
            .iter()
            .map(|&(_, value)| value)
            .collect();
        let falls: Vec<f64> = values
            .windows(2)
            .filter(|pair| pair[1] < pair[0])
            .map(|pair| pair[1])
            .collect();
        assert!(
            falls.len() > 5 && falls.iter().all(|&value| value <= 0.0),
            "{falls:?}"
        );
    }
}

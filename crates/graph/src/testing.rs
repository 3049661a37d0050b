//! Small weights for tests.

use crate::Lstm;

/// Weights that all differ, between -0.5 and 0.5.
pub(crate) fn lstm(inputs: usize, hidden: usize, horizons: usize) -> Lstm {
    let mut place = 0_u32;
    let mut list = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| {
                place += 1;
                // Multiples of the golden ratio, modulo 1, are spread evenly and never repeat here.
                (f64::from(place) * 0.618_033_988_749_895).fract() as f32 - 0.5
            })
            .collect()
    };
    Lstm {
        inputs,
        hidden,
        horizons,
        w: list(4 * hidden * inputs),
        r: list(4 * hidden * hidden),
        b: list(4 * hidden),
        head_w: list(3 * horizons * hidden),
        head_b: list(3 * horizons),
    }
}

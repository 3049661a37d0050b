//! Does what the level did of late have a precedent?

use crate::robust;

/// The latest movement is that over this share of a day: 4 hours.
const PER_DAY: usize = 6;

/// Movements this many usual ones large have a precedent; twice as many have none.
const USUAL: f64 = 3.0;

/// Movements under this share of the limit are none.
const NO_MOVEMENT: f64 = 0.005;

/// How well the latest rise of these levels (without their seasons) is explained by the rises before it: 1 fully, 0 not
/// at all. A fall needs no explanation, and neither does a rise among too few others.
pub(super) fn explained(levels: &[f64], day: usize) -> f32 {
    let window = day / PER_DAY;
    if window < 2 || levels.len() < 4 * window {
        return 1.0;
    }
    let rise =
        |levels: &[f64]| robust::straighten(levels).map_or(0.0, |line| line.slope * window as f64);
    let (before, latest) = levels.split_at(levels.len() - window);
    let usual: Vec<f64> = before
        .windows(window)
        .step_by(window / 2)
        .map(rise)
        .collect();
    let Some((median, spread)) = robust::center(&usual) else {
        return 1.0;
    };
    let unusual = (rise(latest) - median) / spread.max(NO_MOVEMENT);
    (2.0 - unusual / USUAL).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use testkit::Noise;

    use super::*;

    #[test]
    fn a_new_leak_has_no_precedent_and_an_old_one_has() {
        let mut noise = Noise::new(1);
        let mut levels = |from: usize| -> Vec<f64> {
            (0..480)
                .map(|i| 0.5 + 0.01 * i.max(from) as f64 + 0.01 * noise.normal())
                .collect()
        };
        let (old, new, none) = (levels(0), levels(472), levels(480));
        assert!(explained(&old, 48) > 0.9);
        assert!(explained(&none, 48) > 0.9);
        assert!(explained(&new, 48) < 0.1, "{}", explained(&new, 48));
    }
}

//! Statistics that a few outliers do not move.

/// Points of a line beyond which the median of the slopes of all pairs gains nothing; of more, evenly spread ones are
/// used.
const MAX_LINE: usize = 200;

/// The quantile `q` (0 to 1) of finite values, in any order; reorders them. `None` if there are none.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
    let place = (q.clamp(0.0, 1.0) * last as f64).round() as usize;
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}

/// Median and spread of finite values; the spread is that of a normal distribution with their median absolute
/// deviation.
pub(crate) fn center(values: &[f64]) -> Option<(f64, f64)> {
    let median = quantile(&mut values.to_vec(), 0.5)?;
    let mut off: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    // 1/Φ⁻¹(3/4): Rousseeuw & Croux, JASA 88 (1993).
    Some((median, 1.4826 * quantile(&mut off, 0.5)?))
}

/// The line through `(place, value)`: its value at place 0 and its slope, by the median of the slopes of all pairs
/// (Theil, 1950; Sen, JASA 63, 1968). `None` under two points.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = points
        .iter()
        .rev()
        .step_by(points.len().div_ceil(MAX_LINE).max(1))
        .copied()
        .collect();
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, &(x, y)) in points.iter().enumerate() {
        slopes.extend(points[..i].iter().map(|&(x0, y0)| (y - y0) / (x - x0)));
    }
    let slope = quantile(&mut slopes, 0.5)?;
    let mut starts: Vec<f64> = points.iter().map(|&(x, y)| y - slope * x).collect();
    Some((quantile(&mut starts, 0.5)?, slope))
}

/// Evenly spaced values as a line and what is off it.
#[derive(Debug, Clone)]
pub(crate) struct Straightened {
    /// The line at the first value.
    pub start: f64,
    /// How much it rises from one value to the next.
    pub slope: f64,
    /// By how much each value is above it.
    pub deviations: Vec<f64>,
}

/// The [`line`] through these values. `None` under two.
pub(crate) fn straighten(values: &[f64]) -> Option<Straightened> {
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(i, &y)| (i as f64, y))
        .collect();
    let (start, slope) = line(&points)?;
    let deviations = points
        .iter()
        .map(|&(x, y)| y - (start + slope * x))
        .collect();
    Some(Straightened {
        start,
        slope,
        deviations,
    })
}

/// By how much the slope of a line through these deviations from it may be off, per place: the textbook's standard
/// error, widened because neighbours resemble each other.
pub(crate) fn slope_deviation(deviations: &[f64]) -> f64 {
    let n = deviations.len() as f64;
    if n < 3.0 {
        return 0.0;
    }
    let mean = deviations.iter().sum::<f64>() / n;
    let product = |lag: usize| {
        let pairs = deviations.iter().zip(&deviations[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>()
    };
    let variance = product(0) / (n - 2.0);
    let likeness = product(1) / product(0).max(f64::MIN_POSITIVE);
    // Of few values off their own line it comes out too low, by about that much: Marriott & Pope, Biometrika 41 (1954).
    // Above 0.9 it is not believed.
    let likeness = (likeness + (2.0 + 4.0 * likeness) / n).clamp(0.0, 0.9);
    (variance * 12.0 / (n * n * n) * (1.0 + likeness) / (1.0 - likeness)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_an_outlier() {
        let points: Vec<(f64, f64)> = (0..9)
            .map(|i| {
                (
                    f64::from(i),
                    if i == 4 {
                        99.0
                    } else {
                        1.0 + 0.5 * f64::from(i)
                    },
                )
            })
            .collect();
        let (start, slope) = line(&points).expect("a line");
        assert!(
            (start - 1.0).abs() < 1e-9 && (slope - 0.5).abs() < 1e-9,
            "{start} {slope}"
        );
        assert!(line(&points[..1]).is_none());
    }

    #[test]
    fn center_of_a_few() {
        let (median, spread) = center(&[1.0, 2.0, 3.0, 4.0, 100.0]).expect("values");
        assert!(
            (median - 3.0).abs() < 1e-9 && (spread - 1.4826).abs() < 1e-9,
            "{median} {spread}"
        );
        assert!(center(&[]).is_none());
    }

    #[test]
    fn a_slope_is_surer_with_more_places() {
        let zigzag = |n: usize| -> Vec<f64> { (0..n).map(|i| (i % 2) as f64).collect() };
        let (few, many) = (slope_deviation(&zigzag(10)), slope_deviation(&zigzag(100)));
        assert!(few > 20.0 * many && many > 0.0, "{few} {many}");
    }
}

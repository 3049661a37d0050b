//! Quantiles of histograms.

/// A quantile of what a histogram counted, linear within the bucket it falls into, as Prometheus reads it.
///
/// `bounds`: upper bounds, rising, the last of which may be infinite; `below`: how many are at most each bound, never falling,
/// of the same length; `q`: 0 to 1. In the unit of the bounds; beyond the last finite bound it is that bound. `None` when
/// nothing was counted.
#[must_use]
pub fn histogram_quantile(bounds: &[f64], below: &[f64], q: f64) -> Option<f64> {
    let all = *below.last()?;
    if all <= 0.0 {
        return None;
    }
    let wanted = q * all;
    let (mut from, mut before) = (0.0, 0.0);
    for (&bound, &count) in bounds.iter().zip(below) {
        let within = count - before;
        if count >= wanted && within > 0.0 {
            if bound.is_infinite() {
                break;
            }
            return Some(from + (bound - from) * (wanted - before) / within);
        }
        before = f64::max(before, count);
        if bound.is_finite() {
            from = bound;
        }
    }
    Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let bounds = [0.1, 0.5, 1.0, f64::INFINITY];
        let of = |below: [f64; 4], q| histogram_quantile(&bounds, &below, q);
        assert_eq!(of([0.0; 4], 0.95), None, "of no request");
        let close = |found: Option<f64>, expected: f64| {
            assert!(
                (found.unwrap() - expected).abs() < 1e-12,
                "{found:?} {expected}"
            );
        };
        close(of([0.0, 100.0, 100.0, 100.0], 0.5), 0.3);
        close(of([10.0, 10.0, 10.0, 10.0], 0.5), 0.05);
        close(of([50.0, 50.0, 100.0, 100.0], 0.75), 0.75);
        close(of([0.0, 0.0, 50.0, 100.0], 0.95), 1.0);
        assert_eq!(histogram_quantile(&[], &[], 0.5), None);
    }
}

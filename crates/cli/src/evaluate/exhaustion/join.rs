//! One prediction from the outlooks of all resources of an episode: whichever runs out first counts.

use anyhow::ensure;
use eval::exhaustion::Prediction;
use predict::exhaustion::Outlook;

/// Competing risks, taken as independent: the episode lasts as long as all its resources do. When it ends is told by the
/// one that most likely ends it within two hours, since a time is told on condition that there is an end at all.
///
/// # Errors
/// When an outlook is none: a probability outside 0 to 1, or quantiles out of order.
pub(super) fn join(outlooks: &[Outlook]) -> anyhow::Result<Prediction> {
    let likelier = |a: &&Outlook, b: &&Outlook| a.within[3].total_cmp(&b.within[3]);
    let Some(leading) = outlooks.iter().max_by(likelier) else {
        return Ok(Prediction::NONE);
    };
    let ends = |i: usize| {
        let lasts = outlooks.iter().map(|one| 1.0 - f64::from(one.within[i]));
        1.0 - lasts.product::<f64>()
    };
    let (p, ttf_s) = ([0, 1, 2].map(ends), leading.ttf_s);
    let joined = Prediction::new(p, ttf_s);
    ensure!(
        joined.is_some(),
        "probabilities {p:?} and quantiles {ttf_s:?} are no prediction"
    );
    Ok(joined.unwrap_or(Prediction::NONE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use predict::exhaustion::{Cause, Family, Fan, HORIZONS_S, KNOT_S, Survival};
    use predict::{Factor, MAX_FACTORS};
    use series::Timestamp;

    /// Runs out at an even hazard, half of it within `half_life_s`.
    fn outlook(half_life_s: f64) -> Outlook {
        let survival = Survival(KNOT_S.map(|s| 0.5_f64.powf(s / half_life_s) as f32));
        Outlook {
            resource: 0,
            family: Family::Disk,
            at: Timestamp::from_micros(0),
            level: 1.0,
            limit: 2.0,
            survival,
            within: HORIZONS_S.map(|s| survival.within(s) as f32),
            ttf_s: [0.05, 0.5, 0.95].map(|q| survival.quantile_s(q)),
            seen_s: 5_120.0,
            confidence: 1.0,
            cause: Cause::Leak,
            factors: [Factor::default(); MAX_FACTORS],
            actions: &[],
            fan: Fan::default(),
        }
    }

    #[test]
    fn horizons_are_those_that_are_judged() {
        for (ours, judged) in HORIZONS_S.iter().zip(eval::exhaustion::HORIZONS_S) {
            assert!((ours - judged).abs() < 1e-9);
        }
    }

    #[test]
    fn hazards_add_up() {
        assert_eq!(join(&[]).unwrap(), Prediction::NONE);
        let alone = outlook(500.0);
        let [_, middle, high] = join(&[alone]).unwrap().ttf_s();
        assert!((middle - 500.0).abs() < 0.5 && (high - 2_161.0).abs() < 1.0);
        // Two alike end twice as often, and when either is told to.
        let both = join(&[outlook(1_000.0), outlook(1_000.0)]).unwrap();
        let [p5, ..] = both.p();
        assert!((p5 - f64::from(alone.within[0])).abs() < 1e-5);
        assert!((both.ttf_s()[1] - 1_000.0).abs() < 1.0, "{both:?}");
        // One that lasts for ever changes nothing.
        let certain = outlook(1e12);
        assert!((join(&[certain, alone]).unwrap().ttf_s()[1] - middle).abs() < 0.5);
    }

    #[test]
    fn what_is_no_prediction_is_refused() {
        let mut broken = outlook(500.0);
        broken.within[1] = f32::NAN;
        let message = join(&[broken]).unwrap_err().to_string();
        assert!(message.contains("NaN"), "{message}");
    }
}

//! What people say of alerts moves the threshold of that series, and of no other.

use hotpath::{EngineConfig, Verdict};
use testkit::gaussian;

use crate::support::{engine, key, push};

/// What was said before the spike: on the series itself, and on another one.
#[derive(Default)]
struct Said<'a> {
    here: &'a [Verdict],
    elsewhere: &'a [Verdict],
}

/// The smallest spike that opens an event, in standard deviations of the noise before it.
fn least_spike(said: &Said<'_>) -> u32 {
    let calm_samples = 600;
    let opens = |sigmas: &u32| {
        let spike = calm_samples..calm_samples + 1;
        let trace = gaussian(spike.end, 1).bent(spike, |x| x + 5.0 * f64::from(*sigmas));
        let (engine, kept) = engine(1, EngineConfig::default());
        let (here, elsewhere) = (
            engine.register(&key("here")).unwrap(),
            engine.register(&key("elsewhere")).unwrap(),
        );
        let mut samples: Vec<_> = trace.samples(here).collect();
        let last = samples.split_off(calm_samples);
        push(&engine, samples);
        assert_eq!(kept.events(), [], "of noise alone");
        for (series, verdicts) in [(here, said.here), (elsewhere, said.elsewhere)] {
            for &verdict in verdicts {
                engine.feedback(series, verdict);
            }
        }
        push(&engine, last);
        !kept.events().is_empty()
    };
    (1..100).find(opens).expect("no spike is large enough")
}

#[test]
fn without_feedback_a_clear_spike_is_an_event_and_noise_is_not() {
    let least = least_spike(&Said::default());
    assert!((4..=8).contains(&least), "{least}");
}

#[test]
fn dismissed_alerts_raise_the_threshold_and_confirmed_ones_lower_it() {
    let least_after = |verdicts: &[Verdict]| {
        least_spike(&Said {
            here: verdicts,
            ..Said::default()
        })
    };
    let neutral = least_after(&[]);
    assert!(least_after(&[Verdict::Dismissed; 3]) > neutral);
    assert!(least_after(&[Verdict::Confirmed; 3]) < neutral);
    assert_eq!(
        least_after(&[Verdict::Dismissed, Verdict::Confirmed]),
        neutral
    );
}

/// However often it is said: an outage is still told, and noise still is not.
#[test]
fn feedback_has_bounds() {
    let after = |verdict| {
        least_spike(&Said {
            here: &[verdict; 100],
            ..Said::default()
        })
    };
    let (deaf, nervous) = (after(Verdict::Dismissed), after(Verdict::Confirmed));
    assert!(deaf < 60 && nervous > 1, "{deaf} {nervous}");
}

#[test]
fn feedback_on_another_series_changes_nothing() {
    let elsewhere = [Verdict::Dismissed; 20];
    assert_eq!(
        least_spike(&Said {
            elsewhere: &elsewhere,
            ..Said::default()
        }),
        least_spike(&Said::default())
    );
}

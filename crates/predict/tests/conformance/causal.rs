//! Strictly causal: what is said of a sample depends on samples up to it and on nothing else.
//!
//! A stream that is fed sample by sample cannot look ahead in its own series. What can is a block, which holds rows of
//! many series at once, and a model that they share: so the future that changes here is that of all series, and blocks
//! are large enough to hold rows from both sides of the cut.

use predict::anomaly::{DETECTORS, NO_GROUP};
use series::{Kind, Sample, Timestamp};
use testkit::{Noise, Trace};

use crate::rig::{Rig, bits, interleaved};

const N: usize = 700;

/// Replicas and loners with daily cycles, spikes, gaps and resets, in the order in which they arrive.
fn stream() -> (Vec<Sample>, [(Kind, u32); 6]) {
    let traces: [Trace; 6] = [
        testkit::seasonal(N, 1),
        testkit::seasonal(N, 2),
        testkit::spikes(N, 3),
        testkit::autoregressive(N, 4),
        testkit::irregular(N, 5),
        testkit::counter(N, 6),
    ];
    let series = [
        (Kind::Gauge, 0),
        (Kind::Gauge, 0),
        (Kind::Gauge, 0),
        (Kind::Gauge, 0),
        (Kind::Gauge, NO_GROUP),
        (Kind::Counter, NO_GROUP),
    ];
    (interleaved(&traces), series)
}

/// Places in the stream at which the past ends: in warm-up, in mid-block, after a model has been relearned.
const CUTS: [usize; 4] = [5, 100, 1_501, 3_997];

#[test]
fn a_prefix_is_scored_as_if_it_were_all() {
    let (samples, series) = stream();
    for entry in DETECTORS {
        let whole = Rig::grouped(entry, &series).run(&samples, 128);
        for cut in CUTS {
            let prefix = Rig::grouped(entry, &series).run(&samples[..cut], 128);
            assert!(
                bits(&whole[..prefix.len()]) == bits(&prefix),
                "{}, cut at {cut}",
                entry.name
            );
        }
    }
}

#[test]
fn noise_in_the_future_changes_nothing_before() {
    let (samples, series) = stream();
    for entry in DETECTORS {
        let whole = Rig::grouped(entry, &series).run(&samples, 128);
        for cut in CUTS {
            let mut noise = Noise::new(cut as u64);
            let mut broken = samples.clone();
            for sample in &mut broken[cut..] {
                sample.value = 1e9 * noise.normal();
                sample.at =
                    Timestamp::from_micros(sample.at.micros() + (1e6 * noise.uniform()) as i64);
            }
            let broken = Rig::grouped(entry, &series).run(&broken, 128);
            let past = Rig::grouped(entry, &series).run(&samples[..cut], 128).len();
            assert!(
                bits(&whole[..past]) == bits(&broken[..past]),
                "{}, cut at {cut}",
                entry.name
            );
            assert!(
                bits(&whole[past..]) != bits(&broken[past..]),
                "{}: the future does not count at all",
                entry.name
            );
        }
    }
}

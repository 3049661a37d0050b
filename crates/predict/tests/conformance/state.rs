//! State: one record per series that can be saved and restored, untouched by other series, and no allocation beside it.

use predict::anomaly::{DETECTORS, NO_GROUP};
use series::{Kind, SeriesId};
use testkit::{SHAPES, Trace};

use crate::rig::{Rig, bits, bits_of, interleaved, is_per_series};

const N: usize = 2_500;

/// Three replicas, one series alone, one counter.
fn five() -> (Vec<Trace>, [(Kind, u32); 5]) {
    let traces = vec![
        testkit::seasonal(N, 1),
        testkit::spikes(N, 2),
        testkit::step(N, 3),
        testkit::irregular(N, 4),
        testkit::counter(N, 5),
    ];
    let series = [
        (Kind::Gauge, 0),
        (Kind::Gauge, 0),
        (Kind::Gauge, 0),
        (Kind::Gauge, NO_GROUP),
        (Kind::Counter, NO_GROUP),
    ];
    (traces, series)
}

#[test]
fn other_series_change_nothing() {
    for entry in DETECTORS.iter().filter(|entry| is_per_series(entry)) {
        let traces: Vec<Trace> = SHAPES.iter().map(|shape| (shape.draw)(800, 1)).collect();
        let kinds: Vec<Kind> = traces.iter().map(|trace| trace.kind).collect();
        let together = Rig::new(entry, &kinds).run(&interleaved(&traces), 128);
        for (series, trace) in (0..).zip(&traces) {
            let samples: Vec<_> = trace.samples(SeriesId(0)).collect();
            let alone = Rig::new(entry, &[trace.kind]).run(&samples, 128);
            assert!(
                bits(&alone) == bits_of(&together, series),
                "{}: {}",
                entry.name,
                SHAPES[series as usize].name
            );
        }
    }
}

/// Saved half way and restored into a detector that never saw them, all series go on with the same bits.
#[test]
fn a_round_trip_goes_on_as_if_nothing_had_been() {
    let (traces, series) = five();
    let samples = interleaved(&traces);
    for entry in DETECTORS.iter().filter(|entry| is_per_series(entry)) {
        for cut in [0, 1, 7, samples.len() / 2] {
            let mut first = Rig::grouped(entry, &series);
            first.run(&samples[..cut], 128);
            let mut second = Rig::grouped(entry, &series);
            for i in 0..series.len() {
                second.load(i, &first.save(i));
            }
            let (goes_on, restored) = (
                first.run(&samples[cut..], 128),
                second.run(&samples[cut..], 128),
            );
            assert!(
                bits(&goes_on) == bits(&restored),
                "{}, cut at {cut}",
                entry.name
            );
        }
    }
}

/// A place among other series is not part of what is remembered.
#[test]
fn state_may_move_to_another_place() {
    let samples: Vec<_> = testkit::spikes(N, 6).samples(SeriesId(0)).collect();
    let moved: Vec<_> = testkit::spikes(N, 6).samples(SeriesId(2)).collect();
    for entry in DETECTORS.iter().filter(|entry| is_per_series(entry)) {
        let mut first = Rig::new(entry, &[Kind::Gauge]);
        first.run(&samples[..N / 2], 1);
        let mut second = Rig::new(entry, &[Kind::Gauge; 3]);
        second.load(2, &first.save(0));
        assert!(
            bits(&first.run(&samples[N / 2..], 1)) == bits(&second.run(&moved[N / 2..], 1)),
            "{}",
            entry.name
        );
    }
}

/// Also of detectors whose model is not part of it: what is saved of a series can be loaded, and serves.
#[test]
fn what_is_saved_can_be_loaded_by_any() {
    let (traces, series) = five();
    let samples = interleaved(&traces);
    for entry in DETECTORS {
        let mut first = Rig::grouped(entry, &series);
        first.run(&samples, 128);
        let mut second = Rig::grouped(entry, &series);
        for i in 0..series.len() {
            second.load(i, &first.save(i));
            assert_eq!(first.save(i), second.save(i), "{}", entry.name);
        }
    }
}

#[test]
fn nothing_allocates_after_warm_up() {
    let (traces, series) = five();
    let samples = interleaved(&traces);
    assert!(testkit::allocations() > 0, "the counter does not count");
    for entry in DETECTORS {
        let mut rig = Rig::grouped(entry, &series);
        rig.run(&samples[..50], 128);
        rig.allocations = 0;
        rig.run(&samples[50..], 128);
        assert_eq!(rig.allocations, 0, "{}", entry.name);
    }
}

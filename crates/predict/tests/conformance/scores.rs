//! Raw scores: in range whatever comes, the same bits for the same input, and silence where nothing happens.

use predict::anomaly::DETECTORS;
use series::{Kind, Sample, SeriesId};
use testkit::{NOTHING, Noise, SHAPES, Trace};

use crate::rig::{Rig, Scored, bits, interleaved};

/// Long enough for a second generation of everything that forgets.
const N: usize = 4_500;
/// Rows per block, as in a shard.
const ROWS: usize = 128;

/// Every shape, each as one series.
fn all_shapes(n: usize, seed: u64) -> Vec<Trace> {
    SHAPES.iter().map(|shape| (shape.draw)(n, seed)).collect()
}

fn kinds(traces: &[Trace]) -> Vec<Kind> {
    traces.iter().map(|trace| trace.kind).collect()
}

#[test]
fn every_score_is_a_share() {
    let traces = all_shapes(N, 2);
    let samples = interleaved(&traces);
    for entry in DETECTORS {
        for scored in Rig::new(entry, &kinds(&traces)).run(&samples, ROWS) {
            let Scored { series, raw } = scored;
            assert!(
                (0.0..=1.0).contains(&raw),
                "{} gave {raw} on {}",
                entry.name,
                SHAPES[series.index()].name
            );
        }
    }
}

/// The same, but each series belongs to one group: what looks across replicas must bear any company.
#[test]
fn every_score_is_a_share_in_any_company() {
    let traces = all_shapes(N, 3);
    let samples = interleaved(&traces);
    let one_group: Vec<_> = kinds(&traces).into_iter().map(|kind| (kind, 0)).collect();
    for entry in DETECTORS {
        for Scored { series, raw } in Rig::grouped(entry, &one_group).run(&samples, ROWS) {
            assert!(
                (0.0..=1.0).contains(&raw),
                "{} gave {raw} on {}",
                entry.name,
                SHAPES[series.index()].name
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let traces = all_shapes(600, 4);
    let samples = interleaved(&traces);
    for entry in DETECTORS {
        let run = || bits(&Rig::new(entry, &kinds(&traces)).run(&samples, ROWS));
        assert!(run() == run(), "{}", entry.name);
    }
}

/// How rows are gathered into blocks is a matter of speed alone.
#[test]
fn the_size_of_blocks_changes_nothing() {
    let traces = all_shapes(300, 5);
    let samples = interleaved(&traces);
    for entry in DETECTORS {
        let run = |rows| bits(&Rig::new(entry, &kinds(&traces)).run(&samples, rows));
        let one_by_one = run(1);
        for rows in [2, 7, ROWS] {
            assert!(run(rows) == one_by_one, "{} with {rows} rows", entry.name);
        }
    }
}

/// Magnitudes at which a constant may lie.
const LEVELS: [f64; 8] = [0.0, 1.0, 42.0, -1e9, 1e-9, 0.1, 1e300, -1e-300];

#[test]
fn a_constant_is_silent() {
    for entry in DETECTORS {
        for level in LEVELS {
            let trace = Trace::gauge(std::iter::repeat_n(level, 2_000));
            let samples: Vec<Sample> = trace.samples(SeriesId(0)).collect();
            for scored in Rig::new(entry, &[Kind::Gauge]).run(&samples, 1) {
                assert!(
                    scored.raw.to_bits() == 0,
                    "{} gave {} at {level}",
                    entry.name,
                    scored.raw
                );
            }
        }
    }
}

/// Rounding on its way here must not make a constant speak: no score leaves the calibrator's lowest bin.
#[test]
fn a_constant_that_jitters_by_rounding_is_silent() {
    for entry in DETECTORS {
        for level in LEVELS {
            let mut noise = Noise::new(6);
            let trace = Trace::gauge((0..2_000).map(|_| level * (1.0 + 1e-9 * noise.normal())));
            let samples: Vec<Sample> = trace.samples(SeriesId(0)).collect();
            for (i, scored) in Rig::new(entry, &[Kind::Gauge])
                .run(&samples, 1)
                .iter()
                .enumerate()
            {
                assert!(
                    f64::from(scored.raw) < NOTHING.absolute,
                    "{} gave {} at {level}, sample {i}",
                    entry.name,
                    scored.raw
                );
            }
        }
    }
}

#[test]
fn equal_replicas_that_jitter_by_rounding_are_silent() {
    let mut noise = Noise::new(7);
    let traces: Vec<Trace> = (0..5)
        .map(|_| Trace::gauge((0..1_000).map(|_| 42.0 * (1.0 + 1e-9 * noise.normal()))))
        .collect();
    for entry in DETECTORS {
        for scored in Rig::grouped(entry, &[(Kind::Gauge, 0); 5]).run(&interleaved(&traces), ROWS) {
            assert!(
                f64::from(scored.raw) < NOTHING.absolute,
                "{} gave {}",
                entry.name,
                scored.raw
            );
        }
    }
}

/// Samples that are missing are no evidence: a constant with gaps of hours to days is as silent as one without.
#[test]
fn gaps_survive() {
    let constant = testkit::irregular(2_000, 8).bent(0..2_000, |_| 42.0);
    let samples: Vec<Sample> = constant.samples(SeriesId(0)).collect();
    for entry in DETECTORS {
        for scored in Rig::new(entry, &[Kind::Gauge]).run(&samples, 1) {
            assert!(
                scored.raw.to_bits() == 0,
                "{} gave {}",
                entry.name,
                scored.raw
            );
        }
    }
}

/// Without this, a detector that always says 0 would pass every test above.
#[test]
fn every_detector_speaks_of_something() {
    let traces = all_shapes(N, 9);
    let samples = interleaved(&traces);
    let one_group: Vec<_> = kinds(&traces).into_iter().map(|kind| (kind, 0)).collect();
    for entry in DETECTORS {
        let most = Rig::grouped(entry, &one_group)
            .run(&samples, ROWS)
            .iter()
            .map(|scored| scored.raw)
            .fold(0.0, f32::max);
        assert!(most > 0.3, "{} never said more than {most}", entry.name);
    }
}

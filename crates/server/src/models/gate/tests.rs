//! Series whose law is known, and forecasters that are right or wrong about it in a known way.

use expect_test::expect;
use features::{N_COLUMNS, schema_hash};
use predict::forecast::{Batch, Signature, Step, TARGET};

use super::*;

/// Forecasts `phi` times the last value, within `scale`.
#[derive(Debug, Clone)]
struct Known {
    version: &'static str,
    signature: Signature,
    phi: f32,
    scale: f32,
    tail: f32,
}

fn known(version: &'static str, phi: f32, scale: f32) -> Known {
    // So wide a limit leaves the inputs as they are.
    let signature = Signature::new(schema_hash(), &["long_residual"], 1, vec![1], 1e6).unwrap();
    Known {
        version,
        signature,
        phi,
        scale,
        tail: 200.0,
    }
}

impl Model for Known {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn version(&self) -> &str {
        self.version
    }

    fn session(&self) -> Result<Box<dyn Step>, StepError> {
        Ok(Box::new(self.clone()))
    }
}

impl Step for Known {
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        for row in 0..batch.rows() {
            // The state counts steps: whoever mixes up rows of different series is found out.
            batch.h[row] += 1.0;
            batch.location[row] = self.phi * batch.x[row];
            batch.scale[row] = self.scale;
            batch.tail[row] = self.tail;
        }
        Ok(())
    }
}

/// Autoregressive with coefficient 0.8 and normal noise of deviation 1; every 50th sample of a faulty series is far off.
fn held_out(n_series: u64, length: usize, faulty: bool) -> HeldOut {
    let mut held_out = HeldOut::new(1_000_000);
    for series in 0..n_series {
        let mut noise = testkit::Noise::new(series + 1);
        let mut x = 0.0_f64;
        // Of different lengths, as series are.
        for i in 0..length + 3 * series as usize {
            x = 0.8 * x + noise.normal();
            let is_fault = faulty && i % 50 == 49;
            // The forecast after a fault is off, and nobody's fault.
            let is_after = faulty && i % 50 == 0;
            let mut columns = [0.0; N_COLUMNS];
            columns[TARGET] = x as f32 + if is_fault { 4.0 } else { 0.0 };
            let mark = match (is_fault, is_after) {
                (true, _) => Mark::Fault,
                (false, true) => Mark::Unknown,
                (false, false) => Mark::Normal,
            };
            held_out.push(series, columns, mark);
        }
    }
    held_out
}

fn time(_: &dyn Model) -> Result<f64, StepError> {
    Ok(0.5)
}

fn judged(candidate: &Known, held_out: &HeldOut) -> Report {
    let champion = known("m/1", 0.8, 1.0);
    compare(&champion, candidate, held_out, &Limits::default(), time).unwrap()
}

/// What is said against a candidate, by its first words.
fn against(candidate: &Known, held_out: &HeldOut) -> String {
    match judged(candidate, held_out).verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Undecided(why) => format!("undecided: {why}"),
        Verdict::Refused(why) => {
            let firsts = why
                .iter()
                .map(|why| why.split(" is worse").next().unwrap_or(why));
            firsts.collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn the_true_law_is_measured_as_such() {
    let report = judged(&known("m/2", 0.8, 1.0), &held_out(12, 600, false));
    let figures = report.figures.unwrap();
    // The entropy of a normal distribution, 0.5 ln(2 pi e); three standard errors of 7,000 samples are 0.025.
    assert!(
        (figures.nats[0] - 1.4189).abs() < 0.03,
        "{:?}",
        figures.nats
    );
    assert!(
        (figures.coverage[0] - 0.9).abs() < 0.012,
        "{:?}",
        figures.coverage
    );
    assert!(
        figures.false_alarms[0] < 0.003,
        "{:?}",
        figures.false_alarms
    );
    assert!(figures.nats_difference.value.abs() < 1e-12);
}

#[test]
fn only_what_is_worse_beyond_its_noise_is_refused() {
    for (n_series, length) in [(12, 600), (2, 4_000)] {
        let held_out = held_out(n_series, length, false);
        let check = |phi, scale, expected: &str| {
            assert_eq!(
                against(&known("m/2", phi, scale), &held_out),
                expected,
                "{n_series} series"
            );
        };
        check(0.8, 1.0, "passed");
        // A little off either way: within the noise.
        check(0.78, 1.02, "passed");
        check(0.2, 1.41, "accuracy in nats");
        check(
            0.8,
            0.6,
            "accuracy in nats, share of false alarms, error of coverage",
        );
        check(0.8, 2.0, "accuracy in nats, error of coverage");
        let broken = against(&known("m/2", 0.8, f32::NAN), &held_out);
        assert!(
            broken.contains("scale NaN and tail 200, which is no distribution"),
            "{broken}"
        );
    }
}

#[test]
fn a_better_candidate_passes_whatever_the_champion() {
    let report = compare(
        &known("m/1", 0.1, 3.0),
        &known("m/2", 0.8, 1.0),
        &held_out(12, 600, false),
        &Limits::default(),
        time,
    );
    assert!(report.unwrap().passed());
}

/// What rounding makes of the heaviest tail that a model may give.
#[test]
fn a_tail_of_two_is_a_distribution() {
    let heavy = Known {
        tail: 2.0,
        ..known("heavy", 0.8, 1.0)
    };
    let report = judged(&heavy, &held_out(8, 500, false));
    assert!(report.figures.is_some(), "{report}");
}

#[test]
fn too_little_decides_nothing() {
    assert_eq!(
        against(&known("m/2", 0.8, 1.0), &held_out(3, 100, false)),
        "undecided: 210 normal samples were held back, 2000 are needed to judge by"
    );
    let empty = HeldOut::new(10);
    assert!(!judged(&known("m/2", 0.8, 1.0), &empty).passed());
}

#[test]
fn a_slow_candidate_is_refused() {
    let slow = |model: &dyn Model| Ok(if model.version() == "m/2" { 25.0 } else { 0.5 });
    let (champion, candidate) = (known("m/1", 0.8, 1.0), known("m/2", 0.8, 1.0));
    let data = held_out(12, 600, false);
    let report = compare(&champion, &candidate, &data, &Limits::default(), slow).unwrap();
    let Verdict::Refused(why) = report.verdict else {
        panic!("{report}")
    };
    assert!(why[0].starts_with("a step takes 25.00 µs"), "{why:?}");
}

#[test]
fn faults_are_ranked_and_not_learned_from_as_normal() {
    let report = judged(&known("m/2", 0.2, 1.41), &held_out(12, 600, true));
    let figures = report.figures.unwrap();
    let (recall, rank) = (figures.recall.unwrap(), figures.rank.unwrap());
    assert!(recall[0] > 0.8 && recall[1] < recall[0] - 0.2, "{recall:?}");
    assert!(rank[0] > 0.98 && rank[1] < rank[0], "{rank:?}");
    assert!(
        figures.false_alarms[0] < 0.003,
        "{:?}",
        figures.false_alarms
    );
    assert_eq!(report.n_faults, 12 * 12);
}

#[test]
fn reports_are_tables() {
    let report = Report {
        champion: "lstm/3".to_owned(),
        candidate: "lstm/4".to_owned(),
        n_series: 40,
        n_series_left_out: 2,
        n_samples: 50_000,
        n_faults: 120,
        horizons: vec![1, 2],
        limits: Limits::default(),
        figures: Some(Figures {
            nats: [1.21, 1.25],
            nats_difference: Difference {
                value: 0.04,
                low: 0.021,
                high: 0.055,
            },
            false_alarms: [0.0011, 0.0012],
            false_alarms_difference: Difference {
                value: 1e-4,
                low: -2e-4,
                high: 3e-4,
            },
            coverage: [0.894, 0.9],
            coverage_error_difference: Difference {
                value: -0.006,
                low: -0.008,
                high: -0.001,
            },
            recall: Some([0.5, 0.625]),
            rank: Some([0.8, 0.9]),
            step_us: [0.41, 0.4],
        }),
        verdict: Verdict::Refused(vec!["accuracy in nats is worse by 0.0400".to_owned()]),
    };
    expect![[r#"
        lstm/4 against lstm/3, on 50000 held-back samples of 40 series (120 of faults)
        2 further series were left out for want of room

                                              champion  candidate   difference (90 % interval)     let pass
          forecast error (nats)                 1.2100     1.2500   +0.0400 (+0.0210 to +0.0550)   0.01
          false alarms (share of samples)       0.0011     0.0012   +0.0001 (-0.0002 to +0.0003)   0.0005
          coverage of the 90 % interval         0.8940     0.9000   -0.0060 (-0.0080 to -0.0010)   0.01
          faults found at 1 in 200 flagged      0.5000     0.6250
          mean rank of faults                   0.8000     0.9000
          time of a step (µs, batch 128)        0.4100     0.4000                                  20

        refused:
          accuracy in nats is worse by 0.0400"#]]
    .assert_eq(&report.to_string());
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    assert!(json.contains(r#""verdict":"refused","why":["#), "{json}");
}

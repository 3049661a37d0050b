//! What is foretold against what comes.

use super::*;

/// A stream of numbers that look like chance and are the same every time: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A sum of twelve uniforms less six: near enough to a normal.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn at(s: f64) -> Timestamp {
    Timestamp::from_secs_f64(1.7e9 + s).unwrap()
}

fn filled(step_s: f64, level: impl Fn(f64) -> f64) -> Passage {
    let mut passage = Passage::new(at(0.0));
    let mut s = 0.0;
    while s <= 1_900.0 {
        passage.add(at(s), level(s));
        s += step_s;
    }
    passage
}

#[test]
fn a_straight_line_arrives_when_it_arrives() {
    for step_s in [1.0, 15.0, 60.0] {
        let passage = filled(step_s, |s| 0.1 + 1e-5 * s);
        // At 1,900 s it is at 0.119; 0.2 is 8,100 s away.
        let foretold = passage.foretell(0.2).unwrap();
        assert!(foretold.soon < 0.01 && foretold.day > 0.99, "{foretold:?}");
        let [low, middle, high] = foretold.ttf_s.unwrap();
        assert!(
            low > 7_900.0 && high < 8_400.0 && (middle - 8_100.0).abs() < 150.0,
            "{foretold:?}"
        );
        assert!(passage.foretell(0.13).unwrap().soon > 0.99);
        assert!(foretold.trend > 10.0);
    }
}

#[test]
fn a_flat_or_falling_line_foretells_nothing() {
    for slope in [0.0, -1e-5] {
        let foretold = filled(15.0, |s| 0.1 + slope * s).foretell(0.2).unwrap();
        assert_eq!(
            (foretold.soon, foretold.day, foretold.ttf_s),
            (0.0, 0.0, None)
        );
    }
}

#[test]
fn noise_alone_foretells_nothing() {
    let mut numbers = Numbers(7);
    let mut alarms = 0;
    for _ in 0..200 {
        let shake: Vec<f64> = (0..200).map(|_| numbers.normal()).collect();
        // Noise of 10 ms about 100 ms, ten deviations below the threshold.
        let passage = filled(15.0, |s| {
            0.1 + 0.01 * shake[usize::try_from((s / 15.0) as i64).unwrap()]
        });
        alarms += usize::from(passage.foretell(0.2).unwrap().soon > 0.2);
    }
    assert_eq!(alarms, 0);
}

#[test]
fn an_outlier_is_one_point() {
    let calm = filled(15.0, |s| 0.1 + 1e-6 * (s % 45.0));
    let shaken = filled(15.0, |s| {
        if (s - 1_800.0).abs() < 1.0 {
            5.0
        } else {
            0.1 + 1e-6 * (s % 45.0)
        }
    });
    let (calm, shaken) = (calm.foretell(0.2).unwrap(), shaken.foretell(0.2).unwrap());
    assert!(calm.day < 0.05 && shaken.day < 0.3, "{calm:?} {shaken:?}");
}

#[test]
fn too_little_says_nothing() {
    let mut passage = Passage::new(at(0.0));
    assert_eq!(passage.foretell(1.0), None);
    for i in 0..20 {
        passage.add(at(f64::from(i) * 15.0), 0.5);
    }
    assert_eq!(passage.foretell(1.0), None);
    passage.add(at(300.0), 0.5);
    passage.add(at(315.0), 0.5);
    assert!(passage.foretell(1.0).is_some());
    // A day later nothing of it is left.
    passage.add(at(90_000.0), 0.5);
    passage.add(at(90_015.0), 0.5);
    assert_eq!(passage.foretell(1.0), None);
}

#[test]
fn months_do_not_wear_it_out() {
    let mut passage = Passage::new(at(0.0));
    for i in 0..300_000 {
        passage.add(at(f64::from(i) * 60.0), f64::from(i) * 1e-6);
    }
    let foretold = passage.foretell(0.301).unwrap();
    assert!(
        (foretold.ttf_s.unwrap()[1] - 60_000.0).abs() < 2_000.0,
        "{foretold:?}"
    );
}

/// Random walks with a drift of their own, seen through noise: of those of which p is foretold, a share p arrives.
#[test]
fn what_is_foretold_comes_as_often_as_it_is_foretold() {
    let mut numbers = Numbers(2_026);
    let mut told = [(0.0, 0.0, 0.0); 5];
    let (mut brier, mut n) = (0.0, 0.0);
    for _ in 0..3_000 {
        // Per point of 15 s: a spread of 1, a drift of a tenth of that or so, noise of half of it in every second walk.
        let drift = 0.08 * numbers.normal();
        let noise = if numbers.uniform() < 0.5 { 0.5 } else { 0.0 };
        let mut passage = Passage::new(at(0.0));
        let mut level = 0.0;
        for i in 0..122 {
            level += drift + numbers.normal();
            passage.add(at(f64::from(i) * 15.0), level + noise * numbers.normal());
        }
        let threshold = level + 2.0 + 22.0 * numbers.uniform();
        let p = passage.foretell(threshold).unwrap().soon;
        let mut arrives = false;
        for _ in 0..120 {
            level += drift + numbers.normal();
            arrives |= level >= threshold;
        }
        let arrives = f64::from(u8::from(arrives));
        let bin = &mut told[(1..5).filter(|bin| p >= 0.2 * f64::from(*bin)).count()];
        *bin = (bin.0 + p, bin.1 + arrives, bin.2 + 1.0);
        brier += (p - arrives).powi(2);
        n += 1.0;
    }
    for (p, came, n) in told {
        let (p, came) = (p / n, came / n);
        println!("foretold {p:.2}, came {came:.2}, of {n}");
        // Three standard errors of the share, and what the discrete walk and the estimates cost.
        let tolerance = 3.0 * (0.25_f64 / n).sqrt() + 0.08;
        assert!(
            (p - came).abs() < tolerance,
            "foretold {p:.2}, came {came:.2}, of {n}"
        );
    }
    // To say 0.5 always would give 0.25; the spread of the truth leaves about 0.17.
    println!("Brier score {:.3}", brier / n);
    assert!(brier / n < 0.2, "{}", brier / n);
}

//! How a series goes: simple shapes that are added up, the same on every machine.

use eval::rng::SplitMix;
use serde::Deserialize;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

/// One part of a shape. Times are seconds from the beginning of the scenario, values in the unit of the series; of a counter
/// they are its rate per second.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Part {
    /// Always the same.
    Constant(f64),
    /// Nothing until `from_s`, then so much more each hour, and what it came to from `to_s` on.
    Line {
        #[serde(default)]
        from_s: f64,
        to_s: Option<f64>,
        per_hour: f64,
    },
    /// So much more between the two times.
    Step {
        from_s: f64,
        to_s: Option<f64>,
        by: f64,
    },
    /// From `from_s` on towards `by`, half of what is left in each `half_s`.
    Towards { from_s: f64, by: f64, half_s: f64 },
    /// From `from_s` to `to_s` it doubles every `double_s`, beginning with `by`; then it is gone.
    Doubling {
        from_s: f64,
        to_s: Option<f64>,
        by: f64,
        double_s: f64,
    },
    /// Rises by `by` in each period, and falls back at its end.
    Saw {
        #[serde(default)]
        from_s: f64,
        period_s: f64,
        by: f64,
    },
    /// So much more for the first `for_s` seconds of each period.
    Pulse {
        #[serde(default)]
        from_s: f64,
        period_s: f64,
        for_s: f64,
        by: f64,
    },
    /// Noise of this standard deviation, new at each sample.
    Noise(f64),
    /// Noise of the standard deviation `by` that forgets itself in `memory_s`.
    Wander { by: f64, memory_s: f64 },
    /// A cosine of this amplitude with its peak at an hour of the day.
    Cycle {
        by: f64,
        peak_hour: f64,
        #[serde(default = "day")]
        period_s: f64,
    },
    /// Straight lines between points of time and value, level before and after.
    Points(Vec<[f64; 2]>),
}

fn day() -> f64 {
    DAY_S
}

impl Part {
    /// What is wrong with it.
    pub(super) fn mistake(&self) -> Option<String> {
        let is_positive = |what: &str, value: f64| {
            (value.is_nan() || value <= 0.0).then(|| format!("{what} is {value}, not above 0"))
        };
        match self {
            Self::Saw { period_s, .. } | Self::Cycle { period_s, .. } => {
                is_positive("period_s", *period_s)
            }
            Self::Pulse {
                period_s, for_s, ..
            } => is_positive("period_s", *period_s).or_else(|| is_positive("for_s", *for_s)),
            Self::Towards { half_s, .. } => is_positive("half_s", *half_s),
            Self::Doubling { double_s, .. } => is_positive("double_s", *double_s),
            Self::Wander { memory_s, .. } => is_positive("memory_s", *memory_s),
            Self::Points(points) if points.is_empty() => Some("points are none".to_owned()),
            Self::Points(points) => (!points.is_sorted_by(|a, b| a[0] < b[0]))
                .then(|| "points do not rise in time".to_owned()),
            Self::Constant(_) | Self::Line { .. } | Self::Step { .. } | Self::Noise(_) => None,
        }
    }
}

/// A shape under way: asked at rising times.
#[derive(Debug, Clone)]
pub(super) struct Course<'a> {
    parts: &'a [Part],
    /// Hour of the day at which the scenario begins.
    begins_hour: f64,
    random: SplitMix,
    /// Where each part wanders, and when it was asked.
    wanders: Vec<(f64, f64)>,
}

impl<'a> Course<'a> {
    /// `seed`: the same gives the same.
    pub(super) fn new(parts: &'a [Part], begins_hour: f64, seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let wanders = parts.iter().map(|_| (normal(&mut random), 0.0));
        Self {
            parts,
            begins_hour,
            wanders: wanders.collect(),
            random,
        }
    }

    /// The value `t` seconds from the beginning; 0 of no parts.
    pub(super) fn at(&mut self, t: f64) -> f64 {
        let mut sum = 0.0;
        for (part, wander) in self.parts.iter().zip(&mut self.wanders) {
            sum += match part {
                Part::Constant(value) => *value,
                Part::Line {
                    from_s,
                    to_s,
                    per_hour,
                } => {
                    let end = to_s.unwrap_or(f64::INFINITY);
                    (t.min(end) - from_s).max(0.0) / HOUR_S * per_hour
                }
                Part::Step { from_s, to_s, by } => within(t, *from_s, *to_s) * by,
                Part::Towards { from_s, by, half_s } => {
                    by * (1.0 - (-(t - from_s).max(0.0) / half_s).exp2())
                }
                Part::Doubling {
                    from_s,
                    to_s,
                    by,
                    double_s,
                } => {
                    let is_on = within(t, *from_s, *to_s);
                    if is_on > 0.0 {
                        by * ((t - from_s) / double_s).exp2()
                    } else {
                        0.0
                    }
                }
                Part::Saw {
                    from_s,
                    period_s,
                    by,
                } => (t - from_s).max(0.0) % period_s / period_s * by,
                Part::Pulse {
                    from_s,
                    period_s,
                    for_s,
                    by,
                } => {
                    let is_on = t >= *from_s && (t - from_s) % period_s < *for_s;
                    if is_on { *by } else { 0.0 }
                }
                Part::Noise(by) => by * normal(&mut self.random),
                Part::Wander { by, memory_s } => {
                    let kept = (-(t - wander.1).max(0.0) / memory_s).exp();
                    let fresh = normal(&mut self.random) * (1.0 - kept * kept).sqrt();
                    *wander = (kept * wander.0 + fresh, t);
                    by * wander.0
                }
                Part::Cycle {
                    by,
                    peak_hour,
                    period_s,
                } => {
                    let s = (self.begins_hour - peak_hour) * HOUR_S + t;
                    by * (std::f64::consts::TAU * s / period_s).cos()
                }
                Part::Points(points) => between(points, t),
            };
        }
        sum
    }
}

fn within(t: f64, from_s: f64, to_s: Option<f64>) -> f64 {
    f64::from(u8::from(t >= from_s && to_s.is_none_or(|to_s| t < to_s)))
}

fn between(points: &[[f64; 2]], t: f64) -> f64 {
    let after = points.partition_point(|point| point[0] <= t);
    let Some(&[from_s, from]) = after.checked_sub(1).and_then(|i| points.get(i)) else {
        return points.first().map_or(0.0, |first| first[1]);
    };
    let Some(&[to_s, to]) = points.get(after) else {
        return from;
    };
    from + (to - from) * (t - from_s) / (to_s - from_s)
}

/// Nearly normal, of variance 1: twelve uniforms less six, which needs no logarithm.
fn normal(random: &mut SplitMix) -> f64 {
    (0..12).map(|_| f64::from(random.unit())).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        #[derive(Deserialize)]
        struct Holder {
            shape: Vec<Part>,
        }
        toml::from_str::<Holder>(&format!("shape = [{text}]"))
            .unwrap()
            .shape
    }

    /// The values at these times.
    fn at(text: &str, times: &[f64]) -> Vec<f64> {
        let parts = parts(text);
        assert!(parts.iter().all(|part| part.mistake().is_none()));
        let mut course = Course::new(&parts, 6.0, 1);
        let values = times.iter().map(|&t| (course.at(t) * 1e6).round() / 1e6);
        values.collect()
    }

    #[test]
    fn shapes_go_as_they_are_told() {
        assert_eq!(at("{ constant = 2 }, { constant = 3 }", &[0.0]), [5.0]);
        let line = "{ line = { from_s = 3600, to_s = 7200, per_hour = 4 } }";
        assert_eq!(
            at(line, &[0.0, 5400.0, 7200.0, 9000.0]),
            [0.0, 2.0, 4.0, 4.0]
        );
        let step = "{ step = { from_s = 10, to_s = 20, by = 7 } }";
        assert_eq!(at(step, &[9.0, 10.0, 19.0, 20.0]), [0.0, 7.0, 7.0, 0.0]);
        let towards = "{ towards = { from_s = 0, by = 8, half_s = 10 } }";
        assert_eq!(at(towards, &[0.0, 10.0, 20.0]), [0.0, 4.0, 6.0]);
        let doubling = "{ doubling = { from_s = 10, to_s = 40, by = 1, double_s = 10 } }";
        assert_eq!(at(doubling, &[0.0, 10.0, 30.0, 40.0]), [0.0, 1.0, 4.0, 0.0]);
        let saw = "{ saw = { period_s = 100, by = 10 } }";
        assert_eq!(at(saw, &[0.0, 50.0, 100.0, 190.0]), [0.0, 5.0, 0.0, 9.0]);
        let pulse = "{ pulse = { from_s = 5, period_s = 100, for_s = 10, by = 1 } }";
        assert_eq!(at(pulse, &[0.0, 5.0, 15.0, 106.0]), [0.0, 1.0, 0.0, 1.0]);
        let cycle = "{ cycle = { by = 3, peak_hour = 12 } }";
        assert_eq!(at(cycle, &[0.0, 21_600.0]), [0.0, 3.0]);
        let points = "{ points = [[10, 1], [20, 3]] }";
        assert_eq!(at(points, &[0.0, 15.0, 30.0]), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn noise_is_seeded_and_has_its_size() {
        let parts = parts("{ noise = 2 }, { wander = { by = 3, memory_s = 50 } }");
        let values = |seed: u64| {
            let mut course = Course::new(&parts, 0.0, seed);
            (0..4000)
                .map(|i| course.at(f64::from(i) * 50.0))
                .collect::<Vec<_>>()
        };
        let (a, b) = (values(1), values(2));
        assert_eq!(a, values(1));
        assert_ne!(a, b);
        let n = a.len() as f64;
        let mean = a.iter().sum::<f64>() / n;
        let variance = a.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        // Two and three, added in quadrature.
        assert!(
            mean.abs() < 0.3 && (variance - 13.0).abs() < 1.5,
            "{mean} {variance}"
        );
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (text, why) in [
            ("{ saw = { period_s = 0, by = 1 } }", "period_s is 0"),
            ("{ points = [] }", "none"),
            ("{ points = [[2, 1], [1, 1]] }", "do not rise"),
            (
                "{ towards = { from_s = 0, by = 1, half_s = -1 } }",
                "half_s",
            ),
        ] {
            let told = parts(text)[0].mistake().unwrap();
            assert!(told.contains(why), "{told}");
        }
    }
}

//! The newest risk of each series, and its recent past.

use parking_lot::{Mutex, MutexGuard};
use predict::Risk;
use series::{SeriesId, Timestamp};

/// Locks. Enough that a reader who holds one hardly ever meets a shard that wants the same.
const STRIPES: usize = 64;
/// Neighbouring ids that share a lock: shards write runs of them, and take the lock once for a run.
const RUN: usize = 256;

/// One point of the recent past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) value: f64,
    pub(crate) score: f32,
    pub(crate) alert_score: f32,
}

/// A table by series, in stripes.
#[derive(Debug)]
pub(crate) struct Latest {
    stripes: Box<[Mutex<Stripe>]>,
    history_points: usize,
    history_series: usize,
}

#[derive(Debug, Default)]
struct Stripe {
    risks: Vec<Option<Risk>>,
    histories: Vec<Ring>,
}

/// The last points, as a ring once it is full. Grows as points come: most series of a large set are never looked at.
#[derive(Debug, Default, Clone)]
struct Ring {
    points: Vec<Point>,
    oldest: usize,
}

impl Ring {
    fn push(&mut self, point: Point, length: usize) {
        if self.points.len() < length {
            self.points.push(point);
        } else if let Some(place) = self.points.get_mut(self.oldest) {
            *place = point;
            self.oldest = (self.oldest + 1) % length;
        }
    }

    fn newest(&self, n: usize) -> Vec<Point> {
        let (late, early) = self.points.split_at(self.oldest);
        let skip = self.points.len().saturating_sub(n);
        early.iter().chain(late).skip(skip).copied().collect()
    }
}

/// The stripe of a series and its place there.
const fn place(id: SeriesId) -> (usize, usize) {
    let run = id.index() / RUN;
    (run % STRIPES, run / STRIPES * RUN + id.index() % RUN)
}

impl Latest {
    pub(super) fn new(history_points: usize, history_series: usize) -> Self {
        let stripes = (0..STRIPES).map(|_| Mutex::default()).collect();
        Self {
            stripes,
            history_points,
            history_series,
        }
    }

    pub(super) fn record(&self, risks: &[Risk]) {
        let mut held: Option<(usize, MutexGuard<'_, Stripe>)> = None;
        for risk in risks {
            let (stripe, i) = place(risk.series);
            let guard = match &mut held {
                Some((same, guard)) if *same == stripe => guard,
                other => {
                    // Give up the one before taking the next: no thread holds two.
                    *other = None;
                    &mut other.insert((stripe, self.stripes[stripe].lock())).1
                }
            };
            if guard.risks.len() <= i {
                guard.risks.resize(i + 1, None);
            }
            guard.risks[i] = Some(*risk);
            if self.history_points > 0 && risk.series.index() < self.history_series {
                if guard.histories.len() <= i {
                    guard.histories.resize(i + 1, Ring::default());
                }
                let point = Point {
                    at: risk.at,
                    value: risk.value,
                    score: risk.score.get() as f32,
                    alert_score: risk.alert_score,
                };
                guard.histories[i].push(point, self.history_points);
            }
        }
    }

    /// The newest risk of a series; `None` before its first.
    pub(crate) fn get(&self, id: SeriesId) -> Option<Risk> {
        let (stripe, i) = place(id);
        self.stripes[stripe].lock().risks.get(i).copied().flatten()
    }

    /// Up to `n` of its newest points, oldest first.
    pub(crate) fn history(&self, id: SeriesId, n: usize) -> Vec<Point> {
        let (stripe, i) = place(id);
        self.stripes[stripe]
            .lock()
            .histories
            .get(i)
            .map(|ring| ring.newest(n))
            .unwrap_or_default()
    }

    /// Calls `look` on every newest risk, a stripe at a time. `look` runs under the stripe's lock and must be quick.
    pub(crate) fn scan(&self, mut look: impl FnMut(&Risk)) {
        for stripe in 0..STRIPES {
            self.scan_stripe(stripe, &mut look);
        }
    }

    /// As [`Latest::scan`], of one of [`Latest::stripes`].
    pub(crate) fn scan_stripe(&self, stripe: usize, look: impl FnMut(&Risk)) {
        self.stripes[stripe]
            .lock()
            .risks
            .iter()
            .flatten()
            .for_each(look);
    }

    /// All stripes.
    pub(crate) fn stripes(&self) -> std::ops::Range<usize> {
        0..STRIPES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::risk;

    #[test]
    fn every_series_has_a_place_of_its_own() {
        let latest = Latest::new(2, usize::MAX);
        let ids = [0, 1, 255, 256, 16_383, 16_384, 16_640, 1_000_000];
        let risks: Vec<Risk> = ids.iter().map(|&id| risk(id, i64::from(id), 0.0)).collect();
        latest.record(&risks);
        for (&id, risk) in ids.iter().zip(&risks) {
            assert_eq!(latest.get(SeriesId(id)).as_ref(), Some(risk));
        }
        assert_eq!(latest.get(SeriesId(2)), None);
        assert_eq!(latest.get(SeriesId(u32::MAX)), None);
        let mut n = 0;
        latest.scan(|_| n += 1);
        assert_eq!(n, ids.len());
    }

    #[test]
    fn history_keeps_the_newest_points_of_the_first_series() {
        let latest = Latest::new(3, 2);
        for at in 0..7 {
            latest.record(&[risk(0, at, 0.1), risk(2, at, 0.1)]);
            let seconds: Vec<f64> = latest
                .history(SeriesId(0), 10)
                .iter()
                .map(|point| point.at.secs_f64())
                .collect();
            let expected: Vec<f64> = ((at - 2).max(0)..=at).map(|s| s as f64).collect();
            assert_eq!(seconds, expected);
        }
        assert_eq!(
            latest.history(SeriesId(0), 1)[0].at,
            Timestamp::from_millis(6000)
        );
        assert!(latest.history(SeriesId(2), 10).is_empty());
    }
}

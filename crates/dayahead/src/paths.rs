//! Where the level may go: many paths around the point forecast, with errors drawn from the past in blocks.

use crate::fit::Fit;
use crate::history::Past;
use crate::robust::quantile;

/// Enough to tell 0.2 % from nothing; twice as many would cost as much as the fit.
const PATHS: usize = 500;

/// Blocks of errors are this share of a day, 4 hours: what makes neighbours alike (a batch job, a busy morning) stays
/// together.
const BLOCKS_PER_DAY: usize = 6;

/// Errors are drawn from within this many slots of the same time of day: nights are calmer than days.
const NEARBY: u64 = 2;

/// How often a place at the right time of day is tried for before any will do.
const TRIES: usize = 4;

/// The paths in one slot. Levels are shares of the limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// 5 % of the means are below.
    pub low: f64,
    pub median: f64,
    /// 5 % of the means are above.
    pub high: f64,
    /// 5 % of the maxima are above.
    pub peak: f64,
    /// The share of paths whose maximum has stayed under the limit from the first slot that counts to the end of this
    /// one.
    pub survival: f64,
}

/// One for each slot of the fit's path. The first `over` slots lie before the instant of the forecast: whatever
/// happened in them did not exhaust.
pub(crate) fn draw(past: &Past, fit: &Fit, over: usize, seed: u64) -> Vec<Spread> {
    let slots = fit.path.len();
    let mut means = vec![vec![0.0; PATHS]; slots];
    let mut maxima = means.clone();
    let mut exhausted_in = vec![0_usize; slots];
    let mut draws = Draws::new(past, fit, seed);
    // The error of slot s is at slots − 1 − s, so that those before a slot are a slice, the newest first.
    let mut newest_first = vec![0.0; slots];
    for path in 0..PATHS {
        let slope = fit.slope_deviation * draws.dice.normal();
        // A trend that has been seen for so long lasts another t with probability lasted / (lasted + t): Gott, Nature
        // 363 (1993).
        let lasts = match fit.lasted {
            Some(lasted) => lasted * (1.0 / (1.0 - draws.dice.uniform()) - 1.0),
            None => f64::INFINITY,
        };
        let (mut place, mut left, mut exhausted) = (None, 0, false);
        for slot in 0..slots {
            (place, left) = draws.next(place, left, slot);
            let (error, excess) =
                place.map_or((0.0, 0.0), |place| (fit.errors[place], past.excess[place]));
            let stays = dot(
                &fit.carry[..slot.min(fit.carry.len())],
                &newest_first[slots - slot..],
            );
            newest_first[slots - 1 - slot] = error;
            let until = (slot as f64).min(lasts);
            let mean = (point(&fit.path, until) + slope * (until + 1.0) + stays + error).max(0.0);
            (means[slot][path], maxima[slot][path]) = (mean, mean + excess);
            if slot >= over && !exhausted && mean + excess >= 1.0 {
                exhausted = true;
                exhausted_in[slot] += 1;
            }
        }
    }
    let mut exhausted = 0;
    (0..slots)
        .map(|slot| {
            exhausted += exhausted_in[slot];
            let mut at = |q| quantile(&mut means[slot], q).unwrap_or_default();
            let (low, median, high) = (at(0.05), at(0.5), at(0.95));
            Spread {
                low,
                median,
                high,
                peak: quantile(&mut maxima[slot], 0.95).unwrap_or_default(),
                // Never certain: what has not been seen in 500 paths is not impossible. Nothing is lost before the
                // first.
                survival: if slot < over {
                    1.0
                } else {
                    ((PATHS - exhausted) as f64 + 0.5) / (PATHS as f64 + 1.0)
                },
            }
        })
        .collect()
}

/// The sum of the products as far as both reach; in four parts, which the processor adds at once.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (a[..n].chunks_exact(4), b[..n].chunks_exact(4));
    let rest: f64 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(x, y)| x * y)
        .sum();
    let mut parts = [0.0; 4];
    for (x, y) in a.zip(b) {
        for (part, (x, y)) in parts.iter_mut().zip(x.iter().zip(y)) {
            *part += x * y;
        }
    }
    parts.iter().sum::<f64>() + rest
}

/// The point forecast at a place between slots.
fn point(path: &[f64], place: f64) -> f64 {
    #[expect(clippy::cast_sign_loss, reason = "paths go on from slot 0")]
    let (low, share) = (place.floor() as usize, place.fract());
    let from = path[low.min(path.len() - 1)];
    from + share * (path[(low + 1).min(path.len() - 1)] - from)
}

/// Chance, and the places of the past whose errors may be drawn.
struct Draws<'a> {
    dice: Dice,
    past: &'a Past,
    known: Vec<usize>,
    /// Whether enough days are known to draw by the time of day.
    by_time: bool,
}

impl<'a> Draws<'a> {
    fn new(past: &'a Past, fit: &Fit, seed: u64) -> Self {
        let usable = |&place: &usize| past.is_known(place) && fit.errors[place].is_finite();
        let known: Vec<usize> = (0..past.means.len()).filter(usable).collect();
        Self {
            dice: Dice(seed),
            past,
            by_time: fit.seasonal && known.len() >= 3 * past.day(),
            known,
        }
    }

    fn is_known(&self, place: usize) -> bool {
        self.known.binary_search(&place).is_ok()
    }

    /// The place after `place` while its block goes on and is known, else the start of another; and how many are left
    /// of the block.
    fn next(&mut self, place: Option<usize>, left: usize, slot: usize) -> (Option<usize>, usize) {
        if let Some(next) = place.map(|place| place + 1)
            && left > 0
            && self.is_known(next)
        {
            return (Some(next), left - 1);
        }
        let block = self.past.day() / BLOCKS_PER_DAY;
        (self.start(slot), block - 1)
    }

    fn start(&mut self, slot: usize) -> Option<usize> {
        let (day, n) = (self.past.day(), self.past.means.len());
        for _ in 0..if self.by_time { TRIES } else { 0 } {
            let back = day * (1 + self.dice.below(n.div_ceil(day) as u64) as usize);
            let off = self.dice.below(2 * NEARBY + 1) as usize;
            let place = (n + slot + off).checked_sub(back + NEARBY as usize);
            if let Some(place) = place
                && self.is_known(place)
            {
                return Some(place);
            }
        }
        let any = self.dice.below(self.known.len().max(1) as u64) as usize;
        self.known.get(any).copied()
    }
}

/// SplitMix64: Steele, Lea & Flood, OOPSLA 2014. The same paths from the same seed on every machine.
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// 0 to just under 1.
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 0 to just under `n`, which must not be 0.
    fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    /// Standard normal: Box & Muller, 1958.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

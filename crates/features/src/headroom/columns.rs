//! The row of numbers that is made of a window of levels.

use super::TRACE_BINS;

/// How many numbers a row has.
pub const N_HEADROOM: usize = 71;

/// A row of numbers about one channel.
pub type Columns = [f32; N_HEADROOM];

/// Bins of half an hour: movements are told per half hour, in parts of what is left.
const HALF_HOUR: f32 = 90.0;
/// Bins over which lines are fitted.
const SPANS: [usize; 8] = [3, 6, 12, 24, 48, 96, 160, 256];
/// How far back means are taken: each of the last, and of twice as long before.
const LAGS: [usize; 7] = [1, 3, 7, 15, 31, 63, 127];
/// Bins over which extremes are taken.
const EXTREMES: [usize; 3] = [12, 48, 192];
/// Bins of a block whose extremes make up the envelope.
const BLOCK: usize = 16;
/// Less than this is never left: movements stay finite at the limit.
const LEAST_LEFT: f32 = 0.02;

/// Names of the columns, in order.
pub const HEADROOM_SCHEMA: [&str; N_HEADROOM] = [
    "level",
    "left_log",
    "seen_log", // 0..3
    "trend_3",
    "trend_6",
    "trend_12",
    "trend_24",
    "trend_48",
    "trend_96",
    "trend_160",
    "trend_256", // 3..11
    "noise_3",
    "noise_6",
    "noise_12",
    "noise_24",
    "noise_48",
    "noise_96",
    "noise_160",
    "noise_256", // 11..19
    "ahead_12",
    "ahead_24",
    "ahead_48",
    "ahead_96", // 19..23
    "rise_1",
    "rise_3",
    "rise_7",
    "rise_15",
    "rise_31",
    "rise_63",
    "rise_127", // 23..30
    "above_12",
    "above_48",
    "above_192", // 30..33
    "below_12",
    "below_48",
    "below_192", // 33..36
    "climbs_24",
    "climbs_96", // 36..38
    "gained_24",
    "given_back_24",
    "gained_96",
    "given_back_96", // 38..42
    "largest_fall",
    "largest_fall_age",
    "largest_jump",
    "largest_jump_age", // 42..46
    "falls",
    "trough_trend",
    "peak_trend",
    "trough_trend_long",
    "peak_trend_long", // 46..51
    "bend_24",
    "bend_96", // 51..53
    "climb_age",
    "climb_rate",
    "climb_straight",
    "climb_rise", // 53..57
    "period_strength",
    "period_length",
    "period_top",
    "period_drift", // 57..61
    "rest_age",
    "rest_before",
    "step_share",
    "last_step",
    "smooth", // 61..66
    "bend_48",
    "bend_192",
    "climb_bend",
    "climb_late",
    "deep_falls", // 66..71
];

/// Draws in what is large: the sign and the order of magnitude stay.
fn soft(x: f32) -> f32 {
    // ln(1 + |x|) with the sign; finite for whatever is finite.
    let y = (1.0 + x.abs()).ln();
    if x < 0.0 { -y } else { y }
}

/// A straight line through the last bins.
#[derive(Clone, Copy, Default)]
struct Line {
    /// Per bin.
    slope: f32,
    /// Standard deviation about the line.
    noise: f32,
    /// Where the line ends.
    end: f32,
}

/// Sums over suffixes: of values, of values times their age, of squares.
struct Sums {
    x: [f64; TRACE_BINS + 1],
    ax: [f64; TRACE_BINS + 1],
    xx: [f64; TRACE_BINS + 1],
}

impl Sums {
    /// `levels`: oldest first.
    fn new(levels: &[f32]) -> Self {
        let mut sums = Self {
            x: [0.0; TRACE_BINS + 1],
            ax: [0.0; TRACE_BINS + 1],
            xx: [0.0; TRACE_BINS + 1],
        };
        for (age, &level) in levels.iter().rev().enumerate() {
            let level = f64::from(level);
            sums.x[age + 1] = sums.x[age] + level;
            sums.ax[age + 1] = sums.ax[age] + level * age as f64;
            sums.xx[age + 1] = sums.xx[age] + level * level;
        }
        sums
    }

    /// The line through the bins of ages `from..to` (0 is the newest), by least squares.
    fn line(&self, from: usize, to: usize) -> Line {
        let n = (to - from) as f64;
        if n < 2.0 {
            return Line::default();
        }
        let x = self.x[to] - self.x[from];
        let ax = self.ax[to] - self.ax[from];
        let xx = self.xx[to] - self.xx[from];
        let mean_age = (from + to - 1) as f64 / 2.0;
        let spread = n * (n * n - 1.0) / 12.0;
        let against_age = (ax - mean_age * x) / spread;
        let mean = x / n;
        let rest = (xx - x * mean - against_age * against_age * spread).max(0.0);
        Line {
            slope: -against_age as f32,
            noise: (rest / (n - 1.0)).sqrt() as f32,
            end: (mean + against_age * (from as f64 - mean_age)) as f32,
        }
    }

    fn mean(&self, from: usize, to: usize) -> f32 {
        if to <= from {
            return 0.0;
        }
        ((self.x[to] - self.x[from]) / (to - from) as f64) as f32
    }
}

/// The slope per bin of a few numbers at even distances of `step` bins, oldest first, by least squares.
fn slope(values: &[f32], step: f32) -> f32 {
    let n = values.len() as f32;
    if values.len() < 2 {
        return 0.0;
    }
    let middle = (n - 1.0) / 2.0;
    let against: f32 = values
        .iter()
        .zip(0u8..)
        .map(|(v, i)| v * (f32::from(i) - middle))
        .sum();
    against / (n * (n * n - 1.0) / 12.0) / step
}

/// The row of a window of levels, oldest first; all zero when there are fewer than 2.
///
/// `levels`: shape `(n,)`, at most [`TRACE_BINS`], shares of a limit. Every column is finite, and of the order of 1.
/// O(n) but for the search of a period, which takes about 3,000 multiplications. Allocates nothing.
#[must_use]
pub fn columns(levels: &[f32]) -> Columns {
    let mut row = [0.0; N_HEADROOM];
    let n = levels.len().min(TRACE_BINS);
    let levels = &levels[levels.len() - n..];
    let Some(&now) = levels.last() else {
        return row;
    };
    if n < 2 {
        return row;
    }
    let sums = Sums::new(levels);
    let left = (1.0 - now).max(LEAST_LEFT);
    let per_left = 1.0 / left;
    let per_half_hour = HALF_HOUR * per_left;
    row[0] = now;
    row[1] = left.ln();
    row[2] = (1.0 + n as f32).ln() / (1.0 + TRACE_BINS as f32).ln();
    let mut lines = [Line::default(); SPANS.len()];
    for (i, &span) in SPANS.iter().enumerate() {
        let line = sums.line(0, span.min(n));
        lines[i] = line;
        row[3 + i] = soft(line.slope * per_half_hour);
        row[11 + i] = soft(20.0 * line.noise * per_left);
    }
    for (i, line) in lines[2..6].iter().enumerate() {
        row[19 + i] = soft(4.0 * (now - line.end) * per_left);
    }
    for (i, &lag) in LAGS.iter().enumerate() {
        let (from, to) = (lag.min(n), (2 * lag + 1).min(n));
        let before = if to > from {
            sums.mean(from, to)
        } else {
            levels[0]
        };
        row[23 + i] = soft(4.0 * (now - before) * per_left);
    }
    for (i, &span) in EXTREMES.iter().enumerate() {
        let last = &levels[n - span.min(n)..];
        let high = last.iter().copied().fold(f32::MIN, f32::max);
        let low = last.iter().copied().fold(f32::MAX, f32::min);
        row[30 + i] = soft(4.0 * (high - now) * per_left);
        row[33 + i] = soft(4.0 * (now - low) * per_left);
    }
    steps(levels, per_left, &mut row);
    envelope(levels, per_half_hour, &mut row);
    for (place, span) in [(51, 24), (66, 48), (52, 96), (67, 192)] {
        let (half, whole) = ((span / 2).min(n), span.min(n));
        if whole > half {
            let bend = sums.line(0, half).slope - sums.line(half, whole).slope;
            row[place] = soft(bend * per_half_hour);
        }
    }
    climb(levels, &sums, left, &mut row);
    period(levels, &sums, per_left, &mut row);
    row
}

/// What single steps from bin to bin tell.
fn steps(levels: &[f32], per_left: f32, row: &mut Columns) {
    let n = levels.len();
    for (k, span) in [24, 96].into_iter().enumerate() {
        let last = &levels[n - (span + 1).min(n)..];
        let (mut ups, mut gained, mut lost) = (0.0, 0.0, 0.0);
        for pair in last.windows(2) {
            let step = pair[1] - pair[0];
            ups += f32::from(u8::from(step > 0.0)) - f32::from(u8::from(step < 0.0));
            gained += step.max(0.0);
            lost += (-step).max(0.0);
        }
        row[36 + k] = ups / (last.len() - 1) as f32;
        row[38 + 2 * k] = soft(4.0 * gained * per_left);
        row[39 + 2 * k] = lost / (gained + lost + 1e-6);
    }
    // Falls and jumps within 3 bins, so that one that is spread over two scrapes counts as one.
    let (mut fall, mut fall_age, mut jump, mut jump_age) = (0.0f32, n, 0.0f32, n);
    let (mut sum, mut largest_share, mut falls) = (0.0f32, 0.0f32, 0.0f32);
    for (i, &level) in levels.iter().enumerate().skip(1) {
        let step = level - levels[i.saturating_sub(2)];
        if -step > fall {
            (fall, fall_age) = (-step, n - 1 - i);
        }
        if step > jump {
            (jump, jump_age) = (step, n - 1 - i);
        }
        let single = level - levels[i - 1];
        sum += single.max(0.0);
        largest_share = largest_share.max(single);
        falls += f32::from(u8::from(single < -0.08));
    }
    row[42] = soft(4.0 * fall * per_left);
    row[43] = soft(fall_age as f32 / 16.0);
    row[44] = soft(4.0 * jump * per_left);
    row[45] = soft(jump_age as f32 / 16.0);
    row[46] = soft(falls);
    // What part of the way up was made in the largest step: near 1 for a staircase, near 0 for a ramp.
    row[63] = largest_share / (sum + 1e-6);
    row[64] = soft(4.0 * (levels[n - 1] - levels[n - 2]) * per_left);
    // How alike neighbouring steps are: near 1 for a smooth curve, -0.5 for noise about one.
    let (mut same, mut all, mut before) = (0.0, 1e-9, 0.0);
    for pair in levels[n - 64.min(n)..].windows(2) {
        let step = pair[1] - pair[0];
        same += step * before;
        all += step * step;
        before = step;
    }
    row[65] = same / all;
}

/// Where the troughs and the peaks go: what a sawtooth leaves behind.
fn envelope(levels: &[f32], per_half_hour: f32, row: &mut Columns) {
    let n = levels.len();
    let blocks = n / BLOCK;
    let (mut lows, mut highs) = ([0.0; TRACE_BINS / BLOCK], [0.0; TRACE_BINS / BLOCK]);
    for (i, block) in levels[n - blocks * BLOCK..].chunks_exact(BLOCK).enumerate() {
        lows[i] = block.iter().copied().fold(f32::MAX, f32::min);
        highs[i] = block.iter().copied().fold(f32::MIN, f32::max);
    }
    let short = blocks.saturating_sub(6);
    row[47] = soft(slope(&lows[short..blocks], BLOCK as f32) * per_half_hour);
    row[48] = soft(slope(&highs[short..blocks], BLOCK as f32) * per_half_hour);
    row[49] = soft(slope(&lows[..blocks], BLOCK as f32) * per_half_hour);
    row[50] = soft(slope(&highs[..blocks], BLOCK as f32) * per_half_hour);
}

/// The climb that is under way: since when, how far, how straight; and how long it rested at the top.
fn climb(levels: &[f32], sums: &Sums, left: f32, row: &mut Columns) {
    let n = levels.len();
    let now = levels[n - 1];
    let low = levels.iter().copied().fold(f32::MAX, f32::min);
    let high = levels.iter().copied().fold(f32::MIN, f32::max);
    let reach = (high - low).max(1e-4);
    // It began when the level was last within a tenth of the way from the lowest.
    let base = low + 0.1 * reach;
    let age = levels
        .iter()
        .rev()
        .position(|&level| level <= base)
        .unwrap_or(n - 1);
    row[53] = soft(age as f32 / 16.0);
    if age >= 2 {
        let rise = now - levels[n - 1 - age];
        let rate = rise / age as f32;
        let line = sums.line(0, age + 1);
        row[54] = soft(rate * HALF_HOUR / left);
        row[55] = line.noise / (rise.abs() + 1e-3);
        row[56] = soft(4.0 * rise / left);
        // Whether it slows down, as what settles does, or speeds up.
        if age >= 5 {
            let half = age.div_ceil(2);
            let bend = sums.line(0, half).slope - sums.line(half, age + 1).slope;
            row[68] = soft(bend * HALF_HOUR / left);
            row[69] = soft(sums.line(0, age.div_ceil(4).max(2)).slope * HALF_HOUR / left);
        }
    }
    let deep = levels
        .windows(3)
        .filter(|w| w[0] - w[2] > 0.4 * reach && w[1] > w[2]);
    row[70] = soft(deep.count() as f32);
    // How long it has been within a tenth of its reach of where it is now.
    let near = 0.1 * reach;
    let rest = levels
        .iter()
        .rev()
        .position(|&level| (level - now).abs() > near)
        .unwrap_or(n - 1);
    row[61] = soft(rest as f32 / 16.0);
    row[62] = (now - low) / reach;
}

/// The sum of products, in eight lanes: one running sum would make each addition wait for the one before.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (mut of_a, mut of_b) = (a.chunks_exact(8), b.chunks_exact(8));
    for (a, b) in of_a.by_ref().zip(of_b.by_ref()) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    let rest = of_a.remainder().iter().zip(of_b.remainder());
    lanes.iter().sum::<f32>() + rest.map(|(x, y)| x * y).sum::<f32>()
}

/// A period, if there is one: every other bin of the last 192, without their line.
fn period(levels: &[f32], sums: &Sums, per_left: f32, row: &mut Columns) {
    const HALF: usize = 96;
    let n = levels.len();
    let m = (n / 2).min(HALF);
    if m < 16 {
        return;
    }
    let line = sums.line(0, 2 * m);
    let mut rest = [0.0f32; HALF];
    let mut power = 1e-9;
    for (i, x) in rest[..m].iter_mut().enumerate() {
        // Age of the pair of bins, oldest first.
        let age = 2 * (m - 1 - i);
        let level = 0.5 * (levels[n - 1 - age] + levels[n - 2 - age]);
        *x = level - (line.end - line.slope * (age as f32 + 0.5));
        power += *x * *x;
    }
    let rest = &rest[..m];
    // The highest peak of the autocorrelation after it first fell below 0.
    let (mut best, mut best_lag, mut fell) = (0.0f32, 0, false);
    for lag in 3..m / 2 {
        let sum = dot(&rest[lag..], &rest[..m - lag]);
        let correlation = sum / power * m as f32 / (m - lag) as f32;
        fell |= correlation < 0.0;
        if fell && correlation > best {
            (best, best_lag) = (correlation, lag);
        }
    }
    if best_lag == 0 {
        return;
    }
    let lag = 2 * best_lag;
    row[57] = best;
    row[58] = soft(lag as f32 / 16.0);
    // What the top of the coming period would be, if it repeats the last and goes on drifting as since the one before.
    let last = &levels[n - lag..];
    let high = last.iter().copied().fold(f32::MIN, f32::max);
    let drift = if n >= 2 * lag {
        sums.mean(0, lag) - sums.mean(lag, 2 * lag)
    } else {
        0.0
    };
    row[59] = soft(4.0 * (high + drift - levels[n - 1]) * per_left);
    row[60] = soft(4.0 * drift * per_left * HALF_HOUR / lag as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> usize {
        HEADROOM_SCHEMA
            .iter()
            .position(|have| *have == name)
            .unwrap()
    }

    #[test]
    fn a_line_is_found_in_every_span() {
        let levels: Vec<f32> = (0..200u16).map(|i| 0.1 + 0.002 * f32::from(i)).collect();
        let row = columns(&levels);
        let left = 1.0 - levels[199];
        for name in ["trend_3", "trend_24", "trend_160"] {
            let expected = soft(0.002 * HALF_HOUR / left);
            assert!(
                (row[place(name)] - expected).abs() < 2e-3,
                "{name}: {} {expected}",
                row[place(name)]
            );
        }
        assert!(row[place("noise_48")] < 1e-2);
        assert!(row[place("climbs_96")] > 0.99);
        assert!(row[place("given_back_96")].abs() < 1e-6);
    }

    #[test]
    fn a_saw_has_a_period_and_no_trend_of_its_troughs() {
        let levels: Vec<f32> = (0..256u16)
            .map(|i| 0.2 + 0.02 * f32::from(i % 32))
            .collect();
        let row = columns(&levels);
        assert!(row[place("period_strength")] > 0.8);
        assert!((row[place("period_length")] - soft(2.0)).abs() < 0.1);
        assert!(row[place("trough_trend_long")].abs() < 0.2);
        assert!(row[place("falls")] > 1.5);
    }

    #[test]
    fn whatever_comes_in_finite_numbers_come_out() {
        for levels in [
            vec![],
            vec![0.5],
            vec![0.5, 0.5],
            vec![8.0; 256],
            vec![-1.0; 30],
            vec![1.0; 7],
        ] {
            assert!(columns(&levels).iter().all(|x| x.is_finite()), "{levels:?}");
        }
    }
}

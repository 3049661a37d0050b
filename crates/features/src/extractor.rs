//! Raw samples to feature rows, one series at a time.

use bytemuck::Zeroable;
use series::{Kind, Refusal, Timestamp, Unit};

use crate::row::{Row, Windows};
use crate::schema::{N_COLUMNS, column};
use crate::season::Season;
use crate::state::{RECENT, State};
use crate::touch;

/// Largest `x` either way: its square still fits an `f32`.
const MAX_X: f64 = 1e18;
/// Refused samples in a row, each newer than the one before, that show a clock was set back.
const CLOCK_SET_BACK_RUN: u16 = 8;
/// A mean absolute deviation times this estimates a standard deviation (normal distribution: sqrt(pi/2)).
const DEV_TO_SIGMA: f32 = 1.2533;
/// Deviations are learned up to this many times their usual size, so that a spike does not widen the band for long.
const WINSOR: f32 = 4.0;
/// The least relative change that counts: below it a constant series is still constant.
const RELATIVE_FLOOR: f64 = 1e-5;

/// The least relative range: a change of less than 0.1 % of the level is never wholly novel.
const RELATIVE_RANGE: f64 = 1e-3;
/// A standard deviation is at least this share of the least change that matters.
const FLOOR_OF_CHANGE: f64 = 0.05;

/// Learns and extracts, with one row of state per series.
#[derive(Debug, Default)]
pub struct Extractor {
    states: Vec<State>,
    kinds: Vec<(Kind, Unit)>,
    /// Empty when times of day are not learned.
    seasons: Vec<Season>,
    seasonal: bool,
}

/// What came of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extracted {
    /// A row to score, with the level it stands for (the value, or the rate of a counter).
    Row(Row, f64),
    /// Taken, but it says nothing yet: the first of a counter, or a counter that was reset.
    Pending,
    /// Not taken.
    Refused(Refusal),
}

impl Extractor {
    /// An extractor that learns what is usual at each time of day and week, or, to save its bytes, does not.
    #[must_use]
    pub fn new(seasonal: bool) -> Self {
        Self {
            seasonal,
            ..Self::default()
        }
    }

    /// Makes room for one more series; returns its index.
    pub fn add_series(&mut self, kind: Kind, unit: Unit) -> usize {
        if self.seasonal {
            self.seasons.push(Season::zeroed());
        }
        self.states.push(State::zeroed());
        self.kinds.push((kind, unit));
        self.states.len() - 1
    }

    /// Bytes of state per series.
    #[must_use]
    pub const fn state_bytes(&self) -> usize {
        size_of::<State>()
            + if self.seasonal {
                size_of::<Season>()
            } else {
                0
            }
    }

    /// Appends the state of one series to `out`.
    pub fn save(&self, series: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.states[series]));
        if let Some(season) = self.seasons.get(series) {
            out.extend_from_slice(bytemuck::bytes_of(season));
        }
    }

    /// Takes the state of one series from bytes of exactly [`Self::state_bytes`].
    pub fn load(&mut self, series: usize, bytes: &[u8]) {
        let (state, season) = bytes.split_at(size_of::<State>());
        self.states[series] = bytemuck::pod_read_unaligned(state);
        if let Some(place) = self.seasons.get_mut(series) {
            *place = bytemuck::pod_read_unaligned(season);
        }
    }

    /// Asks memory for the state of series that samples are about to arrive for; those that do not exist are skipped.
    pub fn expect(&self, series: impl Iterator<Item = usize> + Clone) {
        let states = series.clone().filter_map(|i| self.states.get(i));
        touch(states.map(bytemuck::bytes_of));
        let seasons = series.filter_map(|i| self.seasons.get(i));
        touch(seasons.map(bytemuck::bytes_of));
    }

    /// Takes one sample of series `i` and describes it by what came before.
    pub fn extract(&mut self, i: usize, at: Timestamp, raw: f64) -> Extracted {
        let state = &mut self.states[i];
        if !raw.is_finite() {
            return Extracted::Refused(Refusal::NotFinite);
        }
        let mut gap_s = 0.0;
        if state.raw_seen > 0 {
            let gap_us = at.micros().saturating_sub(state.last_at);
            if gap_us <= 0 && !state.clock_was_set_back(at) {
                let why = if gap_us == 0 {
                    Refusal::Duplicate
                } else {
                    Refusal::OutOfOrder
                };
                return Extracted::Refused(why);
            }
            gap_s = gap_us.max(0) as f64 / 1e6;
        }
        state.late_run = 0;
        state.last_at = at.micros();
        let (kind, unit) = self.kinds[i];
        let level = match kind {
            Kind::Gauge => Some(raw),
            // A fall is a reset: the total began again at 0, when is unknown, so no rate is claimed.
            Kind::Counter => (state.raw_seen > 0 && raw >= state.last_raw && gap_s > 0.0)
                .then(|| (raw - state.last_raw) / gap_s),
        };
        state.last_raw = raw;
        state.raw_seen = state.raw_seen.saturating_add(1).min(2);
        state.learn_step(gap_s as f32);
        let Some(level) = level.filter(|level| level.is_finite()) else {
            return Extracted::Pending;
        };
        Extracted::Row(
            state.step(
                self.seasons.get_mut(i),
                at,
                level,
                gap_s as f32,
                unit.least_change(kind),
            ),
            level,
        )
    }

    /// From units of `x` back to the unit of the level: `(value of x, one unit)`.
    #[must_use]
    pub fn to_level(&self, i: usize, x: f32) -> f64 {
        let state = &self.states[i];
        state.origin + f64::from(x) * state.unit()
    }

    /// One unit of `x` of series `i`, in the unit of its level.
    #[must_use]
    pub fn unit(&self, i: usize) -> f64 {
        self.states[i].unit()
    }
}

impl State {
    fn unit(&self) -> f64 {
        if self.unit_set == 0 {
            1.0
        } else {
            2f64.powi(i32::from(self.unit_log2))
        }
    }

    /// Notes a sample that is too old; true once a run of them shows that the clock, not the sample, was wrong.
    fn clock_was_set_back(&mut self, at: Timestamp) -> bool {
        if self.late_run > 0 && at.micros() <= self.late_at {
            self.late_run = 0;
        }
        self.late_at = at.micros();
        self.late_run = self.late_run.saturating_add(1);
        self.late_run >= CLOCK_SET_BACK_RUN
    }

    fn learn_step(&mut self, gap_s: f32) {
        if gap_s <= 0.0 {
            return;
        }
        if self.step_s <= 0.0 {
            self.step_s = gap_s;
        } else {
            // Follows the median rather than the mean, so that gaps hardly move it.
            let rate = if self.n < 64 { 0.1 } else { 0.02 };
            self.step_s += rate * (gap_s - self.step_s).max(-self.step_s).min(self.step_s);
        }
    }

    fn step(
        &mut self,
        mut season: Option<&mut Season>,
        at: Timestamp,
        level: f64,
        gap_s: f32,
        least_change: f64,
    ) -> Row {
        if self.n == 0 {
            self.origin = level;
        }
        if self.unit_set == 0 && level.abs() > 0.0 {
            self.unit_log2 = level.abs().log2().floor().clamp(-1000.0, 1000.0) as i16;
            self.unit_set = 1;
        }
        let unit = self.unit();
        let x = ((level - self.origin) / unit).clamp(-MAX_X, MAX_X) as f32;
        let size = level.abs().max(self.origin.abs()) / unit;
        let least_change = least_change / unit;
        let floor = (size * RELATIVE_FLOOR)
            .max(least_change * FLOOR_OF_CHANGE)
            .clamp(1e-12, MAX_X) as f32;
        let least_range = (size * RELATIVE_RANGE)
            .max(least_change)
            .clamp(1e-12, MAX_X) as f32;
        let week_s = (at.micros().div_euclid(1_000_000) + 3 * 86_400).rem_euclid(604_800) as u32;
        let gap = if self.step_s > 0.0 {
            gap_s / self.step_s
        } else {
            1.0
        };
        let usual = season.as_ref().and_then(|season| season.expect(week_s));
        if self.n == 0 {
            self.recent = [x; RECENT];
        } else {
            self.recent.copy_within(..RECENT - 1, 1);
            self.recent[0] = x;
        }
        let row = self.describe(x, (floor, least_range), week_s, gap, usual);
        if let Some(season) = &mut season {
            season.learn(week_s, x, 8.0 * self.dev_slow.max(floor));
        }
        self.learn(x, floor, usual);
        self.n = self.n.saturating_add(1);
        row
    }

    /// The row of `x`, from what came before only.
    fn describe(
        &self,
        x: f32,
        (floor, least_range): (f32, f32),
        week_s: u32,
        gap: f32,
        usual: Option<f32>,
    ) -> Row {
        let sigma = |dev: f32| (dev * DEV_TO_SIGMA).max(floor);
        let mut c = [0.0; N_COLUMNS];
        let slow = sigma(self.dev_slow);
        if self.n > 0 {
            c[column::LEVEL] = (x - self.mean_slow) / slow;
            c[column::DIFFERENCE] = (x - self.recent[1]) / sigma(self.dev_change);
            c[column::TREND] = self.holt_trend / slow;
            c[column::SCALE] = (sigma(self.dev_short) / slow).log2();
            c[column::SHORT_RESIDUAL] = (x - self.mean_short) / sigma(self.dev_short);
            c[column::LONG_RESIDUAL] = (x - self.mean_long) / sigma(self.dev_long);
            c[column::SEASONAL_RESIDUAL] =
                usual.map_or(0.0, |usual| (x - usual) / sigma(self.dev_season));
            c[column::RANK] = self.rank(x, floor);
            c[column::VARIANCE_RATIO] =
                0.5 * ((self.var_short + floor * floor) / (self.var_long + floor * floor)).log2();
            c[column::AUTOCORRELATION] = (self.autocov
                / (self.dev_long * self.dev_long * 1.57 + floor * floor))
                .clamp(-1.0, 1.0);
            c[column::GAP] = gap.max(1e-3).log2();
        }
        let turn = |period: u32| (week_s % period) as f32 / period as f32 * std::f32::consts::TAU;
        (c[column::DAY_SINE], c[column::DAY_COSINE]) = turn(86_400).sin_cos();
        (c[column::WEEK_SINE], c[column::WEEK_COSINE]) = turn(604_800).sin_cos();
        for value in &mut c {
            *value = value.clamp(-1e6, 1e6);
        }
        let expected = match (self.n, usual) {
            (0, _) => x,
            (_, Some(usual)) if self.dev_season < self.dev_long => usual,
            _ => self.mean_short + self.holt_trend,
        };
        let sigma = sigma(self.dev_long.min(self.dev_slow).min(if usual.is_some() {
            self.dev_season
        } else {
            f32::MAX
        }));
        Row {
            x,
            sigma,
            floor,
            least_range,
            expected,
            n: self.n,
            gap,
            week_s,
            step_s: self.step_s,
            windows: self.windows(),
            usual: usual.unwrap_or(f32::NAN),
            columns: c,
        }
    }

    fn rank(&self, x: f32, floor: f32) -> f32 {
        let before = &self.recent[1..33];
        let balance: i32 = before
            .iter()
            .map(|&old| i32::from(old < x - floor) - i32::from(old > x + floor))
            .sum();
        balance as f32 / before.len() as f32
    }

    /// Computed afresh from the kept values: a few dozen additions, and no error that adds up.
    fn windows(&self) -> Windows {
        let mean = |n: usize| self.recent[..n].iter().sum::<f32>() / n as f32;
        let spread = |n: usize| {
            let mean = mean(n);
            (self.recent[..n]
                .iter()
                .map(|x| (x - mean) * (x - mean))
                .sum::<f32>()
                / n as f32)
                .sqrt()
        };
        Windows {
            mean_6: mean(6),
            mean_24: mean(24),
            spread_12: spread(12),
            spread_48: spread(48),
            lags: [
                self.recent[1],
                self.recent[2],
                self.recent[12],
                self.recent[24],
            ],
        }
    }

    fn learn(&mut self, x: f32, floor: f32, usual: Option<f32>) {
        if self.n == 0 {
            for mean in [
                &mut self.mean_short,
                &mut self.mean_long,
                &mut self.mean_slow,
                &mut self.holt_level,
            ] {
                *mean = x;
            }
        }
        let n = (self.n + 1) as f32;
        let rate = |span: f32| (1.0 / n).max(1.0 / span);
        let tame = |dev: f32, size: f32| {
            if n > 8.0 {
                size.min(WINSOR * dev.max(floor))
            } else {
                size
            }
        };
        let change = x - self.recent[1];
        let (short, long, slow) = (x - self.mean_short, x - self.mean_long, x - self.mean_slow);
        if let Some(residual) = usual.map(|usual| x - usual) {
            self.dev_season +=
                rate(256.0) * (tame(self.dev_season, residual.abs()) - self.dev_season);
        }
        self.autocov += rate(64.0) * ((long * self.residual).clamp(-1e30, 1e30) - self.autocov);
        self.residual = long;
        let squared = tame(self.dev_change, change.abs()).powi(2);
        self.var_short += rate(16.0) * (squared - self.var_short);
        self.var_long += rate(512.0) * (squared - self.var_long);
        self.dev_change += rate(256.0) * (tame(self.dev_change, change.abs()) - self.dev_change);
        self.dev_short += rate(64.0) * (tame(self.dev_short, short.abs()) - self.dev_short);
        self.dev_long += rate(256.0) * (tame(self.dev_long, long.abs()) - self.dev_long);
        self.dev_slow += rate(1024.0) * (tame(self.dev_slow, slow.abs()) - self.dev_slow);
        self.mean_short += rate(8.0) * short;
        self.mean_long += rate(64.0) * long;
        self.mean_slow += rate(1024.0) * slow;
        let level = self.holt_level + self.holt_trend;
        let moved = level + 0.2 * (x - level);
        self.holt_trend += 0.05 * (0.98 * (moved - self.holt_level) - self.holt_trend);
        self.holt_level = moved;
    }
}

//! From what is seen of a resource to what is said about it.

use features::headroom::{self, Columns, N_HEADROOM};
use series::Timestamp;

use super::network::survival;
use super::{Action, Cause, FACTORS, FAN_POINTS, Family, Fan, Network, NetworkError, Outlook};
use crate::risk::{Factor, MAX_FACTORS, insert_factor};

/// Seconds of a bin.
const BIN_S: f32 = 20.0;
/// Bins after which a forecast rests on a full quarter of an hour.
const SETTLED_BINS: f32 = 45.0;

/// What is seen of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its place in `Lookout::resources`.
    pub resource: u32,
    /// What it is.
    pub family: Family,
    /// The time of the newest sample.
    pub at: Timestamp,
    /// How much is used, in the unit of the family.
    pub level: f64,
    /// How much there is, above 0.
    pub limit: f64,
    /// Shares of limits, bin by bin, oldest first: the level of a stock; load, latency and errors of a service.
    pub channels: [&'a [f32]; 3],
    /// What part of the limit waits for it.
    pub waiting: f32,
    /// What part of the bins was seen, 0 to 1: the rest are guesses between neighbours.
    pub coverage: f32,
}

/// Says when resources run out.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    stock: Network,
    service: Network,
}

impl Judge {
    /// With the networks for stocks and for services.
    ///
    /// # Errors
    /// [`NetworkError`] when one does not take the rows that are made here.
    pub fn new(stock: Network, service: Network) -> Result<Self, NetworkError> {
        for (network, expected) in [(&stock, N_HEADROOM), (&service, 3 * N_HEADROOM + 1)] {
            if network.inputs() != expected {
                return Err(NetworkError::Shape {
                    layer: 0,
                    found: network.inputs(),
                    expected,
                });
            }
        }
        Ok(Self { stock, service })
    }

    /// What is said about a resource. Allocates nothing.
    #[must_use]
    pub fn outlook(&self, seen: &Seen<'_>) -> Outlook {
        let is_service = matches!(seen.family, Family::Cpu | Family::Dependency);
        let mut row = [0.0f32; 3 * N_HEADROOM + 1];
        let mut columns = [[0.0f32; N_HEADROOM]; 3];
        for (i, levels) in seen.channels.iter().enumerate() {
            if i == 0 || is_service {
                columns[i] = headroom::columns(levels);
                row[i * N_HEADROOM..(i + 1) * N_HEADROOM].copy_from_slice(&columns[i]);
            }
        }
        let classes = if is_service {
            row[3 * N_HEADROOM] = f32::from(u8::from(seen.family == Family::Cpu));
            self.service.run(&row)
        } else {
            self.stock.run(&row[..N_HEADROOM])
        };
        let survival = survival(&classes);
        let (within, ttf_s) = (survival.within_horizons(), survival.ttf_s());
        let leading = leading(seen, is_service);
        let n = seen.channels[0].len() as f32;
        Outlook {
            resource: seen.resource,
            family: seen.family,
            at: seen.at,
            level: seen.level,
            limit: seen.limit,
            survival,
            within,
            ttf_s,
            confidence: (n / SETTLED_BINS).min(1.0).sqrt() * seen.coverage.clamp(0.0, 1.0),
            cause: cause(
                seen.family,
                within[4],
                seen.channels[leading],
                &columns[leading],
            ),
            factors: factors(seen, &columns, leading),
            actions: actions(seen.family, ttf_s),
            fan: fan(seen, ttf_s, &columns[leading], leading),
        }
    }
}

/// What could be done, where something is foreseen.
pub(super) fn actions(family: Family, ttf_s: [f64; 3]) -> &'static [Action] {
    if ttf_s[1].is_finite() {
        family.actions()
    } else {
        &[]
    }
}

/// The channel that is nearest to its limit.
fn leading(seen: &Seen<'_>, is_service: bool) -> usize {
    if !is_service {
        return 0;
    }
    let last = |i: usize| seen.channels[i].last().copied().unwrap_or(0.0);
    (0..3)
        .max_by(|&a, &b| last(a).total_cmp(&last(b)))
        .unwrap_or(0)
}

/// A column by its name; known at compile time by the schema, so a wrong name is a failing test, not a silent 0.
fn column(columns: &Columns, name: &str) -> f32 {
    let place = headroom::HEADROOM_SCHEMA
        .iter()
        .position(|have| *have == name);
    debug_assert!(place.is_some(), "no column {name}");
    place.map_or(0.0, |place| columns[place])
}

/// Why it moves as it does, told from the shape of the window.
fn cause(family: Family, within_day: f32, levels: &[f32], columns: &Columns) -> Cause {
    let get = |name| column(columns, name);
    let n = levels.len();
    let now = levels.last().copied().unwrap_or(0.0);
    let low = levels.iter().copied().fold(f32::MAX, f32::min);
    let moved = now - low;
    let returns = get("falls") > 1.0 || get("period_strength") > 0.6;
    let recent = now
        - levels[n.saturating_sub(13).min(n.saturating_sub(1))..]
            .first()
            .copied()
            .unwrap_or(now);
    if within_day < 0.1 && moved.abs() < 0.05 {
        return Cause::Steady;
    }
    if returns && get("trough_trend_long").abs() < 0.5 {
        return Cause::Cycle;
    }
    if moved > 0.1 && recent > 0.6 * moved {
        return Cause::Burst;
    }
    if get("bend_96") < -0.3 && get("trend_24") < 0.6 * get("trend_96") {
        return Cause::WarmUp;
    }
    // Whoever gives back a part on the way grows with what is asked of it.
    let stock = if get("given_back_96") < 0.3 {
        Cause::Leak
    } else {
        Cause::Growth
    };
    match family {
        Family::Dependency => Cause::Dependency,
        Family::Cpu => Cause::Growth,
        Family::Memory
        | Family::Disk
        | Family::Inodes
        | Family::Connections
        | Family::Descriptors
        | Family::Threads => {
            if moved < 0.05 {
                Cause::Steady
            } else {
                stock
            }
        }
    }
}

fn factors(seen: &Seen<'_>, columns: &[Columns; 3], leading: usize) -> [Factor; MAX_FACTORS] {
    let get = |name| column(&columns[leading], name);
    let last = |i: usize| seen.channels[i].last().copied().unwrap_or(0.0);
    // In the order of FACTORS; each of the order of 1 when it matters.
    let sizes: [f32; FACTORS.len()] = [
        get("level").clamp(0.0, 1.2).powi(2),
        get("trend_12").max(0.0) / 2.0,
        get("trend_96").max(0.0) / 2.0,
        get("bend_24").max(0.0) / 2.0,
        get("trough_trend").max(0.0) / 2.0,
        get("noise_48") / 3.0,
        get("period_strength").max(0.0) / 2.0,
        last(1).clamp(0.0, 2.0),
        last(2).clamp(0.0, 2.0),
        seen.waiting.clamp(0.0, 2.0),
    ];
    let total: f32 = sizes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let mut top = [Factor::default(); MAX_FACTORS];
    for (index, size) in sizes.iter().enumerate() {
        let share = size / total;
        insert_factor(
            &mut top,
            Factor {
                index: index as u8,
                share,
            },
        );
    }
    top
}

/// Where the level may go. Each line reaches the limit at its quantile of the time to exhaustion, so fan and times cannot
/// contradict each other; where none is foreseen the lines part by what the level did so far.
fn fan(seen: &Seen<'_>, ttf_s: [f64; 3], columns: &Columns, leading: usize) -> Fan {
    let mut fan = Fan::default();
    let levels = seen.channels[leading];
    let now = levels.last().copied().unwrap_or(0.0);
    let mut squares = 0.0f32;
    for pair in levels.windows(2) {
        squares += (pair[1] - pair[0]).powi(2);
    }
    let step = (squares / levels.len().max(2) as f32).sqrt();
    // The trend of the last quarter of an hour fades, as trends do.
    let soft = column(columns, "trend_48");
    let slope = soft.signum() * (soft.abs().exp() - 1.0) * (1.0 - now).max(0.02) / 90.0;
    let unit = if seen.limit > 0.0 {
        seen.limit as f32
    } else {
        1.0
    };
    // Twice the median time, at least half an hour, at most a day.
    let far = if ttf_s[1].is_finite() {
        ttf_s[1] * 1.6
    } else {
        1_800.0
    };
    let far = far.clamp(600.0, 86_400.0) as f32;
    for i in 0..FAN_POINTS {
        let s = far * (i + 1) as f32 / FAN_POINTS as f32;
        let bins = s / BIN_S;
        let calm = now + slope * 30.0 * (1.0 - (-bins / 30.0).exp());
        let spread = 1.645 * step * bins.sqrt();
        fan.ahead_s[i] = s;
        let lines = [calm + spread, calm, calm - spread];
        let lines = [0, 1, 2].map(|k| unit * line(now, s, ttf_s[k], lines[k]));
        [fan.high[i], fan.median[i], fan.low[i]] = lines;
    }
    fan
}

/// The level `s` seconds on: on its way to the limit, or at `calm` where the limit is not foreseen.
pub(super) fn line(now: f32, s: f32, ttf_s: f64, calm: f32) -> f32 {
    if ttf_s.is_finite() {
        now + (1.0 - now) * (s / ttf_s.max(1.0) as f32).min(1.0)
    } else {
        calm.clamp(0.0, 1.0)
    }
}

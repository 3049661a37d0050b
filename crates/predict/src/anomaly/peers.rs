//! Peers: a replica that moves away from its group.
//!
//! The distance of a series from the median of its group, less what that distance usually is (a leader may always be
//! busier than its followers), in units of the group's own spread (median absolute deviation) or of the distance's usual
//! variation, whichever is larger. Unlike the `augurs` outlier detector, which clusters whole windows of a group at
//! once, it takes one sample of one replica at a time.

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use serde::Deserialize;

use crate::anomaly::{Block, Detector, NO_GROUP};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "peers",
    about: "a replica unlike the others of its group",
    example: "half_sigma = 8.0\nat_least = 3",
    build,
};

/// Members that are compared: the first so many of a group. A median of 32 is as good as one of 1,000.
const COMPARED: usize = 32;
/// A peer that was silent for longer than this is not compared, µs.
const STALE_US: i64 = 300_000_000;
/// Samples over which the usual distance is learned.
const SPAN: f32 = 128.0;
/// The least spread, as a share of the median's size: replicas of a constant differ by rounding.
const LEAST_SHARE: f64 = 0.01;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Sigmas at which the raw score is one half.
    half_sigma: f32,
    /// Peers that must be there to compare with.
    at_least: u8,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let options: Options = params.read(ENTRY.name)?;
    super::within(ENTRY.name, "half_sigma", options.half_sigma, 0.0, 1e6)?;
    super::within(
        ENTRY.name,
        "at_least",
        f32::from(options.at_least),
        1.0,
        COMPARED as f32,
    )?;
    Ok(Box::new(Peers {
        options,
        replicas: Vec::new(),
        groups: Vec::new(),
    }))
}

#[derive(Debug)]
struct Peers {
    options: Options,
    replicas: Vec<Replica>,
    /// The compared members of each group, by its number.
    groups: Vec<Members>,
}

/// What is remembered of one series.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Replica {
    level: f64,
    at: i64,
    /// Usual distance from the median of the group, and its usual deviation, in the unit of the level.
    usual: f32,
    deviation: f32,
    n: u32,
    pad: u32,
}

#[derive(Debug, Clone, Default)]
struct Members {
    series: [u32; COMPARED],
    n: usize,
}

impl Peers {
    fn score_one(&mut self, series: u32, group: u32, at: i64, level: f64) -> f32 {
        let me = series as usize;
        let mut levels = [0.0; COMPARED];
        let mut n = 0;
        let members = &self.groups[group as usize];
        for &other in &members.series[..members.n] {
            let peer = &self.replicas[other as usize];
            if other != series && peer.n > 0 && at.saturating_sub(peer.at).abs() <= STALE_US {
                levels[n] = peer.level;
                n += 1;
            }
        }
        let replica = &mut self.replicas[me];
        (replica.level, replica.at) = (level, at);
        if n < usize::from(self.options.at_least) {
            replica.n = replica.n.max(1);
            return 0.0;
        }
        let levels = &mut levels[..n];
        let median = middle(levels);
        for value in levels.iter_mut() {
            *value = (*value - median).abs();
        }
        let spread = (1.4826 * middle(levels))
            .max(LEAST_SHARE * median.abs())
            .max(f64::MIN_POSITIVE);
        let distance = (level - median).clamp(-1e30, 1e30) as f32;
        let off = distance - replica.usual;
        let sigma = (spread.min(1e30) as f32).max(1.25 * replica.deviation);
        let z = if replica.n > 1 {
            off.abs() / sigma
        } else {
            0.0
        };
        let rate = (1.0 / replica.n.max(1) as f32).max(1.0 / SPAN);
        let size = if replica.n > 8 {
            off.abs()
                .min(4.0 * replica.deviation.max(spread.min(1e30) as f32))
        } else {
            off.abs()
        };
        replica.deviation += rate * (size - replica.deviation);
        replica.usual += rate * off.signum() * size;
        replica.n = replica.n.saturating_add(1);
        if z.is_finite() {
            z / (z + self.options.half_sigma)
        } else {
            1.0
        }
    }

    fn join(&mut self, series: u32, group: u32) {
        if self.groups.len() <= group as usize {
            self.groups.resize(group as usize + 1, Members::default());
        }
        let members = &mut self.groups[group as usize];
        if members.n < COMPARED && !members.series[..members.n].contains(&series) {
            members.series[members.n] = series;
            members.n += 1;
        }
    }
}

/// The median, by partial sorting; 0 of nothing.
fn middle(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    if values.is_empty() {
        0.0
    } else {
        *values.select_nth_unstable_by(half, f64::total_cmp).1
    }
}

impl Detector for Peers {
    fn add_series(&mut self, group: u32) {
        let series = self.replicas.len() as u32;
        self.replicas.push(Replica::zeroed());
        if group != NO_GROUP {
            self.join(series, group);
        }
    }

    fn score(&mut self, block: &Block<'_>, out: &mut [f32]) {
        for (i, score) in out.iter_mut().enumerate() {
            let group = block.groups[i];
            *score = if group == NO_GROUP {
                0.0
            } else {
                self.score_one(block.series[i], group, block.times[i], block.levels[i])
            };
        }
    }

    fn state_bytes(&self) -> usize {
        size_of::<Replica>()
    }

    fn save(&self, series: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.replicas[series]));
    }

    fn load(&mut self, series: usize, bytes: &[u8]) {
        self.replicas[series] = bytemuck::pod_read_unaligned(bytes);
    }
}

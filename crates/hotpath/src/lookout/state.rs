//! What is known of one resource: the latest values of its series, and its levels bin by bin.

use features::headroom::{TRACE_BINS, Trace};
use predict::exhaustion::{Measure, Role};

use super::config::LookoutConfig;
use super::reading::{How, Reading};
use super::totals::Totals;

/// A gap of so many bins is an end: what comes after it is another story.
const LONGEST_GAP: i64 = 180;
/// What was this near its limit, and is down to less than half of it, has been restarted.
const SPENT: f32 = 0.97;

/// One series of a resource.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) resource: u32,
    pub(super) role: Role,
    pub(super) bound: f64,
    pub(super) failed: bool,
    pub(super) value: f64,
    pub(super) at_us: i64,
}

impl Member {
    pub(super) const fn new(resource: u32, role: Role, bound: f64, failed: bool) -> Self {
        Self {
            resource,
            role,
            bound,
            failed,
            value: f64::NAN,
            at_us: i64::MIN,
        }
    }
}

/// What a service needs beyond a trace of its load: its running totals, and traces of latency and errors.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    pub(super) totals: Totals,
    traces: [Trace; 2],
}

/// What is known of one resource.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) members: Vec<u32>,
    trace: Trace,
    pub(super) service: Option<Box<Service>>,
    /// The bin under way.
    bin: i64,
    /// Whether a sample came in it.
    fresh: bool,
    /// The bin of the last level in the trace.
    last_bin: i64,
    /// The time of the newest sample.
    pub(super) newest_us: i64,
    /// The limit of the last bin: another one rescales what is remembered.
    limit: f64,
    /// How many of the bins in the trace were guessed, forgotten bit by bit.
    guessed: f32,
    /// When it is to be looked at next.
    pub(super) due_us: i64,
}

impl State {
    pub(super) fn new(measure: Measure) -> Self {
        let service = measure.is_service().then(Box::default);
        Self {
            members: Vec::new(),
            trace: Trace::default(),
            service,
            bin: i64::MIN,
            fresh: false,
            last_bin: i64::MIN,
            newest_us: i64::MIN,
            limit: 0.0,
            guessed: 0.0,
            due_us: i64::MIN,
        }
    }

    /// Takes a sample of one of its series.
    pub(super) fn push(
        &mut self,
        place: u32,
        members: &mut [Member],
        at_us: i64,
        value: f64,
        how: &How<'_>,
    ) {
        if !value.is_finite() {
            return;
        }
        let bin_us = how.config.bin_us();
        let bin = at_us.div_euclid(bin_us);
        if self.bin == i64::MIN {
            (self.bin, self.last_bin) = (bin, bin - 1);
        } else if bin > self.bin {
            self.close(bin, members, how);
        } else if self.bin.saturating_sub(bin) > LONGEST_GAP {
            // The clock was set back: what is remembered is of a time that never was.
            self.forget(bin, at_us);
        }
        let member = &mut members[place as usize];
        if at_us < member.at_us && member.at_us.saturating_sub(at_us) < bin_us * LONGEST_GAP {
            return;
        }
        let before = std::mem::replace(&mut member.value, value);
        member.at_us = at_us;
        self.fresh = true;
        self.newest_us = self.newest_us.max(at_us);
        if member.role == Role::Started && before.is_finite() && (before - value).abs() > 0.5 {
            self.forget(bin, at_us);
            return;
        }
        if member.role.is_total() {
            let member = member.clone();
            if let Some(service) = &mut self.service {
                service.totals.count(&member, before, bin_us);
            }
        }
    }

    fn forget(&mut self, bin: i64, at_us: i64) {
        self.trace.reset();
        if let Some(service) = &mut self.service {
            service.totals.forget();
            service.traces.iter_mut().for_each(Trace::reset);
        }
        (self.bin, self.newest_us) = (bin, at_us);
        self.last_bin = bin - 1;
        (self.fresh, self.guessed, self.due_us) = (false, 0.0, i64::MIN);
    }

    /// Ends the bin under way and begins `bin`.
    fn close(&mut self, bin: i64, members: &[Member], how: &How<'_>) {
        let reading = match self.fresh {
            true => self.read(members, how),
            false => None,
        };
        if let Some(reading) = reading {
            if self.limit > 0.0 && (reading.limit / self.limit - 1.0).abs() > 0.005 {
                // A limit that moved: what was used stays what it was, and its share is another.
                self.trace.scale((self.limit / reading.limit) as f32);
            }
            self.limit = reading.limit;
            let restarted = |before| before >= SPENT && reading.channels[0] < 0.5 * before;
            if self.service.is_none() && self.trace.last().is_some_and(restarted) {
                self.trace.reset();
                self.guessed = 0.0;
            }
            let gap = self.passed_over();
            let gap = if self.trace.is_empty() { 0 } else { gap };
            for (trace, level) in self.traces().zip(reading.channels) {
                reach(trace, level, gap);
            }
            // Forgotten as fast as the trace forgets.
            let moved = f32::from(gap) + 1.0;
            self.guessed =
                self.guessed * (1.0 - moved / TRACE_BINS as f32).max(0.0) + f32::from(gap);
            self.last_bin = self.bin;
        }
        let busy = self.busy(members, how);
        if let (true, Some(service)) = (self.fresh, &mut self.service) {
            service.totals.close(busy);
        }
        if bin.saturating_sub(self.bin) > LONGEST_GAP {
            self.forget(bin, bin.saturating_mul(how.config.bin_us()));
        }
        self.bin = bin;
        self.fresh = false;
    }

    /// How many bins without a level lie before the one under way.
    fn passed_over(&self) -> u16 {
        let gap = (self.bin.saturating_sub(self.last_bin).saturating_sub(1)).clamp(0, LONGEST_GAP);
        u16::try_from(gap).unwrap_or(0)
    }

    fn traces(&mut self) -> impl Iterator<Item = &mut Trace> {
        let more = self
            .service
            .as_mut()
            .map(|service| service.traces.iter_mut());
        std::iter::once(&mut self.trace).chain(more.into_iter().flatten())
    }

    /// The levels up to now, the bin under way included, oldest first; shape `(n,)` each, and how many there are.
    pub(super) fn levels(&self, reading: &Reading, out: &mut [[f32; TRACE_BINS]; 3]) -> usize {
        let own = std::iter::once(&self.trace);
        let more = self.service.as_ref().map(|service| service.traces.iter());
        let gap = self.passed_over();
        let mut n = 0;
        // A stock has no latency and no errors, and the buffer may be another's.
        out[1..].fill([0.0; TRACE_BINS]);
        for ((trace, out), level) in own
            .chain(more.into_iter().flatten())
            .zip(out)
            .zip(reading.channels)
        {
            let mut trace = *trace;
            if self.fresh {
                let gap = if trace.is_empty() { 0 } else { gap };
                reach(&mut trace, level, gap);
            }
            n = trace.copy(out);
        }
        n
    }

    /// What part of the bins was seen, 0 to 1; the rest lie between samples that come more seldom than bins.
    pub(super) fn coverage(&self) -> f32 {
        let n = self.trace.len() as f32;
        (1.0 - self.guessed / n.max(1.0)).clamp(0.0, 1.0)
    }

    /// Bin by bin: time in microseconds, and level; of a service the largest of load, latency and errors.
    pub(super) fn history(&self, config: &LookoutConfig) -> Vec<(i64, f32)> {
        let (mut levels, mut more) = ([0.0f32; TRACE_BINS], [0.0f32; TRACE_BINS]);
        let n = self.trace.copy(&mut levels);
        for trace in self
            .service
            .iter()
            .flat_map(|service| service.traces.iter())
        {
            trace.copy(&mut more);
            for (level, other) in levels.iter_mut().zip(&more) {
                *level = level.max(*other);
            }
        }
        let bin_us = config.bin_us();
        let end = |i: usize| (self.last_bin + 1 - (n - 1 - i) as i64).saturating_mul(bin_us);
        (0..n).map(|i| (end(i), levels[i])).collect()
    }

    /// The sum of the newest values of a role. A series that was not there when its like were read last counts as gone:
    /// exporters leave out what is zero.
    pub(super) fn gauge(&self, members: &[Member], role: Role, bin_us: i64) -> Option<f64> {
        let of_role = || {
            let all = self.members.iter().map(|&place| &members[place as usize]);
            all.filter(|member| member.role == role && !member.value.is_nan())
        };
        let newest = of_role().map(|member| member.at_us).max()?;
        let there =
            of_role().filter(|member| newest.saturating_sub(member.at_us) <= bin_us / 10 * 9);
        Some(there.map(|member| member.value).sum())
    }
}

/// Appends a level, and before it `gap` levels on the line from the last one to it.
fn reach(trace: &mut Trace, level: f32, gap: u16) {
    let from = trace.last().unwrap_or(level);
    for i in 1..=gap {
        trace.push(from + (level - from) * f32::from(i) / f32::from(gap + 1));
    }
    trace.push(level);
}

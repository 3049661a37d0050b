//! What is known of one resource: the latest values of its series, and its levels bin by bin.

use std::collections::VecDeque;

use features::headroom::{TRACE_BINS, Trace};
use predict::exhaustion::{Measure, ROLES, Recipe, Role};

use super::config::LookoutConfig;

/// Bins over which latency and errors are taken.
const OVER_BINS: usize = 5;
/// Running totals that are kept per bin: those of roles, and of requests that failed.
const TOTALS: usize = ROLES + 1;
const FAILED: usize = ROLES;
/// More buckets than this are not looked at.
const MOST_BUCKETS: usize = 40;
/// A gap of so many bins is an end: what comes after it is another story.
const LONGEST_GAP: i64 = 180;
/// Limits beyond this are "no limit", as kernels and exporters write it.
const NO_LIMIT: f64 = 1e18;
/// Levels are shares up to this; beyond it they say no more.
const HIGHEST: f64 = 3.0;

/// How a resource is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) config: &'a LookoutConfig,
    /// The limit, where a setting or a label tells it.
    pub(super) own_limit: Option<f64>,
}

/// One series of a resource.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) resource: u32,
    pub(super) role: Role,
    pub(super) bound: f64,
    pub(super) failed: bool,
    value: f64,
    at_us: i64,
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

/// Running totals at the end of a bin.
#[derive(Debug, Clone)]
struct Totals {
    of: [f64; TOTALS],
    at_us: i64,
    buckets: Vec<f64>,
}

/// What a service needs beyond a trace: its totals now, and at the ends of the last bins.
#[derive(Debug, Clone)]
struct Service {
    now: Totals,
    bounds: Vec<f64>,
    last: VecDeque<Totals>,
    traces: Box<[Trace; 2]>,
}

/// How much is used, and of how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) used: f64,
    pub(super) limit: f64,
    /// Shares of limits: level, or load, latency and errors.
    pub(super) channels: [f32; 3],
    pub(super) waiting: f32,
}

impl Reading {
    /// Load, latency and errors, each as a share of its limit or objective: the nearest to it is the level.
    fn of_service(channels: [f64; 3], waiting: f64) -> Self {
        Self {
            used: channels.iter().copied().fold(0.0, f64::max),
            limit: 1.0,
            channels: channels.map(|share| share.clamp(0.0, HIGHEST) as f32),
            waiting: waiting.clamp(0.0, HIGHEST) as f32,
        }
    }
}

/// What is known of one resource.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) members: Vec<u32>,
    trace: Trace,
    service: Option<Box<Service>>,
    /// The bin under way.
    bin: i64,
    /// Whether a sample came in it.
    fresh: bool,
    /// The bin of the last level in the trace.
    last_bin: i64,
    /// The time of the newest sample.
    pub(super) newest_us: i64,
    born_us: i64,
    /// The limit of the last bin: another one rescales what is remembered.
    limit: f64,
    /// How many of the bins in the trace were guessed, forgotten bit by bit.
    guessed: f32,
    /// When it is to be looked at next.
    pub(super) due_us: i64,
}

impl State {
    pub(super) fn new(measure: Measure) -> Self {
        let service = measure.is_service().then(|| {
            Box::new(Service {
                now: Totals {
                    of: [0.0; TOTALS],
                    at_us: i64::MIN,
                    buckets: Vec::new(),
                },
                bounds: Vec::new(),
                last: VecDeque::with_capacity(OVER_BINS + 1),
                traces: Box::default(),
            })
        });
        Self {
            members: Vec::new(),
            trace: Trace::default(),
            service,
            bin: i64::MIN,
            fresh: false,
            last_bin: i64::MIN,
            newest_us: i64::MIN,
            born_us: i64::MIN,
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
            (self.bin, self.born_us, self.last_bin) = (bin, at_us, bin - 1);
        } else if bin > self.bin {
            self.close(bin, members, how);
        } else if self.bin.saturating_sub(bin) > LONGEST_GAP {
            // The clock was set back: what is remembered is of a time that never was.
            self.forget(bin, at_us);
        }
        let newcomer = at_us.saturating_sub(self.born_us) > bin_us;
        let member = &mut members[place as usize];
        if at_us < member.at_us && member.at_us.saturating_sub(at_us) < bin_us * LONGEST_GAP {
            return;
        }
        let before = std::mem::replace(&mut member.value, value);
        member.at_us = at_us;
        self.fresh = true;
        self.newest_us = self.newest_us.max(at_us);
        if member.role == Role::Started && before.is_finite() && (before - value).abs() > 1.0 {
            self.forget(bin, at_us);
            return;
        }
        if member.role.is_total() {
            let member = member.clone();
            self.count(&member, before, newcomer);
        }
    }

    /// Adds what a running total grew by. One that falls began anew; one that first shows up after the resource did counts
    /// from 0, since exporters leave out what never happened.
    fn count(&mut self, member: &Member, before: f64, newcomer: bool) {
        let Some(service) = &mut self.service else {
            return;
        };
        let value = member.value;
        let grown = match before {
            _ if before.is_nan() => {
                if newcomer {
                    value
                } else {
                    0.0
                }
            }
            _ if value < before => value,
            _ => value - before,
        };
        if member.role == Role::Bucket {
            let place = match service
                .bounds
                .binary_search_by(|b| b.total_cmp(&member.bound))
            {
                Ok(place) => place,
                Err(_) if service.bounds.len() >= MOST_BUCKETS => return,
                Err(place) => {
                    service.bounds.insert(place, member.bound);
                    service.now.buckets.insert(place, 0.0);
                    for totals in &mut service.last {
                        totals.buckets.insert(place, 0.0);
                    }
                    place
                }
            };
            service.now.buckets[place] += grown;
        } else {
            service.now.of[member.role.index()] += grown;
            if member.failed {
                service.now.of[FAILED] += grown;
            }
        }
        service.now.at_us = service.now.at_us.max(member.at_us);
    }

    fn forget(&mut self, bin: i64, at_us: i64) {
        self.trace.reset();
        if let Some(service) = &mut self.service {
            service.last.clear();
            service.traces.iter_mut().for_each(Trace::reset);
            service.now.at_us = i64::MIN;
        }
        (self.bin, self.born_us, self.newest_us) = (bin, at_us, at_us);
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
            let gap = self.passed_over();
            let gap = if self.trace.is_empty() { 0 } else { gap };
            for (trace, level) in self.traces().zip(reading.channels) {
                reach(trace, level, gap);
            }
            // Forgotten as fast as the trace forgets.
            self.guessed = self.guessed * (1.0 - 1.0 / TRACE_BINS as f32) + f32::from(gap);
            self.last_bin = self.bin;
        }
        let share = match how.recipe.measure {
            Measure::Called => busy(&|role| self.gauge(members, role, how.config.bin_us())),
            Measure::UsedOfLimit
            | Measure::FreeOfLimit
            | Measure::Unreclaimable
            | Measure::Processor => None,
        };
        if let (true, Some(service)) = (self.fresh, &mut self.service) {
            // A level as a running total: the mean over bins is what it grew by.
            service.now.of[Role::Busy.index()] += share.unwrap_or(0.0);
            service.now.of[Role::Workers.index()] += 1.0;
            service.last.push_back(service.now.clone());
            if service.last.len() > OVER_BINS {
                service.last.pop_front();
            }
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

    /// What part of the bins was seen, 0 to 1.
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
    fn gauge(&self, members: &[Member], role: Role, bin_us: i64) -> Option<f64> {
        let of_role = || {
            let all = self.members.iter().map(|&place| &members[place as usize]);
            all.filter(|member| member.role == role && !member.value.is_nan())
        };
        let newest = of_role().map(|member| member.at_us).max()?;
        let there =
            of_role().filter(|member| newest.saturating_sub(member.at_us) <= bin_us / 10 * 9);
        Some(there.map(|member| member.value).sum())
    }

    /// How much is used at the moment; `None` without a sensible limit, or before anything was seen.
    pub(super) fn read(&self, members: &[Member], how: &How<'_>) -> Option<Reading> {
        let How {
            recipe,
            config,
            own_limit,
        } = *how;
        let bin_us = config.bin_us();
        let get = |role| self.gauge(members, role, bin_us);
        let bounded = |limit: f64| (limit > 0.0 && limit < NO_LIMIT).then_some(limit);
        let whole = own_limit.or_else(|| get(Role::Limit)).and_then(bounded);
        let stock = |used: f64, limit: f64, waiting: f64| {
            let level = ((used + waiting) / limit).clamp(-1.0, HIGHEST) as f32;
            Reading {
                used: used + waiting,
                limit,
                channels: [level, 0.0, 0.0],
                waiting: (waiting / limit).clamp(0.0, HIGHEST) as f32,
            }
        };
        match recipe.measure {
            Measure::UsedOfLimit => {
                let kept_back =
                    own_limit.map_or_else(|| get(Role::Reserved).unwrap_or(0.0), |_| 0.0);
                let limit = bounded(whole? - kept_back)?;
                let waiting = get(Role::Waiting).unwrap_or(0.0);
                Some(stock(get(Role::Used)?, limit, waiting.max(0.0)))
            }
            Measure::FreeOfLimit => {
                let limit = whole?;
                Some(stock(limit - get(Role::Free)?, limit, 0.0))
            }
            Measure::Unreclaimable => {
                let mut used = get(Role::Used)?;
                let parts = (
                    get(Role::Charged),
                    get(Role::Cache),
                    get(Role::Anonymous),
                    get(Role::Resident),
                );
                if let (Some(charged), Some(cache), Some(anonymous), Some(resident)) = parts {
                    // Of the file pages, those that the process has mapped are its own; the rest can be dropped.
                    let mapped = (resident - anonymous).max(0.0);
                    let droppable = (cache - mapped).max(0.0);
                    used = used.min((charged - droppable).max(anonymous));
                }
                Some(stock(used, whole?, 0.0))
            }
            Measure::Processor => self.processor(&get, config, own_limit),
            Measure::Called => self.called(&get, config),
        }
    }

    fn processor(
        &self,
        get: &dyn Fn(Role) -> Option<f64>,
        config: &LookoutConfig,
        own_limit: Option<f64>,
    ) -> Option<Reading> {
        let service = self.service.as_ref()?;
        if let Some(share) = get(Role::Share) {
            let limit = own_limit.unwrap_or(1.0);
            return Some(Reading::of_service([share / limit, 0.0, 0.0], 0.0));
        }
        let limit = own_limit.or_else(|| Some(get(Role::Quota)? / get(Role::Period)?));
        let limit = limit.filter(|limit| *limit > 0.0 && *limit < NO_LIMIT)?;
        let over = service.over()?;
        let used = over.of[Role::Time.index()] / over.seconds;
        let slow = over.quantile(&service.bounds, 0.95).or_else(|| over.mean());
        let errors = over.failed().unwrap_or(0.0) / config.service_errors.max(1e-6);
        let slow = slow.unwrap_or(0.0) / config.latency_objective_s.max(1e-6);
        Some(Reading::of_service([used / limit, slow, errors], 0.0))
    }

    fn called(&self, get: &dyn Fn(Role) -> Option<f64>, config: &LookoutConfig) -> Option<Reading> {
        let service = self.service.as_ref()?;
        let over = service.over()?;
        let failed = over.failed().unwrap_or(0.0);
        let slow = over.mean().unwrap_or(0.0) / config.timeout_s.max(1e-6);
        // Over as many bins as the rates.
        let now = busy(get).unwrap_or(0.0);
        let smooth = (over.of[Role::Busy.index()] + now) / (over.of[Role::Workers.index()] + 1.0);
        let errors = failed / config.dependency_errors.max(1e-6);
        Some(Reading::of_service([smooth, slow, errors], now))
    }
}

/// The share of workers that are busy.
fn busy(get: &dyn Fn(Role) -> Option<f64>) -> Option<f64> {
    let workers = get(Role::Workers).filter(|workers| *workers > 0.0)?;
    Some((get(Role::Busy)? / workers).clamp(0.0, HIGHEST))
}

/// Appends a level, and before it `gap` levels on the line from the last one to it.
fn reach(trace: &mut Trace, level: f32, gap: u16) {
    let from = trace.last().unwrap_or(level);
    for i in 1..=gap {
        trace.push(from + (level - from) * f32::from(i) / f32::from(gap + 1));
    }
    trace.push(level);
}

/// What totals grew by over the last bins.
struct Over {
    of: [f64; TOTALS],
    seconds: f64,
    buckets: Vec<f64>,
}

impl Service {
    /// `None` before there are two readings.
    fn over(&self) -> Option<Over> {
        let first = self.last.front()?;
        let seconds = (self.now.at_us.checked_sub(first.at_us)?) as f64 / 1e6;
        if seconds <= 0.0 {
            return None;
        }
        let mut of = self.now.of;
        for (now, before) in of.iter_mut().zip(&first.of) {
            *now -= before;
        }
        let buckets = self.now.buckets.iter().zip(&first.buckets);
        Some(Over {
            of,
            seconds,
            buckets: buckets.map(|(now, before)| now - before).collect(),
        })
    }
}

impl Over {
    /// The share of requests that failed, 0 to 1; `None` without requests.
    fn failed(&self) -> Option<f64> {
        let all = self.of[Role::Requests.index()];
        (all > 0.0).then(|| self.of[FAILED] / all)
    }

    /// Mean seconds of a request.
    fn mean(&self) -> Option<f64> {
        let n = self.of[Role::Count.index()];
        (n > 0.0).then(|| self.of[Role::Sum.index()] / n)
    }

    /// A quantile of the seconds of a request, linear within its bucket, as Prometheus reads it.
    fn quantile(&self, bounds: &[f64], q: f64) -> Option<f64> {
        let all = *self.buckets.last()?;
        if all <= 0.0 {
            return None;
        }
        let (mut from, mut below) = (0.0, 0.0);
        for (&bound, &count) in bounds.iter().zip(&self.buckets) {
            if count >= q * all && count > below {
                if bound.is_infinite() {
                    return Some(from);
                }
                return Some(from + (bound - from) * (q * all - below) / (count - below));
            }
            below = below.max(count);
            if bound.is_finite() {
                from = bound;
            }
        }
        Some(from)
    }
}

//! What the latest values of a resource's series say: how much is used, and of how much.

use predict::exhaustion::{Measure, Recipe, Role};

use super::config::LookoutConfig;
use super::state::{Member, State};

/// Limits beyond this are "no limit", as kernels and exporters write it.
const NO_LIMIT: f64 = 1e18;
/// Levels are shares up to this; beyond it they say no more.
const HIGHEST: f64 = 3.0;

/// How a resource is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) config: &'a LookoutConfig,
    /// The limit that a setting tells; it comes before every metric.
    pub(super) set_limit: Option<f64>,
    /// The limit that a label tells; every metric comes before it.
    pub(super) label_limit: Option<f64>,
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
    /// What is used and what waits, as a share of the limit.
    fn of_stock(used: f64, limit: f64, waiting: f64) -> Self {
        let level = ((used + waiting) / limit).clamp(-1.0, HIGHEST) as f32;
        Self {
            used: used + waiting,
            limit,
            channels: [level, 0.0, 0.0],
            waiting: (waiting / limit).clamp(0.0, HIGHEST) as f32,
        }
    }

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

impl State {
    /// How much there is: told by a setting, by metrics or by a label, in this order. `None` when nobody tells a sensible
    /// number.
    pub(super) fn limit(&self, members: &[Member], how: &How<'_>) -> Option<f64> {
        let get = |role| self.gauge(members, role, how.config.bin_us());
        let sensible = |limit: f64| (limit > 0.0 && limit < NO_LIMIT).then_some(limit);
        let told = match how.recipe.measure {
            Measure::UsedOfLimit | Measure::FreeOfLimit | Measure::Unreclaimable => {
                get(Role::Limit).map(|limit| limit - get(Role::Reserved).unwrap_or(0.0))
            }
            Measure::Processor if how.recipe.anchor.role == Role::Share => Some(1.0),
            Measure::Processor => get(Role::Quota).zip(get(Role::Period)).map(|(q, p)| q / p),
            // Objectives are settings.
            Measure::Called => Some(1.0),
        };
        let set = how.set_limit.and_then(sensible);
        set.or_else(|| told.and_then(sensible))
            .or_else(|| how.label_limit.and_then(sensible))
    }

    /// How much is used at the moment; `None` without a limit, or before there is enough to tell.
    pub(super) fn read(&self, members: &[Member], how: &How<'_>) -> Option<Reading> {
        let get = |role| self.gauge(members, role, how.config.bin_us());
        let limit = self.limit(members, how)?;
        match how.recipe.measure {
            Measure::UsedOfLimit => {
                let waiting = get(Role::Waiting).unwrap_or(0.0).max(0.0);
                Some(Reading::of_stock(get(Role::Used)?, limit, waiting))
            }
            Measure::FreeOfLimit => Some(Reading::of_stock(limit - get(Role::Free)?, limit, 0.0)),
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
                Some(Reading::of_stock(used, limit, 0.0))
            }
            Measure::Processor => self.processor(&get, how.config, limit),
            Measure::Called => self.called(&get, how.config),
        }
    }

    fn processor(
        &self,
        get: &dyn Fn(Role) -> Option<f64>,
        config: &LookoutConfig,
        limit: f64,
    ) -> Option<Reading> {
        let over = self.service.as_ref()?.totals.over();
        let waits = over
            .as_ref()
            .map_or(0.0, |over| over.per_second(Role::Pressure));
        if let Some(share) = get(Role::Share) {
            return Some(Reading::of_service([share / limit, waits, 0.0], waits));
        }
        let over = over?;
        let latency = over.quantile(0.95).or_else(|| over.mean());
        let errors = over.failed().unwrap_or(0.0) / config.service_errors.max(1e-6);
        let slow = latency.map_or(waits, |s| s / config.latency_objective_s.max(1e-6));
        let load = over.per_second(Role::Time) / limit;
        Some(Reading::of_service([load, slow, errors], waits))
    }

    fn called(&self, get: &dyn Fn(Role) -> Option<f64>, config: &LookoutConfig) -> Option<Reading> {
        let service = self.service.as_ref()?;
        let over = service.totals.over()?;
        let failed = over.failed().unwrap_or(0.0);
        let slow = over.mean().unwrap_or(0.0) / config.timeout_s.max(1e-6);
        // Over as many bins as the rates.
        let now = share_busy(get).unwrap_or(0.0);
        let smooth = over.mean_busy(now);
        let errors = failed / config.dependency_errors.max(1e-6);
        Some(Reading::of_service([smooth, slow, errors], now))
    }

    /// The share of workers that are busy, where that is told.
    pub(super) fn busy(&self, members: &[Member], how: &How<'_>) -> Option<f64> {
        let get = |role| self.gauge(members, role, how.config.bin_us());
        (how.recipe.measure == Measure::Called).then(|| share_busy(&get))?
    }
}

/// The share of workers that are busy.
fn share_busy(get: &dyn Fn(Role) -> Option<f64>) -> Option<f64> {
    let workers = get(Role::Workers).filter(|workers| *workers > 0.0)?;
    Some((get(Role::Busy)? / workers).clamp(0.0, HIGHEST))
}

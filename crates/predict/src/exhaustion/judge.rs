//! From what is seen of a resource to what is said about it.

use features::headroom::{BIN_S, N_HEADROOM, N_SERVICE, columns, service_row};
use series::Timestamp;

use super::cause::{cause, factors};
use super::fan::fan;
use super::network::survival;
use super::{Action, Family, Network, NetworkError, Outlook};

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
        for (network, expected) in [(&stock, N_HEADROOM), (&service, N_SERVICE)] {
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
        let (classes, leading, columns) = if is_service {
            let row = service_row(seen.channels, seen.family == Family::Cpu);
            let leading = leading(seen);
            let mut columns = [0.0; N_HEADROOM];
            columns.copy_from_slice(&row[leading * N_HEADROOM..][..N_HEADROOM]);
            (self.service.run(&row), leading, columns)
        } else {
            let row = columns(seen.channels[0]);
            (self.stock.run(&row), 0, row)
        };
        let survival = survival(&classes);
        let (within, ttf_s) = (survival.within_horizons(), survival.ttf_s());
        let levels = seen.channels[leading];
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
            seen_s: n * BIN_S as f32,
            confidence: (n / SETTLED_BINS).min(1.0).sqrt() * seen.coverage.clamp(0.0, 1.0),
            cause: cause(seen.family, within[4], levels, &columns),
            factors: factors(seen, &columns),
            actions: actions(seen.family, ttf_s),
            fan: fan(seen.limit, levels, ttf_s, &columns),
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

/// The channel of a service that is nearest to its limit.
fn leading(seen: &Seen<'_>) -> usize {
    let last = |i: usize| seen.channels[i].last().copied().unwrap_or(0.0);
    (0..3)
        .max_by(|&a, &b| last(a).total_cmp(&last(b)))
        .unwrap_or(0)
}

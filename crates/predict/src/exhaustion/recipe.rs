//! How a resource is read from metrics: which series give its use, which its limit, and what else tells about it.

use super::Family;

/// What a series tells about a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// How much is used; several series add up.
    Used,
    /// Who waits for it: asked for, but not there; several add up.
    Waiting,
    /// How much is left.
    Free,
    /// How much there is.
    Limit,
    /// What of the limit is kept back for others.
    Reserved,
    /// Bytes that a container is charged for, reclaimable or not.
    Charged,
    /// Bytes of files among them.
    Cache,
    /// Bytes of no file among them.
    Anonymous,
    /// Bytes that the process in the container has mapped.
    Resident,
    /// Seconds of processor time, a running total.
    Time,
    /// Microseconds of processor time allowed in each period.
    Quota,
    /// That period, in microseconds.
    Period,
    /// A share of all processors, 0 to 1.
    Share,
    /// Requests, a running total; those that failed carry a label that says so.
    Requests,
    /// Requests as a histogram counts them, a running total.
    Count,
    /// Seconds that they took, a running total.
    Sum,
    /// Requests that took at most as long as the label `le` says, a running total.
    Bucket,
    /// Workers that are busy.
    Busy,
    /// Workers there are.
    Workers,
    /// Seconds in which some task waited for a processor, a running total.
    Pressure,
    /// When the process began, or how often it was killed: another number is another process.
    Started,
}

/// How many roles there are.
pub const ROLES: usize = 21;

impl Role {
    /// Its place among [`ROLES`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether one series may be that of many resources: a limit of all of them.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(
            self,
            Self::Limit | Self::Reserved | Self::Quota | Self::Period
        )
    }

    /// Whether its series are running totals.
    #[must_use]
    pub const fn is_total(self) -> bool {
        matches!(
            self,
            Self::Time | Self::Requests | Self::Count | Self::Sum | Self::Bucket | Self::Pressure
        )
    }
}

/// A metric that a recipe takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it tells.
    pub role: Role,
    /// Its name.
    pub metric: &'static str,
    /// Taken in only when this label has this value.
    pub when: Option<(&'static str, &'static str)>,
}

/// A part by its role and metric.
pub(super) const fn part(role: Role, metric: &'static str) -> Part {
    Part {
        role,
        metric,
        when: None,
    }
}

/// How the parts make a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// `(used + waiting) / (limit - reserved)`: who waits is demand as much as who is served.
    UsedOfLimit,
    /// `1 - free / limit`.
    FreeOfLimit,
    /// As [`Measure::UsedOfLimit`], without the files that the kernel can drop.
    Unreclaimable,
    /// Processor time against its quota, with the latency and the errors of the requests that it serves.
    Processor,
    /// Latency and errors of what is called, with its workers.
    Called,
}

impl Measure {
    /// Whether a level is three channels (load, latency, errors) or one.
    #[must_use]
    pub const fn is_service(self) -> bool {
        matches!(self, Self::Processor | Self::Called)
    }
}

/// How a resource of some kind is found among series and read from them.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What it is.
    pub family: Family,
    /// The part that names the resource: there is one for each set of its labels, without [`Recipe::summed`].
    pub anchor: Part,
    /// The other parts. A series belongs to the resource with which it shares labels and disagrees on none.
    pub parts: &'static [Part],
    /// Labels whose values are added up.
    pub summed: &'static [&'static str],
    /// How the parts make a level.
    pub measure: Measure,
    /// What is missing when there is no limit, for people.
    pub needs: &'static str,
}

/// Labels by which exporters tell requests that failed, and how the value of one begins.
pub const OUTCOME_LABELS: [&str; 5] = [
    "code",
    "status",
    "status_code",
    "http_response_status_code",
    "outcome",
];

/// Whether a value of one of [`OUTCOME_LABELS`] means that the request failed.
#[must_use]
pub fn failed(outcome: &str) -> bool {
    outcome.starts_with('5') || matches!(outcome, "error" | "timeout" | "failure" | "SERVER_ERROR")
}

/// What tells one resource from another of the same recipe is none of these.
pub(super) const REQUEST_LABELS: &[&str] = &[
    "code",
    "status",
    "status_code",
    "http_response_status_code",
    "outcome",
    "le",
    "method",
    "handler",
    "path",
    "http_request_method",
];

//! How far a run is, for eyes: what is used and what there is, read off the scrape.

use std::collections::VecDeque;

use crate::kind::{Kind, Mechanism};
use crate::metrics::Sample;
use crate::spec::Spec;

/// Scrapes over which failed calls are counted.
const LOOK_BACK: usize = 5;

pub(super) struct Sight {
    kind: Kind,
    unit: &'static str,
    limit: f64,
    address_space: bool,
    /// Calls and failed ones, so far.
    calls: VecDeque<(f64, f64)>,
}

impl Sight {
    pub(super) fn new(spec: &Spec, own_limit: Option<f64>) -> Self {
        let unit = match spec.kind {
            Kind::Cpu => "s",
            Kind::Dependency => "ratio",
            Kind::Disk if spec.mechanism == Mechanism::Inodes => "inodes",
            Kind::Memory | Kind::Disk => "bytes",
            Kind::Descriptors => "descriptors",
            Kind::Connections => "connections",
        };
        Self {
            kind: spec.kind,
            unit,
            limit: own_limit.unwrap_or(spec.limit),
            address_space: own_limit.is_some(),
            calls: VecDeque::new(),
        }
    }

    pub(super) const fn unit(&self) -> &'static str {
        self.unit
    }

    /// What is used and what there is; `None` where the scrape does not show it.
    pub(super) fn level(&mut self, samples: &[Sample]) -> Option<(f64, f64)> {
        let value = |metric: &str| samples.iter().find(|s| s.metric == metric).map(|s| s.value);
        let sum = |metric: &str, with: &str| {
            let of_metric = samples
                .iter()
                .filter(|s| s.metric == metric && s.labels.contains(with));
            of_metric.map(|s| s.value).sum::<f64>()
        };
        match self.kind {
            Kind::Memory if self.address_space => {
                Some((value("process_virtual_memory_bytes")?, self.limit))
            }
            Kind::Memory => Some((value("container_memory_working_set_bytes")?, self.limit)),
            Kind::Disk => {
                let [size, left] = if self.unit == "inodes" {
                    ["node_filesystem_files", "node_filesystem_files_free"]
                } else {
                    ["node_filesystem_size_bytes", "node_filesystem_avail_bytes"]
                };
                let size = value(size)?;
                Some((size - value(left)?, size))
            }
            Kind::Descriptors => Some((value("process_open_fds")?, self.limit)),
            Kind::Connections => {
                let most = value("pg_settings_max_connections")?
                    - value("pg_settings_superuser_reserved_connections")?;
                Some((sum("pg_stat_activity_count", ""), most))
            }
            Kind::Dependency => {
                let all = sum("upstream_requests_total", "");
                let failed = sum("upstream_requests_total", "code=\"5");
                self.calls.push_back((all, failed));
                if self.calls.len() > LOOK_BACK {
                    self.calls.pop_front();
                }
                let (all_before, failed_before) = *self.calls.front()?;
                let share = (failed - failed_before) / (all - all_before);
                share.is_finite().then_some((share, crate::driver::FAILED))
            }
            // The latency is known to the ingress.
            Kind::Cpu => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use crate::spec::tests::spec;

    #[test]
    fn the_share_of_failed_calls_is_that_of_the_last_scrapes() {
        let mut sight = Sight::new(&spec(Kind::Dependency, Shape::Linear, 60.0), None);
        let mut level = |well: f64, failed: f64| {
            let metric = "upstream_requests_total";
            sight.level(&[
                Sample::new(metric, "code=\"200\"", well),
                Sample::new(metric, "code=\"504\"", failed),
            ])
        };
        assert_eq!(level(100.0, 0.0), None);
        assert_eq!(level(110.0, 10.0).map(|(share, _)| share), Some(0.5));
        for i in 2..6 {
            let _ = level(110.0, f64::from(i) * 10.0);
        }
        assert_eq!(level(110.0, 60.0).map(|(share, _)| share), Some(1.0));
    }

    #[test]
    fn what_is_not_shown_is_not_made_up() {
        let mut sight = Sight::new(&spec(Kind::Disk, Shape::Linear, 60.0), None);
        assert_eq!(
            sight.level(&[Sample::new("node_filesystem_size_bytes", "", 10.0)]),
            None
        );
    }
}

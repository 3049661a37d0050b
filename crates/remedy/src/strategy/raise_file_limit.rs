//! Lets a process open more files.

use super::draft::{by_cause, only, raise};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

/// The hard limit that systemd gives: beyond it somebody has to decide.
const USUAL_CEILING: f64 = 524_288.0;

/// Lets a process open more files and sockets: the usual soft limit of 1024 is forty years old, and more cost next to nothing.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "raise_file_limit",
    about: "double the limit of open files of a running process",
    classes: &[
        Class::ProcessCrash,
        Class::NetworkLatency,
        Class::MemoryExhaustion,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 0.5,
    duration_s: 5.0,
    prior: [9.0, 1.0],
    harm: 0.005,
    fallbacks: &["restart_rolling", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance, Kind::Database])?;
    if case.fact("family") != Some("descriptors") {
        return Err(Unfit::because(format!(
            "it is not open files that {} runs out of",
            case.entity
        )));
    }
    let ceiling = case.ceiling("open_files_max").unwrap_or(USUAL_CEILING);
    let limit = raise(case, "limit of open files", 2.0, ceiling)?;
    Ok(Draft {
        steps: vec![limit.step(&case.entity, "open_files")],
        effect: limit.effect(case)?,
        because: format!(
            "{} may open {} files, and a process may well need more",
            case.entity, limit.from
        ),
        // A leak needs a restart; so cheap an answer still buys the time for one.
        fit: by_cause(
            case,
            &[("growth", 0.85), ("burst", 0.8), ("leak", 0.4)],
            0.7,
        ),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_is_for_files_and_ends_somewhere() {
        let drafted = |family, limit| {
            let facts = [("family", family), ("limit", limit)];
            draft(&with("instance/api-1", Class::NetworkLatency, 0.95, &facts))
        };
        assert_eq!(
            drafted("descriptors", "1024").unwrap().steps[0]
                .action
                .to_string(),
            "set open_files of instance/api-1 from 1024 to 2048"
        );
        assert!(drafted("descriptors", "524288").is_err());
        assert!(drafted("memory", "1024").is_err());
    }
}

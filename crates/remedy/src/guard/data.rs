//! The first rule: no loss of production data.

use super::{Layer, Proposal, Stop, Veto};
use crate::Kind;
use crate::action::{Action, Disruption};
use crate::strategy::Case;

/// Seconds that a standby may be behind: what was written within is lost if the old one never answers again.
pub(crate) const MAX_LAG_S: f64 = 1.0;
/// Beginnings of patterns, below a mount point, under which files may be removed.
const TEMPORARY: [&str; 5] = ["tmp/", "var/tmp/", "var/cache/", "cache/", "log/"];
/// Endings of files that a rotation left behind.
const ROTATED: [&str; 6] = [".gz", ".xz", ".zst", ".bz2", ".old", ".1"];

pub(super) fn check(proposal: &Proposal<'_>, out: &mut Vec<Veto>) {
    let mut stop = |why: String| {
        out.push(Veto::new(
            Layer::FiveRules,
            "no_data_loss",
            Stop::ForGood,
            why,
        ));
    };
    // By attributes alone: whoever may send a finding must not be able to permit anything.
    let temporary = proposal.case.attribute("temporary").unwrap_or_default();
    let logs = proposal.case.attribute("logs");
    for action in proposal.changes() {
        if let Action::RemoveFiles { pattern, .. } = action {
            let declared = temporary.split(',').map(str::trim);
            let is_log = is_rotated_log(pattern, proposal.case.entity.name(), logs);
            if !is_log && !is_temporary(pattern, declared) {
                stop(format!(
                    "{pattern:?} is neither under a temporary place, nor a rotated log, nor declared `temporary`"
                ));
            }
        } else if action.disruption() == Disruption::LosesData {
            stop(format!("\"{action}\" overwrites what is there"));
        }
        if matches!(action, Action::FailOver { .. }) && holds_data(proposal.case) {
            match proposal.case.number("standby_lag_s") {
                Some(lag_s) if (0.0..=MAX_LAG_S).contains(&lag_s) => {}
                Some(lag_s) => stop(format!(
                    "the standby is {lag_s} s behind: what it has not got would be lost"
                )),
                None => stop("how far the standby is behind is not known".to_owned()),
            }
        }
    }
}

/// Whether something would be lost with an entity.
pub(crate) fn holds_data(case: &Case) -> bool {
    case.entity.kind() == Kind::Database || case.warns("stateful")
}

fn is_temporary<'a>(pattern: &str, mut declared: impl Iterator<Item = &'a str>) -> bool {
    let pattern = pattern.trim_start_matches('/');
    // A way out of the place, or none at all.
    if pattern.is_empty() || pattern.split('/').any(|part| part == "..") {
        return false;
    }
    declared.any(|known| !known.is_empty() && known.trim_start_matches('/') == pattern)
        || TEMPORARY.iter().any(|place| pattern.starts_with(place))
}

/// Whether a pattern is for what a rotation left behind, where logs are: by the names of its directories, by the mount point
/// of its volume, or because it was declared. An archive elsewhere may be somebody's only backup.
fn is_rotated_log(pattern: &str, volume: &str, logs: Option<&str>) -> bool {
    let pattern = pattern.trim_start_matches('/');
    let is_log = |part: &str| matches!(part, "log" | "logs");
    let (place, _) = pattern.rsplit_once('/').unwrap_or_default();
    let is_below = logs.is_some_and(|logs| {
        let below = pattern.strip_prefix(logs.trim_matches('/'));
        below.is_some_and(|below| below.starts_with('/'))
    });
    let is_place = is_below || place.split('/').any(is_log) || volume.split('/').any(is_log);
    let is_inside = pattern.split('/').all(|part| part != "..");
    is_place && is_inside && ROTATED.iter().any(|ending| pattern.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::{is_rotated_log, is_temporary};

    #[test]
    fn an_archive_is_a_log_only_where_logs_are() {
        let check = |volume: &str, pattern: &str, logs: Option<&str>, expected: bool| {
            assert_eq!(
                is_rotated_log(pattern, volume, logs),
                expected,
                "{volume} {pattern}"
            );
        };
        check("a:/", "var/log/**/*.gz", None, true);
        check("a:/var/log", "**/*.1", None, true);
        check("a:/data", "app/out/**/*.gz", Some("app/out"), true);
        check("a:/data", "app/output/**/*.gz", Some("app/out"), false);
        check("a:/backup", "**/*.gz", None, false);
        check("a:/", "var/lib/pg/base.1", None, false);
        check("a:/", "var/log/../lib/*.gz", None, false);
        check("a:/", "var/log/app.log", None, false);
    }

    #[test]
    fn only_what_is_temporary_may_be_removed() {
        let check = |pattern: &str, expected: bool| {
            let declared = "scratch/**, spool/out/*".split(',').map(str::trim);
            assert_eq!(is_temporary(pattern, declared), expected, "{pattern}");
        };
        check("tmp/**", true);
        check("/var/cache/*.bin", true);
        check("backup/*.gz", false);
        check("scratch/**", true);
        check("spool/out/*", true);
        check("var/lib/postgresql/**", false);
        check("tmp/../data/*", false);
        check("", false);
        check("**", false);
        check("spool/out/../in/*", false);
    }
}

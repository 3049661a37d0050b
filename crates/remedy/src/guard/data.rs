//! The first rule: no loss of production data.

use super::{Layer, Proposal, Stop, Veto};
use crate::action::{Action, Disruption};
use crate::Kind;

/// Beginnings of patterns, below a mount point, under which files may be removed.
const TEMPORARY: [&str; 5] = ["tmp/", "var/tmp/", "var/cache/", "cache/", "log/"];
/// Endings of files that a rotation left behind.
const ROTATED: [&str; 6] = [".gz", ".xz", ".zst", ".bz2", ".old", ".1"];

pub(super) fn check(proposal: &Proposal<'_>, out: &mut Vec<Veto>) {
    let mut stop = |why: String| {
        out.push(Veto::new(Layer::FiveRules, "no_data_loss", Stop::ForGood, why));
    };
    let temporary = proposal.case.fact("temporary").unwrap_or_default();
    for action in proposal.changes() {
        if let Action::RemoveFiles { pattern, .. } = action {
            let declared = temporary.split(',').map(str::trim);
            if !is_temporary(pattern, declared) {
                stop(format!(
                    "{pattern:?} is neither under a temporary place, nor a rotated log, nor declared `temporary`"
                ));
            }
        } else if action.disruption() == Disruption::LosesData {
            stop(format!("\"{action}\" overwrites what is there"));
        }
        let is_database = action.target().kind() == Kind::Database;
        if is_database && matches!(action, Action::Restart { .. } | Action::FailOver { .. }) {
            let lag_s = proposal.case.number("standby_lag_s").unwrap_or(0.0);
            if lag_s > 10.0 && matches!(action, Action::FailOver { .. }) {
                stop(format!("the standby is {lag_s} s behind: what it has not got would be lost"));
            }
        }
    }
}

fn is_temporary<'a>(pattern: &str, mut declared: impl Iterator<Item = &'a str>) -> bool {
    let pattern = pattern.trim_start_matches('/');
    // A way out of the place, or none at all.
    if pattern.is_empty() || pattern.split('/').any(|part| part == "..") {
        return false;
    }
    declared.any(|known| !known.is_empty() && known.trim_start_matches('/') == pattern)
        || TEMPORARY.iter().any(|place| pattern.starts_with(place))
        || ROTATED.iter().any(|ending| pattern.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::is_temporary;

    #[test]
    fn only_what_is_temporary_may_be_removed() {
        let check = |pattern: &str, expected: bool| {
            let declared = "scratch/**, spool/out/*".split(',').map(str::trim);
            assert_eq!(is_temporary(pattern, declared), expected, "{pattern}");
        };
        check("tmp/**", true);
        check("/var/cache/*.bin", true);
        check("var/log/app/*.gz", true);
        check("scratch/**", true);
        check("spool/out/*", true);
        check("var/lib/postgresql/**", false);
        check("tmp/../data/*", false);
        check("", false);
        check("**", false);
        check("spool/out/../in/*", false);
    }
}

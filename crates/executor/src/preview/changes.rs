//! What an action changes from what to what, and the same as a difference between two texts.

use remedy::action::Action;
use serde::Serialize;

use super::quantity::{bytes, duration, quantity};
use super::quote::plain;

/// Most characters of a value.
const MAX_CHARS: usize = 200;
/// Most columns of an index that are named.
const MAX_COLUMNS: usize = 16;

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What.
    pub what: String,
    /// What it is.
    pub from: String,
    /// What it shall be.
    pub to: String,
}

fn change(what: impl AsRef<str>, from: impl AsRef<str>, to: impl AsRef<str>) -> Vec<Change> {
    vec![Change {
        what: plain(what.as_ref(), MAX_CHARS),
        from: plain(from.as_ref(), MAX_CHARS),
        to: plain(to.as_ref(), MAX_CHARS),
    }]
}

/// What an action changes; empty for those that change nothing.
#[must_use]
pub fn changes(action: &Action) -> Vec<Change> {
    match action {
        Action::Restart { back_off_s, .. } => {
            let anew = match *back_off_s {
                rest if rest > 0.0 => {
                    format!("running anew, {} after it was stopped", duration(rest))
                }
                _ => "running anew".to_owned(),
            };
            change("process", "running", anew)
        }
        Action::Scale { from, to, .. } => change("replicas", from.to_string(), to.to_string()),
        Action::SetLimit {
            limit, from, to, ..
        } => {
            let unit = if limit.ends_with("_bytes") {
                "bytes"
            } else {
                ""
            };
            change(limit, quantity(*from, unit), quantity(*to, unit))
        }
        Action::SetParameter {
            parameter,
            from,
            to,
            ..
        } => change(parameter, from, to),
        Action::Drain { .. } => change("in the balance", "yes", "no"),
        Action::Undrain { .. } => change("in the balance", "no", "yes"),
        Action::ClearCache { .. } => change("cache", "filled", "empty"),
        Action::RemoveFiles {
            pattern,
            older_than_s,
            ..
        } => change(
            format!(
                "files {} older than {}",
                plain(pattern, 100),
                duration(*older_than_s)
            ),
            "there",
            "gone",
        ),
        Action::RotateLogs { .. } => change("logs", "as they are", "rotated and compressed"),
        Action::GrowVolume {
            from_bytes,
            to_bytes,
            ..
        } => change("size", bytes(*from_bytes), bytes(*to_bytes)),
        Action::Snapshot { .. } => change("copy aside", "none of now", "one of now"),
        Action::RestoreSnapshot { .. } => change("content", "as it is", "as the copy has it"),
        Action::CreateIndex { table, columns, .. } => {
            change(index(table, columns), "absent", "present")
        }
        Action::DropIndex { table, columns, .. } => {
            change(index(table, columns), "present", "absent")
        }
        Action::CancelQueries { longer_than_s, .. } => change(
            format!("queries over {}", duration(*longer_than_s)),
            "running",
            "cancelled",
        ),
        Action::EndIdleSessions { longer_than_s, .. } => change(
            format!("sessions idle over {}", duration(*longer_than_s)),
            "open",
            "ended",
        ),
        Action::Analyze { table, .. } => {
            let table = if table.is_empty() {
                "all tables"
            } else {
                table
            };
            change(
                format!("dead rows and statistics of {}", plain(table, 127)),
                "old",
                "of now",
            )
        }
        Action::RenewCertificate { .. } => change("certificate", "the present one", "a new one"),
        Action::RestoreCertificate { .. } => change("certificate", "the new one", "the kept one"),
        Action::Reload { .. } => change(
            "configuration in memory",
            "as it was read",
            "as the files are",
        ),
        Action::Quarantine { .. } => {
            change("reachable", "as configured", "for administration only")
        }
        Action::Release { .. } => change("reachable", "for administration only", "as configured"),
        Action::SetPackage {
            package, from, to, ..
        } => change(package, from, to),
        Action::ApplyConfiguration { from, to, .. }
        | Action::RevertConfiguration { from, to, .. } => change("content", from, to),
        Action::ShedLoad { share, .. } => {
            change("requests refused", "0 %", quantity(*share, "ratio"))
        }
        Action::AdmitLoad { .. } => change("requests refused", "some", "0 %"),
        Action::OpenBreaker { callee, .. } => {
            change(format!("calls to {callee}"), "pass", "are stopped")
        }
        Action::CloseBreaker { callee, .. } => {
            change(format!("calls to {callee}"), "are stopped", "pass")
        }
        Action::FailOver { from, to, .. } => change("served by", from.as_str(), to.as_str()),
        Action::PauseJobs { .. } => change("work that can wait", "running", "held back"),
        Action::ResumeJobs { .. } => change("work that can wait", "held back", "running"),
        Action::Capture { .. } | Action::Notify { .. } => Vec::new(),
    }
}

fn index(table: &str, columns: &[String]) -> String {
    let named = columns
        .iter()
        .take(MAX_COLUMNS)
        .map(|column| plain(column, 63));
    let mut named: Vec<_> = named.collect();
    if columns.len() > MAX_COLUMNS {
        named.push("…".to_owned());
    }
    format!("index on {}({})", plain(table, 127), named.join(", "))
}

/// The changes of some actions as a unified difference would show them: one section for each.
pub(super) fn diff<'a>(actions: impl Iterator<Item = (usize, &'a Action)>) -> String {
    let mut text = String::new();
    for (step, action) in actions {
        let target = plain(action.target().as_str(), MAX_CHARS);
        let changes = changes(action);
        if changes.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "--- {target}\n+++ {target} (step {}, {})\n",
            step + 1,
            action.name()
        ));
        for Change { what, from, to } in changes {
            text.push_str(&format!("- {what}: {from}\n+ {what}: {to}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::samples;

    #[test]
    fn every_action_says_what_it_changes() {
        let all = samples::actions("service/api", "x");
        let lines = all.iter().flat_map(changes);
        let lines = lines.map(|Change { what, from, to }| format!("{what}: {from} -> {to}\n"));
        expect![[r#"
            process: running -> running anew, 30 s after it was stopped
            replicas: 3 -> 5
            x: 1 -> 2.5
            x: x -> x
            in the balance: yes -> no
            in the balance: no -> yes
            cache: filled -> empty
            files x older than 24 h: there -> gone
            logs: as they are -> rotated and compressed
            size: 9.31 GiB -> 14 GiB
            copy aside: none of now -> one of now
            content: as it is -> as the copy has it
            index on x(x, x): absent -> present
            index on x(x, x): present -> absent
            queries over 30 s: running -> cancelled
            sessions idle over 10 min: open -> ended
            dead rows and statistics of x: old -> of now
            certificate: the present one -> a new one
            certificate: the new one -> the kept one
            configuration in memory: as it was read -> as the files are
            reachable: as configured -> for administration only
            reachable: for administration only -> as configured
            x: x -> x
            content: x -> x
            content: x -> x
            requests refused: 0 % -> 25 %
            requests refused: some -> 0 %
            calls to instance/x: pass -> are stopped
            calls to instance/x: are stopped -> pass
            served by: instance/x -> instance/x
            work that can wait: running -> held back
            work that can wait: held back -> running
        "#]]
        .assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_difference_has_a_section_for_each_step_that_changes_something() {
        let steps = [
            samples::scale("service/api", 3, 5),
            samples::actions("host/a", "x").remove(32),
        ];
        expect![[r#"
            --- service/api
            +++ service/api (step 1, scale)
            - replicas: 3
            + replicas: 5
        "#]]
        .assert_eq(&diff(steps.iter().enumerate()));
    }

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        let all = samples::actions("service/api", "x\n+ replicas: 99\r\u{1b}[2K");
        let text = diff(all.iter().enumerate());
        assert!(
            text.lines().all(|line| !line.starts_with("+ replicas: 99")),
            "{text}"
        );
        assert!(!text.contains(['\r', '\u{1b}']));
    }
}

//! Issues as a table; as two lines each where a terminal is too narrow for one.

use std::io;

use proto::v1::{Issue, IssueState, Plan, PlanState};
use series::Timestamp;

use crate::page::Page;
use crate::planner::{enums, words};
use crate::table::{Align, Table};

/// What is listed.
pub(super) struct Shown<'a> {
    pub(super) issues: &'a [Issue],
    /// Of each issue that has plans, the newest.
    pub(super) plans: &'a [Plan],
    pub(super) now: Timestamp,
    /// Whether resolved ones were asked for.
    pub(super) is_all: bool,
    /// Whether there are more.
    pub(super) is_cut: bool,
}

impl Shown<'_> {
    /// Writes it; `terminal` is how many columns there are, unless it goes into a file or a pipe.
    pub(super) fn write(&self, page: &mut Page<'_>, terminal: Option<usize>) -> io::Result<()> {
        if self.issues.is_empty() {
            return match self.is_all {
                true => page.text(0, "no issue matches"),
                false => page.text(
                    0,
                    "no live issue matches; `forestall issues --all` shows resolved ones",
                ),
            };
        }
        let table = self.table();
        match terminal {
            // Of a pipe, nothing is cut and every issue is a line.
            None => page.whole(&table)?,
            Some(columns) if table.width() <= columns => page.whole(&table)?,
            Some(_) => self.narrow(page)?,
        }
        self.footing(page)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("id", Align::Left),
            ("severity", Align::Left),
            ("state", Align::Left),
            ("class", Align::Left),
            ("entity", Align::Left),
            ("since", Align::Right),
            ("what", Align::Left),
            ("plan", Align::Left),
        ]);
        for issue in self.issues {
            table.row([
                issue.id.clone(),
                enums::severity(issue),
                enums::issue_state(issue),
                enums::class(issue.class()),
                issue.entity.clone(),
                words::ago(self.now, issue.opened_us),
                words::what(issue),
                self.plan(issue),
            ]);
        }
        table
    }

    fn narrow(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = self
            .issues
            .iter()
            .map(|issue| issue.id.chars().count())
            .max();
        let id = id.unwrap_or(0).clamp(3, 12) + 2;
        for issue in self.issues {
            let severity = enums::severity(issue);
            let (class, state) = (enums::class(issue.class()), enums::issue_state(issue));
            let head = format!("{severity} {class} on {}, {state}", issue.entity);
            page.hanging(0, &crate::plain::cut(&issue.id, id - 2), id, &head)?;
            let since = words::ago(self.now, issue.opened_us);
            let plan = self.plan(issue);
            let plan = if plan.is_empty() {
                "no plan".to_owned()
            } else {
                plan
            };
            page.text(id, &format!("{}; for {since}; {plan}", words::what(issue)))?;
        }
        Ok(())
    }

    /// `p4 awaiting_approval`.
    fn plan(&self, issue: &Issue) -> String {
        let Some(last) = issue.plans.last() else {
            return String::new();
        };
        let known = self.plans.iter().find(|plan| plan.id == *last);
        match known {
            Some(plan) => format!("{last} {}", words::state(plan)),
            None => last.clone(),
        }
    }

    fn footing(&self, page: &mut Page<'_>) -> io::Result<()> {
        let n = self.issues.len() as u64;
        let mut text = words::count(n, "issue", "issues");
        if self.is_cut {
            text.push_str(", and there are more: --limit");
        }
        let waiting = self
            .plans
            .iter()
            .filter(|plan| plan.state() == PlanState::AwaitingApproval);
        let waiting: Vec<&str> = waiting.map(|plan| plan.id.as_str()).collect();
        let escalated = self
            .issues
            .iter()
            .filter(|issue| issue.state() == IssueState::Escalated);
        let escalated: Vec<&str> = escalated.map(|issue| issue.id.as_str()).collect();
        text.push_str(&waits(&waiting, &escalated));
        page.text(0, &text)
    }
}

/// Plans that wait for a word, and issues that were left to people: `; 2 wait for you: …`.
fn waits(plans: &[&str], escalated: &[&str]) -> String {
    let n = plans.len() + escalated.len();
    let approve = match plans {
        [] => None,
        [one] => Some(format!("`forestall approve {one}`")),
        _ => Some("`forestall plans --state awaiting_approval`".to_owned()),
    };
    let look = match escalated {
        [] => None,
        [one] => Some(format!("`forestall issues show {one}`")),
        _ => Some("`forestall issues --state escalated`".to_owned()),
    };
    let how: Vec<String> = approve.into_iter().chain(look).collect();
    match n {
        0 => String::new(),
        1 => format!("; one waits for you: {}", how.join(", ")),
        n => format!("; {n} wait for you: {}", how.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::page::written;
    use crate::planner::samples;

    use super::*;

    fn check(issues: &[Issue], terminal: Option<usize>, expected: &Expect) -> String {
        let plans = [samples::plan()];
        let shown = Shown {
            issues,
            plans: &plans,
            now: Timestamp::from_micros(samples::NOW_US),
            is_all: false,
            is_cut: false,
        };
        let text = written(terminal.unwrap_or(100), |page| shown.write(page, terminal));
        expected.assert_eq(&text);
        text
    }

    #[test]
    fn a_line_for_each_where_there_is_room() {
        let issues = [samples::leak(), samples::certificate()];
        check(
            &issues,
            None,
            &expect![[r#"
                id   severity  state    class               entity                                since  what                                plan
                i17  critical  planned  memory_exhaustion   instance/shop/api-1                  12 min  in 12 min (7–20)                    p4 awaiting_approval
                i9   medium    open     certificate_expiry  certificate/web-1:/etc/ssl/shop.pem     2 d  expires in 12 days, 30 days wanted
                2 issues; one waits for you: `forestall approve p4`
            "#]],
        );
        check(
            &issues,
            Some(160),
            &expect![[r#"
                id   severity  state    class               entity                                since  what                                plan
                i17  critical  planned  memory_exhaustion   instance/shop/api-1                  12 min  in 12 min (7–20)                    p4 awaiting_approval
                i9   medium    open     certificate_expiry  certificate/web-1:/etc/ssl/shop.pem     2 d  expires in 12 days, 30 days wanted
                2 issues; one waits for you: `forestall approve p4`
            "#]],
        );
    }

    #[test]
    fn what_is_left_to_people_waits_for_them_too() {
        assert_eq!(waits(&[], &[]), "");
        assert_eq!(
            waits(&[], &["i9"]),
            "; one waits for you: `forestall issues show i9`"
        );
        assert_eq!(
            waits(&["p1", "p2"], &["i9"]),
            "; 3 wait for you: `forestall plans --state awaiting_approval`, `forestall issues show i9`"
        );
    }

    #[test]
    fn two_lines_for_each_where_there_is_not() {
        let issues = [samples::leak(), samples::certificate()];
        check(
            &issues,
            Some(80),
            &expect![[r#"
                i17  critical memory_exhaustion on instance/shop/api-1, planned
                     in 12 min (7–20); for 12 min; p4 awaiting_approval
                i9   medium certificate_expiry on certificate/web-1:/etc/ssl/shop.pem, open
                     expires in 12 days, 30 days wanted; for 2 d; no plan
                2 issues; one waits for you: `forestall approve p4`
            "#]],
        );
        check(
            &issues,
            Some(120),
            &expect![[r#"
                i17  critical memory_exhaustion on instance/shop/api-1, planned
                     in 12 min (7–20); for 12 min; p4 awaiting_approval
                i9   medium certificate_expiry on certificate/web-1:/etc/ssl/shop.pem, open
                     expires in 12 days, 30 days wanted; for 2 d; no plan
                2 issues; one waits for you: `forestall approve p4`
            "#]],
        );
    }

    #[test]
    fn names_of_others_are_harmless_and_nothing_says_how_to_see_more() {
        for terminal in [None, Some(80), Some(400)] {
            let shown = Shown {
                issues: &[samples::hostile()],
                plans: &[],
                now: Timestamp::from_micros(samples::NOW_US),
                is_all: true,
                is_cut: true,
            };
            let text = written(80, |page| shown.write(page, terminal));
            assert!(
                !text.contains('\u{202e}')
                    && text.ends_with("1 issue, and there are more: --limit\n"),
                "{text}"
            );
        }
        check(
            &[],
            Some(80),
            &expect![[r#"
            no live issue matches; `forestall issues --all` shows resolved ones
        "#]],
        );
    }
}

//! Entries of the audit as lines that people read.

mod sentence;

pub(super) use sentence::sentence;

use proto::v1::AuditEntry;

use super::words;
use crate::page::Page;
use crate::table::{Align, Table};

/// One line for each entry: when, who, what.
pub(super) fn write(page: &mut Page<'_>, entries: &[AuditEntry]) -> std::io::Result<()> {
    let who = entries
        .iter()
        .map(|entry| entry.actor.chars().count())
        .max();
    let who = who.unwrap_or(0).clamp(3, 16);
    let mut day = String::new();
    for entry in entries {
        let date = words::date(entry.time_us);
        let (today, time) = date.split_once(' ').unwrap_or(("", &date));
        if day != today {
            page.text(2, &format!("{today} (UTC)"))?;
            today.clone_into(&mut day);
        }
        let actor = crate::plain::cut(&entry.actor, who);
        let mark = format!("{time}  {actor:who$}");
        page.hanging(2, &mark, 12 + who, &sentence(entry))?;
    }
    Ok(())
}

/// The same with the entries' numbers; `terminal` is how many columns there are, unless it goes into a file or a pipe.
pub(super) fn list(
    page: &mut Page<'_>,
    entries: &[AuditEntry],
    terminal: Option<usize>,
) -> std::io::Result<()> {
    let table = table(entries);
    if terminal.is_none_or(|columns| table.width() <= columns) {
        return page.whole(&table);
    }
    for entry in entries {
        let when = words::date(entry.time_us);
        let mark = format!("{:>6}  {when}", entry.seq);
        let what = format!("{}: {}", entry.actor, sentence(entry));
        page.hanging(0, &mark, 29, &what)?;
    }
    Ok(())
}

fn table(entries: &[AuditEntry]) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("time (UTC)", Align::Left),
        ("who", Align::Left),
        ("what", Align::Left),
    ]);
    for entry in entries {
        table.row([
            entry.seq.to_string(),
            words::date(entry.time_us),
            entry.actor.clone(),
            sentence(entry),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    #[test]
    fn a_story_is_read_back_line_by_line() {
        let text = written(100, |page| {
            page.text(0, "History")?;
            write(page, &samples::history())
        });
        expect![[r#"
            History
              2026-11-26 (UTC)
              12:01:00  forestall  i17 opened: memory_exhaustion on instance/shop/api-1; prediction from
                                   container_memory_working_set_bytes: 0.75 against 0.9, P 0.98
              12:02:00  forestall  d9 made: about i17: ask, restart_rolling
              12:03:00  forestall  p4 awaiting approval: restart_rolling (d9; confidence 0.91, risk 0.12): Scale
                                   service/shop/api from 3 to 4; Restart instance/shop/api-1
              12:04:00  ann        p4 approved: seen this before (operator)
              12:05:00  forestall  p4 held: brake: the brake is engaged
              12:06:00  forestall  p4 step 1 ordered: restart instance/shop/api-1
              12:07:00  forestall  p4 step 1 done: done in 14 s
              12:08:00  forestall  p4 judged: cured: 0.31 where 0.3 was foretold: it moved as foretold
              12:09:00  forestall  i17 resolved: p4 cured it (was verifying)
        "#]].assert_eq(&text);
    }

    #[test]
    fn bodies_of_others_are_harmless() {
        let text = samples::HOSTILE;
        let body = serde_json::json!({ "why": text, text: [text, { "rule": text, "why": text }] });
        let kinds = ["issue.opened", "step.ordered", "plan.held", text, ""];
        let mut entries: Vec<_> = kinds
            .into_iter()
            .map(|kind| samples::entry(1, text, kind, text, &body.to_string()))
            .collect();
        entries.push(samples::entry(2, "forestall", "issue.opened", "i1", text));
        let page = written(80, |page| write(page, &entries));
        assert!(!page.contains('\u{202e}'), "{page}");
        for terminal in [None, Some(80)] {
            let text = written(80, |page| list(page, &entries, terminal));
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }

    #[test]
    fn the_audit_is_a_table_where_there_is_room() {
        let text = written(80, |page| {
            page.text(0, "Audit")?;
            list(page, &samples::history(), Some(80))
        });
        expect![[r#"
            Audit
                 1  2026-11-26 12:01:00  forestall: i17 opened: memory_exhaustion on
                                         instance/shop/api-1; prediction from
                                         container_memory_working_set_bytes: 0.75 against
                                         0.9, P 0.98
                 2  2026-11-26 12:02:00  forestall: d9 made: about i17: ask, restart_rolling
                 3  2026-11-26 12:03:00  forestall: p4 awaiting approval: restart_rolling
                                         (d9; confidence 0.91, risk 0.12): Scale
                                         service/shop/api from 3 to 4; Restart
                                         instance/shop/api-1
                 4  2026-11-26 12:04:00  ann: p4 approved: seen this before (operator)
                 5  2026-11-26 12:05:00  forestall: p4 held: brake: the brake is engaged
                 6  2026-11-26 12:06:00  forestall: p4 step 1 ordered: restart
                                         instance/shop/api-1
                 7  2026-11-26 12:07:00  forestall: p4 step 1 done: done in 14 s
                 8  2026-11-26 12:08:00  forestall: p4 judged: cured: 0.31 where 0.3 was
                                         foretold: it moved as foretold
                 9  2026-11-26 12:09:00  forestall: i17 resolved: p4 cured it (was
                                         verifying)
        "#]]
        .assert_eq(&text);
        let text = written(120, |page| list(page, &samples::history()[3..5], Some(120)));
        expect![[r#"
            entry  time (UTC)           who        what
                4  2026-11-26 12:04:00  ann        p4 approved: seen this before (operator)
                5  2026-11-26 12:05:00  forestall  p4 held: brake: the brake is engaged
        "#]]
        .assert_eq(&text);
    }
}

use expect_test::expect;

use crate::page::written;
use crate::planner::samples;

use super::*;

#[test]
fn the_whole_story_on_one_page() {
    let story = GetIssueResponse {
        issue: Some(samples::leak()),
        plans: vec![samples::plan()],
        history: samples::history(),
    };
    let text = written(80, |page| {
        write(page, &story, None, Timestamp::from_micros(samples::NOW_US))
    });
    expect![[r#"
        i17: critical memory_exhaustion on instance/shop/api-1, planned

        what        in 12 min (7–20); 98 % within 30 min, >99 % within a day
        cause       leak
        severity    a service of tier 1 loses an instance within 15 minutes
        affected    service/shop/api, service/shop/web
        also        instance/shop/cart-2 and 2 more
        since       2026-11-26 11:48:00 (UTC), 12 min ago
        last seen   5 s ago
        note        p4: restart_rolling waits for approval

        Evidence, most telling first
          1.  prediction:
              container_memory_working_set_bytes{namespace="shop",pod="api-1"}
              75 % against 90 %; in 12 min (7–20); 98 % within 30 min, >99 % within a
              day; confidence 0.90; 5 s ago
              limit_bytes 2147483648; trend 0.9 MiB/s
          2.  rule: http_request_duration_seconds{service="api"}
              350 ms against 200 ms; confidence 1.00; 8 s ago

        Plans
          p4  awaiting_approval: restart_rolling on instance/shop/api-1; confidence
              0.91, risk 0.12, reversible
              1. waiting: Scale service/shop/api from 3 to 4.
              2. waiting: Restart instance/shop/api-1.
              effect      memory_used_ratio{pod="api-1"}: 75 % to 30 % within 5 min of
                          the last step; a move of less than 10 % is no effect
              needs       operator, by 2026-11-26 12:04:00 (UTC, 4 min left)

        History
          2026-11-26 (UTC)
          12:01:00  forestall  i17 opened: memory_exhaustion on instance/shop/api-1;
                               prediction from container_memory_working_set_bytes: 0.75
                               against 0.9, P 0.98
          12:02:00  forestall  d9 made: about i17: ask, restart_rolling
          12:03:00  forestall  p4 awaiting approval: restart_rolling (d9; confidence
                               0.91, risk 0.12): Scale service/shop/api from 3 to 4;
                               Restart instance/shop/api-1
          12:04:00  ann        p4 approved: seen this before (operator)
          12:05:00  forestall  p4 held: brake: the brake is engaged
          12:06:00  forestall  p4 step 1 ordered: restart instance/shop/api-1
          12:07:00  forestall  p4 step 1 done: done in 14 s
          12:08:00  forestall  p4 judged: cured: 0.31 where 0.3 was foretold: it moved
                               as foretold
          12:09:00  forestall  i17 resolved: p4 cured it (was verifying)

        next: `forestall plans show p4`, then `forestall approve p4` or
        `forestall refuse p4 --reason …`
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_story_of_others_is_harmless() {
    let text = samples::HOSTILE;
    let story = GetIssueResponse {
        issue: Some(samples::hostile()),
        plans: vec![samples::hostile_plan()],
        history: vec![samples::entry(1, text, text, text, text)],
    };
    for width in [80, 120] {
        let text = written(width, |page| {
            write(page, &story, None, Timestamp::from_micros(samples::NOW_US))
        });
        assert!(!text.contains('\u{202e}'), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{text}"
        );
    }
    let empty = written(80, |page| {
        write(
            page,
            &GetIssueResponse::default(),
            None,
            Timestamp::from_micros(0),
        )
    });
    assert!(empty.contains("not seen any more"), "{empty}");
}

#[test]
fn what_is_left_to_people_says_why_and_what_next() {
    let mut issue = samples::certificate();
    issue.set_state(IssueState::Escalated);
    let story = GetIssueResponse {
        issue: Some(issue),
        ..GetIssueResponse::default()
    };
    let mut weighed = PlanIssueResponse {
        explanation: Some(samples::explanation()),
        ..PlanIssueResponse::default()
    };
    let now = Timestamp::from_micros(samples::NOW_US);
    let text = written(80, |page| write(page, &story, Some(&weighed), now));
    let why = text.split_once("Why it").unwrap().1;
    expect![[r#"
         is left to people, as it would be decided now
          - acting is expected to cost 0.3 min, waiting 41.2 min
          - restart_rolling: helps 0.92, sure 0.90, risk 0.12; acting 0.3, waiting 41.2
            min of outage
          - raise_memory_limit: helps 0.61, sure 0.60, risk 0.20; acting 3.5, waiting
            41.2 min of outage
            - until approved: nothing undoes it
          - quarantine: helps 0.40, sure 0.39, risk 0.70; acting 12, waiting 41.2 min of
            outage
            - for good: 2 of 3 instances would be left, and 3 are needed
          - clear_cache does not fit: it has no cache that is known

        next: mend it, then `forestall issues resolve i9 --note …`;
        `forestall issues ack i9 --note …` says that you are at it, and
        `forestall plan i9 --dry-run` shows all that was weighed
    "#]]
    .assert_eq(why);
    weighed.plan = Some(samples::plan());
    let text = written(80, |page| write(page, &story, Some(&weighed), now));
    assert!(
        text.contains("next: `forestall plan i9` makes a plan, restart_rolling;"),
        "{text}"
    );
    assert!(written(80, |page| write(page, &story, None, now)).contains("next: mend it"));
}

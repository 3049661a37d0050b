//! What is old is forgotten, but for the audit.

use remedy::audit::Head;
use remedy::decision::DecisionId;
use remedy::plan::{PlanState, Verdict};
use remedy::record::Record;

use super::records::{
    action, decision, entries, finding, found, health, issue, issues, judged, plan, plans, request,
    resolved,
};
use super::{all, at, commit, numbers, on_both};
use crate::Forgotten;

#[test]
fn old_issues_go_with_all_that_belongs_to_them_and_the_audit_stays() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        // Old; old, with a plan that is not over; not so old; live.
        let mut records = issues([resolved(9, 50), resolved(2, 50), resolved(3, 100), issue(4)]);
        records.extend(plans([
            judged(11, 9, PlanState::Done, Verdict::Cured),
            plan(12, 2),
            judged(13, 3, PlanState::Done, Verdict::Cured),
        ]));
        records.extend([
            Record::Decision(Box::new(decision(21, 9))),
            Record::Decision(Box::new(decision(20, 4))),
            Record::Action(action("old", 11, 40)),
            Record::Action(action("old, but not so old", 11, 100)),
            Record::Action(action("other", 13, 40)),
            Record::Health(Box::new(health(99))),
            Record::Health(Box::new(health(100))),
            Record::Request(request("old", 99)),
            Record::Request(request("new", 100)),
            found(9, finding("host/a", "x")),
            found(4, finding("host/b", "x")),
        ]);
        records.extend(entries(&mut head, 3));
        commit(&ledger, &records).await;
        let before = all(&ledger).await;

        let forgotten = ledger.forget(at(100)).await.unwrap();
        let expected = Forgotten {
            issues: 1,
            plans: 1,
            decisions: 1,
            findings: 1,
            actions: 1,
            health: 1,
            requests: 1,
            is_more: false,
        };
        assert_eq!(forgotten, expected);
        let memory = all(&ledger).await;
        let ids: Vec<u64> = memory.issues.iter().map(|issue| issue.id.0).collect();
        assert_eq!(ids, [2, 3, 4]);
        assert_eq!(ledger.decision(DecisionId(21)).await.unwrap(), None);
        // No number is given twice, and verdicts go on counting.
        assert_eq!(memory.last, before.last);
        assert_eq!(memory.last, numbers(9, 13, 21));
        assert_eq!(memory.verdicts, before.verdicts);
        assert_eq!(memory.head, head);
        assert_eq!(place.count("audit").await, 3);

        assert_eq!(ledger.forget(at(100)).await.unwrap(), Forgotten::default());
        let forgotten = ledger.forget(at(1000)).await.unwrap();
        assert_eq!((forgotten.issues, forgotten.plans), (1, 1));
        assert_eq!(all(&ledger).await.verdicts, before.verdicts);
        assert_eq!(all(&ledger).await.last, before.last);
    });
}

#[test]
fn one_call_forgets_a_bounded_number_and_says_that_there_is_more() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &issues((1..=1100).map(|id| resolved(id, 50)))).await;
        let mut counts = Vec::new();
        loop {
            let forgotten = ledger.forget(at(100)).await.unwrap();
            counts.push(forgotten.issues);
            if !forgotten.is_more {
                break;
            }
        }
        assert_eq!(counts, [500, 500, 100]);
    });
}

//! What is written is read back as it was, of every type.

use remedy::audit::Head;
use remedy::decision::DecisionId;
use remedy::issue::{IssueId, IssueState};
use remedy::plan::{PlanId, PlanState, Verdict};
use remedy::record::{Memory, Record};

use super::records::{
    action, brake, decision, entry, finding, found, health, issue, issues, judged, lease, plan,
    plans, rate, request, resolved,
};
use super::{all, at, commit, numbers, on_both};
use crate::Since;

#[test]
fn every_record_comes_back_bit_for_bit_after_the_ledger_is_opened_again() {
    on_both(async |place| {
        let ledger = place.open().await;
        assert_eq!(all(&ledger).await, Memory::default());
        let mut head = Head::default();
        let entries = [entry(&mut head, "i2"), entry(&mut head, "p7")];
        let present = finding("host/web-1", "used");
        let mut records = issues([issue(2)]);
        records.extend(plans([plan(7, 2)]));
        records.extend([
            found(2, present.clone()),
            Record::Decision(Box::new(decision(9, 2))),
            Record::Rate(rate("restart", "memory_exhaustion/host/leak", 0.1 + 0.2)),
            Record::Action(action("p7-0-do", 7, 118)),
            Record::Lease(lease("instance/api-1", 3)),
            Record::Brake(brake("a \"reason\"")),
            Record::Health(Box::new(health(60))),
            Record::Request(request("r-1", 61)),
        ]);
        records.extend(entries.clone().map(Record::Audit));
        commit(&ledger, &records).await;
        ledger.close().await;

        let ledger = place.open().await;
        let memory = all(&ledger).await;
        assert_eq!(memory.issues, [issue(2)]);
        assert_eq!(memory.plans, [plan(7, 2)]);
        assert_eq!(
            (memory.findings[0].issue, &memory.findings[0].finding),
            (IssueId(2), &present)
        );
        let context = "memory_exhaustion/host/leak";
        assert_eq!(memory.rates, [rate("restart", context, 0.1 + 0.2)]);
        assert_eq!(memory.actions, [action("p7-0-do", 7, 118)]);
        assert_eq!(memory.leases, [lease("instance/api-1", 3)]);
        assert_eq!(memory.brake, brake("a \"reason\""));
        assert_eq!((memory.head, memory.last), (head, numbers(2, 7, 9)));

        assert_eq!(ledger.issue(IssueId(2)).await.unwrap(), Some(issue(2)));
        assert_eq!(ledger.plan(PlanId(7)).await.unwrap(), Some(plan(7, 2)));
        let kept = ledger.decision(DecisionId(9)).await.unwrap();
        assert_eq!(kept, Some(decision(9, 2)));
        assert_eq!(ledger.issue(IssueId(u64::MAX)).await.unwrap(), None);
        let kept = ledger.request("r-1").await.unwrap();
        assert_eq!(kept, Some(request("r-1", 61)));
        assert_eq!(ledger.request("r-2").await.unwrap(), None);
        let kept = ledger.health(at(0), at(99), 9).await.unwrap();
        assert_eq!(kept, [health(60)]);
        assert_eq!(ledger.newest_health().await.unwrap(), Some(health(60)));
        assert_eq!(ledger.audit(0, 9).await.unwrap(), entries);
        assert_eq!(ledger.head().await.unwrap(), head);
    });
}

#[test]
fn of_several_records_for_one_key_the_last_counts_within_a_batch_and_across() {
    on_both(async |place| {
        let ledger = place.open().await;
        let states = [
            IssueState::Acknowledged,
            IssueState::Open,
            IssueState::Planned,
        ];
        let versions = states.map(|state| {
            let mut issue = issue(2);
            issue.state = state;
            issue
        });
        commit(&ledger, &issues(versions[..2].to_vec())).await;
        assert_eq!(all(&ledger).await.issues, [versions[1].clone()]);
        let mut records = issues([versions[0].clone(), versions[2].clone()]);
        for (n, fence) in [(1.0, 1), (2.0, 2), (3.0, 3)] {
            records.push(Record::Rate(rate("a", "x", n)));
            records.push(Record::Rate(rate("b", "x", -n)));
            records.push(Record::Lease(lease("host/a", fence)));
            records.push(Record::Brake(brake(&n.to_string())));
        }
        let mut gone = finding("host/a", "x");
        records.push(found(2, gone.clone()));
        gone.is_present = false;
        records.push(found(2, gone));
        commit(&ledger, &records).await;
        let memory = all(&ledger).await;
        assert_eq!(memory.issues, [versions[2].clone()]);
        assert_eq!(memory.rates, [rate("a", "x", 3.0), rate("b", "x", -3.0)]);
        assert_eq!(memory.leases, [lease("host/a", 3)]);
        assert_eq!(memory.brake, brake("3"));
        assert_eq!(memory.findings, []);
    });
}

#[test]
fn a_planner_starts_with_what_is_live_and_what_may_return() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut records = issues([issue(1), resolved(2, 50), resolved(3, 150)]);
        records.extend(plans([
            // Of a live issue, and of one that may return: all.
            judged(1, 1, PlanState::Done, Verdict::Cured),
            judged(2, 3, PlanState::Done, Verdict::Harmed),
            // Of one that is forgotten: what is not over.
            plan(3, 2),
            judged(4, 2, PlanState::Done, Verdict::Cured),
            judged(5, 2, PlanState::Shadow, Verdict::NoEffect),
        ]));
        let mut shadow = plan(6, 2);
        shadow.state = PlanState::Withheld;
        records.extend(plans([shadow]));
        records.extend([
            found(1, finding("host/a", "x")),
            found(2, finding("host/b", "x")),
            Record::Action(action("old", 1, 99)),
            Record::Action(action("new", 1, 100)),
        ]);
        commit(&ledger, &records).await;
        let since = Since {
            attempts: at(100),
            resolved: at(100),
        };
        let memory = ledger.load(since).await.unwrap();
        let ids: Vec<u64> = memory.issues.iter().map(|issue| issue.id.0).collect();
        assert_eq!(ids, [1, 3]);
        let ids: Vec<u64> = memory.plans.iter().map(|plan| plan.id.0).collect();
        assert_eq!(ids, [1, 2, 3, 6]);
        let ids: Vec<u64> = memory.findings.iter().map(|found| found.issue.0).collect();
        assert_eq!(ids, [1]);
        assert_eq!(memory.actions, [action("new", 1, 100)]);
        assert_eq!(memory.last, numbers(3, 6, 0));
        // Of the shadow, none.
        let verdict = |name: &str| ("restart".to_owned(), name.to_owned());
        let verdicts = [(verdict("cured"), 2), (verdict("harmed"), 1)];
        assert_eq!(memory.verdicts, verdicts.into());
    });
}

#[test]
fn more_issues_than_are_read_at_once_are_all_there() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &issues((1..=2345).map(issue))).await;
        let ids = all(&ledger).await.issues;
        let ids: Vec<u64> = ids.iter().map(|issue| issue.id.0).collect();
        assert_eq!(ids, (1..=2345).collect::<Vec<_>>());
    });
}

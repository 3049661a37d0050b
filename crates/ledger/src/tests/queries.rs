//! Filters, pages and counts.

use std::collections::BTreeMap;

use remedy::Class;
use remedy::audit::{Head, Verifier};
use remedy::issue::{Issue, IssueId, IssueState, Severity};
use remedy::plan::{PlanState, Verdict};
use remedy::record::Record;

use super::records::{
    entity, entries, entry, health, issue, issues, judged, plan, plans, resolved,
};
use super::{at, commit, on_both};
use crate::{Cursor, EntityFilter, IssueFilter, Ledger, MAX_PAGE, Page, PlanFilter};

const ALL: Page = Page {
    from: Cursor::Oldest,
    limit: u32::MAX,
};

async fn found(ledger: &Ledger, filter: IssueFilter) -> Vec<u64> {
    let issues = ledger.issues(&filter, ALL).await.unwrap();
    issues.iter().map(|issue| issue.id.0).collect()
}

async fn found_plans(ledger: &Ledger, filter: PlanFilter) -> Vec<u64> {
    let plans = ledger.plans(&filter, ALL).await.unwrap();
    plans.iter().map(|plan| plan.id.0).collect()
}

#[test]
fn issues_are_found_by_each_filter_and_by_all_at_once() {
    on_both(async |place| {
        let ledger = place.open().await;
        let all = [
            Issue {
                entity: entity("host/web-1"),
                class: Class::DiskExhaustion,
                severity: Severity::Info,
                ..issue(1)
            },
            Issue {
                entity: entity("host/web_1%"),
                cause: "Größe 100%!".to_owned(),
                severity: Severity::Critical,
                ..issue(2)
            },
            Issue {
                state: IssueState::Escalated,
                note: "Ann said \\so".to_owned(),
                ..issue(3)
            },
            Issue {
                entity: entity("host/WEB-2"),
                ..resolved(4, 50)
            },
        ];
        commit(&ledger, &issues(all)).await;
        let none = IssueFilter::default;
        let check = async |filter: IssueFilter, expected: &[u64]| {
            assert_eq!(found(&ledger, filter.clone()).await, expected, "{filter:?}");
        };
        check(none(), &[1, 2, 3, 4]).await;
        let states = vec![IssueState::Escalated, IssueState::Resolved];
        check(IssueFilter { states, ..none() }, &[3, 4]).await;
        let classes = vec![Class::DiskExhaustion];
        check(IssueFilter { classes, ..none() }, &[1]).await;
        let min_severity = Some(Severity::High);
        check(
            IssueFilter {
                min_severity,
                ..none()
            },
            &[2, 3, 4],
        )
        .await;
        check(
            IssueFilter {
                is_live: Some(true),
                ..none()
            },
            &[1, 2, 3],
        )
        .await;
        check(
            IssueFilter {
                is_live: Some(false),
                ..none()
            },
            &[4],
        )
        .await;
        for (entity, expected) in [
            (EntityFilter::Is("host/web-1".to_owned()), &[1, 3][..]),
            (EntityFilter::StartsWith("host/web".to_owned()), &[1, 2, 3]),
            (EntityFilter::StartsWith("host/web_".to_owned()), &[2]),
            (EntityFilter::StartsWith("host/WEB".to_owned()), &[4]),
            (EntityFilter::StartsWith(String::new()), &[1, 2, 3, 4]),
            (EntityFilter::Is("host/web".to_owned()), &[]),
        ] {
            check(
                IssueFilter {
                    entity: Some(entity),
                    ..none()
                },
                expected,
            )
            .await;
        }
        for (text, expected) in [
            ("WEB", &[1, 2, 3, 4][..]),
            ("GRÖSSE", &[]),
            ("größe", &[2]),
            ("0%!", &[2]),
            ("_", &[2]),
            ("SAID \\S", &[3]),
            ("\0", &[]),
            ("' OR 1 = 1 --", &[]),
        ] {
            let text = Some(text.to_owned());
            check(IssueFilter { text, ..none() }, expected).await;
        }
        let every = IssueFilter {
            states: vec![IssueState::Open],
            classes: vec![Class::MemoryExhaustion],
            min_severity: Some(Severity::Critical),
            entity: Some(EntityFilter::StartsWith("host/".to_owned())),
            is_live: Some(true),
            text: Some("100".to_owned()),
        };
        check(every, &[2]).await;
    });
}

#[test]
fn plans_are_found_by_each_filter() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut other = plan(4, 2);
        other.strategy = "scale".to_owned();
        other.class = Class::CpuSaturation;
        other.entity = entity("service/api");
        let all = [
            plan(1, 1),
            judged(2, 1, PlanState::Done, Verdict::Cured),
            judged(3, 2, PlanState::Shadow, Verdict::Harmed),
            other,
        ];
        commit(&ledger, &plans(all)).await;
        let none = PlanFilter::default;
        let check = async |filter: PlanFilter, expected: &[u64]| {
            assert_eq!(
                found_plans(&ledger, filter.clone()).await,
                expected,
                "{filter:?}"
            );
        };
        check(none(), &[1, 2, 3, 4]).await;
        check(
            PlanFilter {
                issue: Some(IssueId(2)),
                ..none()
            },
            &[3, 4],
        )
        .await;
        let states = vec![PlanState::Done, PlanState::Shadow];
        check(PlanFilter { states, ..none() }, &[2, 3]).await;
        let classes = vec![Class::CpuSaturation];
        check(PlanFilter { classes, ..none() }, &[4]).await;
        let service = Some(EntityFilter::StartsWith("service/".to_owned()));
        check(
            PlanFilter {
                entity: service,
                ..none()
            },
            &[4],
        )
        .await;
        let strategy = Some("scale".to_owned());
        check(PlanFilter { strategy, ..none() }, &[4]).await;
        let verdicts = vec![Verdict::Harmed];
        check(PlanFilter { verdicts, ..none() }, &[3]).await;
        check(
            PlanFilter {
                is_judged: Some(false),
                ..none()
            },
            &[1, 4],
        )
        .await;
        check(
            PlanFilter {
                is_over: Some(true),
                ..none()
            },
            &[2, 3],
        )
        .await;
        let outcomes = ledger.outcomes(&none(), ALL).await.unwrap();
        assert_eq!(
            outcomes.iter().map(|plan| plan.id.0).collect::<Vec<_>>(),
            [2, 3]
        );

        let statistics = ledger.statistics().await.unwrap();
        // Of the shadow, none.
        let verdicts = [(("restart".to_owned(), Verdict::Cured), 1)];
        assert_eq!(statistics.verdicts, BTreeMap::from(verdicts));
        assert_eq!(statistics.plans[&PlanState::AwaitingApproval], 2);
        assert_eq!(statistics.issues, BTreeMap::new());
        commit(&ledger, &issues([issue(1), issue(2), resolved(3, 9)])).await;
        let statistics = ledger.statistics().await.unwrap();
        let class = Class::MemoryExhaustion;
        let expected = [
            ((class, IssueState::Open), 2),
            ((class, IssueState::Resolved), 1),
        ];
        assert_eq!(statistics.issues, BTreeMap::from(expected));
    });
}

#[test]
fn pages_up_and_down_hold_everything_once() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &issues((1..=25).map(issue))).await;
        let after: fn(u64) -> Cursor = Cursor::After;
        for (begin, next, expected) in [
            (Cursor::Oldest, after, (1..=25).collect::<Vec<u64>>()),
            (Cursor::Newest, Cursor::Before, (1..=25).rev().collect()),
        ] {
            let (mut from, mut seen) = (begin, Vec::new());
            loop {
                let page = Page { from, limit: 10 };
                let page = ledger.issues(&IssueFilter::default(), page).await.unwrap();
                assert!(page.len() <= 10);
                let Some(last) = page.last() else { break };
                from = next(last.id.0);
                seen.extend(page.iter().map(|issue| issue.id.0));
            }
            assert_eq!(seen, expected);
        }
        let any = IssueFilter::default();
        let from = Cursor::Before(u64::MAX);
        let page = ledger.issues(&any, Page { from, limit: 1 }).await.unwrap();
        assert_eq!(page[0].id, IssueId(25));
        let from = Cursor::After(u64::MAX);
        let page = ledger.issues(&any, Page { from, limit: 1 }).await.unwrap();
        assert_eq!(page, []);
    });
}

#[test]
fn health_is_told_by_time_and_the_audit_by_place_and_subject() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        let mut records: Vec<Record> = (1..=9)
            .map(|s| Record::Health(Box::new(health(s))))
            .collect();
        records.extend(entries(&mut head, 1500));
        records.push(Record::Audit(entry(&mut head, "brake")));
        commit(&ledger, &records).await;
        let told = ledger.health(at(3), at(7), 3).await.unwrap();
        assert_eq!(told, [health(3), health(4), health(5)]);
        assert_eq!(ledger.health(at(6), at(7), 3).await.unwrap(), [health(6)]);

        let mut verifier = Verifier::default();
        loop {
            let page = ledger.audit(verifier.head().seq, u32::MAX).await.unwrap();
            assert!(page.len() <= MAX_PAGE as usize);
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|entry| verifier.push(entry).unwrap());
        }
        assert_eq!(verifier.head(), head);
        verifier.finish(ledger.head().await.unwrap()).unwrap();
        let of_brake = ledger.audit_of(["brake"], ALL).await.unwrap();
        assert_eq!(
            of_brake.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
            [1501]
        );
        let newest = Page {
            from: Cursor::Newest,
            limit: 2,
        };
        let newest = ledger.audit_of(["brake", "i1"], newest).await.unwrap();
        assert_eq!(
            newest.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
            [1501, 1500]
        );
    });
}

//! Texts and numbers that somebody chose.

use remedy::audit::Head;
use remedy::issue::IssueId;
use remedy::record::Record;

use super::records::{
    action, brake, entity, finding, found, issue, issues, lease, plan, plans, rate, request,
};
use super::{all, at, commit, on_both, told};
use crate::{CommitError, IssueFilter, PlanFilter, QueryError};
use crate::{Cursor, LoadError, Page, Since};

fn texts() -> [String; 8] {
    [
        "'; DROP TABLE issues; --".to_owned(),
        "a\"b\\\"c\\u0000\\0\\\\".to_owned(),
        "line\r\nline\u{2028}\u{7f}\u{1b}[2J".to_owned(),
        "😀 \u{202e}evil\u{fffd}\u{10ffff}".to_owned(),
        "\0".to_owned(),
        "a\0b\\0c".to_owned(),
        "?$1%_!".to_owned(),
        // Random enough not to be compressed into an index.
        (0..4096_u32)
            .filter_map(|i| char::from_u32(33 + i.wrapping_mul(2_654_435_761) % 90))
            .collect(),
    ]
}

#[test]
fn any_text_is_kept_as_it_is_and_found_by_itself() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        for (id, text) in (1..).zip(texts()) {
            let mut hostile = issue(id);
            (hostile.cause, hostile.note) = (text.clone(), text.clone());
            hostile.evidence = vec![finding("host/web-1", &text)];
            hostile.facts.insert(text.clone(), text.clone());
            let mut strange = plan(id, id);
            strange.strategy = text.clone();
            let entry = head.append(at(1), &text, &text, &text, text.clone());
            let mut records = issues([hostile.clone()]);
            records.extend(plans([strange.clone()]));
            records.extend([
                found(id, finding("host/web-1", &text)),
                Record::Rate(rate(&text, &text, id as f64)),
                Record::Action(action(&text, id, 5)),
                Record::Brake(brake(&text)),
                Record::Request(request(&text, 5)),
                Record::Audit(entry.clone()),
            ]);
            commit(&ledger, &records).await;

            assert_eq!(ledger.issue(IssueId(id)).await.unwrap(), Some(hostile));
            let page = Page {
                from: Cursor::Oldest,
                limit: 10,
            };
            let filter = PlanFilter {
                strategy: Some(text.clone()),
                ..PlanFilter::default()
            };
            assert_eq!(ledger.plans(&filter, page).await.unwrap(), [strange]);
            let filter = IssueFilter {
                text: Some(text.clone()),
                ..IssueFilter::default()
            };
            let issues = ledger.issues(&filter, page).await.unwrap();
            assert!(issues.iter().any(|issue| issue.id.0 == id), "{text:?}");
            let kept = ledger.request(&text).await.unwrap();
            assert_eq!(kept, Some(request(&text, 5)));
            let kept = ledger.audit_of([&*text], page).await.unwrap();
            assert_eq!(kept, [entry]);
            assert_eq!(all(&ledger).await.brake, brake(&text));
        }
        let memory = all(&ledger).await;
        let n = texts().len();
        assert_eq!(
            (
                memory.rates.len(),
                memory.actions.len(),
                memory.findings.len()
            ),
            (n, n, n)
        );
        assert!(
            texts()
                .iter()
                .all(|text| memory.rates.iter().any(|rate| rate.context == *text))
        );
    });
}

#[test]
fn names_of_the_greatest_length_are_kept() {
    on_both(async |place| {
        let ledger = place.open().await;
        let name = format!("host/{}", "\\".repeat(507));
        let mut long = issue(1);
        long.entity = entity(&name);
        let mut records = issues([long]);
        records.push(Record::Lease(lease(&name, 1)));
        records.push(found(1, finding(&name, &texts()[7])));
        commit(&ledger, &records).await;
        assert_eq!(all(&ledger).await.leases, [lease(&name, 1)]);
    });
}

#[test]
fn what_would_not_be_read_back_is_refused_by_name_and_nothing_is_written() {
    on_both(async |place| {
        let ledger = place.open().await;
        let check = async |record: Record, message: &str| {
            let mut records = issues([issue(1)]);
            records.push(record);
            let error = ledger.commit(&records).await.unwrap_err();
            assert!(!error.is_transient());
            assert!(told(&error).contains(message), "{}", told(&error));
        };
        let mut nan = plan(7, 1);
        nan.confidence = f64::NAN;
        check(plans([nan]).remove(0), "plan p7 cannot be written").await;
        let mut hidden = issue(8);
        hidden.evidence[0].ttf_s = Some([1.0, f64::INFINITY, 2.0]);
        check(issues([hidden]).remove(0), "issue i8 cannot be written").await;
        let large = issue(u64::MAX);
        check(
            issues([large]).remove(0),
            "issue i18446744073709551615 has the number",
        )
        .await;
        let mut judged = super::records::judged(
            9,
            1,
            remedy::plan::PlanState::Done,
            remedy::plan::Verdict::Cured,
        );
        if let Some(outcome) = &mut judged.outcome {
            // As JSON this is `null`, which is read as that there is no value.
            outcome.value = Some(f64::NAN);
        }
        check(plans([judged]).remove(0), "plan p9 would not be read back").await;
        assert_eq!(place.count("issues").await, 0);
    });
}

#[test]
fn a_row_that_somebody_changed_is_an_error_that_names_it() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &issues([issue(1), issue(2)])).await;
        let sql = "UPDATE issues SET body = '{\"id\": 2, \"entity\": 17}' WHERE id = 2";
        place.run(sql).await.unwrap();
        let since = Since {
            attempts: at(0),
            resolved: at(0),
        };
        let error = ledger.load(since).await.unwrap_err();
        assert!(
            told(&error).starts_with("reading issue 2: "),
            "{}",
            told(&error)
        );
        let sql = "UPDATE issues SET state = 'odd' WHERE id = 1";
        place.run(sql).await.unwrap();
        let error = ledger.statistics().await.unwrap_err();
        assert!(matches!(error, QueryError::Column { .. }), "{error}");
        assert!(error.to_string().contains("\"odd\""), "{error}");
    });
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    super::block_on(async {
        let place = super::Place::sqlite();
        std::fs::write(&place.path, "not a database, and long enough to look at").unwrap();
        for error in [
            crate::Ledger::open_for_writing(&place.location)
                .await
                .unwrap_err(),
            crate::Ledger::open_read_only(&place.location)
                .await
                .unwrap_err(),
        ] {
            assert!(told(&error).contains("not a database"), "{}", told(&error));
        }
    });
}

#[test]
fn a_duplicate_key_in_the_middle_of_a_batch_undoes_the_batch() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        let mut records = issues((1..=200).map(issue));
        records.push(Record::Action(action("same", 1, 5)));
        records.extend(super::records::entries(&mut head, 5));
        records.push(Record::Action(action("same", 2, 6)));
        let error = ledger.commit(&records).await.unwrap_err();
        assert!(matches!(error, CommitError::Duplicate(_)), "{error}");
        assert!(told(&error).contains("writing actions"), "{}", told(&error));
        assert!(!error.is_transient());
        assert_eq!(all(&ledger).await, remedy::record::Memory::default());
        records.pop();
        commit(&ledger, &records).await;
        assert_eq!(all(&ledger).await.head, head);
    });
}

#[test]
fn whoever_takes_the_brake_out_of_the_ledger_has_not_released_it() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        let kinds = ["brake.engaged", "brake.released", "brake.engaged"];
        for kind in kinds {
            let entry = head.append(at(1), "olga", kind, "brake", "{}".to_owned());
            let mut brake = brake("odd");
            brake.is_engaged = kind == "brake.engaged";
            commit(&ledger, &[Record::Brake(brake), Record::Audit(entry)]).await;
        }
        assert!(all(&ledger).await.brake.is_engaged);
        place.run("DELETE FROM brake").await.unwrap();
        let since = Since {
            attempts: at(0),
            resolved: at(0),
        };
        let error = ledger.load(since).await.unwrap_err();
        assert!(matches!(error, LoadError::Brake { seq: 3 }), "{error}");
        assert!(!error.is_transient());
    });
}

//! One writer, any number of readers, and a chain that nobody forks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use remedy::audit::{Hash, Head};
use remedy::issue::IssueId;
use remedy::record::Record;

use super::records::{action, entries, entry, issue, issues};
use super::{all, at, commit, on_both, told};
use crate::{CommitError, ForgetError, Ledger, LoadError, OpenError, Since};

#[test]
fn a_second_writer_is_told_who_is_there() {
    on_both(async |place| {
        let first = place.open().await;
        let error = Ledger::open_for_writing(&place.location).await.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
        let me = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&me), "{error}");
        commit(&first, &issues([issue(1)])).await;
        first.close().await;
        place.open().await.close().await;
        // One that is dropped gives way too.
        drop(place.open().await);
        place.open().await;
    });
}

#[test]
fn readers_need_no_lock_change_nothing_and_see_what_was_committed() {
    on_both(async |place| {
        let error = Ledger::open_read_only(&place.location).await.unwrap_err();
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        let writer = place.open().await;
        commit(&writer, &issues([issue(1)])).await;
        let reader = Ledger::open_read_only(&place.location).await.unwrap();
        assert_eq!(reader.issue(IssueId(1)).await.unwrap(), Some(issue(1)));
        commit(&writer, &issues([issue(2)])).await;
        assert_eq!(reader.issue(IssueId(2)).await.unwrap(), Some(issue(2)));

        let error = reader.commit(&issues([issue(3)])).await.unwrap_err();
        assert!(matches!(error, CommitError::ReadOnly { .. }) && !error.is_transient());
        let error = reader.forget(at(9)).await.unwrap_err();
        assert!(matches!(error, ForgetError::ReadOnly { .. }), "{error}");
        writer.close().await;
        assert_eq!(reader.issue(IssueId(2)).await.unwrap(), Some(issue(2)));
        reader.close().await;

        let before = place.is_sqlite().then(|| fs::read(&place.path).unwrap());
        let reader = Ledger::open_read_only(&place.location).await.unwrap();
        assert_eq!(all(&reader).await.issues, [issue(1), issue(2)]);
        reader.close().await;
        if let Some(before) = before {
            assert!(before == fs::read(&place.path).unwrap());
        }
        // Nor does a reader keep a writer out.
        let _reader = Ledger::open_read_only(&place.location).await.unwrap();
        place.open().await;
    });
}

#[test]
fn a_file_of_a_folder_that_nobody_may_write_is_read_without_files_beside_it() {
    super::block_on(async {
        let place = super::Place::sqlite();
        let ledger = place.open().await;
        commit(&ledger, &issues([issue(1)])).await;
        ledger.close().await;
        let way = crate::link::Way::sqlite(&place.path, crate::link::Purpose::ReadingImmutable);
        let mut link = way.connect().await.unwrap();
        let sql = crate::sql::Statement::new("x", "SELECT COUNT(*) FROM issues", []);
        let rows = link.session().fetch(sql).await.unwrap();
        assert_eq!(rows[0].int(0).unwrap(), 1);
        let file = |name: &str| place.path.with_file_name(name).exists();
        assert!(!file("ledger.db-wal") && !file("ledger.db-shm"));
    });
}

#[test]
fn what_a_server_wrote_before_it_was_killed_is_read() {
    super::block_on(async {
        let place = super::Place::sqlite();
        let ledger = place.open().await;
        commit(&ledger, &issues([issue(1)])).await;
        // The files as a power cut would leave them: what was committed is in the log only.
        let killed = super::Place::sqlite();
        for name in ["ledger.db", "ledger.db-wal"] {
            let (from, to) = (
                place.path.with_file_name(name),
                killed.path.with_file_name(name),
            );
            fs::copy(from, to).unwrap();
        }
        let reader = Ledger::open_read_only(&killed.location).await.unwrap();
        assert_eq!(all(&reader).await.issues, [issue(1)]);
        let writer = killed.open().await;
        assert_eq!(all(&writer).await.issues, [issue(1)]);
    });
}

/// Servers run these as tasks.
#[test]
fn calls_may_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    super::block_on(async {
        let place = super::Place::sqlite();
        check(&Ledger::open_for_writing(&place.location));
        let ledger = place.open().await;
        check(&ledger.commit(&[]));
        check(&ledger.forget(at(0)));
        check(&ledger.statistics());
        check(&ledger.issues(
            &crate::IssueFilter::default(),
            crate::Page {
                from: crate::Cursor::Newest,
                limit: 1,
            },
        ));
        let since = Since {
            attempts: at(0),
            resolved: at(0),
        };
        check(&ledger.load(since));
    });
}

#[test]
fn what_is_written_is_for_its_owner_only() {
    super::block_on(async {
        let place = super::Place::sqlite();
        let ledger = place.open().await;
        commit(&ledger, &issues([issue(1)])).await;
        let mut names = Vec::new();
        for file in fs::read_dir(place.path.parent().unwrap()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
            names.push(file.file_name());
        }
        names.sort();
        let expected = [
            "ledger.db",
            "ledger.db-shm",
            "ledger.db-wal",
            "ledger.db.lock",
        ];
        assert_eq!(names, expected);
    });
}

#[test]
fn a_ledger_of_a_later_program_is_refused_and_one_without_tables_is_none() {
    on_both(async |place| {
        place.open().await.close().await;
        let newer = "UPDATE meta SET value = 7 WHERE name = 'schema'";
        place.run(newer).await.unwrap();
        for error in [
            Ledger::open_for_writing(&place.location).await.unwrap_err(),
            Ledger::open_read_only(&place.location).await.unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                text.contains("is of version 7, this program knows 1"),
                "{text}"
            );
        }
        let older = "UPDATE meta SET value = 0 WHERE name = 'schema'";
        place.run(older).await.unwrap();
        let error = Ledger::open_read_only(&place.location).await.unwrap_err();
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        // Tables that are there already are not made again: nothing is overwritten.
        let error = Ledger::open_for_writing(&place.location).await.unwrap_err();
        assert!(told(&error).contains("already exists"), "{}", told(&error));
    });
}

#[test]
fn whoever_does_not_follow_the_end_writes_nothing() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut head = Head::default();
        commit(&ledger, &entries(&mut head, 3)).await;
        let mut other = Head {
            hash: Hash::of(b"other"),
            ..head
        };
        for mut wrong in [Head::default(), Head { seq: 4, ..head }, other] {
            let mut records = entries(&mut wrong, 2);
            records.extend(issues([issue(1)]));
            let error = ledger.commit(&records).await.unwrap_err();
            assert!(!error.is_transient());
            let CommitError::Forked { head: stored, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(stored, head);
        }
        let mut gap = entries(&mut head.clone(), 1);
        gap.push(Record::Audit(entry(&mut other, "x")));
        let error = ledger.commit(&gap).await.unwrap_err();
        assert!(matches!(error, CommitError::Unlinked { .. }), "{error}");
        assert_eq!(
            (place.count("audit").await, place.count("issues").await),
            (3, 0)
        );
        commit(&ledger, &entries(&mut head, 1)).await;
        assert_eq!(all(&ledger).await.head, head);
    });
}

#[test]
fn the_same_batch_again_is_a_success_and_changes_nothing() {
    on_both(async |place| {
        let ledger = place.open().await;
        let mut batch = entries(&mut Head::default(), 3);
        batch.push(Record::Action(action("p1-0-do", 1, 5)));
        commit(&ledger, &batch).await;
        commit(&ledger, &batch).await;
        assert_eq!(
            (place.count("audit").await, place.count("actions").await),
            (3, 1)
        );
        // What has no entry has no mark by which it is known again.
        let error = ledger.commit(&batch[3..]).await.unwrap_err();
        assert!(matches!(error, CommitError::Duplicate(_)), "{error}");
    });
}

#[test]
fn the_audit_is_append_only_for_everybody() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &entries(&mut Head::default(), 3)).await;
        let mut attempts = vec![
            "UPDATE audit SET actor = 'mallory' WHERE seq = 2",
            "DELETE FROM audit WHERE seq = 3",
        ];
        attempts.push(if place.is_sqlite() {
            "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2"
        } else {
            "TRUNCATE audit"
        });
        for sql in attempts {
            let error = told(&place.run(sql).await.unwrap_err());
            assert!(error.contains("the audit is append-only"), "{sql}: {error}");
        }
        assert_eq!(place.count("audit").await, 3);
    });
}

#[test]
fn an_end_that_is_not_there_is_found_when_a_planner_starts() {
    on_both(async |place| {
        let ledger = place.open().await;
        commit(&ledger, &entries(&mut Head::default(), 3)).await;
        place.run("UPDATE audit_head SET seq = 5").await.unwrap();
        let since = Since {
            attempts: at(0),
            resolved: at(0),
        };
        let error = ledger.load(since).await.unwrap_err();
        assert!(
            matches!(error, LoadError::Audit { head: 5, last: 3 }),
            "{error}"
        );
        assert!(!error.is_transient());
    });
}

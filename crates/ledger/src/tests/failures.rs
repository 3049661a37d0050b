//! Disks that fill, servers that stop, and neighbours that hold locks.

use std::time::{Duration, Instant};

use remedy::audit::Head;

use super::postgres::{Server, free_port, programs};
use super::records::{entries, issue, issues};
use super::{all, block_on, commit, on_both, told};
use crate::link::Link;
use crate::sql::Statement;
use crate::{CommitError, Ledger, Location};

#[test]
fn a_full_disk_is_an_error_that_passes_and_leaves_nothing_half_written() {
    block_on(async {
        let place = super::Place::sqlite();
        let ledger = place.open().await;
        commit(&ledger, &issues([issue(1)])).await;
        let before = all(&ledger).await;
        let limit = async |pages: &str| {
            let mut slot = ledger.writer.as_ref().unwrap().lend().await;
            let sql = format!("PRAGMA max_page_count = {pages}");
            let session = slot.as_mut().unwrap().session();
            session.fetch(Statement::new("x", &sql, [])).await.unwrap();
        };
        // Less than there is: no page more.
        limit("1").await;
        let mut head = Head::default();
        let mut batch = issues((2..=999).map(issue));
        batch.extend(entries(&mut head, 100));
        let error = ledger.commit(&batch).await.unwrap_err();
        assert!(error.is_transient(), "{}", told(&error));
        assert!(told(&error).contains("disk is full"), "{}", told(&error));
        assert_eq!(all(&ledger).await, before);

        limit("1000000").await;
        commit(&ledger, &batch).await;
        let memory = all(&ledger).await;
        assert_eq!((memory.issues.len(), memory.head), (999, head));
    });
}

#[test]
fn a_database_that_does_not_answer_is_an_error_and_the_next_commit_goes_well() {
    on_both(async |place| {
        let mut ledger = place.open().await;
        ledger.limit = Duration::from_millis(300);
        let mut stranger = place.stranger().await;
        let script = match &stranger {
            Link::Sqlite(_) => "BEGIN IMMEDIATE",
            Link::Postgres(_) => "BEGIN; LOCK TABLE issues IN ACCESS EXCLUSIVE MODE",
        };
        stranger.session().run("x", script).await.unwrap();
        let begin = Instant::now();
        let error = ledger.commit(&issues([issue(1)])).await.unwrap_err();
        assert!(error.is_transient(), "{}", told(&error));
        assert!(
            told(&error).contains("no answer within 300ms"),
            "{}",
            told(&error)
        );
        assert!(begin.elapsed() < Duration::from_secs(2));
        stranger.session().run("x", "ROLLBACK").await.unwrap();
        stranger.close().await;
        // What was given up may still be under way for a moment: that is an error that passes, too.
        ledger.limit = Duration::from_secs(10);
        let mut done = ledger.commit(&issues([issue(1)])).await;
        while done.as_ref().is_err_and(CommitError::is_transient) {
            assert!(begin.elapsed() < Duration::from_secs(20));
            done = ledger.commit(&issues([issue(1)])).await;
        }
        done.unwrap();
        assert_eq!(all(&ledger).await.issues, [issue(1)]);
    });
}

#[test]
fn a_server_that_stops_is_an_error_that_passes_when_it_is_back() {
    let Some(bin) = programs() else { return };
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = Server::start(&bin, folder.path(), port, "keep").await;
        let location = Location::Postgres(server.new_database().await);
        let mut ledger = Ledger::open_for_writing(&location).await.unwrap();
        ledger.limit = Duration::from_secs(2);
        let mut head = Head::default();
        commit(&ledger, &entries(&mut head, 2)).await;
        assert_eq!(all(&ledger).await.head, head);
        server.stop();

        let next = entries(&mut head, 2);
        for _ in 0..2 {
            let error = ledger.commit(&next).await.unwrap_err();
            assert!(error.is_transient(), "{}", told(&error));
        }
        let error = ledger.head().await.unwrap_err();
        assert!(error.is_transient(), "{}", told(&error));

        let server = Server::start(&bin, folder.path(), port, "keep").await;
        commit(&ledger, &next).await;
        assert_eq!(all(&ledger).await.head, head);
        server.stop();

        // While nobody notices: the connection is there, and turns out to be gone.
        let server = Server::start(&bin, folder.path(), port, "keep").await;
        commit(&ledger, &entries(&mut head, 2)).await;
        assert_eq!(all(&ledger).await.head, head);
        // Somebody who took over meanwhile keeps us out, and goes on from where we were.
        server.stop();
        let server = Server::start(&bin, folder.path(), port, "keep").await;
        let other = Ledger::open_for_writing(&location).await.unwrap();
        let mut ours = head;
        let ours = entries(&mut ours, 1);
        let error = ledger.commit(&ours).await.unwrap_err();
        assert!(
            matches!(error, CommitError::Taken { .. }),
            "{}",
            told(&error)
        );
        assert!(error.is_transient());
        commit(&other, &entries(&mut head, 2)).await;
        other.close().await;
        let error = ledger.commit(&ours).await.unwrap_err();
        assert!(
            matches!(error, CommitError::Forked { .. }),
            "{}",
            told(&error)
        );
        server.stop();
    });
}

#[test]
fn nobody_at_the_address_is_an_error_at_once() {
    block_on(async {
        let url = format!("postgres://ann:secret@127.0.0.1:{}/x", free_port());
        let location: Location = url.parse().unwrap();
        let begin = Instant::now();
        for error in [
            Ledger::open_for_writing(&location).await.unwrap_err(),
            Ledger::open_read_only(&location).await.unwrap_err(),
        ] {
            let text = format!("{} {error:?}", told(&error));
            assert!(text.contains("ann:***@127.0.0.1"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(begin.elapsed() < Duration::from_secs(5));
    });
}

//! When journals are sealed, what makes room, and what happens when there is none.

use std::fs;

use super::*;

/// Bytes of all files.
fn on_disk(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => on_disk(&entry.path()),
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}

#[test]
fn a_journal_is_closed_when_it_is_long_large_or_old() {
    let cases = [
        Options {
            rotate_rows: 100,
            ..Options::default()
        },
        Options {
            rotate_bytes: 10_000,
            ..Options::default()
        },
        Options {
            rotate_age_us: 60 * SECOND,
            ..Options::default()
        },
    ];
    for options in cases {
        let dir = tempfile::tempdir().unwrap();
        let (capture, mut writer) = open(dir.path(), options);
        writer.append(&rows(0, 0..10), at(0), |series| Some(key(series)));
        assert!(!writer.flush(at(59)), "{options:?}");
        writer.append(&rows(0, 10..100), at(59), |series| Some(key(series)));
        assert!(writer.flush(at(60)), "{options:?}");
        assert_eq!(seal_all(&capture), 100);
    }
}

#[test]
fn the_oldest_parts_make_room_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let max_bytes = 1 << 20;
    let options = Options {
        rotate_rows: 1000,
        max_bytes,
        ..Options::default()
    };
    let (capture, mut writer) = open(dir.path(), options);
    // The second day comes first: the day decides, not the order of arrival.
    let days: Vec<i64> = [1, 0].into_iter().chain(2..8).collect();
    let mut n_written = 0;
    for day in days {
        for hour in 0..8 {
            let from = day * 86_400 + hour * 3_600;
            writer.append(&rows(0, from..from + 1000), at(0), |series| {
                Some(key(series))
            });
            writer.flush(at(0));
            n_written += seal_all(&capture);
            assert!(on_disk(dir.path()) <= max_bytes, "{}", on_disk(dir.path()));
        }
    }
    let status = capture.status();
    assert_eq!(status.part_bytes, on_disk(dir.path()));
    assert!(status.removed_parts > 8, "{status:?}");
    assert!(status.part_bytes > max_bytes / 2, "{status:?}");
    assert!(!dir.path().join("samples/date=2023-11-14").exists());
    let left = read(dir.path());
    assert_eq!(left.len() as u64 + status.removed_parts * 1000, n_written);
    assert_eq!(
        left.last().unwrap().1,
        T0 + (7 * 86_400 + 7 * 3_600 + 999) * SECOND
    );
}

#[test]
fn without_room_it_pauses_says_why_and_goes_on_later() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(
        dir.path(),
        Options {
            max_bytes: 100_000,
            ..Options::default()
        },
    );
    for s in 0..20 {
        writer.append(&rows(0, s * 100..s * 100 + 100), at(s), |series| {
            Some(key(series))
        });
        writer.flush(at(s));
    }
    let status = capture.status();
    assert!(
        status.is_paused && status.last_error.contains("no room"),
        "{status:?}"
    );
    assert!(status.rows_lost > 0);
    assert_eq!(status.rows_written + status.rows_lost, 2000);
    assert_eq!(seal_all(&capture), status.rows_written);

    writer.append(&rows(0, 5000..5001), at(60), |series| Some(key(series)));
    writer.flush(at(60));
    let status = capture.status();
    assert!(
        !status.is_paused && status.last_error.is_empty(),
        "{status:?}"
    );
}

#[test]
fn a_disk_that_fails_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    let journal = dir.path().join(layout::JOURNAL);
    let aside = dir.path().join("aside");
    fs::rename(&journal, &aside).unwrap();
    writer.append(&rows(0, 0..10), at(0), |series| Some(key(series)));
    writer.append(&rows(0, 10..20), at(1), |series| Some(key(series)));
    let status = capture.status();
    assert!(
        status.is_paused && status.last_error.starts_with("making "),
        "{status:?}"
    );
    assert_eq!(status.rows_lost, 20);

    fs::rename(&aside, &journal).unwrap();
    writer.append(&rows(0, 20..30), at(29), |series| Some(key(series)));
    assert!(
        capture.status().is_paused,
        "the next attempt comes after 30 s"
    );
    writer.append(&rows(0, 30..40), at(31), |series| Some(key(series)));
    writer.close(at(31));
    assert_eq!(seal_all(&capture), 10);
    let status = capture.status();
    assert_eq!((status.is_paused, status.rows_lost), (false, 30));
}

#[test]
fn a_journal_that_cannot_be_sealed_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.append(&rows(0, 0..10), at(0), |series| Some(key(series)));
    writer.close(at(0));
    let samples = dir.path().join("samples");
    fs::write(&samples, b"in the way").unwrap();
    let error = capture.seal_next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("sealing "), "{error}");
    assert!(!capture.status().last_error.is_empty());
    fs::remove_file(&samples).unwrap();
    assert_eq!(seal_all(&capture), 10);
}

#[test]
fn rows_of_a_series_that_nobody_knows_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.append(&rows(7, 0..3), at(0), |_| None);
    assert_eq!(capture.status().rows_lost, 3);
}

#[test]
fn a_second_engine_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, writer) = open(dir.path(), Options::default());
    let second = Capture::open(dir.path(), Options::default(), selectors);
    assert!(matches!(second, Err(CaptureError::InUse { .. })));
    drop(capture);
    let second = Capture::open(dir.path(), Options::default(), selectors);
    assert!(
        matches!(second, Err(CaptureError::InUse { .. })),
        "the writer still writes"
    );
    drop(writer);
    open(dir.path(), Options::default());
}

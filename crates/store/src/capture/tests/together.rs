//! Writing, sealing, removing, marking and reading, all at once.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

#[test]
fn a_part_that_vanishes_while_others_are_read_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    for series in 0..3 {
        write(dir.path(), &rows(series, 0..10));
    }
    let (mut reader, mut rows) = (reader(dir.path()), Rows::default());
    let parts = layout::parts(dir.path(), Table::Samples).unwrap();
    assert!(reader.next(&mut rows).unwrap());
    fs::remove_file(&parts[1].path).unwrap();
    let mut n = rows.len();
    while reader.next(&mut rows).unwrap() {
        n += rows.len();
    }
    assert_eq!((n, reader.skipped().vanished_parts), (20, 1));
}

#[test]
fn readers_see_whole_parts_in_order_while_the_oldest_are_removed() {
    const TURNS: i64 = 120;
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        rotate_rows: 400,
        max_bytes: 400_000,
        ..Options::default()
    };
    let (capture, mut writer) = open(dir.path(), options);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                if let Some(sealed) = capture.seal_next() {
                    sealed.unwrap();
                }
                thread::yield_now();
            }
        });
        scope.spawn(|| {
            for s in 0..20 {
                let body = NewMark {
                    kind: MarkKind::Fault,
                    selector: "load".to_owned(),
                    note: String::new(),
                    from_us: at(s).micros(),
                    to_us: None,
                };
                let mark = capture.start_mark(body).unwrap();
                capture.end_mark(mark.id, at(s + 1)).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    let (mut reader, mut rows) = (reader(dir.path()), Rows::default());
                    let mut last = [i64::MIN; 4];
                    while reader.next(&mut rows).unwrap() {
                        for (series, time) in rows.series.iter().zip(&rows.times) {
                            assert!(*time > last[*series as usize]);
                            last[*series as usize] = *time;
                        }
                    }
                    assert_eq!(reader.skipped().repeated_rows, 0);
                }
            });
        }
        for turn in 0..TURNS {
            for series in 0..4 {
                let some = rows(series, turn * 50..turn * 50 + 50);
                writer.append(&some, at(turn), |series| Some(key(series)));
            }
            writer.flush(at(turn * 31));
            // Not faster than parts are packed: this test is about order, not about a lack of room.
            while capture.status().journals > 2 {
                thread::yield_now();
            }
        }
        writer.close(at(TURNS * 31));
        while capture.status().journals > 0 {
            thread::yield_now();
        }
        is_over.store(true, Ordering::Release);
    });
    let status = capture.status();
    assert_eq!(
        (status.rows_sealed, status.rows_lost),
        (TURNS as u64 * 200, 0),
        "{status:?}"
    );
    assert!(status.removed_parts > 0, "{status:?}");
    assert!(status.part_bytes <= 400_000, "{status:?}");
}

//! Marks and feedback: what may be learned as normal, and what never.

use super::*;
use crate::Verdict;

fn mark(kind: MarkKind, selector: &str, from: i64, to: Option<i64>) -> NewMark {
    NewMark {
        kind,
        selector: selector.to_owned(),
        note: "a note".to_owned(),
        from_us: at(from).micros(),
        to_us: to.map(|to| at(to).micros()),
    }
}

fn said(series: u32, submitted: i64, from: i64, to: Option<i64>, verdict: Verdict) -> Said {
    Said {
        series: SeriesKey::clone(&key(series)),
        submitted_us: at(submitted).micros(),
        from_us: at(from).micros(),
        to_us: to.map(|to| at(to).micros()),
        verdict,
        note: String::new(),
    }
}

/// One sign per second of series 0: `.` normal, `f` fault, `m` mitigated, `c` confirmed, `d` dismissed; capital when it
/// must not be learned as normal.
fn signs(dir: &Path) -> String {
    let mut reader = reader(dir);
    let (mut rows, mut signs) = (Rows::default(), String::new());
    while reader.next(&mut rows).unwrap() {
        for i in 0..rows.len() {
            if *reader.series()[rows.series[i] as usize] != *key(0) {
                assert!(rows.use_as_normal(i), "only series 0 is interfered with");
                continue;
            }
            let sign = match (rows.provenance[i], rows.verdicts[i]) {
                (Provenance::Mitigated, _) => 'm',
                (Provenance::Fault, _) => 'f',
                (Provenance::Normal, Some(Verdict::Confirmed)) => 'c',
                (Provenance::Normal, Some(Verdict::Dismissed)) => 'd',
                (Provenance::Normal, None) => '.',
            };
            signs.push(match rows.use_as_normal(i) {
                true => sign,
                false => sign.to_ascii_uppercase(),
            });
        }
    }
    signs
}

#[test]
fn marks_made_while_rows_come_are_in_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    let mut push = |from: i64, to: i64| {
        for series in [0, 1] {
            writer.append(&rows(series, from..to), at(0), |series| Some(key(series)));
        }
    };
    push(0, 2);
    let fault = capture
        .start_mark(mark(MarkKind::Fault, "load", 2, None))
        .unwrap();
    push(2, 4);
    let mitigated = capture
        .start_mark(mark(MarkKind::Mitigated, "load", 4, None))
        .unwrap();
    push(4, 6);
    capture.end_mark(fault.id, at(6)).unwrap();
    push(6, 8);
    capture.end_mark(mitigated.id, at(8)).unwrap();
    push(8, 10);
    writer.close(at(0));
    seal_all(&capture);
    // In the file itself, for those who read it with other tools.
    let mut parts = layout::parts(dir.path(), Table::Samples).unwrap();
    let part = parts.remove(0).path;
    let opened = file::open(&part, File::open(&part).unwrap(), Table::Samples).unwrap();
    let mut batches = opened.row_group(0, 100).unwrap();
    let batch = opened.next(0, &mut batches).unwrap().unwrap();
    let cells = cells::Cells {
        path: &part,
        row_group: None,
        batch: &batch,
    };
    let (labels, provenance) = (
        cells.texts("labels").unwrap(),
        cells.texts("provenance").unwrap(),
    );
    let written: Vec<&str> = (0..batch.num_rows())
        .filter(|&i| labels.at(i).is_empty())
        .map(|i| provenance.at(i))
        .collect();
    let expected = [
        "normal",
        "normal",
        "fault",
        "fault",
        "mitigated",
        "mitigated",
        "mitigated",
        "mitigated",
        "normal",
        "normal",
    ];
    assert_eq!(written, expected);
    assert_eq!(signs(dir.path()), "..FFMMMM..");
}

#[test]
fn marks_made_afterwards_count_too_and_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &rows(0, 0..10));
    let (capture, writer) = open(dir.path(), Options::default());
    let open_end = capture
        .start_mark(mark(MarkKind::Mitigated, "load0", 7, None))
        .unwrap();
    capture
        .start_mark(mark(MarkKind::Fault, "load0", 1, Some(3)))
        .unwrap();
    capture
        .start_mark(mark(MarkKind::Fault, "nothing", 0, Some(10)))
        .unwrap();
    assert_eq!(signs(dir.path()), ".FF....MMM");
    drop((capture, writer));

    let (capture, _writer) = open(dir.path(), Options::default());
    let marks = capture.marks();
    assert_eq!(marks.len(), 3);
    assert_eq!(marks[0], open_end);
    capture.end_mark(open_end.id, at(9)).unwrap();
    assert_eq!(signs(dir.path()), ".FF....MM.");
    let next = capture
        .start_mark(mark(MarkKind::Fault, "", 1, Some(2)))
        .unwrap();
    assert_eq!(next.id, 4);
}

#[test]
fn what_is_wrong_with_a_mark_is_said_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, _writer) = open(dir.path(), Options::default());
    let selector = capture
        .start_mark(mark(MarkKind::Fault, "a!", 0, None))
        .unwrap_err();
    assert_eq!(selector.to_string(), "'!' cannot begin a series");
    let interval = capture
        .start_mark(mark(MarkKind::Fault, "", 5, Some(5)))
        .unwrap_err();
    assert!(interval.to_string().contains("cannot end at"), "{interval}");
    assert!(matches!(
        capture.end_mark(1, at(1)),
        Err(MarkError::Unknown(1))
    ));
    let made = capture
        .start_mark(mark(MarkKind::Fault, "", 5, Some(6)))
        .unwrap();
    assert!(matches!(
        capture.end_mark(made.id, at(7)),
        Err(MarkError::Ended { .. })
    ));
    assert_eq!(capture.marks(), [made]);
}

#[test]
fn marks_older_than_all_samples_are_forgotten_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &rows(0, 0..1));
    let (capture, writer) = open(dir.path(), Options::default());
    capture
        .start_mark(mark(MarkKind::Fault, "old", -200_000, Some(-190_000)))
        .unwrap();
    capture
        .start_mark(mark(MarkKind::Fault, "open", -200_000, None))
        .unwrap();
    drop((capture, writer));
    let (capture, _writer) = open(dir.path(), Options::default());
    let left: Vec<String> = capture
        .marks()
        .into_iter()
        .map(|mark| mark.body.selector)
        .collect();
    assert_eq!(left, ["open"]);
}

#[test]
fn the_latest_word_on_a_row_counts_and_undoes_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &rows(0, 0..12));
    write(dir.path(), &rows(1, 0..12));
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.say(said(0, 20, 1, Some(6), Verdict::Confirmed), at(20));
    writer.say(said(0, 22, 3, Some(4), Verdict::Dismissed), at(22));
    writer.say(said(0, 21, 4, Some(4), Verdict::Confirmed), at(22));
    writer.flush(at(22));
    assert_eq!(
        signs(dir.path()),
        ".CCddCC.....",
        "read before it is sealed"
    );
    capture
        .start_mark(mark(MarkKind::Mitigated, "load", 2, Some(4)))
        .unwrap();
    capture
        .start_mark(mark(MarkKind::Fault, "load", 4, Some(5)))
        .unwrap();
    writer.close(at(22));
    seal_all(&capture);
    assert_eq!(signs(dir.path()), ".CMMFCC.....");
}

#[test]
fn a_verdict_on_an_event_under_way_reaches_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = rows(0, 0..10);
    for (s, phase) in [
        (2, EventPhase::Opened),
        (3, EventPhase::Open),
        (4, EventPhase::Open),
        (5, EventPhase::Closed),
        (7, EventPhase::Opened),
        (8, EventPhase::Open),
    ] {
        all[s].event = phase;
    }
    write(dir.path(), &all);
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.say(said(0, 3, 2, None, Verdict::Confirmed), at(3));
    writer.close(at(3));
    seal_all(&capture);
    assert_eq!(signs(dir.path()), "..CCCC....");
}

//! What was written is read, whatever came in between.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::*;

/// Rows of some series over some days: series, seconds since the row before, and bits that stand for everything else.
fn made() -> impl Strategy<Value = Vec<Row>> {
    let one = (0..7_u32, 1..40_000_i64, any::<u64>(), 0..4_usize);
    prop::collection::vec(one, 0..200).prop_map(|all| {
        let mut last = [T0; 7];
        let made = all.into_iter().map(|(series, gap_s, bits, phase)| {
            last[series as usize] += gap_s * SECOND;
            Row {
                event: EventPhase::ALL[phase],
                value: f64::from_bits(bits),
                alert_score: f32::from_bits(bits as u32),
                ..row(series, last[series as usize])
            }
        });
        made.collect()
    })
}

/// Everything but NaN compares by value; a NaN is as good as another.
fn text(row: &Row) -> String {
    let Row {
        event,
        alert_score,
        time_us,
        value,
        level,
        score,
        columns,
        series,
    } = row;
    format!(
        "{} {event:?} {alert_score:?} {time_us} {value:?} {level:?} {score:?} {columns:?}",
        key(*series)
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_read(rows in made(), flush_every in 1..50_usize, rotate_rows in 1..100_u64) {
        let dir = tempfile::tempdir().unwrap();
        let (capture, mut writer) = open(dir.path(), Options { rotate_rows, ..Options::default() });
        for some in rows.chunks(flush_every) {
            writer.append(some, at(0), |series| Some(key(series)));
            writer.flush(at(0));
        }
        writer.close(at(0));
        prop_assert_eq!(seal_all(&capture), rows.len() as u64);
        let status = capture.status();
        prop_assert_eq!(
            (status.rows_written, status.rows_sealed, status.rows_lost, status.journals, status.journal_bytes),
            (rows.len() as u64, rows.len() as u64, 0, 0, 0)
        );

        let mut expected = BTreeMap::<String, Vec<String>>::new();
        for row in &rows {
            expected.entry(key(row.series).to_string()).or_default().push(text(row));
        }
        let mut found = BTreeMap::<String, Vec<String>>::new();
        let (mut reader, mut batch) = (reader(dir.path()), Rows::default());
        while reader.next(&mut batch).unwrap() {
            for i in 0..batch.len() {
                let name = reader.series()[batch.series[i] as usize].to_string();
                let series = (0..7).find(|&series| key(series).to_string() == name).unwrap();
                let row = Row {
                    series,
                    event: batch.events[i],
                    alert_score: batch.alert_scores[i],
                    time_us: batch.times[i],
                    value: batch.values[i],
                    level: batch.levels[i],
                    score: batch.scores[i],
                    columns: batch.columns[i],
                };
                prop_assert!(batch.use_as_normal(i));
                found.entry(name).or_default().push(text(&row));
            }
        }
        prop_assert_eq!(reader.skipped(), Skipped::default());
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_kill_loses_only_what_was_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.append(&rows(0, 0..100), at(0), |series| Some(key(series)));
    writer.flush(at(0));
    writer.append(&rows(1, 0..50), at(0), |series| Some(key(series)));
    writer.flush(at(1));
    writer.append(&rows(2, 0..10), at(1), |series| Some(key(series)));
    drop((capture, writer));
    assert_eq!(read(dir.path()), [], "a journal is not read");

    let (capture, _writer) = open(dir.path(), Options::default());
    let status = capture.status();
    assert_eq!((status.recovered_journals, status.journals), (1, 1));
    assert_eq!(seal_all(&capture), 150);
    assert_eq!(capture.status().torn_bytes, 0);
    assert_eq!(read(dir.path()).len(), 150);
}

#[test]
fn a_journal_torn_at_any_byte_keeps_its_whole_batches() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    let journal = |dir: &Path| layout::journals(dir).unwrap().remove(0).path;
    let mut ends = vec![(0, 0)];
    for i in 0..3 {
        writer.append(&rows(i, 0..5), at(0), |series| Some(key(series)));
        writer.flush(at(0));
        let bytes = fs::metadata(journal(dir.path())).unwrap().len();
        ends.push((bytes as usize, ends.len() as u64 * 5));
    }
    drop((capture, writer));
    let whole = fs::read(journal(dir.path())).unwrap();
    // Around each end of a piece, and here and there within.
    let near = ends
        .iter()
        .flat_map(|(end, _)| end.saturating_sub(2)..=end + 2);
    let cuts = near.chain((0..whole.len()).step_by(499));
    for cut in cuts.filter(|&cut| cut <= whole.len()) {
        let again = tempfile::tempdir().unwrap();
        let path = layout::journal_path(again.path(), Table::Samples, layout::Day::of(T0), 3);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &whole[..cut]).unwrap();
        let (capture, mut writer) = open(again.path(), Options::default());
        let &(end, n) = ends.iter().rev().find(|(end, _)| *end <= cut).unwrap();
        assert_eq!(seal_all(&capture), n, "cut at {cut}");
        assert_eq!(
            capture.status().torn_bytes,
            (cut - end) as u64,
            "cut at {cut}"
        );
        assert_eq!(read(again.path()).len() as u64, n);
        // And it goes on.
        writer.append(&rows(9, 0..1), at(0), |series| Some(key(series)));
        writer.close(at(0));
        assert_eq!(seal_all(&capture), 1);
    }
}

#[test]
fn a_kill_between_part_and_journal_gives_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, mut writer) = open(dir.path(), Options::default());
    writer.append(&rows(0, 0..100), at(0), |series| Some(key(series)));
    writer.close(at(0));
    let journal = layout::journals(dir.path()).unwrap().remove(0).path;
    let kept = fs::read(&journal).unwrap();
    assert_eq!(seal_all(&capture), 100);
    drop(capture);
    fs::write(&journal, kept).unwrap();
    fs::write(journal.with_extension(layout::UNFINISHED), b"PAR1").unwrap();

    let (capture, _writer) = open(dir.path(), Options::default());
    assert_eq!(seal_all(&capture), 100);
    assert_eq!(capture.status().parts, 1);
    assert_eq!(read(dir.path()).len(), 100);
    let left: Vec<_> = fs::read_dir(dir.path().join(layout::JOURNAL))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "the lock alone: {left:?}");
}

#[test]
fn rows_lie_under_their_day_and_a_range_reads_no_more_than_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let day = 86_400;
    let all: Vec<Row> = (0..12).map(|d| row(0, T0 + d * day * SECOND)).collect();
    write(dir.path(), &all);
    assert!(dir.path().join("samples/date=2023-11-14").is_dir());
    assert_eq!(layout::parts(dir.path(), Table::Samples).unwrap().len(), 12);
    let mut some = Reader::open(dir.path(), at(2 * day)..at(4 * day), selectors).unwrap();
    assert_eq!(
        some.parts_left(),
        3,
        "the end of the range lies within a day"
    );
    let (mut rows, mut times) = (Rows::default(), Vec::new());
    while some.next(&mut rows).unwrap() {
        times.extend_from_slice(&rows.times);
    }
    assert_eq!(times, [at(2 * day).micros(), at(3 * day).micros()]);
    let mut none = Reader::open(dir.path(), at(4 * day)..at(2 * day), selectors).unwrap();
    assert!(!none.next(&mut rows).unwrap());
}

#[test]
fn history_that_is_sent_again_is_not_read_twice() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &rows(0, 0..10));
    write(dir.path(), &rows(0, 5..15));
    let mut reader = reader(dir.path());
    let (mut rows, mut n) = (Rows::default(), 0);
    while reader.next(&mut rows).unwrap() {
        n += rows.len();
    }
    assert_eq!((n, reader.skipped().repeated_rows), (15, 5));
}

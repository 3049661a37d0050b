use features::{N_COLUMNS, column};
use predict::forecast::TARGET;

use super::*;
use crate::recipe::Recipe;
use crate::source::SeriesChunk;

/// Blocks of 128 rows, and 4 that are looked ahead to.
fn recipe() -> Recipe {
    Recipe::named("quick").unwrap()
}

struct Rows {
    times: Vec<i64>,
    columns: Vec<[f32; N_COLUMNS]>,
    normal: Vec<bool>,
}

/// Rows whose target is their place.
fn rows(n: usize) -> Rows {
    let row = |i: usize| {
        let mut row = [0.5; N_COLUMNS];
        row[TARGET] = i as f32 / 16.0;
        row[column::GAP] = 0.0;
        row
    };
    Rows {
        times: (0..n as i64).collect(),
        columns: (0..n).map(row).collect(),
        normal: vec![true; n],
    }
}

impl Rows {
    fn chunk(&self, series: u64, range: std::ops::Range<usize>) -> SeriesChunk<'_> {
        SeriesChunk {
            series,
            times: &self.times[range.clone()],
            columns: &self.columns[range.clone()],
            use_as_normal: &self.normal[range],
        }
    }
}

fn writer(dir: &std::path::Path) -> SpoolWriter {
    let recipe = recipe();
    SpoolWriter::new(&dir.join("spool"), &recipe, &recipe.signature().unwrap()).unwrap()
}

/// Targets of a slice, and what they weigh.
fn targets(spool: &Spool, slice: Slice) -> Vec<(f32, f32)> {
    let mut rows = Vec::new();
    spool.read(slice, &mut rows).unwrap();
    let rows = rows.chunks_exact(spool.row_len());
    rows.map(|row| (row[spool.row_len() - 2], row[spool.row_len() - 1]))
        .collect()
}

#[test]
fn every_step_stands_in_one_block_and_the_cut_parts_the_roles() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, rows) = (writer(dir.path()), rows(1_000));
    // Two series, mixed, in chunks of odd length.
    for start in (0..1_000).step_by(77) {
        for series in [9, 4] {
            let end = (start + 77).min(1_000);
            writer.push(rows.chunk(series, start..end)).unwrap();
        }
    }
    let spool = writer.finish().unwrap();
    assert_eq!((spool.n_rows(), spool.n_series()), (2_000, 2));
    assert_eq!((spool.series_id(0), spool.series_id(1)), (9, 4));
    let own = |role| {
        let all = spool.slices(role, 32).into_iter();
        all.filter(|slice| slice.series == 1)
            .collect::<Vec<Slice>>()
    };
    let training = own(Role::Training);
    assert_eq!(training.iter().map(|slice| slice.steps).sum::<u32>(), 800);
    let last = targets(&spool, training[training.len() - 1]);
    // A fifth is kept back; nothing of it is seen, not even as a target.
    assert_eq!(last[last.len() - 1], (799.0 / 16.0, 1.0));
    let first = training[0];
    assert_eq!((first.steps, first.rows, first.weighs_from), (128, 132, 0));
    assert_eq!(targets(&spool, first)[131], (131.0 / 16.0, 1.0));
    let validation = own(Role::Validation);
    let judged = validation
        .iter()
        .map(|slice| slice.steps.min(slice.rows) - slice.weighs_from);
    // 200 rows, less 32 for the swing of the one block that begins among them.
    assert!((168..=200).contains(&judged.sum::<u32>()), "{validation:?}");
    assert_eq!(validation[0].weighs_from, 800 - 128 * 6);
}

#[test]
fn gaps_part_segments_and_what_is_odd_weighs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut rows) = (writer(dir.path()), rows(90));
    rows.columns[50][column::GAP] = 4.5;
    rows.columns[20][column::LEVEL] = f32::NAN;
    rows.columns[21][TARGET] = -1e6;
    rows.normal[22] = false;
    writer.push(rows.chunk(1, 0..90)).unwrap();
    let spool = writer.finish().unwrap();
    let slices = spool.slices(Role::Training, 32);
    assert_eq!(
        slices.iter().map(|s| s.rows).collect::<Vec<u32>>(),
        [50, 22]
    );
    let first = targets(&spool, slices[0]);
    assert_eq!(
        first[20..23],
        [(0.0, 0.0), (-100.0, 1.0), (22.0 / 16.0, 0.0)]
    );
}

#[test]
fn contradictions_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut rows) = (writer(dir.path()), rows(10));
    let mut uneven = rows.chunk(5, 0..10);
    uneven.use_as_normal = &[true];
    assert!(
        writer
            .push(uneven)
            .unwrap_err()
            .to_string()
            .contains("0x5 has 10 times")
    );
    rows.times[6] = -7;
    let error = writer.push(rows.chunk(5, 0..10)).unwrap_err().to_string();
    assert!(error.contains("from 5 to -7"), "{error}");
}

/// More series than memory has room for: blocks become shorter, and no row is lost.
#[test]
fn many_series_at_once_take_no_more_memory() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, rows) = (writer(dir.path()), rows(100));
    writer.waiting_bytes = 50_000;
    for start in (0..100).step_by(10) {
        for series in 0..500 {
            writer.push(rows.chunk(series, start..start + 10)).unwrap();
        }
    }
    let spool = writer.finish().unwrap();
    assert_eq!((spool.n_rows(), spool.n_series()), (50_000, 500));
    let slices = spool.slices(Role::Training, 32);
    let steps: u32 = slices.iter().map(|slice| slice.steps).sum();
    assert_eq!((steps, slices[0].rows), (40_000, 10));
}

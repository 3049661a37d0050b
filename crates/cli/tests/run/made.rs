//! Recordings, made up.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A sawtooth of 20 minutes, a value each minute from 2024-05-01 on, with one spike; the last row comes twice. Returns the
/// file's path.
pub(crate) fn wave(dir: &Path, name: &str, rows: usize, spike_at: usize) -> String {
    let mut csv = "timestamp,value\n".to_owned();
    let mut row = |i: usize, value: f64| {
        let (day, hour, minute) = (1 + i / 1_440, i % 1_440 / 60, i % 60);
        let _ = writeln!(csv, "2024-05-{day:02} {hour:02}:{minute:02}:00,{value}");
    };
    (0..rows).for_each(|i| {
        row(
            i,
            if i == spike_at {
                500.0
            } else {
                (i % 20) as f64
            },
        )
    });
    row(rows - 1, 7.0);
    let path = dir.join(name);
    fs::write(&path, csv).expect("a scratch folder can be written");
    path.to_str().expect("plain name").to_owned()
}

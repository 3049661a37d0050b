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

/// Half an hour in which a container fills from 30 to 90 % of its limit, scraped every 20 seconds, beside one without a
/// limit. Returns the file's path.
pub(crate) fn leak(dir: &Path, name: &str) -> String {
    const LIMIT: f64 = 1_073_741_824.0;
    let mut csv = "time,metric,labels,value\n".to_owned();
    for i in 0..90 {
        let (at, share) = (1_714_564_800 + i * 20, 0.3 + 0.6 * f64::from(i) / 89.0);
        let used = LIMIT * share + f64::from(i * 7_919 % 101) * 1e4;
        let _ = writeln!(
            csv,
            "{at},container_spec_memory_limit_bytes,\"pod=\"\"api\"\"\",{LIMIT}\n\
             {at},container_memory_working_set_bytes,\"pod=\"\"api\"\"\",{used}\n\
             {at},container_memory_working_set_bytes,\"pod=\"\"web\"\"\",{}",
            1e8 + f64::from(i % 7)
        );
    }
    let path = dir.join(name);
    fs::write(&path, csv).expect("a scratch folder can be written");
    path.to_str().expect("plain name").to_owned()
}

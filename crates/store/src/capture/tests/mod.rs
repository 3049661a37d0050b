//! A capture directory on a real file system: written, killed, read, and handed files of strangers.

mod bounds;
mod hostile;
mod interference;
mod round_trip;
mod together;

use std::ops::Range;
use std::sync::Arc;

use series::SeriesKey;

use super::*;

/// 2023-11-14T22:13:20Z.
const T0: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// For tests, a selector is the beginning of a series' text.
fn selectors(text: &str) -> Result<Picker, String> {
    if text.contains('!') {
        return Err("'!' cannot begin a series".to_owned());
    }
    let start = text.to_owned();
    Ok(Box::new(move |key| key.to_string().starts_with(&start)))
}

fn key(series: u32) -> Arc<SeriesKey> {
    let text = match series % 3 {
        0 => format!("load{series}"),
        1 => format!("cpu{{host=\"h{series}\"}}"),
        _ => format!("say{{a=\"x \\\"{series}\\\" y\",b=\"π\"}}"),
    };
    Arc::new(text.parse().unwrap())
}

/// A row whose numbers all differ.
fn row(series: u32, time_us: i64) -> Row {
    let seed = time_us as f64 * 1e-9 + f64::from(series);
    Row {
        series,
        event: EventPhase::None,
        alert_score: (seed.sin().abs() * 0.9) as f32,
        time_us,
        value: seed.cos() * 1e6,
        level: seed.tan(),
        score: seed.sin().abs(),
        columns: std::array::from_fn(|i| (seed * (i + 1) as f64).sin() as f32),
    }
}

fn rows(series: u32, seconds: Range<i64>) -> Vec<Row> {
    seconds.map(|s| row(series, T0 + s * SECOND)).collect()
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_micros(T0 + s * SECOND)
}

fn open(dir: &Path, options: Options) -> (Capture, Writer) {
    Capture::open(dir, options, selectors).unwrap()
}

fn seal_all(capture: &Capture) -> u64 {
    std::iter::from_fn(|| capture.seal_next())
        .map(|sealed| sealed.unwrap().rows)
        .sum()
}

/// Writes rows and seals them.
fn write(dir: &Path, rows: &[Row]) {
    let (capture, mut writer) = open(dir, Options::default());
    writer.append(rows, at(0), |series| Some(key(series)));
    writer.close(at(0));
    assert_eq!(seal_all(&capture), rows.len() as u64);
}

fn reader(dir: &Path) -> Reader {
    let all = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
    Reader::open(dir, all, selectors).unwrap()
}

/// All rows, with the text of their series.
fn read(dir: &Path) -> Vec<(String, i64)> {
    let mut reader = reader(dir);
    let (mut rows, mut all) = (Rows::default(), Vec::new());
    while reader.next(&mut rows).unwrap() {
        for i in 0..rows.len() {
            let key = &reader.series()[rows.series[i] as usize];
            all.push((key.to_string(), rows.times[i]));
        }
    }
    all
}

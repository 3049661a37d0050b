//! What came of an episode.

use std::ops::RangeInclusive;

use serde::Deserialize;

/// A recording of more seconds than this is a broken truth file, not an episode: it would ask for a million predictions.
const MAX_LENGTH_S: f64 = 5e6;

/// A millisecond to a second, and ten days to a second: what is beyond is a slip of the unit.
const SCALES: RangeInclusive<f64> = 1e-3..=1e6;

/// What came of an episode. Times are seconds since the epoch on the recording's clock; the file knows more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Truth {
    /// Its name, and that of its files.
    pub id: String,
    /// What could run out.
    pub kind: String,
    /// How many seconds of episode time one second of the recording stands for.
    pub time_scale: f64,
    /// The first sample.
    pub start_ts: f64,
    /// The last sample.
    pub end_ts: f64,
    /// Whether it ran out.
    pub exhausted: bool,
    /// When it did.
    pub exhaustion_ts: Option<f64>,
    /// When the fault began; none for harmless load.
    pub onset_ts: Option<f64>,
    /// When a leak that stops stopped.
    pub driver_stop_ts: Option<f64>,
    /// Samples in the recording.
    pub rows: u64,
}

/// That a truth can be asked about; the message names the field and its value.
pub(super) fn check(truth: &Truth) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if truth.id.is_empty() || !truth.id.chars().all(plain) {
        return Err(format!("id {:?} is no file name", truth.id));
    }
    if !SCALES.contains(&truth.time_scale) {
        let (low, high) = (SCALES.start(), SCALES.end());
        return Err(format!(
            "time_scale {} is not in {low} to {high}",
            truth.time_scale
        ));
    }
    let length_s = truth.end_ts - truth.start_ts;
    if !(0.0..=MAX_LENGTH_S).contains(&length_s) {
        return Err(format!(
            "end_ts {} is not 0 to {MAX_LENGTH_S} seconds after start_ts {}",
            truth.end_ts, truth.start_ts
        ));
    }
    match truth.exhaustion_ts {
        None if truth.exhausted => return Err("exhausted, but exhaustion_ts is null".to_owned()),
        Some(at) if !(truth.start_ts..=truth.end_ts).contains(&at) => {
            return Err(format!("exhaustion_ts {at} is not in the recording"));
        }
        None | Some(_) => {}
    }
    if truth.driver_stop_ts.is_some() && truth.onset_ts.is_none() {
        return Err("driver_stop_ts is given, but onset_ts is null".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let truth = |change: fn(&mut Truth)| {
            let mut truth = Truth {
                id: "x".to_owned(),
                kind: "disk".to_owned(),
                time_scale: 20.0,
                start_ts: 1_000.0,
                end_ts: 1_100.0,
                exhausted: true,
                exhaustion_ts: Some(1_090.0),
                onset_ts: None,
                driver_stop_ts: None,
                rows: 500,
            };
            change(&mut truth);
            check(&truth)
        };
        assert_eq!(truth(|_| ()), Ok(()));
        let refused: [fn(&mut Truth); 6] = [
            |t| t.time_scale = 0.0,
            |t| t.end_ts = 999.0,
            |t| t.start_ts = f64::NAN,
            |t| t.exhaustion_ts = None,
            |t| t.exhaustion_ts = Some(1_101.0),
            |t| t.driver_stop_ts = Some(1_050.0),
        ];
        for change in refused {
            assert!(truth(change).is_err());
        }
    }
}

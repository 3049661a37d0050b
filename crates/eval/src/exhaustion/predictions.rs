//! Predictions as data and as a file: `episode,ts,p5,p15,p30,ttf_q05,ttf_q50,ttf_q95`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::exam::to_millis;

const HEADER: [&str; 8] = [
    "episode", "ts", "p5", "p15", "p30", "ttf_q05", "ttf_q50", "ttf_q95",
];

/// What is foreseen at one instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// P(exhausted within 5, 15, 30 minutes of episode time), each 0 to 1.
    p: [f64; 3],
    /// 5, 50 and 95 % quantiles of the time to exhaustion in seconds of episode time; infinite = not foreseen.
    ttf_s: [f64; 3],
}

impl Prediction {
    /// Nothing is foreseen: what counts where no prediction was given.
    pub const NONE: Self = Self {
        p: [0.0; 3],
        ttf_s: [f64::INFINITY; 3],
    };

    /// `None` unless the probabilities are in 0..=1 and the quantiles at least 0 and in order.
    #[must_use]
    pub fn new(p: [f64; 3], ttf_s: [f64; 3]) -> Option<Self> {
        let ordered = ttf_s[0] <= ttf_s[1] && ttf_s[1] <= ttf_s[2];
        (p.iter().all(|p| (0.0..=1.0).contains(p)) && ttf_s.iter().all(|t| *t >= 0.0) && ordered)
            .then_some(Self { p, ttf_s })
    }

    /// P(exhausted within 5, 15, 30 minutes of episode time).
    #[must_use]
    pub const fn p(&self) -> [f64; 3] {
        self.p
    }

    /// 5, 50 and 95 % quantiles of the time to exhaustion in seconds of episode time.
    #[must_use]
    pub const fn ttf_s(&self) -> [f64; 3] {
        self.ttf_s
    }
}

/// Predictions by episode and time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions(BTreeMap<String, BTreeMap<i64, Prediction>>);

/// Why a file is not one of predictions.
#[derive(Debug, thiserror::Error)]
pub enum PredictionsError {
    /// It could not be read.
    #[error("reading {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not as it should be.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1, the header included.
        line: u64,
        /// The column, what stands there and what was expected.
        problem: String,
    },
}

impl Predictions {
    /// Remembers a prediction; a later one for the same point replaces it.
    pub fn insert(&mut self, episode: &str, ts: f64, prediction: Prediction) {
        if !self.0.contains_key(episode) {
            self.0.insert(episode.to_owned(), BTreeMap::new());
        }
        if let Some(points) = self.0.get_mut(episode) {
            points.insert(millis(ts), prediction);
        }
    }

    /// The prediction for a point, if one was given.
    #[must_use]
    pub fn get(&self, episode: &str, ts: f64) -> Option<Prediction> {
        self.0.get(episode)?.get(&millis(ts)).copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a file. Columns may stand in any order, and there may be more; of two rows for one point the later counts.
    ///
    /// # Errors
    /// [`PredictionsError`]: the line, the column and the value that was refused.
    pub fn read(path: &Path) -> Result<Self, PredictionsError> {
        let bytes = std::fs::read(path).map_err(|source| PredictionsError::Io {
            path: path.to_owned(),
            source,
        })?;
        let fault = |line: u64, problem: String| PredictionsError::Line {
            path: path.to_owned(),
            line,
            problem,
        };
        let broken = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            fault(line, error.to_string())
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(bytes.as_slice());
        let header = reader.headers().map_err(broken)?.clone();
        let mut places = [0; HEADER.len()];
        for (place, name) in places.iter_mut().zip(HEADER) {
            *place = header.iter().position(|h| h == name).ok_or_else(|| {
                let found = header.iter().collect::<Vec<_>>().join(",");
                fault(1, format!("no column {name} in the header {found:?}"))
            })?;
        }
        let mut all = Self::default();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |column: usize| record.get(places[column]).unwrap_or_default();
            let number = |column: usize| {
                cell(column).parse::<f64>().map_err(|_| {
                    let (name, text) = (HEADER[column], cell(column));
                    fault(line, format!("{name} is {text:?}, which is no number"))
                })
            };
            let ts = number(1)?;
            if !ts.is_finite() {
                return Err(fault(
                    line,
                    format!("ts is {:?}, which is no time", cell(1)),
                ));
            }
            let p = [number(2)?, number(3)?, number(4)?];
            let ttf_s = [number(5)?, number(6)?, number(7)?];
            let prediction = Prediction::new(p, ttf_s).ok_or_else(|| {
                fault(
                    line,
                    format!(
                        "probabilities {p:?} must lie in [0, 1], and quantiles {ttf_s:?} must be ordered and not negative"
                    ),
                )
            })?;
            all.insert(cell(0), ts, prediction);
        }
        Ok(all)
    }

    /// The file that [`Self::read`] reads, episodes by name, points by time. Numbers read back as the same bits.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = HEADER.join(",") + "\n";
        for (episode, points) in &self.0 {
            for (ms, prediction) in points {
                let ([p5, p15, p30], [low, middle, high]) = (prediction.p, prediction.ttf_s);
                let (s, ms) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
                // Writing to a string cannot fail.
                let _never = writeln!(
                    text,
                    "{episode},{s}.{ms:03},{p5},{p15},{p30},{low},{middle},{high}"
                );
            }
        }
        text
    }
}

/// Two times are the same point when they are the same to the millisecond.
fn millis(ts: f64) -> i64 {
    (to_millis(ts) * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Predictions, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        std::fs::write(&path, text).unwrap();
        Predictions::read(&path).map_err(|error| {
            error
                .to_string()
                .replace(&path.display().to_string(), "p.csv")
        })
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut all = Predictions::default();
        let some = Prediction::new([0.1, 1.0 / 3.0, 1.0], [0.0, 61.5, f64::INFINITY]).unwrap();
        all.insert("ep1", 1_795_318_592.28, some);
        all.insert("ep1", 1_795_318_597.28, Prediction::NONE);
        let text = all.to_csv();
        assert!(
            text.contains("\nep1,1795318592.280,0.1,0.3333333333333333,1,0,61.5,inf\n"),
            "{text}"
        );
        assert_eq!(read(&text), Ok(all.clone()));
        assert_eq!(all.get("ep1", 1_795_318_592.2800001), Some(some));
        assert_eq!(all.get("ep2", 1_795_318_592.28), None);
    }

    #[test]
    fn columns_in_any_order_and_the_later_row_counts() {
        let text = "note,p30,p15,p5,ts,episode,ttf_q95,ttf_q50,ttf_q05\n\
                    a,0.3,0.2,0.1,10,x,inf,2,1\nb,0.6,0.5,0.4,10.0,x,Infinity,2,1\n";
        let all = read(text).unwrap();
        assert_eq!(all.len(), 1);
        let found = all.get("x", 10.0).unwrap();
        assert!((found.p()[0] - 0.4).abs() < 1e-12 && found.ttf_s()[2].is_infinite());
    }

    #[test]
    fn errors_name_line_and_value() {
        let line = |row: &str| read(&format!("{}\n{row}\n", HEADER.join(","))).unwrap_err();
        assert_eq!(
            line("x,1,0,high,0,1,2,3"),
            "p.csv, line 2: p15 is \"high\", which is no number"
        );
        for row in [
            "x,1,0,0,1.5,1,2,3",
            "x,1,0,0,NaN,1,2,3",
            "x,1,0,0,1,-1,2,3",
            "x,1,0,0,1,3,2,3",
        ] {
            assert!(line(row).contains("line 2: probabilities ["), "{row}");
        }
        assert_eq!(
            line("x,NaN,0,0,0,1,2,3"),
            "p.csv, line 2: ts is \"NaN\", which is no time"
        );
        assert!(line("x,1,0").contains("line 2"));
        assert_eq!(
            read("episode,ts\n").unwrap_err(),
            "p.csv, line 1: no column p5 in the header \"episode,ts\""
        );
    }
}

//! One recording on disk: `ID.csv.gz` and `ID.truth.json`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::metrics::Sample;
use crate::truth::Truth;

/// A recording that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("writing {path}")]
pub struct EpisodeError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A recording that is being written. One that is not finished is removed: half a recording has no label.
#[derive(Debug)]
pub struct Episode {
    rows_path: PathBuf,
    truth_path: PathBuf,
    out: Option<BufWriter<GzEncoder<File>>>,
    rows: u64,
}

impl Episode {
    /// Begins `ID.csv.gz` in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be made, or is there already.
    pub fn create(folder: &Path, id: &str) -> Result<Self, EpisodeError> {
        let rows_path = folder.join(format!("{id}.csv.gz"));
        let wrong = |source| EpisodeError {
            path: rows_path.clone(),
            source,
        };
        fs::create_dir_all(folder).map_err(wrong)?;
        let file = File::create_new(&rows_path).map_err(wrong)?;
        let mut episode = Self {
            truth_path: folder.join(format!("{id}.truth.json")),
            out: Some(BufWriter::new(GzEncoder::new(file, Compression::new(6)))),
            rows: 0,
            rows_path,
        };
        episode.write(|out| writeln!(out, "ts,metric,labels,value"))?;
        Ok(episode)
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), EpisodeError> {
        let result = self.out.as_mut().map_or(Ok(()), |out| write(out));
        result.map_err(|source| EpisodeError {
            path: self.rows_path.clone(),
            source,
        })
    }

    /// Adds one scrape.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn scrape(&mut self, at_s: f64, samples: &[Sample]) -> Result<(), EpisodeError> {
        for sample in samples {
            let labels = quoted(&sample.labels);
            self.write(|out| {
                writeln!(out, "{at_s:.3},{},{labels},{}", sample.metric, sample.value)
            })?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Rows so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the rows and writes the truth beside them. Returns the path of the rows.
    ///
    /// # Errors
    /// When either cannot be written; then neither is left.
    pub fn finish(mut self, truth: &Truth) -> Result<PathBuf, EpisodeError> {
        let wrong = |path: &Path, source| EpisodeError {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_string(truth).map_err(io::Error::other);
        let text = text.map_err(|source| wrong(&self.truth_path, source))?;
        if let Some(mut out) = self.out.take() {
            let ended = out.flush().and_then(|()| out.get_mut().try_finish());
            if let Err(source) = ended.and_then(|()| fs::write(&self.truth_path, text + "\n")) {
                let _ = fs::remove_file(&self.rows_path);
                return Err(wrong(&self.truth_path, source));
            }
        }
        Ok(self.rows_path.clone())
    }
}

impl Drop for Episode {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            let _ = fs::remove_file(&self.rows_path);
        }
    }
}

/// A field of CSV.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_unfinished_recording_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut episode = Episode::create(folder.path(), "ep1").unwrap();
        episode.scrape(1.0, &[Sample::new("up", "", 1.0)]).unwrap();
        assert!(
            Episode::create(folder.path(), "ep1")
                .unwrap_err()
                .to_string()
                .contains("ep1.csv.gz")
        );
        drop(episode);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn rows_are_what_readers_of_csv_expect() {
        let folder = tempfile::tempdir().unwrap();
        let mut episode = Episode::create(folder.path(), "ep1").unwrap();
        let sample = Sample::new("pg", "datname=\"a\",state=\"idle\"", 1.5);
        episode.scrape(12.3456, &[sample]).unwrap();
        episode.out.as_mut().unwrap().flush().unwrap();
        episode
            .out
            .as_mut()
            .unwrap()
            .get_mut()
            .try_finish()
            .unwrap();
        let mut text = String::new();
        let file = File::open(folder.path().join("ep1.csv.gz")).unwrap();
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(
            text,
            "ts,metric,labels,value\n12.346,pg,\"datname=\"\"a\"\",state=\"\"idle\"\"\",1.5\n"
        );
    }
}

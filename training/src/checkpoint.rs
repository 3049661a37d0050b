//! Where training stood, in one file: what is resumed goes on to the same bits.
//!
//! A line of JSON, the numbers as little-endian `f32`, and the SHA-256 of both. Written beside and renamed, so a crash
//! leaves the last one whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The layout of the file.
const FORMAT: u32 = 1;
/// Longer files are not ours: the largest model has a few million numbers.
const MOST_BYTES: u64 = 1 << 30;

/// The part that is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: u32,
    /// Of recipe and data: a checkpoint of others is refused.
    pub(crate) recipe_sha256: String,
    pub(crate) data_sha256: String,
    pub(crate) epoch: u32,
    /// Slices of this epoch that are done.
    pub(crate) done: usize,
    /// Bits of the sums of losses and of weights in this epoch.
    pub(crate) sums: [u64; 2],
    pub(crate) adam_steps: u64,
    pub(crate) best_epoch: u32,
    /// Bits of training and validation loss of each epoch that is over.
    pub(crate) history: Vec<[u64; 2]>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) header: Header,
    /// Parameters, means and squares of the gradient, best parameters: as many numbers of each.
    pub(crate) numbers: [Vec<f32>; 4],
}

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file fails.
    #[error("using the checkpoint {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not whole.
    #[error("the checkpoint {path} is damaged ({what}); remove it to begin anew")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It belongs to another training.
    #[error("the checkpoint {path} is of {what} that {what_now}; remove it to begin anew")]
    Other {
        /// Which.
        path: PathBuf,
        /// Recipe or data.
        what: &'static str,
        /// How they differ.
        what_now: &'static str,
    },
}

impl Checkpoint {
    pub(crate) fn new(mut header: Header, numbers: [Vec<f32>; 4]) -> Self {
        header.format = FORMAT;
        Self { header, numbers }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let io = |source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        };
        let mut bytes = serde_json::to_vec(&self.header).map_err(|e| io(e.into()))?;
        bytes.push(b'\n');
        for number in self.numbers.iter().flatten() {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        let beside = path.with_extension("tmp");
        let mut file = File::create(&beside).map_err(io)?;
        file.write_all(&bytes).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&beside, path).map_err(io)
    }

    /// Reads one for a model of `n` numbers.
    pub(crate) fn read(path: &Path, n: usize) -> Result<Self, CheckpointError> {
        let io = |source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        };
        let damaged = |what| CheckpointError::Damaged {
            path: path.to_owned(),
            what,
        };
        if fs::metadata(path).map_err(io)?.len() > MOST_BYTES {
            return Err(damaged("too long"));
        }
        let bytes = fs::read(path).map_err(io)?;
        let Some((body, digest)) = bytes.split_last_chunk::<32>() else {
            return Err(damaged("too short"));
        };
        if Sha256::digest(body)[..] != digest[..] {
            return Err(damaged("its checksum does not match"));
        }
        let Some(end) = body.iter().position(|byte| *byte == b'\n') else {
            return Err(damaged("no header"));
        };
        let header: Header =
            serde_json::from_slice(&body[..end]).map_err(|_| damaged("its header is unknown"))?;
        let numbers: Vec<f32> = body[end + 1..]
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        if header.format != FORMAT || numbers.len() != 4 * n {
            return Err(damaged("it is of another format or model"));
        }
        let part = |i: usize| numbers[i * n..(i + 1) * n].to_vec();
        Ok(Self {
            header,
            numbers: [part(0), part(1), part(2), part(3)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        let header = Header {
            format: 0,
            recipe_sha256: "r".to_owned(),
            data_sha256: "d".to_owned(),
            epoch: 2,
            done: 3,
            sums: [1.5f64.to_bits(), f64::NAN.to_bits()],
            adam_steps: 9,
            best_epoch: 1,
            history: vec![[1, 2]],
        };
        let numbers = [1.0, 2.0, 3.0, 4.0f32].map(|x| vec![x, -0.0]);
        let checkpoint = Checkpoint::new(header, numbers);
        checkpoint.write(&path).unwrap();
        assert_eq!(Checkpoint::read(&path, 2).unwrap(), checkpoint);
        assert!(
            Checkpoint::read(&path, 3)
                .unwrap_err()
                .to_string()
                .contains("another")
        );
        let whole = fs::read(&path).unwrap();
        for place in [0, 20, whole.len() - 1] {
            let mut bent = whole.clone();
            bent[place] ^= 1;
            fs::write(&path, bent).unwrap();
            let error = Checkpoint::read(&path, 2).unwrap_err().to_string();
            assert!(error.contains("checksum"), "{error}");
        }
        fs::write(&path, &whole[..20]).unwrap();
        assert!(
            Checkpoint::read(&path, 2)
                .unwrap_err()
                .to_string()
                .contains("short")
        );
        assert!(Checkpoint::read(&dir.path().join("none"), 2).is_err());
    }
}

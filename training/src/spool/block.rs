//! Blocks out of the spool, for training or for validation.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::SpoolError;

/// Consecutive rows of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub(super) offset: u64,
    /// Rows, those included that are only looked ahead to.
    pub(super) rows: u32,
    /// Steps that forecasts are made at.
    pub(super) steps: u32,
    pub(super) series: u32,
    /// Whether another block of the same segment came before it.
    pub(super) continues: bool,
    /// Place of its first row in its series.
    pub(super) first: u64,
}

/// What a block is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Rows before the cut of their series are learned from.
    Training,
    /// Rows after it are judged.
    Validation,
}

/// A part of a block in its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Which block.
    pub(crate) block: u32,
    /// Steps to run.
    pub(crate) steps: u32,
    /// Rows that may be seen.
    pub(crate) rows: u32,
    /// Rows before this one weigh nothing: they only bring the state into the swing.
    pub(crate) weighs_from: u32,
    /// Place of its series.
    pub(crate) series: u32,
}

/// The blocks of all series. Its file is gone with it.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    row_len: usize,
    blocks: Vec<Block>,
    lengths: Vec<u64>,
    ids: Vec<u64>,
    validation_share: f64,
    sha256: String,
}

impl Spool {
    #[expect(clippy::too_many_arguments, reason = "the writer's fields, moved over")]
    pub(super) fn new(
        path: PathBuf,
        file: File,
        row_len: usize,
        blocks: Vec<Block>,
        lengths: Vec<u64>,
        ids: Vec<u64>,
        validation_share: f64,
        sha256: String,
    ) -> Self {
        Self {
            path,
            file,
            row_len,
            blocks,
            lengths,
            ids,
            validation_share,
            sha256,
        }
    }

    /// SHA-256 of all rows as they stand in it, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Rows of all series.
    #[must_use]
    pub fn n_rows(&self) -> u64 {
        self.lengths.iter().sum()
    }

    /// How many series.
    #[must_use]
    pub const fn n_series(&self) -> usize {
        self.lengths.len()
    }

    /// The number by which the source knows a series.
    #[must_use]
    pub fn series_id(&self, place: u32) -> u64 {
        self.ids[place as usize]
    }

    /// Numbers of a row: inputs, target, weight.
    #[must_use]
    pub const fn row_len(&self) -> usize {
        self.row_len
    }

    /// The parts of blocks that have this role, in the order of the source. In a block that goes on from another,
    /// `swing` rows bring the state into the swing before it is judged.
    #[must_use]
    pub fn slices(&self, role: Role, swing: usize) -> Vec<Slice> {
        let slice = |(place, block): (usize, &Block)| {
            let length = self.lengths[block.series as usize];
            #[expect(clippy::cast_sign_loss, reason = "a share of a count")]
            let cut = (length as f64 * (1.0 - self.validation_share)) as u64;
            let before = cut.saturating_sub(block.first).min(u64::from(block.rows)) as u32;
            let whole = Slice {
                block: place as u32,
                steps: block.steps,
                rows: block.rows,
                weighs_from: 0,
                series: block.series,
            };
            match role {
                Role::Training => (before > 1).then_some(Slice {
                    steps: block.steps.min(before),
                    rows: before,
                    ..whole
                }),
                Role::Validation => {
                    let swing = if block.continues { swing as u32 } else { 0 };
                    let from = before.max(swing);
                    (from < block.rows).then_some(Slice {
                        weighs_from: from,
                        ..whole
                    })
                }
            }
        };
        self.blocks.iter().enumerate().filter_map(slice).collect()
    }

    /// Reads the rows of a slice; `out` then has `rows * row_len` numbers.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn read(&self, slice: Slice, out: &mut Vec<f32>) -> Result<(), SpoolError> {
        let block = &self.blocks[slice.block as usize];
        out.resize(slice.rows as usize * self.row_len, 0.0);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(out);
        self.file
            .read_exact_at(bytes, block.offset)
            .map_err(|source| SpoolError::Io {
                path: self.path.clone(),
                source,
            })
    }
}

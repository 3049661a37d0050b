//! Rows in, blocks out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use features::{N_COLUMNS, column};
use predict::forecast::{Signature, TARGET};
use sha2::{Digest, Sha256};

use super::block::{Block, Spool};
use super::{MOST, SpoolError};
use crate::recipe::Recipe;
use crate::source::SeriesChunk;

/// Rows that wait for their block to fill take at most this many bytes, however many series there are.
const WAITING_BYTES: usize = 128 << 20;

/// A series on its way in.
#[derive(Debug)]
struct Open {
    /// Its place among the series.
    series: u32,
    /// Rows of the block that fills, `row_len` numbers each.
    rows: Vec<f32>,
    /// Place in its series of the first of them.
    first: u64,
    /// Whether the block goes on from the one before it.
    continues: bool,
    last_time: i64,
}

/// Takes rows, series by series or mixed.
#[derive(Debug)]
pub struct SpoolWriter {
    path: PathBuf,
    out: BufWriter<File>,
    digest: Sha256,
    offset: u64,
    signature: Signature,
    /// Base-2 logarithm of the longest gap within a segment.
    longest_gap: f32,
    block_steps: usize,
    furthest: usize,
    validation_share: f64,
    open: BTreeMap<u64, Open>,
    /// Rows of each series so far, by place.
    lengths: Vec<u64>,
    waiting: usize,
    /// Rows that wait take at most so many bytes.
    pub(super) waiting_bytes: usize,
    taken: u64,
    blocks: Vec<Block>,
}

impl SpoolWriter {
    /// A spool in a new file at `path`, whose name is taken away again at once: whatever ends the process, nothing is left.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn new(path: &Path, recipe: &Recipe, signature: &Signature) -> Result<Self, SpoolError> {
        let io = |source| SpoolError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map_err(io)?;
        std::fs::remove_file(path).map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 20, file),
            digest: Sha256::new(),
            offset: 0,
            signature: signature.clone(),
            longest_gap: recipe.windows.longest_gap.log2(),
            block_steps: recipe.block_steps(),
            furthest: recipe.furthest(),
            validation_share: recipe.windows.validation_share,
            open: BTreeMap::new(),
            lengths: Vec::new(),
            waiting: 0,
            waiting_bytes: WAITING_BYTES,
            taken: 0,
            blocks: Vec::new(),
        })
    }

    /// Numbers of a row: inputs, target, weight.
    fn row_len(&self) -> usize {
        self.signature.inputs().len() + 2
    }

    /// Takes a chunk.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn push(&mut self, chunk: SeriesChunk<'_>) -> Result<(), SpoolError> {
        let n = chunk.times.len();
        if chunk.columns.len() != n || chunk.use_as_normal.len() != n {
            return Err(SpoolError::Lengths {
                series: chunk.series,
                times: n,
                columns: chunk.columns.len(),
                marks: chunk.use_as_normal.len(),
            });
        }
        let mut open = self.open.remove(&chunk.series).unwrap_or_else(|| {
            self.lengths.push(0);
            Open {
                series: (self.lengths.len() - 1) as u32,
                rows: Vec::new(),
                first: 0,
                continues: false,
                last_time: i64::MIN,
            }
        });
        let result = self.extend(&mut open, &chunk);
        self.open.insert(chunk.series, open);
        if self.waiting * size_of::<f32>() > self.waiting_bytes {
            self.flush_all()?;
        }
        result
    }

    fn extend(&mut self, open: &mut Open, chunk: &SeriesChunk<'_>) -> Result<(), SpoolError> {
        let row_len = self.row_len();
        let rows = chunk.times.iter().zip(chunk.columns);
        for ((&time, columns), &normal) in rows.zip(chunk.use_as_normal) {
            if time < open.last_time {
                return Err(SpoolError::Order {
                    series: chunk.series,
                    before: open.last_time,
                    after: time,
                });
            }
            if !open.rows.is_empty() && columns[column::GAP] > self.longest_gap {
                self.end_segment(open)?;
            }
            open.last_time = time;
            self.push_row(&mut open.rows, columns, normal);
            self.lengths[open.series as usize] += 1;
            self.waiting += row_len;
            self.taken += 1;
            if open.rows.len() == (self.block_steps + self.furthest) * row_len {
                self.write(open, self.block_steps)?;
                // What only was looked ahead to begins the next block.
                open.rows.drain(..self.block_steps * row_len);
                self.waiting -= self.block_steps * row_len;
                open.first += self.block_steps as u64;
                open.continues = true;
            }
        }
        Ok(())
    }

    fn push_row(&self, rows: &mut Vec<f32>, columns: &[f32; N_COLUMNS], normal: bool) {
        let inputs = self.signature.inputs();
        let sound = inputs.iter().all(|&i| columns[i].is_finite()) && columns[TARGET].is_finite();
        if sound {
            rows.extend(inputs.iter().map(|&i| self.signature.soften(columns[i])));
            rows.push(columns[TARGET].clamp(-MOST, MOST));
        } else {
            rows.extend(std::iter::repeat_n(0.0, inputs.len() + 1));
        }
        rows.push(if sound && normal { 1.0 } else { 0.0 });
    }

    /// Writes what waits of a series as a block of its own; what comes next starts from nothing.
    fn end_segment(&mut self, open: &mut Open) -> Result<(), SpoolError> {
        let rows = open.rows.len() / self.row_len();
        if rows == 0 {
            return Ok(());
        }
        self.write(open, rows.min(self.block_steps))?;
        self.waiting -= open.rows.len();
        open.rows = Vec::new();
        open.first = self.lengths[open.series as usize];
        open.continues = false;
        Ok(())
    }

    fn flush_all(&mut self) -> Result<(), SpoolError> {
        let mut all = std::mem::take(&mut self.open);
        for open in all.values_mut() {
            self.end_segment(open)?;
        }
        self.open = all;
        Ok(())
    }

    fn write(&mut self, open: &Open, steps: usize) -> Result<(), SpoolError> {
        let bytes: &[u8] = bytemuck::cast_slice(&open.rows);
        self.digest.update(bytes);
        self.out.write_all(bytes).map_err(|source| SpoolError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.blocks.push(Block {
            offset: self.offset,
            rows: (open.rows.len() / self.row_len()) as u32,
            steps: steps as u32,
            series: open.series,
            continues: open.continues,
            first: open.first,
        });
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Rows and series so far.
    #[must_use]
    pub fn taken(&self) -> (u64, usize) {
        (self.taken, self.lengths.len())
    }

    /// Closes the spool for writing and opens it for reading.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn finish(mut self) -> Result<Spool, SpoolError> {
        self.flush_all()?;
        let row_len = self.row_len();
        let Self {
            path, out, digest, ..
        } = self;
        let file = out.into_inner().map_err(|error| SpoolError::Io {
            path: path.clone(),
            source: error.into_error(),
        })?;
        let sha256 = digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let ids = self.open.iter().map(|(&id, open)| (open.series, id));
        let mut ids: Vec<(u32, u64)> = ids.collect();
        ids.sort_unstable();
        Ok(Spool::new(
            path,
            file,
            row_len,
            self.blocks,
            self.lengths,
            ids.into_iter().map(|(_, id)| id).collect(),
            self.validation_share,
            sha256,
        ))
    }
}

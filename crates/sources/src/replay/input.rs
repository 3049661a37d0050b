//! Bytes in: a file or standard input, through gzip where there is gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const PARQUET: [u8; 4] = *b"PAR1";
/// Large enough that system calls do not show in a profile.
const BUFFER_BYTES: usize = 128 << 10;

/// What to read, told from its first bytes.
pub(super) enum Input {
    Text(Box<dyn BufRead + Send>),
    Parquet(File),
}

/// How far reading has come, in bytes of the file as it is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) read: Arc<AtomicU64>,
    pub(super) total: Option<u64>,
}

impl Progress {
    /// Sets the bytes read to the share `part` of `whole`, for formats that are not read from front to back.
    pub(super) fn set_share(&self, part: u64, whole: u64) {
        let bytes = u128::from(self.total.unwrap_or(0)) * u128::from(part.min(whole))
            / u128::from(whole.max(1));
        self.read
            .store(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Opens a file; `-` is standard input.
pub(super) fn open(path: &Path) -> io::Result<(Input, Progress)> {
    if path == Path::new("-") {
        let progress = Progress::default();
        return Ok((
            Input::Text(text(Box::new(io::stdin()), &progress)?),
            progress,
        ));
    }
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "is a folder; name the files in it",
        ));
    }
    // A pipe has no length, and cannot be wound back after a look at its first bytes.
    if !meta.is_file() {
        let progress = Progress::default();
        return Ok((Input::Text(text(Box::new(file), &progress)?), progress));
    }
    let progress = Progress {
        total: Some(meta.len()),
        ..Progress::default()
    };
    let mut magic = Vec::new();
    (&mut file)
        .take(PARQUET.len() as u64)
        .read_to_end(&mut magic)?;
    file.rewind()?;
    let ends = |ending| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(ending))
    };
    if magic == PARQUET || ends("parquet") {
        return Ok((Input::Parquet(file), progress));
    }
    if ends("gz") && !magic.starts_with(&GZIP) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the name ends in .gz, the content is not gzip",
        ));
    }
    Ok((Input::Text(text(Box::new(file), &progress)?), progress))
}

/// A stream of text, unpacked if its first bytes say so.
pub(super) fn text(
    input: Box<dyn Read + Send>,
    progress: &Progress,
) -> io::Result<Box<dyn BufRead + Send>> {
    let counted = Counted {
        input,
        read: Arc::clone(&progress.read),
    };
    let mut input = BufReader::with_capacity(BUFFER_BYTES, counted);
    let head = fill(&mut input)?;
    if head.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            MultiGzDecoder::new(input),
        )));
    }
    if head.starts_with(&PARQUET) {
        let message =
            "parquet can only be read from a file, not from a pipe: its index is at the end";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    Ok(Box::new(input))
}

/// The first bytes, past interruptions.
fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    while let Err(e) = input.fill_buf() {
        if e.kind() != io::ErrorKind::Interrupted {
            return Err(e);
        }
    }
    input.fill_buf()
}

/// Counts what passes through, for progress bars.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

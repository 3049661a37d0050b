//! The file in which the histories of resources survive a restart, as bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use dayahead::{History, MAX_BYTES};

/// The first bytes of the file.
pub(super) const MAGIC: &[u8; 16] = b"forestall-days-2";
/// Longer names are none that we wrote.
const LONGEST_NAME: usize = 1 << 16;

/// A history, and the limit that its levels are shares of.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) history: History,
    pub(super) limit: f64,
}

/// One resource: its name and its history, each after its length, and its limit.
pub(super) fn write(
    to: &mut impl Write,
    name: &str,
    history: &History,
    limit: f64,
) -> io::Result<()> {
    if name.len() > LONGEST_NAME {
        return Ok(());
    }
    let mut of_one = Vec::with_capacity(MAX_BYTES);
    history.write(&mut of_one);
    for part in [name.as_bytes(), &of_one] {
        to.write_all(&(part.len() as u32).to_le_bytes())?;
        to.write_all(part)?;
    }
    to.write_all(&limit.to_le_bytes())
}

/// The first `most` of what [`write`] wrote after [`MAGIC`]. What is damaged is `UnexpectedEof` or `InvalidData`.
pub(super) fn read(file: &Path, most: usize) -> io::Result<HashMap<String, Kept>> {
    let mut from = BufReader::new(File::open(file)?);
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut kept = HashMap::new();
    while kept.len() < most {
        let Some(name) = part(&mut from, LONGEST_NAME)? else {
            break;
        };
        let name = String::from_utf8(name).map_err(|_| io::ErrorKind::InvalidData)?;
        let history = part(&mut from, MAX_BYTES)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let history = History::read(&history).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut limit = [0; 8];
        from.read_exact(&mut limit)?;
        let limit = f64::from_le_bytes(limit);
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        kept.insert(name, Kept { history, limit });
    }
    Ok(kept)
}

/// The next part with its length before it, which is at most `longest`; `None` at the end.
fn part(from: &mut impl Read, longest: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::with_capacity(4);
    from.by_ref().take(4).read_to_end(&mut length)?;
    if length.is_empty() {
        return Ok(None);
    }
    let length = length
        .try_into()
        .map_err(|_| io::ErrorKind::UnexpectedEof)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut part = vec![0; length];
    from.read_exact(&mut part)?;
    Ok(Some(part))
}

pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
    )
}

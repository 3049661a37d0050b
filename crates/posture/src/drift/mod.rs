//! Configuration against what is declared: two files that should be the same.

mod diff;
mod mask;

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use diff::{Diff, MAX_DIFF_LINES};

use crate::ReadError;
use crate::file::read;
use crate::text::hex;

/// The largest file that is compared, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// What counts as a difference of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// Every byte.
    #[default]
    Exact,
    /// For files in which `#` begins a comment: neither lines that are comments, nor empty lines, nor blanks at the ends of
    /// lines. A first line that begins with `#!` is no comment.
    ///
    /// Wrong for files in which such lines mean something, as within a multi-line text of YAML.
    Normalised,
}

/// What is true of one of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of all its bytes, in lower-case hexadecimal digits. Of a short file it gives away what is in it to whoever
    /// can guess.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Permissions, with set-user-id and its like: the lowest 12 bits.
    pub mode: u32,
    /// User id of the owner.
    pub owner: u32,
    /// Group id.
    pub group: u32,
}

impl Facts {
    fn new(bytes: &[u8], metadata: &Metadata) -> Self {
        Self {
            sha256: hex(&Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
            group: metadata.gid(),
        }
    }
}

/// How the contents compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The same bytes.
    Same,
    /// Other bytes, and no difference that counts; only under [`Comparison::Normalised`].
    Equivalent,
    /// Two texts that differ. Values that look like secrets are masked.
    Text(Diff),
    /// They differ, and that is all that is said: one of them is no text, or too long to be compared line by line, or
    /// secret as a whole.
    Opaque,
    /// There is no actual file.
    Missing,
}

/// A file against what is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What is declared.
    pub declared: Facts,
    /// What is there; `None` if nothing is.
    pub actual: Option<Facts>,
    /// How the contents compare.
    pub content: Content,
}

impl Drift {
    /// Whether nothing that counts differs in content. Mode and owner are told apart from it, because a declaration in a
    /// repository belongs to whoever checked it out.
    #[must_use]
    pub fn content_agrees(&self) -> bool {
        matches!(self.content, Content::Same | Content::Equivalent)
    }

    /// Declared and actual mode, if they differ.
    #[must_use]
    pub fn mode(&self) -> Option<(u32, u32)> {
        let actual = self.actual.as_ref()?.mode;
        (actual != self.declared.mode).then_some((self.declared.mode, actual))
    }

    /// Declared and actual owner and group, as ids, if they differ.
    #[must_use]
    pub fn owner(&self) -> Option<[(u32, u32); 2]> {
        let actual = self.actual.as_ref()?;
        let owners = [&self.declared, actual].map(|facts| (facts.owner, facts.group));
        (owners[0] != owners[1]).then_some(owners)
    }
}

/// Why two files could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// The declaration cannot be read; that it is not there is an error too.
    #[error("reading what is declared, {}", path.display())]
    Declared {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
    /// The actual file is there, and cannot be read.
    #[error("reading what is there, {}", path.display())]
    Actual {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
}

/// Compares the file at `actual` with that at `declared`.
///
/// At most [`MAX_FILE_BYTES`] of each. Links are followed: what counts is what a program would read. Of two texts (UTF-8
/// without a zero byte) the difference is shown in at most [`MAX_DIFF_LINES`] lines, in which the values of keys named
/// after passwords, tokens, keys and the like are masked, as are private keys, passwords in URLs, and texts that have the
/// form of a well-known token. Files such as `.pgpass`, and all below a folder `secrets`, are never shown. A secret that has
/// none of these marks is.
///
/// # Errors
///
/// [`DriftError`] if one of them cannot be read. An actual file that is not there is no error but [`Content::Missing`].
pub fn compare(
    declared: &Path,
    actual: &Path,
    comparison: Comparison,
) -> Result<Drift, DriftError> {
    let (wanted, metadata) =
        read(declared, MAX_FILE_BYTES).map_err(|source| DriftError::Declared {
            path: declared.to_owned(),
            source,
        })?;
    let facts = Facts::new(&wanted, &metadata);
    let (found, metadata) = match read(actual, MAX_FILE_BYTES) {
        Ok(found) => found,
        Err(error) if error.is_missing() => {
            return Ok(Drift {
                declared: facts,
                actual: None,
                content: Content::Missing,
            });
        }
        Err(source) => {
            return Err(DriftError::Actual {
                path: actual.to_owned(),
                source,
            });
        }
    };
    Ok(Drift {
        declared: facts,
        actual: Some(Facts::new(&found, &metadata)),
        content: content((declared, &wanted), (actual, &found), comparison),
    })
}

fn content(declared: (&Path, &[u8]), actual: (&Path, &[u8]), comparison: Comparison) -> Content {
    if declared.1 == actual.1 {
        return Content::Same;
    }
    let secret = mask::is_secret_file(declared.0) || mask::is_secret_file(actual.0);
    let texts = text(declared.1).zip(text(actual.1));
    let Some((wanted, found)) = texts.filter(|_| !secret) else {
        return Content::Opaque;
    };
    match diff::diff((declared.0, wanted), (actual.0, found), comparison) {
        diff::Outcome::None => Content::Equivalent,
        diff::Outcome::Some(diff) => Content::Text(diff),
        diff::Outcome::Long => Content::Opaque,
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(declared: &[u8], actual: &[u8], comparison: Comparison) -> Content {
        let path = Path::new;
        content((path("a"), declared), (path("b"), actual), comparison)
    }

    #[test]
    fn binaries_are_not_shown() {
        assert_eq!(of(b"\0a", b"\0b", Comparison::Exact), Content::Opaque);
        assert_eq!(of(b"a", b"\xff", Comparison::Exact), Content::Opaque);
        assert_eq!(of(b"\xff", b"\xff", Comparison::Exact), Content::Same);
    }

    #[test]
    fn comments_and_blanks_count_unless_asked() {
        let (declared, actual) = (
            b"# a\nx = 1\n\ny".as_slice(),
            b"x = 1  \r\n#b\ny\n".as_slice(),
        );
        assert_eq!(
            of(declared, actual, Comparison::Normalised),
            Content::Equivalent
        );
        assert!(matches!(
            of(declared, actual, Comparison::Exact),
            Content::Text(_)
        ));
        let shebang = of(b"#!/bin/sh\n", b"#!/bin/bash\n", Comparison::Normalised);
        assert!(matches!(shebang, Content::Text(_)), "{shebang:?}");
    }

    #[test]
    fn the_newline_at_the_end_counts() {
        let content = of(b"a\n", b"a", Comparison::Exact);
        let Content::Text(diff) = content else {
            panic!("{content:?}");
        };
        assert!(
            diff.to_string().contains("\\ No newline at end of file"),
            "{diff}"
        );
    }

    proptest! {
        #[test]
        fn bytes_never_panic(a in proptest::collection::vec(any::<u8>(), 0..80), b in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = of(&a, &b, Comparison::Exact);
        }

        #[test]
        fn texts_never_panic_and_agree_with_themselves(a in "(#?[ab =\n]{0,3}){0,8}", b in "(#?[ab =\n]{0,3}){0,8}") {
            for comparison in [Comparison::Exact, Comparison::Normalised] {
                let content = of(a.as_bytes(), b.as_bytes(), comparison);
                prop_assert_eq!(a == b, content == Content::Same);
                if comparison == Comparison::Exact {
                    prop_assert!(content != Content::Equivalent);
                }
            }
        }
    }
}

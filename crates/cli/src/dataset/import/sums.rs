//! Are the files those that were published?

use std::fs::File;
use std::io::Write;
use std::path::Path;

use ::dataset::Public;
use anyhow::Context;
use sha2::{Digest, Sha256};

/// Names on so many files that differ.
const NAMED: usize = 5;

/// Says on `out` which files differ from the ones whose checksums are known. Other files are imported all the same: the
/// public part of a data set has more than those.
pub(super) fn compare(public: &Public, dir: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (mut same, mut differ) = (0_usize, Vec::new());
    for (name, expected) in &public.sha256 {
        let path = dir.join(name);
        let Ok(mut file) = File::open(&path) else {
            continue;
        };
        let mut hash = Sha256::new();
        std::io::copy(&mut file, &mut HashWriter(&mut hash))
            .with_context(|| format!("reading {}", path.display()))?;
        let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        if found == *expected {
            same += 1;
        } else {
            differ.push(name.as_str());
        }
    }
    if !differ.is_empty() {
        let named = differ
            .iter()
            .take(NAMED)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if differ.len() > NAMED {
            " and others"
        } else {
            ""
        };
        writeln!(
            out,
            "warning: {} of {} known files differ from those that were published: {named}{more}",
            differ.len(),
            same + differ.len()
        )?;
    }
    Ok(())
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

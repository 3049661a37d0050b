//! One small file of the kernel, read again and again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Why a group of metrics could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("reading {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} holds no {wanted}", path.display())]
    Absent { path: PathBuf, wanted: &'static str },
}

/// A file that is kept open: the kernel writes its content anew for each read from the start, and looking up the
/// path each time costs more than many of these files take to write.
#[derive(Debug)]
pub(super) struct Probe {
    path: PathBuf,
    file: Option<File>,
    content: Vec<u8>,
}

impl Probe {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            content: Vec::new(),
        }
    }

    /// The whole content now. A part that is not UTF-8 ends it.
    pub(super) fn read(&mut self) -> Result<&str, Trouble> {
        if let Err(source) = self.fill() {
            // The file may have been replaced, as a cgroup is when its service restarts: open it anew next time.
            self.file = None;
            return Err(Trouble::Read {
                path: self.path.clone(),
                source,
            });
        }
        Ok(match std::str::from_utf8(&self.content) {
            Ok(text) => text,
            Err(e) => std::str::from_utf8(&self.content[..e.valid_up_to()]).unwrap_or_default(),
        })
    }

    pub(super) fn absent(&self, wanted: &'static str) -> Trouble {
        Trouble::Absent {
            path: self.path.clone(),
            wanted,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        /// None of the files read this way comes near; it guards against a path that leads elsewhere.
        const MOST_BYTES: usize = 4 << 20;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let mut filled = 0;
        loop {
            if self.content.len() < filled + 4096 {
                self.content.resize(filled + 8192, 0);
            }
            match file.read_at(&mut self.content[filled..], filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if filled > MOST_BYTES {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "larger than any file of its kind",
                ));
            }
        }
        self.content.truncate(filled);
        Ok(())
    }
}

/// The number that stands after `name`, as in `/proc/vmstat` and `cpu.stat`: `name 12` or `name:  12 kB`.
pub(super) fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with([' ', ':', '\t']).then_some(rest)
    })?;
    line.trim_start_matches(':')
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whole_names_only() {
        let text = "MemTotal:       24684092 kB\nMem: 1 kB\nSwap 7\nbad: x\n";
        assert_eq!(number_after(text, "MemTotal"), Some(24_684_092));
        assert_eq!(number_after(text, "Mem"), Some(1));
        assert_eq!(number_after(text, "Swap"), Some(7));
        assert_eq!(number_after(text, "bad"), None);
        assert_eq!(number_after(text, "none"), None);
    }

    #[test]
    fn a_file_that_changes_is_read_anew() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one two").unwrap();
        let mut probe = Probe::new(file.path().into());
        assert_eq!(probe.read().unwrap(), "one two");
        std::fs::write(file.path(), b"thr\xffee").unwrap();
        assert_eq!(probe.read().unwrap(), "thr");
    }

    #[test]
    fn says_which_file_is_not_there() {
        let mut probe = Probe::new("/nowhere/stat".into());
        let error = probe.read().unwrap_err().to_string();
        assert!(
            error.starts_with("reading /nowhere/stat: No such file"),
            "{error}"
        );
    }
}

//! Logs that grow on a small file system, in bytes or in number of files.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use rustix::fs::statvfs;

use super::{DriverError, Evidence, Fault};
use crate::metrics::Metrics;

/// A log file is closed at a hundredth of the file system, and not below this.
const LEAST_FILE_BYTES: f64 = 64.0 * 1024.0;
const BLOCK: [u8; 4096] = [0x6c; 4096];

pub(super) struct Disk {
    folder: PathBuf,
    inodes: bool,
    files: VecDeque<PathBuf>,
    open: Option<(File, f64)>,
    made: u64,
    metrics: Metrics,
}

impl Disk {
    pub(super) fn start(folder: PathBuf, inodes: bool, metrics: &Metrics) -> Self {
        Self {
            folder,
            inodes,
            files: VecDeque::new(),
            open: None,
            made: 0,
            metrics: metrics.clone(),
        }
    }

    fn make(&mut self) -> io::Result<File> {
        let path = self.folder.join(format!("app.log.{}", self.made));
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)?;
        self.made += 1;
        self.files.push_back(path);
        Ok(file)
    }

    /// Adds so many bytes, or files.
    fn grow(&mut self, mut left: f64, file_bytes: f64) -> io::Result<()> {
        if self.inodes {
            while left >= 1.0 {
                self.make()?;
                left -= 1.0;
            }
            return Ok(());
        }
        while left >= BLOCK.len() as f64 {
            let (mut file, mut bytes) = match self.open.take() {
                Some(open) => open,
                None => (self.make()?, 0.0),
            };
            let written = file.write(&BLOCK)? as f64;
            self.metrics.add("app_log_bytes_total", "", written);
            bytes += written;
            left -= written;
            if bytes < file_bytes {
                self.open = Some((file, bytes));
            }
        }
        Ok(())
    }

    /// Removes the oldest files, about so many bytes or files.
    fn shrink(&mut self, mut left: f64, file_bytes: f64) {
        let each = if self.inodes { 1.0 } else { file_bytes };
        while left >= each {
            let Some(path) = self.files.pop_front() else {
                return;
            };
            let _ = fs::remove_file(path);
            left -= each;
        }
        if self.files.is_empty() {
            self.open = None;
        }
    }
}

impl Fault for Disk {
    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError> {
        let stat = statvfs(&self.folder).map_err(|errno| DriverError::Io {
            doing: "looking at the file system",
            source: errno.into(),
        })?;
        let unit = stat.f_frsize as f64;
        let (size, used) = if self.inodes {
            (
                stat.f_files as f64,
                stat.f_files.saturating_sub(stat.f_ffree) as f64,
            )
        } else {
            let used = stat.f_blocks.saturating_sub(stat.f_bavail);
            (stat.f_blocks as f64 * unit, used as f64 * unit)
        };
        let file_bytes = (size / 100.0).max(LEAST_FILE_BYTES);
        let missing = level * size - used;
        let mut evidence = None;
        if missing > 0.0 {
            match self.grow(missing, file_bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    self.metrics
                        .add("app_write_errors_total", "errno=\"ENOSPC\"", 1.0);
                    evidence = Some(Evidence::now(format!("ENOSPC: {error}")));
                }
                Err(error) => return Err(DriverError::io("writing to the file system")(error)),
            }
        } else {
            self.shrink(-missing, file_bytes);
        }
        self.metrics.set("app_log_files", self.files.len() as f64);
        Ok(evidence)
    }
}

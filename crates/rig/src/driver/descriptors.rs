//! Descriptors that are opened and not closed, under a limit that the process sets for itself.

use std::fs::{self, File};
use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::{DriverError, Evidence, Fault};
use crate::metrics::Metrics;

pub(super) struct Descriptors {
    limit: f64,
    /// Those that the process has for itself.
    own: usize,
    files: Vec<File>,
    metrics: Metrics,
}

impl Descriptors {
    pub(super) fn start(limit: f64, metrics: &Metrics) -> Result<Self, DriverError> {
        let doing =
            "setting the limit on open files (see `ulimit -Hn` for the most that is allowed)";
        let mut bound = getrlimit(Resource::Nofile);
        #[expect(clippy::cast_sign_loss, reason = "checked against bounds above 0")]
        let soft = limit as u64;
        bound.current = Some(soft);
        setrlimit(Resource::Nofile, bound).map_err(|errno| DriverError::Io {
            doing,
            source: errno.into(),
        })?;
        let listed =
            fs::read_dir("/proc/self/fd").map_err(DriverError::io("counting open files"))?;
        Ok(Self {
            limit,
            // Without the one that lists them.
            own: listed.count().saturating_sub(1),
            files: Vec::new(),
            metrics: metrics.clone(),
        })
    }
}

impl Fault for Descriptors {
    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError> {
        #[expect(clippy::cast_sign_loss, reason = "levels are at least 0")]
        let wanted = ((level * self.limit) as usize).saturating_sub(self.own);
        let before = self.files.len();
        self.files.truncate(wanted);
        let mut evidence = None;
        while self.files.len() < wanted {
            match File::open("/dev/null") {
                Ok(file) => self.files.push(file),
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) =>
                {
                    self.metrics
                        .add("app_open_errors_total", "errno=\"EMFILE\"", 1.0);
                    evidence = Some(Evidence::now(format!("EMFILE: {error}")));
                    break;
                }
                Err(error) => return Err(no_file(error)),
            }
        }
        let changed = before.abs_diff(self.files.len());
        self.metrics
            .add("app_requests_total", "", 1.0 + changed as f64);
        Ok(evidence)
    }
}

fn no_file(source: io::Error) -> DriverError {
    DriverError::Io {
        doing: "opening /dev/null",
        source,
    }
}

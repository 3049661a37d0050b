//! The lookout beside the engine: what runs out, and when. Shards leave samples in an [`Inlet`] and never wait; a thread
//! behind it owns `hotpath::Lookout`, and writes what it says where readers find it.
//!
//! The minutes that it has seen are not in snapshots: after a restart they begin anew, and each outlook says how far it can be
//! relied on. The days of each resource are kept in a file of the state directory.

mod alarm;
mod board;
mod days;
mod inlet;
mod interest;
mod kept;
mod reporter;
mod tally;
mod wanted;
mod watch;
mod worker;

use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};

use hotpath::{Engine, Lookout};
use onnx::LoadError;

use crate::config::Config;

pub(crate) use board::{Outlooks, Row, Said, Subscription};
pub(crate) use inlet::Inlet;
pub(crate) use reporter::{Reporter, local_host};
pub(crate) use wanted::{Wanted, within};

use days::Days;
use worker::Worker;

/// The lookout between its opening, which comes before the engine, and its thread, which comes after.
pub(crate) struct Opened {
    inlet: Arc<Inlet>,
    outlooks: Arc<Outlooks>,
    worker: Worker,
}

impl Opened {
    /// `None` when nothing is to be foretold.
    ///
    /// # Errors
    /// As [`onnx::exhaustion::judge_in`].
    pub(crate) fn new(
        config: &Config,
        n_shards: usize,
        state_dir: Option<&Path>,
        reporter: Option<Reporter>,
    ) -> Result<Option<Self>, LoadError> {
        let (outlook, watch) = (&config.outlook, &config.watch);
        if !outlook.enabled {
            return Ok(None);
        }
        let judge = match outlook.models.as_os_str().is_empty() {
            true => onnx::exhaustion::default_judge()?,
            false => onnx::exhaustion::judge_in(&outlook.models)?,
        };
        let max_series = config.engine.max_series;
        let inlet = Arc::new(Inlet::new(n_shards, outlook.queue_samples, max_series));
        let lookout = Lookout::new(outlook.lookout(), Arc::clone(&judge));
        let outlooks = Outlooks::new(lookout, &inlet, watch.max_watchers, watch.queue_risks);
        let outlooks = Arc::new(outlooks);
        let stale_us = (outlook.stale_after_s * 1e6) as i64;
        let days = Days::open(state_dir.map(days::file_in), outlook.max_resources);
        Ok(Some(Self {
            worker: Worker::new(outlook.lookout(), judge, stale_us, days, &inlet, &outlooks)
                .telling(reporter, config.findings.rules.clone()),
            inlet,
            outlooks,
        }))
    }

    /// Where shards leave samples.
    pub(crate) fn inlet(&self) -> Arc<Inlet> {
        Arc::clone(&self.inlet)
    }

    /// Starts the thread.
    pub(crate) fn start(self, engine: Weak<Engine>) -> io::Result<LookoutThread> {
        let Self {
            inlet,
            outlooks,
            mut worker,
        } = self;
        worker.engine = engine;
        let thread = Builder::new()
            .name("lookout".to_owned())
            .spawn(move || worker.run())?;
        Ok(LookoutThread {
            inlet,
            outlooks,
            thread: Some(thread),
        })
    }
}

/// A running lookout; stops when dropped.
pub(crate) struct LookoutThread {
    inlet: Arc<Inlet>,
    outlooks: Arc<Outlooks>,
    thread: Option<JoinHandle<()>>,
}

impl LookoutThread {
    /// What readers may see.
    pub(crate) fn outlooks(&self) -> Arc<Outlooks> {
        Arc::clone(&self.outlooks)
    }
}

impl Drop for LookoutThread {
    fn drop(&mut self) {
        self.inlet.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use series::Timestamp;

    pub(crate) use super::board::tests::said;
    use super::board::tests::{outlooks, resource};
    use super::*;

    /// The row of a resource of which this is known.
    pub(crate) fn row(missing: Option<&str>, said: Option<Said>) -> Row {
        let board = outlooks();
        board.meet(&[resource(0, missing)], Timestamp::from_millis(0));
        let mut rows = board.rows();
        let mut row = rows.remove(0);
        row.said = said.map(Arc::new);
        row
    }
}

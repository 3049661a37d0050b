//! The threads that run models, and when a batch is ripe.
//!
//! A model with waiting requests has one ticket. A ticket is due when its oldest request has waited as long as it may,
//! or a full batch waits; a thread takes the first that is due. While all threads compute, requests gather: under load
//! batches grow by themselves, and the delay only buys more when there is little of it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::queue::{Failure, Job, Room};
use super::served::Served;
use crate::metrics::Failed;

/// When batches run and how large they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batching {
    pub(crate) max_rows: usize,
    pub(crate) max_delay: Duration,
    pub(crate) room: Room,
}

/// Threads; joined when dropped. Requests that still wait then are not answered.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    batching: Batching,
    ready: Mutex<Ready>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Ready {
    tickets: Vec<Ticket>,
    stopping: bool,
}

/// A model with requests.
#[derive(Debug)]
struct Ticket {
    model: Arc<Served>,
    due: Instant,
}

impl Pool {
    /// Starts threads, at least one.
    pub(crate) fn start(threads: usize, batching: Batching) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            batching,
            ready: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut pool = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        for i in 0..threads.max(1) {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("inference-{i}"));
            pool.threads.push(builder.spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    /// Hands a request over; its answer comes by the job's channel.
    pub(crate) fn submit(&self, model: &Arc<Served>, job: Job) -> Result<(), Failure> {
        let Batching {
            max_rows,
            max_delay,
            room,
        } = self.shared.batching;
        let arrived = job.arrived;
        let (was_empty, is_full) = {
            let mut queue = model.queue.lock();
            let (waiting, rows_before) = (queue.len(), queue.rows());
            if let Err(limit) = queue.push(job, room) {
                drop(queue);
                model.metrics.fail(Failed::Full);
                return Err(Failure::Full {
                    model: model.title(),
                    waiting,
                    limit,
                });
            }
            let is_full = rows_before < max_rows && queue.rows() >= max_rows;
            (waiting == 0, is_full)
        };
        if was_empty {
            let mut ready = self.shared.ready.lock();
            // Others may have filled the batch since, and found no ticket to hasten.
            let due = if is_full || model.queue.lock().rows() >= max_rows {
                arrived
            } else {
                arrived + max_delay
            };
            ready.tickets.push(Ticket {
                model: Arc::clone(model),
                due,
            });
            drop(ready);
            self.shared.changed.notify_one();
        } else if is_full && !max_delay.is_zero() {
            let mut ready = self.shared.ready.lock();
            let mut tickets = ready.tickets.iter_mut();
            // None when a thread took it in the meantime.
            if let Some(ticket) = tickets.find(|ticket| Arc::ptr_eq(&ticket.model, model)) {
                ticket.due = arrived;
                self.shared.changed.notify_one();
            }
        }
        Ok(())
    }
}

impl Shared {
    fn work(&self) {
        let mut batch = Vec::new();
        while let Some(model) = self.next() {
            let left = {
                let mut queue = model.queue.lock();
                let Batching {
                    max_rows,
                    max_delay,
                    ..
                } = self.batching;
                queue.take(model.description().rows, max_rows, &mut batch);
                let delay = if queue.rows() < max_rows {
                    max_delay
                } else {
                    Duration::ZERO
                };
                queue.oldest().map(|oldest| oldest + delay)
            };
            if let Some(due) = left {
                self.ready.lock().tickets.push(Ticket {
                    model: Arc::clone(&model),
                    due,
                });
                self.changed.notify_one();
            }
            model.run(&mut batch);
        }
    }

    /// Waits for a model whose batch is due; `None` when it is time to end.
    fn next(&self) -> Option<Arc<Served>> {
        let mut ready = self.ready.lock();
        loop {
            if ready.stopping {
                return None;
            }
            let earliest = (0..ready.tickets.len()).min_by_key(|&i| ready.tickets[i].due);
            let Some(place) = earliest else {
                self.changed.wait(&mut ready);
                continue;
            };
            let due = ready.tickets[place].due;
            if self.batching.max_delay.is_zero() || due <= Instant::now() {
                return Some(ready.tickets.swap_remove(place).model);
            }
            self.changed.wait_until(&mut ready, due);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.ready.lock().stopping = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of a model ends in its guard; one of ours has been printed.
            let _ = thread.join();
        }
    }
}

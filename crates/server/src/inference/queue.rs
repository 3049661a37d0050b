//! Requests that wait for one model, and which of them go through it together.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::oneshot;

use super::runner::Rows;
use super::tensor::Tensor;

/// Why a request got no tensors from a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Too much waits already.
    #[error("{model} has {waiting} requests waiting, as many as {limit} allows; try again later")]
    Full {
        /// The model.
        model: String,
        /// How many wait.
        waiting: usize,
        /// The key in the configuration.
        limit: &'static str,
    },
    /// The caller's time was up.
    #[error("the time given was up before {0} had its turn")]
    Late(String),
    /// The model does not run on this.
    #[error("running {model}: {what}")]
    Model {
        /// The model.
        model: String,
        /// What it said.
        what: String,
    },
    /// The answer is too large.
    #[error(
        "the outputs of {model} take {bytes} bytes, inference.max_tensor_bytes allows {allowed}"
    )]
    Large {
        /// The model.
        model: String,
        /// What they take.
        bytes: usize,
        /// What they may take.
        allowed: usize,
    },
}

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Job {
    /// In the order of the model's inputs, checked.
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) rows: usize,
    pub(crate) arrived: Instant,
    pub(crate) deadline: Option<Instant>,
    pub(crate) answer: oneshot::Sender<Result<Vec<Tensor>, Failure>>,
}

impl Job {
    pub(crate) fn bytes(&self) -> usize {
        self.inputs.iter().map(|tensor| tensor.data.len()).sum()
    }

    /// Whether both may go through a model as rows of one batch: all axes but the first are as long.
    fn joins(&self, other: &Self) -> bool {
        let trailing = |tensor: &Tensor| tensor.shape.get(1..).map(<[usize]>::to_vec);
        let mut pairs = self.inputs.iter().zip(&other.inputs);
        pairs.all(|(a, b)| a.shape.len() == b.shape.len() && trailing(a) == trailing(b))
    }
}

/// What may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) requests: usize,
    pub(crate) bytes: usize,
}

/// Requests in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    jobs: VecDeque<Job>,
    rows: usize,
    bytes: usize,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Rows that wait.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// When the first of them came.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.jobs.front().map(|job| job.arrived)
    }

    /// Puts a request at the end, or says which key of the configuration forbids it.
    pub(crate) fn push(&mut self, job: Job, room: Room) -> Result<(), &'static str> {
        let bytes = job.bytes();
        if self.jobs.len() >= room.requests {
            return Err("inference.queue");
        }
        // A request of its own always has room: how large it may be is another key's affair.
        if self.bytes + bytes > room.bytes && !self.jobs.is_empty() {
            return Err("inference.queue_bytes");
        }
        self.rows += job.rows;
        self.bytes += bytes;
        self.jobs.push_back(job);
        Ok(())
    }

    /// Takes the oldest request, and those behind it that may join it, up to `max_rows` rows in all.
    pub(crate) fn take(&mut self, rows: Rows, max_rows: usize, batch: &mut Vec<Job>) {
        let Some(first) = self.pop(0) else {
            return;
        };
        let mut n = first.rows;
        batch.push(first);
        if rows == Rows::Whole {
            return;
        }
        let mut place = 0;
        while let Some(job) = self.jobs.get(place) {
            if n + job.rows <= max_rows && job.joins(&batch[0]) {
                n += job.rows;
                batch.extend(self.pop(place));
            } else if n >= max_rows {
                return;
            } else {
                place += 1;
            }
        }
    }

    fn pop(&mut self, place: usize) -> Option<Job> {
        let job = self.jobs.remove(place)?;
        self.rows -= job.rows;
        self.bytes -= job.bytes();
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(rows: usize, columns: usize) -> Job {
        Job {
            inputs: vec![Tensor::of_f32(
                vec![rows, columns],
                &vec![0.0; rows * columns],
            )],
            rows,
            arrived: Instant::now(),
            deadline: None,
            answer: oneshot::channel().0,
        }
    }

    const ROOM: Room = Room {
        requests: 6,
        bytes: 1000,
    };

    fn taken(queue: &mut Queue, rows: Rows, max: usize) -> Vec<(usize, usize)> {
        let mut batch = Vec::new();
        queue.take(rows, max, &mut batch);
        let shape = |job: &Job| (job.inputs[0].shape[0], job.inputs[0].shape[1]);
        batch.iter().map(shape).collect()
    }

    #[test]
    fn those_that_fit_together_go_together() {
        let mut queue = Queue::default();
        for (rows, columns) in [(1, 2), (1, 3), (2, 2), (9, 2), (1, 2)] {
            queue.push(job(rows, columns), ROOM).unwrap();
        }
        assert_eq!(queue.rows(), 14);
        let first = taken(&mut queue, Rows::Independent, 4);
        assert_eq!(first, [(1, 2), (2, 2), (1, 2)]);
        assert_eq!(taken(&mut queue, Rows::Independent, 4), [(1, 3)]);
        // More rows than a batch may have: alone.
        assert_eq!(taken(&mut queue, Rows::Independent, 4), [(9, 2)]);
        assert_eq!(taken(&mut queue, Rows::Independent, 4), []);
        assert_eq!((queue.rows(), queue.len()), (0, 0));
    }

    #[test]
    fn a_model_without_rows_takes_one_at_a_time() {
        let mut queue = Queue::default();
        queue.push(job(1, 2), ROOM).unwrap();
        queue.push(job(1, 2), ROOM).unwrap();
        assert_eq!(taken(&mut queue, Rows::Whole, 8), [(1, 2)]);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn what_has_no_room_is_turned_away() {
        let mut queue = Queue::default();
        // 4,000 bytes, and nothing else waits.
        queue.push(job(10, 100), ROOM).unwrap();
        assert_eq!(queue.push(job(1, 1), ROOM), Err("inference.queue_bytes"));
        let mut queue = Queue::default();
        for _ in 0..6 {
            queue.push(job(1, 1), ROOM).unwrap();
        }
        assert_eq!(queue.push(job(1, 1), ROOM), Err("inference.queue"));
    }
}

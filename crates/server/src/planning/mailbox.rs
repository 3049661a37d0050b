//! What waits for the planner: findings of any thread, which are dropped and counted when there are too many, and calls,
//! which are answered.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use remedy::order::Answer;
use remedy::planner::{Command, Planner, Refused, Reply};
use remedy::record::RequestRecord;
use remedy::topology::Link;
use remedy::{EntityId, Finding};
use series::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};

/// Calls that may wait.
const CALLS: usize = 256;

/// What is told of the world.
#[derive(Debug)]
pub(crate) enum News {
    /// Something is wrong, or not any more.
    Finding(Box<Finding>),
    /// The value of a signal that a plan is judged by.
    Value(String, f64, Timestamp),
    /// An entity, and what it belongs to.
    Entity(EntityId, Vec<Link>),
}

/// Makes the record of a request from the reply to it.
pub(crate) type Recorder = Box<dyn FnOnce(&Reply) -> RequestRecord + Send>;

/// A question that is answered within a turn.
pub(super) type Question = Box<dyn FnOnce(&Planner) + Send>;

/// What somebody wants, and where the answer goes.
pub(super) enum Call {
    /// To be done, and written down, before it is answered.
    Command {
        who: String,
        command: Command,
        /// Makes the record of the request from the reply.
        request: Option<Recorder>,
        reply: oneshot::Sender<Result<Reply, Refused>>,
    },
    /// Only looks.
    Question(Question),
    /// What became of an order.
    Answer(String, Answer),
}

/// The senders' end.
#[derive(Debug)]
pub(crate) struct Mailbox {
    news: Mutex<Vec<News>>,
    most: usize,
    dropped: AtomicU64,
    pub(super) bell: Notify,
    calls: mpsc::Sender<Call>,
    answers: mpsc::UnboundedSender<Call>,
    /// Signals whose values are wanted.
    pub(super) watched: Mutex<std::collections::HashSet<String>>,
}

/// The planner's end of the calls.
pub(super) struct Calls {
    pub(super) calls: mpsc::Receiver<Call>,
    /// Answers of executors: as many as there are orders, which are bounded.
    pub(super) answers: mpsc::UnboundedReceiver<Call>,
}

impl Mailbox {
    pub(super) fn new(most: usize) -> (Self, Calls) {
        let (calls, from_calls) = mpsc::channel(CALLS);
        let (answers, from_answers) = mpsc::unbounded_channel();
        let mailbox = Self {
            news: Mutex::default(),
            most,
            dropped: AtomicU64::new(0),
            bell: Notify::new(),
            calls,
            answers,
            watched: Mutex::default(),
        };
        let calls = Calls {
            calls: from_calls,
            answers: from_answers,
        };
        (mailbox, calls)
    }

    /// Leaves news; what does not fit is counted. Whatever is still so is told again before long.
    pub(crate) fn tell(&self, news: impl IntoIterator<Item = News>) {
        let mut news = news.into_iter().peekable();
        if news.peek().is_none() {
            return;
        }
        let mut waiting = self.news.lock();
        let was_empty = waiting.is_empty();
        let mut dropped = 0;
        for news in news {
            if waiting.len() < self.most {
                waiting.push(news);
            } else {
                dropped += 1;
            }
        }
        let rings = was_empty && !waiting.is_empty();
        drop(waiting);
        if dropped > 0 {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        if rings {
            self.bell.notify_one();
        }
    }

    /// Takes at most so many of what waits, oldest first.
    pub(super) fn take(&self, most: usize) -> Vec<News> {
        let mut waiting = self.news.lock();
        let n = waiting.len().min(most);
        let taken: Vec<_> = waiting.drain(..n).collect();
        if !waiting.is_empty() {
            self.bell.notify_one();
        }
        taken
    }

    /// Whether the value of any signal is wanted.
    pub(crate) fn watches_any(&self) -> bool {
        !self.watched.lock().is_empty()
    }

    /// Whether somebody wants to know the value of a signal.
    pub(crate) fn is_watched(&self, signal: &str) -> bool {
        self.watched.lock().contains(signal)
    }

    /// News that were left out so far.
    pub(crate) fn n_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sends a call; or says why it cannot be taken.
    pub(super) fn call(&self, call: Call) -> Result<(), &'static str> {
        self.calls.try_send(call).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => "too many calls wait for the planner",
            mpsc::error::TrySendError::Closed(_) => "the planner has stopped",
        })
    }

    pub(super) fn answer(&self, key: String, answer: Answer) {
        // Nobody is there any more when the server stops: the executor is asked when it starts again.
        let _ = self.answers.send(Call::Answer(key, answer));
    }
}

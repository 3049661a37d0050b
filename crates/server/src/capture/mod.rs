//! Capture: every scored sample, written down for learning. Shards hand copies to a `Tap` and never wait; two threads
//! behind it do what is slow. What lies on the disk, and how it is read, is for `store::capture` to say.

mod tap;
mod thread;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use hotpath::Engine;
use parking_lot::{Mutex, RwLock};
use series::{Clock, Timestamp};
use store::capture::{
    Capture, CaptureError, Mark, MarkError, NewMark, Picker, ReadError, Reader, Said, Status,
    Writer,
};

use crate::config::CaptureConfig;
use crate::selector::Selector;

pub(crate) use tap::Tap;

use tap::Message;
use thread::Writing;

/// Reads what was captured to `dir` from `range.start` until before `range.end`, with marks whose selectors are written
/// as everywhere else.
///
/// # Errors
/// See [`ReadError`].
pub fn reader(dir: &Path, range: Range<Timestamp>) -> Result<Reader, ReadError> {
    Reader::open(dir, range, selectors)
}

/// Reads a selector for `store`, which does not know what one looks like.
fn selectors(text: &str) -> Result<Picker, String> {
    let selector = Selector::parse(text).map_err(|error| error.to_string())?;
    Ok(Box::new(move |key| selector.picks(key)))
}

/// Capture between its opening, which comes before the engine, and its threads, which come after.
pub(crate) struct Opened {
    capture: Capture,
    writer: Writer,
    tap: Arc<Tap>,
    messages: std::sync::mpsc::Receiver<Message>,
}

/// Running capture. Dropping it writes and seals everything, and waits for that.
pub(crate) struct Recorder {
    /// `None` once it has ended: the directory is then free for others.
    capture: RwLock<Option<Capture>>,
    tap: Arc<Tap>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    max_bytes: u64,
}

/// How capture goes.
pub(crate) struct Report {
    pub(crate) status: Status,
    pub(crate) directory: String,
    pub(crate) max_bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) open_marks: u64,
}

impl Opened {
    /// Locks the directory and takes stock; `None` when nothing is to be captured.
    pub(crate) fn new(
        config: &CaptureConfig,
        n_shards: usize,
    ) -> Result<Option<Self>, CaptureError> {
        if !config.is_enabled() {
            return Ok(None);
        }
        let (capture, writer) = Capture::open(&config.dir, config.options(), selectors)?;
        let (tap, messages) = Tap::new(n_shards, config.queue_rows);
        Ok(Some(Self {
            capture,
            writer,
            tap: Arc::new(tap),
            messages,
        }))
    }

    /// Where shards leave what is to be captured.
    pub(crate) fn tap(&self) -> Arc<Tap> {
        Arc::clone(&self.tap)
    }

    /// Starts the threads.
    pub(crate) fn start(
        self,
        config: &CaptureConfig,
        engine: Weak<Engine>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Recorder> {
        let Self {
            capture,
            writer,
            tap,
            messages,
        } = self;
        let (wake, woken) = thread::wake();
        let sealing = capture.clone();
        let sealer = Builder::new()
            .name("capture-seal".to_owned())
            .spawn(move || thread::seal(&sealing, &woken))?;
        let writing = Writing {
            writer,
            capture: capture.clone(),
            tap: Arc::clone(&tap),
            engine,
            clock,
            flush_interval: Duration::from_secs_f64(config.flush_interval_s),
        };
        // The writer first: its end is what lets the sealer end.
        let writer = Builder::new()
            .name("capture-write".to_owned())
            .spawn(move || writing.run(&messages, &wake))?;
        Ok(Recorder {
            capture: RwLock::new(Some(capture)),
            tap,
            threads: Mutex::new(vec![writer, sealer]),
            max_bytes: config.max_bytes,
        })
    }
}

impl Recorder {
    /// Writes down what a person said. May wait.
    pub(crate) fn say(&self, said: Said) {
        self.tap.say(said);
    }

    /// Begins a mark; `None` when capture has ended.
    pub(crate) fn start_mark(&self, mark: NewMark) -> Option<Result<Mark, MarkError>> {
        Some(self.capture.read().as_ref()?.start_mark(mark))
    }

    /// Ends a mark; `None` when capture has ended.
    pub(crate) fn end_mark(&self, id: u64, to: Timestamp) -> Option<Result<Mark, MarkError>> {
        Some(self.capture.read().as_ref()?.end_mark(id, to))
    }

    /// All marks; `None` when capture has ended.
    pub(crate) fn marks(&self) -> Option<Vec<Mark>> {
        Some(self.capture.read().as_ref()?.marks())
    }

    /// How it goes; `None` when capture has ended.
    pub(crate) fn report(&self) -> Option<Report> {
        let capture = self.capture.read();
        let capture = capture.as_ref()?;
        let marks = capture.marks();
        let open_marks = marks.iter().filter(|mark| mark.body.to_us.is_none());
        Some(Report {
            status: capture.status(),
            directory: capture.dir().display().to_string(),
            max_bytes: self.max_bytes,
            dropped: self.tap.n_dropped(),
            open_marks: open_marks.count() as u64,
        })
    }

    /// Writes and seals everything that was offered so far, and gives the directory free. Blocks.
    pub(crate) fn finish(&self) {
        self.tap.stop();
        for thread in self.threads.lock().drain(..) {
            // A panic of a thread has been printed; there is nothing to add.
            let _ = thread.join();
        }
        *self.capture.write() = None;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.threads.lock().is_empty() {
            self.finish();
        }
    }
}

//! Callers of a service: requests that come at random at a given rate, whether the service keeps up or not. A caller
//! that waited for its answer before the next call would hide what it is there to show.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::breach::{Breach, Objective, State};
use crate::clock;
use crate::http;
use crate::metrics::Metrics;
use crate::random::Random;

/// Calls under way at once; one more is refused at once, as a proxy does whose connections are all in use.
const CALLERS: usize = 192;
/// Calls that wait for a caller; their wait is part of what they take.
const WAITING: usize = 64;
/// A caller needs little stack.
const STACK_BYTES: usize = 128 << 10;

/// The names under which the calls are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) offered: Option<&'static str>,
    pub(crate) in_flight: &'static str,
    pub(crate) total: &'static str,
    pub(crate) duration: [&'static str; 3],
}

/// Callers, until it is dropped.
#[derive(Debug)]
pub(crate) struct Load {
    shared: Arc<Shared>,
    queue: Option<SyncSender<Instant>>,
    random: Random,
    next: Instant,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    timeout: Duration,
    names: Names,
    metrics: Metrics,
    breach: Mutex<Breach>,
    in_flight: AtomicU64,
}

impl Load {
    /// Starts the callers; no call is made before the first [`Load::offer`].
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn start(
        server: SocketAddr,
        timeout: Duration,
        names: Names,
        objective: Objective,
        metrics: &Metrics,
        seed: u64,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            server,
            timeout,
            names,
            metrics: metrics.clone(),
            breach: Mutex::new(Breach::new(objective)),
            in_flight: AtomicU64::new(0),
        });
        metrics.set(names.in_flight, 0.0);
        let (queue, calls) = sync_channel(WAITING);
        let calls = Arc::new(Mutex::new(calls));
        for _ in 0..CALLERS {
            let (shared, calls) = (Arc::clone(&shared), Arc::clone(&calls));
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn(move || shared.work(&calls))?;
        }
        Ok(Self {
            shared,
            queue: Some(queue),
            random: Random::new(seed ^ 0x6c6f_6164),
            next: Instant::now(),
        })
    }

    /// Makes the calls that have come due since the last time, at `rate` per second. To be called often.
    pub(crate) fn offer(&mut self, rate: f64) {
        let now = Instant::now();
        let Some(queue) = &self.queue else { return };
        while self.next <= now {
            self.next += Duration::from_secs_f64((self.random.wait() / rate.max(0.1)).min(10.0));
            let shared = &self.shared;
            if let Some(offered) = shared.names.offered {
                shared.metrics.add(offered, "", 1.0);
            }
            if queue.try_send(now).is_err() {
                shared.done(now, Some(503));
            }
        }
    }

    /// To be asked every second: since when the objective is broken, once that is for long enough.
    pub(crate) fn exhausted(&self) -> Option<f64> {
        self.shared.breach().exhausted(clock::now_s())
    }

    /// How the service does.
    pub(crate) fn state(&self) -> Option<State> {
        self.shared.breach().state(clock::now_s())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // The callers end when nothing can come any more; the longest has one timeout to go, and nobody waits for it.
        self.queue = None;
    }
}

impl Shared {
    fn breach(&self) -> std::sync::MutexGuard<'_, Breach> {
        self.breach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, calls: &Mutex<Receiver<Instant>>) {
        loop {
            let call = calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(begin) = call else { return };
            let flying = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            self.metrics.set(self.names.in_flight, flying as f64);
            let status = http::call(self.server, self.timeout).ok();
            let flying = self.in_flight.fetch_sub(1, Ordering::Relaxed) - 1;
            self.metrics.set(self.names.in_flight, flying as f64);
            self.done(begin, status);
        }
    }

    /// Counts a call. One that got no answer is a 504, as a gateway says it.
    fn done(&self, begin: Instant, status: Option<u16>) {
        let took_s = begin.elapsed().as_secs_f64();
        let status = status.unwrap_or(504);
        self.metrics
            .add(self.names.total, &format!("code=\"{status}\""), 1.0);
        self.metrics.observe(self.names.duration, took_s);
        self.breach().call(clock::now_s(), took_s, status >= 500);
    }
}

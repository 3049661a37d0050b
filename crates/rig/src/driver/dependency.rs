//! A server that somebody depends on, and the somebody: calls at a steady rate to a server that gets slower, errs, or
//! loses its workers.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{DriverError, Evidence, Fault};
use crate::breach::Objective;
use crate::http;
use crate::kind::Mechanism;
use crate::load::{Load, Names};
use crate::metrics::Metrics;
use crate::random::Random;
use crate::spec::Spec;

/// The caller gives up after this.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);
/// Median time of an answer when all is well, and the spread of its logarithm.
const HEALTHY_S: f64 = 0.03;
const SPREAD: f64 = 0.5;
/// Failed share at which the dependency counts as exhausted.
pub(crate) const FAILED: f64 = 0.5;
const NAMES: Names = Names {
    offered: None,
    in_flight: "upstream_requests_in_flight",
    total: "upstream_requests_total",
    duration: [
        "upstream_request_duration_seconds_bucket",
        "upstream_request_duration_seconds_sum",
        "upstream_request_duration_seconds_count",
    ],
};

pub(super) struct Dependency {
    upstream: Arc<Upstream>,
    load: Load,
    rate: f64,
    asked: Instant,
}

struct Upstream {
    mechanism: Mechanism,
    workers: u64,
    /// The level in millionths.
    level: AtomicU64,
    busy: AtomicU64,
    lost: AtomicU64,
    random: Mutex<Random>,
    metrics: Metrics,
}

impl Dependency {
    pub(super) fn start(spec: &Spec, metrics: &Metrics) -> Result<Self, DriverError> {
        let doing = "starting a server on the loopback interface";
        let listener = TcpListener::bind("127.0.0.1:0").map_err(DriverError::io(doing))?;
        let address = listener.local_addr().map_err(DriverError::io(doing))?;
        #[expect(clippy::cast_sign_loss, reason = "checked against bounds above 0")]
        let workers = spec.limit as u64;
        let upstream = Arc::new(Upstream {
            mechanism: spec.mechanism,
            workers,
            level: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            random: Mutex::new(Random::new(spec.seed ^ 0x7570)),
            metrics: metrics.clone(),
        });
        metrics.set("upstream_workers_max", spec.limit);
        metrics.set("upstream_workers_busy", 0.0);
        for _ in 0..workers {
            let listener = listener.try_clone().map_err(DriverError::io(doing))?;
            let upstream = Arc::clone(&upstream);
            thread::Builder::new()
                .spawn(move || upstream.serve(&listener))
                .map_err(DriverError::io("starting a worker of the server"))?;
        }
        let objective = Objective {
            p95_s: f64::INFINITY,
            failed: FAILED,
            hold_s: spec.hold_s(),
        };
        let load = Load::start(address, TIMEOUT, NAMES, objective, metrics, spec.seed);
        Ok(Self {
            upstream,
            load: load.map_err(DriverError::io("starting the callers"))?,
            rate: rate(spec),
            asked: Instant::now(),
        })
    }
}

/// Calls per second: workers that take a second each would not quite be enough.
pub(crate) fn rate(spec: &Spec) -> f64 {
    let per_worker = Random::new(spec.seed ^ 0x0072_7073).between(0.5, 0.7);
    (per_worker * spec.limit * 10.0).round() / 10.0
}

impl Upstream {
    fn level(&self) -> f64 {
        self.level.load(Ordering::Relaxed) as f64 / 1e6
    }

    fn busy(&self, change: i64) {
        let busy = self
            .busy
            .fetch_add(change.cast_unsigned(), Ordering::Relaxed);
        let busy = busy.wrapping_add(change.cast_unsigned());
        self.metrics.set("upstream_workers_busy", busy as f64);
    }

    fn draw(&self, draw: impl FnOnce(&mut Random) -> f64) -> f64 {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of the workers that should be lost by now; never negative, never more than there are.
    fn lost_wanted(&self) -> u64 {
        #[expect(clippy::cast_sign_loss, reason = "levels are at least 0")]
        let lost = (self.level() * self.workers as f64 + 1e-9).floor() as u64;
        if self.mechanism == Mechanism::Workers {
            lost.min(self.workers)
        } else {
            0
        }
    }

    /// One worker.
    fn serve(&self, listener: &TcpListener) {
        loop {
            let accepted = listener.accept();
            self.busy(1);
            if let Ok((mut stream, _)) = accepted {
                self.serve_one(&mut stream);
            }
            // A worker that is lost waits for something that does not come.
            if self.lost.load(Ordering::Relaxed) < self.lost_wanted() {
                self.lost.fetch_add(1, Ordering::Relaxed);
                while self.lost.load(Ordering::Relaxed) <= self.lost_wanted() {
                    thread::sleep(Duration::from_millis(20));
                }
                self.lost.fetch_sub(1, Ordering::Relaxed);
            }
            self.busy(-1);
        }
    }

    fn serve_one(&self, stream: &mut TcpStream) {
        if http::read_request(stream).is_err() {
            return;
        }
        let level = self.level();
        let median_s = if self.mechanism == Mechanism::Latency {
            // At level 1 the median is the caller's patience: half of the calls fail.
            HEALTHY_S.powf(1.0 - level).min(4.0)
        } else {
            HEALTHY_S
        };
        let took_s = median_s * (SPREAD * self.draw(Random::normal)).exp();
        thread::sleep(Duration::from_secs_f64(took_s.min(10.0)));
        let errs =
            self.mechanism == Mechanism::Errors && self.draw(Random::unit) < FAILED * level * level;
        let _ = http::answer(stream, if errs { 503 } else { 200 });
    }
}

impl Fault for Dependency {
    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError> {
        #[expect(clippy::cast_sign_loss, reason = "levels are at least 0")]
        let millionths = (level * 1e6) as u64;
        self.upstream.level.store(millionths, Ordering::Relaxed);
        self.load.offer(self.rate);
        if self.asked.elapsed() < Duration::from_secs(1) {
            return Ok(None);
        }
        self.asked = Instant::now();
        let since = self.load.exhausted();
        let state = self.load.state();
        Ok(since.zip(state).map(|(since_s, state)| {
            let share = 100.0 * state.failed;
            Evidence {
                at_s: since_s,
                text: format!("sustained breach: {share:.0} % of the calls over 5 s failed"),
            }
        }))
    }
}

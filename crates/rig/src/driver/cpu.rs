//! A small HTTP service whose requests cost processor time. It is bounded by the quota of its control group; without
//! one it bounds itself: one worker, which rests after each request as a quota would make it.

use std::hint::black_box;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use super::{DriverError, Evidence, Fault};
use crate::http;
use crate::wire::Task;

/// Threads that serve under a quota; without one there is one.
const WORKERS: usize = 8;

pub(super) struct Cpu {
    port: u16,
}

impl Cpu {
    pub(super) fn start(task: &Task) -> Result<Self, DriverError> {
        let doing = "starting a service on the loopback interface";
        let listener = TcpListener::bind("127.0.0.1:0").map_err(DriverError::io(doing))?;
        let port = listener
            .local_addr()
            .map_err(DriverError::io(doing))?
            .port();
        let service_s = service_s(task.spec.seed);
        let rounds = rounds(service_s);
        let rest = Duration::from_secs_f64(service_s * (1.0 / task.spec.limit - 1.0));
        let (workers, rest) = if task.grouped {
            (WORKERS, Duration::ZERO)
        } else {
            (1, rest)
        };
        for _ in 0..workers {
            let listener = listener.try_clone().map_err(DriverError::io(doing))?;
            thread::Builder::new()
                .spawn(move || serve(&listener, rounds, rest))
                .map_err(DriverError::io("starting a worker of the service"))?;
        }
        Ok(Self { port })
    }
}

/// Processor seconds of one request.
pub(crate) const fn service_s(seed: u64) -> f64 {
    if seed.is_multiple_of(2) { 0.005 } else { 0.01 }
}

fn serve(listener: &TcpListener, rounds: u64, rest: Duration) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        // A caller that has given up is no trouble of the service's; the work is done all the same, as services do.
        let _ = http::read_request(&mut stream);
        burn(rounds);
        thread::sleep(rest);
        let _ = http::answer(&mut stream, 200);
    }
}

/// Work that no compiler takes away.
fn burn(rounds: u64) {
    let mut word = 1_u64;
    for _ in 0..rounds {
        word = black_box(word.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(7));
    }
}

/// How many rounds take so many processor seconds here. The quickest of many short tries counts, because the others
/// were interrupted.
fn rounds(service_s: f64) -> u64 {
    const TRY: u64 = 20_000;
    let quickest = (0..100)
        .map(|_| {
            let begin = Instant::now();
            burn(TRY);
            begin.elapsed()
        })
        .min()
        .unwrap_or_default();
    #[expect(clippy::cast_sign_loss, reason = "a quotient of times")]
    let rounds = (service_s / quickest.as_secs_f64().max(1e-9) * TRY as f64) as u64;
    rounds.max(1)
}

impl Fault for Cpu {
    fn step(&mut self, _: f64) -> Result<Option<Evidence>, DriverError> {
        // The level is the load, which comes from outside.
        Ok(None)
    }

    fn port(&self) -> Option<u16> {
        Some(self.port)
    }
}

//! A TCP connection on which nothing lasts longer than one deadline for all.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::endpoint::{Endpoint, Host};

/// A name may have more addresses; these are tried.
const MAX_ADDRESSES: usize = 8;
/// A lookup cannot be called off, so one that has lost its caller goes on in its thread: so many at once.
const MAX_LOOKUPS: usize = 16;

/// The end of the time that was given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Monotonic, and thus no clock: it cannot tell the time of day.
    pub(super) fn after(timeout: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(timeout).unwrap_or(now))
    }

    /// What is left, more than nothing; an error of the kind `TimedOut` otherwise.
    fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

/// Finds the addresses of a host.
pub(super) fn resolve(endpoint: &Endpoint, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
    let name = match &endpoint.host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, endpoint.port)]),
        Host::Name(name) => name.as_ref().to_owned(),
    };
    let port = endpoint.port;
    let lookup = Lookup::begin()?;
    let (found, answer) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("lookup".into())
        .spawn(move || {
            let addresses = (name, port).to_socket_addrs();
            drop(lookup);
            // Nobody may be waiting any more.
            let _ = found.send(addresses.map(|list| list.take(MAX_ADDRESSES).collect()));
        })?;
    match answer.recv_timeout(deadline.left()?) {
        Ok(addresses) => addresses,
        Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the lookup came to no end")),
    }
}

/// One of the lookups that may be under way.
struct Lookup;

static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

impl Lookup {
    fn begin() -> io::Result<Self> {
        let one_more = |n| (n < MAX_LOOKUPS).then_some(n + 1);
        let under_way = LOOKUPS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        let busy = |n| io::Error::other(format!("{n} earlier lookups have not come to an end"));
        under_way.map(|_| Self).map_err(busy)
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        LOOKUPS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection whose every read and write ends with the deadline.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    deadline: Deadline,
}

impl Wire {
    /// To the first of `addresses` that answers; each gets an equal share of the time left, so that one which swallows
    /// everything does not hide the next. The error is that of the last.
    pub(super) fn connect(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for (i, address) in addresses.iter().enumerate() {
            let shares = u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, deadline.left()? / shares) {
                Ok(stream) => return Ok(Self { stream, deadline }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// A read or write that waited too long says so in one of two ways.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        return io::ErrorKind::TimedOut.into();
    }
    error
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(Some(self.deadline.left()?))?;
            match self.stream.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => return done.map_err(timed_out),
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            self.stream.set_write_timeout(Some(self.deadline.left()?))?;
            match self.stream.write(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => return done.map_err(timed_out),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

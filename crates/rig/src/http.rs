//! As much of HTTP as a service and its caller need to slow each other down: one request for each connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Larger than any request that is sent here.
const MOST_BYTES: usize = 4096;

/// Calls `GET /` at `server`; the status, or the error, no later than after `timeout`.
pub(crate) fn call(server: SocketAddr, timeout: Duration) -> io::Result<u16> {
    let begin = Instant::now();
    let left = || {
        let left = timeout.saturating_sub(begin.elapsed());
        if left.is_zero() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok::<_, io::Error>(left)
        }
    };
    let mut stream = TcpStream::connect_timeout(&server, timeout)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut chunk = [0; 512];
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < MOST_BYTES {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut chunk)? {
            0 => break,
            n => answer.extend_from_slice(&chunk[..n]),
        }
    }
    // `HTTP/1.0 200 OK`
    let status = answer
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    status
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads a request to its end, whatever it asks for.
pub(crate) fn read_request(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut chunk = [0; 512];
    while !request.ends_with(b"\r\n\r\n") && request.len() < MOST_BYTES {
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => request.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(())
}

/// Answers with a status and nothing more.
pub(crate) fn answer(stream: &mut TcpStream, status: u16) -> io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "HTTP/1.0 {status} -\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_call_is_answered_or_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let served = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            read_request(&mut stream).unwrap();
            answer(&mut stream, 503).unwrap();
            drop(stream);
            // The second caller is let in and left alone.
            listener.accept().unwrap().0
        });
        assert_eq!(call(server, Duration::from_secs(5)).unwrap(), 503);
        let error = call(server, Duration::from_millis(50)).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ),
            "{error}"
        );
        drop(served.join().unwrap());
    }
}

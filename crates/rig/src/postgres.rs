//! As much of PostgreSQL's protocol (version 3.0) as holding connections and reading a few numbers needs: no password,
//! no encryption, simple queries.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Nobody here waits longer for a local server.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Larger messages are nobody's.
const MOST_BYTES: usize = 1 << 20;

/// Why a client cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The connection broke, or never came about.
    #[error("the connection to PostgreSQL")]
    Io(#[from] io::Error),
    /// The server says no.
    #[error("PostgreSQL refused ({code}): {message}")]
    Refused {
        /// The SQLSTATE, such as 53300 for too many connections.
        code: String,
        /// What it says.
        message: String,
    },
}

/// Rows of text; `None` is NULL.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// One open connection.
#[derive(Debug)]
pub(crate) struct Client(TcpStream);

impl Client {
    /// Connects to the database `postgres` on this machine.
    ///
    /// # Errors
    /// When nobody listens, or the server refuses.
    pub(crate) fn connect(port: u16, user: &str) -> Result<Self, ClientError> {
        let stream =
            TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut client = Self(stream);
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for word in ["user", user, "database", "postgres", ""] {
            body.extend_from_slice(word.as_bytes());
            body.push(0);
        }
        client.write(None, &body)?;
        client.until_ready()?;
        Ok(client)
    }

    /// Runs one query.
    ///
    /// # Errors
    /// When the server refuses it, or is gone.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Rows, ClientError> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.write(Some(b'Q'), &body)?;
        self.until_ready()
    }

    fn write(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(body);
        self.0.write_all(&message)
    }

    fn read(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=MOST_BYTES).contains(&length) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body)?;
        Ok((head[0], body))
    }

    /// Reads until the server waits for the next query.
    fn until_ready(&mut self) -> Result<Rows, ClientError> {
        let mut rows = Vec::new();
        let mut refusal = None;
        loop {
            let (kind, body) = match self.read() {
                Ok(message) => message,
                // A server that refuses hangs up after it has said why.
                Err(error) => return Err(refusal.unwrap_or(ClientError::Io(error))),
            };
            match kind {
                b'Z' => return refusal.map_or(Ok(rows), Err),
                b'E' => refusal = Some(refused(&body)),
                b'D' => rows.push(
                    row(&body)
                        .ok_or(io::ErrorKind::InvalidData)
                        .map_err(io::Error::from)?,
                ),
                // Asks for a password: the servers that we start trust us.
                b'R' if !body.starts_with(&[0, 0, 0, 0]) => {
                    return Err(ClientError::Io(io::ErrorKind::PermissionDenied.into()));
                }
                _ => {}
            }
        }
    }
}

/// Fields of an error: a letter and a text that ends with a zero, until a zero.
fn refused(body: &[u8]) -> ClientError {
    let (mut code, mut message) = (String::new(), String::new());
    for field in body.split(|byte| *byte == 0) {
        let text = || String::from_utf8_lossy(&field[1..]).into_owned();
        match field.first() {
            Some(b'C') => code = text(),
            Some(b'M') => message = text(),
            _ => {}
        }
    }
    ClientError::Refused { code, message }
}

/// The columns of a row: a count, then for each its length (or -1) and its text.
fn row(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    (0..u16::from_be_bytes(*count))
        .map(|_| {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = i32::from_be_bytes(*length);
            rest = after;
            let Ok(length) = usize::try_from(length) else {
                return Some(None);
            };
            let (text, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(Some(String::from_utf8_lossy(text).into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A client that connects to somebody who says these bytes.
    fn connect(says: &'static [u8]) -> Result<Client, ClientError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.read(&mut [0; 512]);
            stream.write_all(says).unwrap();
        });
        let client = Client::connect(port, "app");
        server.join().unwrap();
        client
    }

    #[test]
    fn a_refusal_is_told_with_its_code() {
        let error = connect(b"E\0\0\0\x20SFATAL\0C53300\0Mtoo many\0\0\0\0\0\0").unwrap_err();
        assert_eq!(error.to_string(), "PostgreSQL refused (53300): too many");
    }

    #[test]
    fn other_servers_are_an_error() {
        for says in [
            &b"HTTP/1.0 200 OK\r\n\r\n"[..],
            b"",
            b"R\0\0\0\x08\0\0\0\x05",
            b"Z\0\0\0\0",
        ] {
            assert!(
                matches!(connect(says).unwrap_err(), ClientError::Io(_)),
                "{says:?}"
            );
        }
    }

    #[test]
    fn rows_are_cut_where_they_say() {
        let body = b"\0\x02\0\0\0\x03abc\xff\xff\xff\xff";
        assert_eq!(row(body), Some(vec![Some("abc".to_owned()), None]));
        assert_eq!(row(&body[..8]), None);
    }
}

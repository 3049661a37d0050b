//! Lines into fields: strict CSV with commas, as RFC 4180 has it, in bounded memory.
//!
//! The `csv` crate was tried first. It reads anything: an unclosed quote swallows the rest of the file into one
//! field, however large, and a stray quote passes in silence. A replay has to name the line instead.

use std::io::{self, BufRead, Read};

use super::error::RecordError;

/// Longest record in bytes, its line ends included.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// Most columns of one file.
pub const MAX_COLUMNS: usize = 10_000;

/// Splits a stream into records, holding one at a time.
pub(super) struct Records<R> {
    input: R,
    raw: Vec<u8>,
    text: String,
    ends: Vec<usize>,
    lines: u64,
}

/// One record: its fields without their quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    text: &'a str,
    ends: &'a [usize],
    /// The line on which it begins, counted from 1.
    pub(super) line: u64,
}

impl<'a> Record<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Field `i` with surrounding blanks cut off; empty when there is none.
    pub(super) fn field(&self, i: usize) -> &'a str {
        let Some(&end) = self.ends.get(i) else {
            return "";
        };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        self.text[start..end].trim()
    }

    pub(super) fn fields(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |i| self.field(i))
    }
}

/// Why the next record is not there.
#[derive(Debug)]
pub(super) enum Broken {
    Io(io::Error),
    Record { line: u64, problem: RecordError },
}

/// Where in a field the splitter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Bare,
    Quoted,
    Closed,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            raw: Vec::new(),
            text: String::new(),
            ends: Vec::new(),
            lines: 0,
        }
    }

    /// How many lines have been read.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// The next record that is not a blank line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Broken> {
        self.text.clear();
        self.ends.clear();
        let mut at = At::Start;
        let mut first_line = 0;
        let mut bytes = 0;
        loop {
            let read = self.line(MAX_RECORD_BYTES - bytes).map_err(Broken::Io)?;
            if read > 0 {
                self.lines += 1;
            }
            if first_line == 0 {
                first_line = self.lines;
            }
            let broken = |problem| {
                Err(Broken::Record {
                    line: first_line,
                    problem,
                })
            };
            if read == 0 {
                return if at == At::Quoted {
                    broken(RecordError::OpenQuote(self.ends.len() + 1))
                } else {
                    Ok(None)
                };
            }
            bytes += read;
            if bytes > MAX_RECORD_BYTES {
                return broken(RecordError::Long(MAX_RECORD_BYTES));
            }
            let line = match std::str::from_utf8(without_line_end(&self.raw)) {
                Ok(line) => line,
                Err(e) => return broken(RecordError::Utf8(e.valid_up_to() + 1)),
            };
            // Excel and PowerShell put a byte order mark in front.
            let line = if self.lines == 1 {
                line.strip_prefix('\u{feff}').unwrap_or(line)
            } else {
                line
            };
            if at == At::Start && line.is_empty() {
                (first_line, bytes) = (0, 0);
                continue;
            }
            match split(line, at, &mut self.text, &mut self.ends) {
                Err(problem) => return broken(problem),
                Ok(At::Quoted) => {
                    self.text.push('\n');
                    at = At::Quoted;
                }
                Ok(At::Start | At::Bare | At::Closed) => {
                    return Ok(Some(Record {
                        text: &self.text,
                        ends: &self.ends,
                        line: first_line,
                    }));
                }
            }
        }
    }

    /// Reads one line into `raw`, at most one byte more than `room`; returns how many bytes.
    fn line(&mut self, room: usize) -> io::Result<usize> {
        self.raw.clear();
        (&mut self.input)
            .take(room as u64 + 1)
            .read_until(b'\n', &mut self.raw)
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Splits one line, going on where the line before stopped; returns [`At::Quoted`] when the record goes on.
fn split(
    line: &str,
    mut at: At,
    text: &mut String,
    ends: &mut Vec<usize>,
) -> Result<At, RecordError> {
    let bytes = line.as_bytes();
    let mut i = 0;
    loop {
        // Delimiters are ASCII, so every cut is at the boundary of a character.
        let run = match at {
            At::Start | At::Bare => bytes[i..].iter().position(|&b| b == b',' || b == b'"'),
            At::Quoted => bytes[i..].iter().position(|&b| b == b'"'),
            At::Closed => Some(0).filter(|_| i < bytes.len()),
        };
        let stop = run.map_or(bytes.len(), |n| i + n);
        if stop > i {
            text.push_str(&line[i..stop]);
            if at == At::Start {
                at = At::Bare;
            }
        }
        let Some(&byte) = bytes.get(stop) else {
            if at != At::Quoted {
                end_field(text, ends)?;
            }
            return Ok(at);
        };
        i = stop + 1;
        at = match (at, byte) {
            (At::Start, b'"') => At::Quoted,
            (At::Quoted, _) => At::Closed,
            (At::Closed, b'"') => {
                text.push('"');
                At::Quoted
            }
            (At::Start | At::Bare | At::Closed, b',') => {
                end_field(text, ends)?;
                At::Start
            }
            (At::Closed, _) => {
                let found = line[stop..].chars().next().unwrap_or(' ');
                return Err(RecordError::AfterQuote {
                    column: ends.len() + 1,
                    found,
                });
            }
            (At::Start | At::Bare, _) => return Err(RecordError::StrayQuote(ends.len() + 1)),
        };
    }
}

fn end_field(text: &str, ends: &mut Vec<usize>) -> Result<(), RecordError> {
    if ends.len() == MAX_COLUMNS {
        return Err(RecordError::ManyColumns(MAX_COLUMNS));
    }
    ends.push(text.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All records as `line:a|b`, then what went wrong if anything did.
    fn read(input: &[u8]) -> Vec<String> {
        let mut records = Records::new(input);
        let mut out = Vec::new();
        loop {
            match records.next() {
                Ok(None) => return out,
                Ok(Some(r)) => out.push(format!(
                    "{}:{}",
                    r.line,
                    r.fields().collect::<Vec<_>>().join("|")
                )),
                Err(Broken::Record { line, problem }) => {
                    out.push(format!("{line}: {problem}"));
                    return out;
                }
                Err(Broken::Io(e)) => panic!("{e}"),
            }
        }
    }

    #[test]
    fn splits_what_is_well_formed() {
        assert_eq!(read(b"a,b\r\n\n 1 ,\n,2"), ["1:a|b", "3:1|", "4:|2"]);
        assert_eq!(read(b"\xef\xbb\xbfa,\"b\"\"c\",\"\"\n"), ["1:a|b\"c|"]);
        assert_eq!(read("é,\"x\ny,z\"\nü".as_bytes()), ["1:é|x\ny,z", "3:ü"]);
        assert!(read(b"").is_empty());
        assert!(read(b"\n\n\r\n").is_empty());
    }

    #[test]
    fn names_what_is_broken() {
        let stray = "column 2: a quote inside an unquoted field; quote the whole field and double the quote";
        assert_eq!(
            read(b"a,b\n1,x\"y\n"),
            ["1:a|b".to_owned(), format!("2: {stray}")]
        );
        assert_eq!(
            read(b"a\n\"b\nc\n"),
            ["1:a", "2: column 1: a quote is opened and never closed"]
        );
        let after =
            "1: column 1: 'é' after the closing quote, expected a comma or the end of the line";
        assert_eq!(read("\"a\"é,b".as_bytes()), [after]);
        assert_eq!(
            read(b"a,b\n1,\xff\n"),
            ["1:a|b", "2: byte 3 is not valid UTF-8"]
        );
        assert_eq!(
            read(&vec![b','; MAX_COLUMNS]),
            ["1: more than 10000 columns"]
        );
    }

    #[test]
    fn a_record_has_a_longest_length() {
        let mut line = vec![b'x'; MAX_RECORD_BYTES - 1];
        line.push(b'\n');
        assert_eq!(read(&line).len(), 1);
        assert!(!read(&line)[0].contains("more than"));
        line.insert(0, b'x');
        assert_eq!(read(&line), ["1: more than 1048576 bytes in one record"]);
        let open = [b"\"".as_slice(), &b"\n".repeat(MAX_RECORD_BYTES)].concat();
        assert_eq!(read(&open), ["1: more than 1048576 bytes in one record"]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..80)) {
            let _ = read(&bytes);
        }

        #[test]
        fn survives_a_round_trip(rows in prop::collection::vec(prop::collection::vec("[a-z\",\n]{0,6}", 1..5), 1..6)) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let lines = rows.iter().map(|row| row.iter().map(quote).collect::<Vec<_>>().join(","));
            let text = lines.collect::<Vec<_>>().join("\n");
            let mut records = Records::new(text.as_bytes());
            for row in &rows {
                let record = records.next().unwrap().unwrap();
                prop_assert!(record.fields().eq(row.iter().map(|cell| cell.trim())));
            }
            prop_assert!(records.next().unwrap().is_none());
        }
    }
}

//! Rows of a recording: `ts,metric,labels,value`.

use std::io::{self, Write};

/// Writes the rows of one scrape after the other.
pub(super) struct Sheet<'a> {
    out: &'a mut dyn Write,
    /// The instant of the scrape, as text.
    ts: String,
    /// Rows written.
    pub(super) rows: u64,
    /// The first fault; nothing is written after it.
    fault: Option<io::Error>,
}

impl<'a> Sheet<'a> {
    /// Begins with the header.
    pub(super) fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        out.write_all(b"ts,metric,labels,value\n")?;
        Ok(Self {
            out,
            ts: String::new(),
            rows: 0,
            fault: None,
        })
    }

    /// From here on rows are of this instant; seconds since the epoch, written to the millisecond.
    pub(super) fn at(&mut self, ts: f64) {
        self.ts = format!("{ts:.3}");
    }

    /// A row. Labels as Prometheus writes them, without braces.
    pub(super) fn put(&mut self, metric: &str, labels: &str, value: f64) {
        if self.fault.is_some() {
            return;
        }
        // Beyond a millionth only noise would be packed.
        let value = (value * 1e6).round() / 1e6;
        let written = if labels.contains(['"', ',']) {
            let labels = labels.replace('"', "\"\"");
            writeln!(self.out, "{},{metric},\"{labels}\",{value}", self.ts)
        } else {
            writeln!(self.out, "{},{metric},{labels},{value}", self.ts)
        };
        match written {
            Ok(()) => self.rows += 1,
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// How many rows were written.
    pub(super) fn finish(self) -> io::Result<u64> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.rows),
        }
    }
}

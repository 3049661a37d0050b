//! Pages of text: headings, facts and paragraphs, folded to the terminal. All text of others goes through [`plain`].

use std::io::{self, IsTerminal, Write};

use crate::plain;
use crate::table::Table;

/// Columns of a page that goes into a file or a pipe.
const USUAL_WIDTH: usize = 100;
/// Wider lines are hard to read.
const MOST_WIDTH: usize = 120;
/// Columns of the names of facts.
const LABEL: usize = 12;

/// Columns of the terminal that standard output is; `None` when it is none.
pub(crate) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = ratatui::crossterm::terminal::size().ok()?;
    Some(usize::from(size.0)).filter(|&columns| columns > 0)
}

/// A page under way.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
}

impl<'a> Page<'a> {
    /// As wide as the terminal, within reason.
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self::of_width(out, terminal_width().unwrap_or(USUAL_WIDTH))
    }

    /// Of a given width.
    pub(crate) fn of_width(out: &'a mut dyn Write, width: usize) -> Self {
        let width = width.clamp(40, MOST_WIDTH);
        Self { out, width }
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// An empty line, then what follows is about.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.gap()?;
        self.text(0, text)
    }

    /// A paragraph.
    pub(crate) fn text(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.hanging(indent, "", 0, text)
    }

    /// A name and what it says beside it; nothing at all when it says nothing.
    pub(crate) fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        match text.trim().is_empty() {
            true => Ok(()),
            false => self.hanging(0, name, LABEL, text),
        }
    }

    /// A mark of at most `room` columns, and a paragraph to its right.
    pub(crate) fn hanging(
        &mut self,
        indent: usize,
        mark: &str,
        room: usize,
        text: &str,
    ) -> io::Result<()> {
        let columns = self.width.saturating_sub(indent + room).max(20);
        let mut mark = plain::line(mark);
        for line in plain::fold(text, columns) {
            let line = format!("{:indent$}{mark:room$}{line}", "");
            writeln!(self.out, "{}", line.trim_end())?;
            mark.clear();
        }
        Ok(())
    }

    /// A table, its lines after `indent`; columns numbered in `flexible` are cut so that it fits.
    pub(crate) fn table(
        &mut self,
        table: &Table,
        indent: usize,
        flexible: &[usize],
    ) -> io::Result<()> {
        let indent = " ".repeat(indent);
        table.write_within(self.out, &indent, self.width, flexible)
    }

    /// A table in lines as long as they are.
    pub(crate) fn whole(&mut self, table: &Table) -> io::Result<()> {
        table.write(self.out, "")
    }

    /// Lines that are laid out already.
    pub(crate) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", plain::lines(text.trim_end()))
    }
}

/// What is written, as text; for tests.
#[cfg(test)]
pub(crate) fn written(width: usize, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut Page::of_width(&mut out, width)).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        !text.replace('\n', "").chars().any(char::is_control),
        "{text:?}"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_below() {
        let text = written(40, |page| {
            page.fact(
                "cause",
                "a leak that began with the release of this morning",
            )?;
            page.fact("note", " ")?;
            page.hanging(2, "1.", 3, "restart \u{1b}[31mapi-1")
        });
        let expected = "\
cause       a leak that began with the
            release of this morning
  1. restart \u{fffd}[31mapi-1
";
        assert_eq!(text, expected);
    }
}

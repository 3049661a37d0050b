//! Columns of text that line up.

use std::io::{self, Write};

use crate::plain;

/// A column that is cut keeps so many characters.
const LEAST_CUT: usize = 10;

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text: flush left.
    Left,
    /// Numbers: flush right.
    Right,
}

/// A table that is written once all its rows are known.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|(name, align)| ((*name).to_owned(), *align))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, one cell per column. Cells may hold whatever others wrote: they are shown on one line, and speak to no
    /// terminal.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| plain::line(&cell));
        self.rows.push(cells.collect());
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes headings and rows, each line after `indent`, columns two blanks apart, no blank at a line's end.
    pub(crate) fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        self.write_lines(out, indent, &self.widths())
    }

    /// Columns that the longest line takes.
    pub(crate) fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
    }

    /// The same, in lines of at most `columns` if that can be had by cutting the columns numbered in `flexible`, the widest
    /// first.
    pub(crate) fn write_within(
        &self,
        out: &mut dyn Write,
        indent: &str,
        columns: usize,
        flexible: &[usize],
    ) -> io::Result<()> {
        let mut widths = self.widths();
        let mut excess = (indent.len() + self.width()).saturating_sub(columns);
        while excess > 0 {
            let cuttable = flexible.iter().copied().filter(|&i| widths[i] > LEAST_CUT);
            let Some(widest) = cuttable.max_by_key(|&i| widths[i]) else {
                break;
            };
            widths[widest] -= 1;
            excess -= 1;
        }
        self.write_lines(out, indent, &widths)
    }

    fn widths(&self) -> Vec<usize> {
        let width = |i: usize| {
            let cells = self
                .rows
                .iter()
                .filter_map(|row| row.get(i))
                .map(|cell| cell.chars().count());
            cells
                .chain([self.columns[i].0.chars().count()])
                .max()
                .unwrap_or(0)
        };
        (0..self.columns.len()).map(width).collect()
    }

    fn write_lines(&self, out: &mut dyn Write, indent: &str, widths: &[usize]) -> io::Result<()> {
        let headings: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = indent.to_owned();
            for ((cell, (_, align)), &width) in row.iter().zip(&self.columns).zip(widths) {
                let cell = plain::cut(cell, width);
                let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
                match align {
                    Align::Left => line.extend([cell.as_str(), &gap, "  "]),
                    Align::Right => line.extend([gap.as_str(), &cell, "  "]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&[("name", Align::Left), ("n", Align::Right)]);
        table.row(["µ".to_owned(), "1".to_owned()]);
        table.row(["longer".to_owned(), "1234".to_owned()]);
        let mut out = Vec::new();
        table.write(&mut out, "  ").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  name       n\n  µ          1\n  longer  1234\n"
        );
    }

    #[test]
    fn the_widest_column_is_cut_and_nothing_speaks_to_the_terminal() {
        let mut table = Table::new(&[("id", Align::Left), ("note", Align::Left)]);
        table.row(["i17".to_owned(), "a\u{1b}[2J long, long story".to_owned()]);
        let mut out = Vec::new();
        table.write_within(&mut out, "", 20, &[1]).unwrap();
        let expected = "id   note\ni17  a\u{fffd}[2J long, lo…\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

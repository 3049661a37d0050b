//! A CSV file by named columns, with errors that point at the cell.

use std::path::{Path, PathBuf};

use ::series::Timestamp;

use super::{DatasetError, read};

/// A table in memory. Corpora are files of at most a few megabytes.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    header: csv::StringRecord,
    records: Vec<csv::StringRecord>,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    record: &'a csv::StringRecord,
}

impl Table {
    pub(super) fn read(path: &Path, origin: &'static str) -> Result<Self, DatasetError> {
        let bytes = read(path, origin)?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(bytes.as_slice());
        let fault = |e: csv::Error| DatasetError::Cell {
            path: path.to_owned(),
            line: e.position().map_or(1, csv::Position::line),
            column: "any".to_owned(),
            problem: e.to_string(),
        };
        let header = reader.headers().map_err(fault)?.clone();
        let records = reader.records().collect::<Result<_, _>>().map_err(fault)?;
        Ok(Self {
            path: path.to_owned(),
            header,
            records,
        })
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.records.iter().map(|record| Row {
            table: self,
            record,
        })
    }

    /// The index of a column, its name compared without case.
    pub(super) fn column(&self, name: &str) -> Result<usize, DatasetError> {
        self.header
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                let found = self.header.iter().collect::<Vec<_>>().join(",");
                DatasetError::Cell {
                    path: self.path.clone(),
                    line: 1,
                    column: name.to_owned(),
                    problem: format!("no such column in the header {found:?}"),
                }
            })
    }
}

impl<'a> Row<'a> {
    pub(super) fn text(self, column: usize) -> &'a str {
        // The reader has refused rows of another width, so the cell is there.
        self.record.get(column).unwrap_or_default()
    }

    pub(super) fn fault(self, column: usize, problem: impl Into<String>) -> DatasetError {
        DatasetError::Cell {
            path: self.table.path.clone(),
            line: self.record.position().map_or(0, csv::Position::line),
            column: self.table.header.get(column).unwrap_or_default().to_owned(),
            problem: problem.into(),
        }
    }

    /// A finite number; `None` where the cell is empty.
    pub(super) fn number(self, column: usize) -> Result<Option<f64>, DatasetError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            Ok(_) | Err(_) => Err(self.fault(column, format!("{text:?} is not a finite number"))),
        }
    }

    pub(super) fn time(self, column: usize) -> Result<Timestamp, DatasetError> {
        let text = self.text(column);
        parse_time(text)
            .ok_or_else(|| self.fault(column, format!("{text:?} is not a date with a time")))
    }
}

/// A date and time, with an offset or else taken as UTC; microseconds are kept.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_offset() {
        let expected = Some(Timestamp::from_micros(1_397_146_500_000_000));
        assert_eq!(parse_time("2014-04-10 16:15:00"), expected);
        assert_eq!(parse_time("2014-04-10 16:15:00.000000"), expected);
        assert_eq!(parse_time("2014-04-10T16:15:00Z"), expected);
        assert_eq!(parse_time("16:15"), None);
    }

    #[test]
    fn errors_name_the_cell() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let path = dir.path().join("a.csv");
        std::fs::write(
            &path,
            "timestamp,value\n2014-04-10 16:15:00,1\nyesterday,x\n",
        )
        .expect("written");
        let table = Table::read(&path, "nowhere").expect("well-formed");
        let row = table.rows().nth(1).expect("two rows");
        let place = |e: DatasetError| e.to_string().replace(&path.display().to_string(), "a.csv");
        assert_eq!(
            place(row.number(1).expect_err("not a number")),
            "a.csv, line 3, column value: \"x\" is not a finite number"
        );
        assert_eq!(
            place(row.time(0).expect_err("not a time")),
            "a.csv, line 3, column timestamp: \"yesterday\" is not a date with a time"
        );
        assert!(
            table
                .column("label")
                .expect_err("absent")
                .to_string()
                .contains("no such column")
        );

        std::fs::write(&path, "timestamp,value\n1,2,3\n").expect("written");
        let ragged = place(Table::read(&path, "nowhere").expect_err("three cells under two names"));
        assert!(ragged.starts_with("a.csv, line 2"), "{ragged}");
    }
}

//! Which column is what, told from the names alone; the same for CSV and Parquet.

use std::fmt::Write as _;

use series::SeriesKey;

use super::error::{HeaderError, shown};
use super::names::{Names, bare};

const TIME: [&str; 5] = ["time", "ts", "timestamp", "datetime", "date"];
const LABEL: [&str; 3] = ["label", "is_anomaly", "anomaly"];

/// What the columns of a file mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The names as they stand.
    pub(super) columns: Vec<String>,
    pub(super) time: usize,
    pub(super) label: Option<usize>,
    pub(super) values: Values,
}

/// Where the values stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// One column of values; another names the series on every row.
    Long {
        metric: usize,
        labels: Option<usize>,
        value: usize,
    },
    /// Each of these columns is a series: `(column, number of the series)`.
    Columns(Vec<(usize, u32)>),
}

impl Shape {
    /// Reads the header, and registers the series that it names.
    pub(super) fn of(columns: Vec<String>, names: &mut Names) -> Result<Self, HeaderError> {
        if columns.iter().all(String::is_empty) {
            return Err(HeaderError::Missing);
        }
        if let Some(i) = columns.iter().position(String::is_empty) {
            return Err(HeaderError::Unnamed(i + 1));
        }
        let time = one_of(&columns, &TIME, "time")?;
        let time = time.ok_or_else(|| HeaderError::NoTime {
            columns: listed(&columns),
        })?;
        let label = one_of(&columns, &LABEL, "label")?;
        let metric = one_of(&columns, &["metric"], "metric")?;
        let labels = one_of(&columns, &["labels"], "labels")?;
        let value = one_of(&columns, &["value"], "value")?;
        let values = match (metric, labels, value) {
            (Some(metric), labels, Some(value)) => {
                let known = [Some(time), label, Some(metric), labels, Some(value)];
                if let Some(i) = (0..columns.len()).find(|i| !known.contains(&Some(*i))) {
                    return Err(HeaderError::NotLong(shown(&columns[i])));
                }
                Values::Long {
                    metric,
                    labels,
                    value,
                }
            }
            (Some(_), _, None) => {
                return Err(HeaderError::HalfLong {
                    present: "metric",
                    absent: "value",
                });
            }
            (None, Some(_), _) => {
                return Err(HeaderError::HalfLong {
                    present: "labels",
                    absent: "metric",
                });
            }
            (None, None, _) => {
                let series = (0..columns.len())
                    .filter(|i| *i != time && Some(*i) != label)
                    .collect();
                Values::Columns(wide(&columns, series, names)?)
            }
        };
        if values == Values::Columns(Vec::new()) {
            return Err(HeaderError::NoValues(shown(&columns[time])));
        }
        Ok(Self {
            columns,
            time,
            label,
            values,
        })
    }
}

/// The column that goes by one of `aliases`, in any case.
fn one_of(columns: &[String], aliases: &[&str], role: &str) -> Result<Option<usize>, HeaderError> {
    let mut found = columns
        .iter()
        .enumerate()
        .filter(|(_, c)| aliases.iter().any(|a| c.eq_ignore_ascii_case(a)));
    let first = found.next();
    if let (Some((_, first)), Some((_, second))) = (first, found.next()) {
        return Err(HeaderError::Twice {
            first: first.clone(),
            second: second.clone(),
            role: role.to_owned(),
        });
    }
    Ok(first.map(|(i, _)| i))
}

fn wide(
    columns: &[String],
    series: Vec<usize>,
    names: &mut Names,
) -> Result<Vec<(usize, u32)>, HeaderError> {
    let mut out: Vec<(usize, u32)> = Vec::with_capacity(series.len());
    let found = series.len();
    for i in series {
        let column = &columns[i];
        let key = named(column).map_err(|source| HeaderError::Name {
            column: shown(column),
            source,
        })?;
        let known = names.keys().len();
        let number = names.number(&key).map_err(|_| HeaderError::ManySeries {
            found,
            limit: known,
        })?;
        if names.keys().len() == known {
            let first = out
                .iter()
                .find(|(_, n)| *n == number)
                .map_or(0, |(column, _)| *column);
            let first = shown(&columns[first]);
            return Err(HeaderError::Twice {
                first,
                second: shown(column),
                role: format!("series {key}"),
            });
        }
        out.push((i, number));
    }
    Ok(out)
}

/// A column's name as a series: `value` in any case is the plain metric, `name{a="b"}` is read as it stands, and
/// in a name of neither kind the characters that a metric may not have become underscores.
fn named(column: &str) -> Result<SeriesKey, series::KeyError> {
    if column.eq_ignore_ascii_case("value") {
        return bare("value");
    }
    if let Ok(key) = column.parse::<SeriesKey>() {
        return Ok(key);
    }
    let bad = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, '"' | '{' | '}' | '=' | ',' | '\\')
    };
    bare(&column.replace(bad, "_"))
}

/// The first few names, for a message.
fn listed(columns: &[String]) -> String {
    const FEW: usize = 8;
    let mut out = String::new();
    for column in columns.iter().take(FEW) {
        let _ = write!(
            out,
            "{}{:?}",
            if out.is_empty() { "" } else { ", " },
            shown(column)
        );
    }
    if columns.len() > FEW {
        let _ = write!(out, " and {} more", columns.len() - FEW);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Result<&str, &str>) {
        let mut names = Names::with_limit(3);
        let got =
            Shape::of(header.split(',').map(str::to_owned).collect(), &mut names).map(|shape| {
                match shape.values {
                    Values::Long {
                        metric,
                        labels,
                        value,
                    } => {
                        format!(
                            "t{} l{:?} long {metric} {labels:?} {value}",
                            shape.time, shape.label
                        )
                    }
                    Values::Columns(columns) => {
                        let keys = columns
                            .iter()
                            .map(|(i, n)| format!("{i}={}", names.keys()[*n as usize]));
                        format!(
                            "t{} l{:?} {}",
                            shape.time,
                            shape.label,
                            keys.collect::<Vec<_>>().join(" ")
                        )
                    }
                }
            });
        let got = got.map_err(|e| e.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected, "{header}");
    }

    #[test]
    fn tells_the_shapes_apart() {
        check("ts,metric,labels,value", Ok("t0 lNone long 1 Some(2) 3"));
        check(
            "Value,Metric,TIME,is_anomaly",
            Ok("t2 lSome(3) long 1 None 0"),
        );
        check("TimeStamp,Value,Label", Ok("t0 lSome(2) 1=value"));
        check(
            "cpu,time,node_load1{host=\"a\"},Disk %",
            Ok("t1 lNone 0=cpu 2=node_load1{host=\"a\"} 3=Disk_%"),
        );
    }

    #[test]
    fn says_what_is_missing() {
        check(
            "",
            Err("no header line; expected one such as timestamp,value"),
        );
        check("time,,x", Err("column 2 has no name"));
        let columns = r#""1", "2", "3", "4", "5", "6", "7", "8" and 1 more"#;
        let no_time = format!(
            "no time column among {columns}; expected one named time, ts, timestamp, datetime or date"
        );
        check("1,2,3,4,5,6,7,8,9", Err(&no_time));
        check(
            "time,ts,x",
            Err(r#"columns "time" and "ts" both hold the time"#),
        );
        check(
            "time,a b,a_b",
            Err(r#"columns "a b" and "a_b" both hold the series a_b"#),
        );
        check("time,label", Err(r#"no column of values beside "time""#));
        let half = "there is a metric column and no value column; the long form is time,metric,labels,value";
        check("time,metric,x", Err(half));
        let host = r#"column "host" is not part of the long form time,metric,labels,value,label"#;
        check("time,metric,value,host", Err(host));
        check(
            "time,a,b,c,d",
            Err("4 columns of values, at most 3 series are allowed"),
        );
    }
}

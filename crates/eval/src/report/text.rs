//! Tables as text: columns aligned, names to the left, figures to the right.

use std::fmt;

use crate::spread::Measure;

/// Writes `rows` under `header`, all of one width, two blanks between columns.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    header: &[&str],
    rows: &[Vec<String>],
) -> fmt::Result {
    let header: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|c| {
            std::iter::once(&header)
                .chain(rows)
                .filter_map(|r| r.get(c))
                .map(|s| s.chars().count())
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    for row in std::iter::once(&header).chain(rows) {
        for (c, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if c == 0 {
                write!(f, "{cell:<width$}")?;
            } else {
                write!(f, "  {cell:>width$}")?;
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

/// A number; a dash where it is not defined.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else {
        format!("{value:.decimals$}")
    }
}

/// A threshold, which may be within 1e-12 of one: shortest form that reads back the same, cut at twelve decimals.
pub(super) fn threshold(value: f64) -> String {
    if value.is_finite() {
        format!("{}", (value * 1e12).round() / 1e12)
    } else {
        "none".to_owned()
    }
}

/// A figure with its interval: `71.2 [60.1 79.9]`.
pub(super) fn measure(m: Measure, decimals: usize) -> String {
    if m.value.is_nan() {
        return number(m.value, decimals);
    }
    format!(
        "{} [{} {}]",
        number(m.value, decimals),
        number(m.low, decimals),
        number(m.high, decimals)
    )
}

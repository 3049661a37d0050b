//! The slice of NumPy's `.npy` that Telemanom uses: little-endian float32 in row order, one or two dimensions.
//!
//! Layout: magic `\x93NUMPY`, version, header length (2 bytes little-endian in version 1, 4 in 2 and 3), a Python
//! dictionary as text, the numbers (NumPy Enhancement Proposal 1).

use std::path::Path;

use super::{DatasetError, read};

/// Reads `path` into one vector per column (variable), all of one length.
pub(super) fn read_columns(
    path: &Path,
    origin: &'static str,
) -> Result<Vec<Vec<f64>>, DatasetError> {
    parse(&read(path, origin)?).map_err(|problem| DatasetError::content(path, problem))
}

fn parse(bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
    let rest = bytes
        .strip_prefix(b"\x93NUMPY")
        .ok_or("not an .npy file: the magic bytes are missing")?;
    let (header, body) = match rest {
        [1, _, a, b, tail @ ..] => tail.split_at_checked(usize::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, tail @ ..] => usize::try_from(u32::from_le_bytes([*a, *b, *c, *d]))
            .ok()
            .and_then(|len| tail.split_at_checked(len)),
        _ => None,
    }
    .ok_or("the .npy header is cut short or of an unknown version")?;
    let header = String::from_utf8_lossy(header);
    let entry = |key: &str| {
        let (_, after) = header.split_once(&format!("'{key}':"))?;
        Some(after.trim_start())
    };
    if !entry("descr").is_some_and(|v| v.starts_with("'<f4'")) {
        return Err(format!(
            "only little-endian float32 is read, the header is {header:?}"
        ));
    }
    if !entry("fortran_order").is_some_and(|v| v.starts_with("False")) {
        return Err(format!("only row order is read, the header is {header:?}"));
    }
    let shape: Vec<usize> = entry("shape")
        .and_then(|v| v.strip_prefix('(')?.split_once(')'))
        .and_then(|(v, _)| {
            v.split(',')
                .map(str::trim)
                .filter(|v| !v.is_empty())
                .map(|v| v.parse().ok())
                .collect()
        })
        .ok_or_else(|| format!("no shape in the header {header:?}"))?;
    let (n_rows, n_columns) = match shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => {
            return Err(format!(
                "one or two dimensions are read, the shape is {shape:?}"
            ));
        }
    };
    // Checked against the file before anything is allocated: a header can claim any size.
    let expected = n_rows.checked_mul(n_columns).and_then(|n| n.checked_mul(4));
    if expected != Some(body.len()) || n_columns == 0 {
        return Err(format!(
            "shape {shape:?} does not fit {} bytes of numbers",
            body.len()
        ));
    }
    let mut columns = vec![Vec::with_capacity(n_rows); n_columns];
    for (i, number) in body.chunks_exact(4).enumerate() {
        let value = f32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        if !value.is_finite() {
            return Err(format!(
                "row {}, variable {}: {value} is not finite",
                i / n_columns,
                i % n_columns
            ));
        }
        columns[i % n_columns].push(f64::from(value));
    }
    Ok(columns)
}

#[cfg(test)]
pub(super) fn write(columns: usize, values: &[f32]) -> Vec<u8> {
    let rows = values.len() / columns;
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}\n");
    let length = u16::try_from(header.len())
        .expect("a short header")
        .to_le_bytes();
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length);
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_numpy_writes() {
        assert_eq!(
            parse(&write(2, &[1.0, 2.0, 3.0, 4.0])),
            Ok(vec![vec![1.0, 3.0], vec![2.0, 4.0]])
        );
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let good = write(2, &[1.0, 2.0, 3.0, 4.0]);
        for cut in 0..good.len() {
            assert!(parse(&good[..cut]).is_err(), "cut at {cut}");
        }
        let replaced = |from: &str, to: &str| {
            let text: Vec<u8> = String::from_utf8_lossy(&good[10..])
                .replace(from, to)
                .into_bytes();
            [&good[..10], &text].concat()
        };
        assert!(parse(&replaced("<f4", "<i4")).is_err());
        assert!(parse(&replaced("False", "True ")).is_err());
        assert!(parse(&replaced("(2, 2)", "(9, 9)")).is_err());
        assert!(parse(&write(1, &[f32::NAN])).is_err());
        let huge = format!("({}, 2)", usize::MAX);
        assert!(parse(&replaced("(2, 2)", &huge)).is_err());
    }
}

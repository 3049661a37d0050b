//! Durations and sizes as people write them.

/// Text that is no such quantity.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuantityError {
    /// Not a duration.
    #[error("{0:?} is no duration: write a number and s, m or h, such as 90s or 5m")]
    Duration(String),
    /// Not a size.
    #[error(
        "{0:?} is no size: write a number of bytes, or one with KiB, MiB or GiB, such as 64MiB"
    )]
    Size(String),
    /// Not a number.
    #[error("{0:?} is no number above 0")]
    Number(String),
}

/// Splits `5m` into 5 and `m`; `None` if no number above 0 stands in front.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let number = text[..end].parse::<f64>().ok()?;
    (number > 0.0 && number.is_finite()).then(|| (number, text[end..].trim()))
}

/// Seconds of `90s`, `5m`, `1.5h`, `250ms`; above 0.
///
/// # Errors
/// When the text is none of these.
pub fn duration_s(text: &str) -> Result<f64, QuantityError> {
    let scale = |unit| match unit {
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" | "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    split(text)
        .and_then(|(number, unit)| Some(number * scale(unit)?))
        .ok_or_else(|| QuantityError::Duration(text.to_owned()))
}

/// Bytes of `64MiB`, `1.5GiB`, `65536`; above 0. Decimal units are refused: a limit is what the kernel counts in pages.
pub(crate) fn size_bytes(text: &str) -> Result<f64, QuantityError> {
    let scale = |unit| match unit {
        "" | "B" => Some(1.0),
        "KiB" | "K" => Some(1024.0),
        "MiB" | "M" => Some(1024.0 * 1024.0),
        "GiB" | "G" => Some(1024.0 * 1024.0 * 1024.0),
        _ => None,
    };
    split(text)
        .and_then(|(number, unit)| Some((number * scale(unit)?).floor()))
        .filter(|bytes| *bytes >= 1.0)
        .ok_or_else(|| QuantityError::Size(text.to_owned()))
}

/// A plain number above 0.
pub(crate) fn number(text: &str) -> Result<f64, QuantityError> {
    split(text)
        .filter(|(_, unit)| unit.is_empty())
        .map(|(number, _)| number)
        .ok_or_else(|| QuantityError::Number(text.to_owned()))
}

/// `64 MiB`, `1.5 GiB`: for eyes.
pub(crate) fn size_text(bytes: f64) -> String {
    let mut rest = bytes;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB"] {
        if rest < 1024.0 {
            break;
        }
        rest /= 1024.0;
        unit = larger;
    }
    let digits = usize::from(rest < 100.0 && unit != "B");
    let text = format!("{rest:.digits$}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, s) in [
            ("90s", 90.0),
            ("5m", 300.0),
            (" 1.5 h", 5400.0),
            ("250ms", 0.25),
        ] {
            assert!((duration_s(text).unwrap() - s).abs() < 1e-9, "{text}");
        }
        for text in ["", "5", "0s", "-5s", "5 minutes", "s", "1e3s", "nan"] {
            assert!(
                duration_s(text)
                    .unwrap_err()
                    .to_string()
                    .contains(&format!("{text:?}"))
            );
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("64MiB", 67_108_864.0),
            ("1.5 KiB", 1536.0),
            ("7", 7.0),
            ("2G", 2_147_483_648.0),
        ] {
            assert!((size_bytes(text).unwrap() - bytes).abs() < 0.5, "{text}");
        }
        for text in ["", "64MB", "0", "0.1", "-1", "MiB", "1..2MiB"] {
            assert!(
                size_bytes(text)
                    .unwrap_err()
                    .to_string()
                    .contains(&format!("{text:?}"))
            );
        }
        assert!(number("12").is_ok() && number("12x").is_err());
    }

    #[test]
    fn for_eyes() {
        assert_eq!(size_text(67_108_864.0), "64 MiB");
        assert_eq!(size_text(1.6e9), "1.5 GiB");
        assert_eq!(size_text(512.0), "512 B");
    }
}

//! Numbers with units, as people read them.

use remedy::{Class, Finding};

/// A value with its unit: `93 %`, `14 GiB`, `5 min`, `0.3 score`.
#[must_use]
pub fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", rounded(value * 100.0)),
        "bytes" => bytes(value),
        "seconds" | "s" => duration(value),
        "" => rounded(value),
        "files" if rounded(value) == "1" => "1 file".to_owned(),
        other => format!("{} {}", rounded(value), super::quote::plain(other, 40)),
    }
}

/// What was measured, against what it is wrong at: `93 % against 90 %`, `expired 6 days ago`.
#[must_use]
pub fn measured(finding: &Finding) -> String {
    let (value, threshold, unit) = (finding.value, finding.threshold, finding.unit.as_str());
    match (finding.class, unit) {
        (Class::CertificateExpiry, "days") if value < 0.0 => {
            format!("expired {} ago", whole_days(-value))
        }
        (Class::CertificateExpiry, "days") => format!(
            "expires in {}, {} wanted",
            whole_days(value),
            quantity(threshold, unit)
        ),
        (Class::Vulnerability, "score") => {
            let severity = finding.facts.get("severity");
            let severity = severity.map(|text| format!(" ({})", super::quote::plain(text, 40)));
            format!("CVSS {}{}", rounded(value), severity.unwrap_or_default())
        }
        (Class::ConfigurationDrift, "files") => differs(finding),
        _ => format!(
            "{} against {}",
            quantity(value, unit),
            quantity(threshold, unit)
        ),
    }
}

/// How a file differs from what is declared.
fn differs(finding: &Finding) -> String {
    match finding.facts.get("lines_changed").map(String::as_str) {
        _ if finding.cause == "missing" => "it is declared, and not there".to_owned(),
        None => "it differs from what is declared".to_owned(),
        Some("1") => "1 line differs from what is declared".to_owned(),
        Some(n) => format!(
            "{} lines differ from what is declared",
            super::quote::plain(n, 20)
        ),
    }
}

/// Days without a fraction, and hours where there are less than two.
fn whole_days(days: f64) -> String {
    match days {
        days if days >= 2.0 => format!("{} days", days.floor()),
        days => duration((days * 24.0).round() * 3_600.0),
    }
}

/// A probability: `98 %`, and `<1 %` rather than a zero that nobody promised.
#[must_use]
pub fn percent(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 0.005 => "<1 %".to_owned(),
        share if share < 1.0 && share > 0.995 => ">99 %".to_owned(),
        share => format!("{:.0} %", share * 100.0),
    }
}

/// A number with three digits that count, without zeros at its end.
#[must_use]
pub fn rounded(value: f64) -> String {
    let size = value.abs();
    if !size.is_finite() || size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{value:.3e}");
    }
    let decimals = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        // From 1e-6 on, so that this is at most 8.
        let mut decimals = 2;
        let mut scaled = size;
        while scaled < 1.0 {
            (scaled, decimals) = (scaled * 10.0, decimals + 1);
        }
        decimals
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// Seconds as `90 s`, `5 min`, `2 h`, `3 days`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let (divisor, unit) = match seconds.abs() {
        s if s < 120.0 => (1.0, "s"),
        s if s < 7_200.0 => (60.0, "min"),
        s if s < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "days"),
    };
    format!("{} {unit}", rounded(seconds / divisor))
}

/// Bytes as `512 B`, `14 GiB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut value, mut unit) = (value, 0);
    while value.abs() >= 1_024.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1_024.0, unit + 1);
    }
    format!("{} {}", rounded(value), UNITS[unit])
}

/// A number as commands take it: whole ones without a point. `None` unless it is finite, at least 0 and of use.
#[must_use]
pub fn argument(value: f64) -> Option<String> {
    (value.is_finite() && (0.0..1e18).contains(&value)).then(|| value.to_string())
}

/// The same rounded up to a whole number.
#[must_use]
pub fn whole(value: f64) -> Option<String> {
    argument(value.ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        let check = |value, unit, text: &str| assert_eq!(quantity(value, unit), text);
        check(0.934, "ratio", "93.4 %");
        check(15e9, "bytes", "14 GiB");
        check(512.0, "bytes", "512 B");
        check(300.0, "seconds", "5 min");
        check(0.0123, "score", "0.0123 score");
        check(1234.5, "", "1234");
        check(100.0, "days", "100 days");
        check(f64::NAN, "bytes", "NaN B");
        check(1e300, "ratio", "1.000e302 %");
        check(-1e-9, "x", "-1.000e-9 x");
        check(
            f64::MAX,
            "seconds",
            &format!("{:.3e} days", f64::MAX / 86_400.0),
        );
    }

    #[test]
    fn what_was_measured_reads_like_a_sentence() {
        let check = |class, value, threshold, unit: &str, text: &str| {
            let mut finding = crate::samples::issue().evidence.remove(0);
            (finding.class, finding.value, finding.threshold) = (class, value, threshold);
            finding.unit = unit.to_owned();
            assert_eq!(measured(&finding), text);
        };
        check(
            Class::CpuSaturation,
            0.93,
            0.9,
            "ratio",
            "93 % against 90 %",
        );
        let certificate = Class::CertificateExpiry;
        check(certificate, -6.567, 30.0, "days", "expired 6 days ago");
        check(certificate, -0.5, 30.0, "days", "expired 12 h ago");
        let text = "expires in 12 days, 30 days wanted";
        check(certificate, 12.3, 30.0, "days", text);
        check(Class::Vulnerability, 9.8, 9.0, "score", "CVSS 9.8");
        let text = "it differs from what is declared";
        check(Class::ConfigurationDrift, 1.0, 1.0, "files", text);
    }

    #[test]
    fn commands_get_numbers_only() {
        assert_eq!(argument(2.5).unwrap(), "2.5");
        assert_eq!(argument(1.5e10).unwrap(), "15000000000");
        assert_eq!(whole(1.2).unwrap(), "2");
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(argument(bad), None);
        }
    }
}

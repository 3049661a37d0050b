//! Numbers as text: shortest for machines, scaled for people.

use series::Unit;

/// The shortest text that reads back as the same `f64`; empty when not finite, as CSV readers expect of a gap.
pub(crate) fn shortest(x: f64) -> String {
    if !x.is_finite() {
        return String::new();
    }
    let size = x.abs();
    // Outside these bounds Rust's `{}` would write hundreds of zeros.
    if size != 0.0 && !(1e-5..1e16).contains(&size) {
        format!("{x:e}")
    } else {
        format!("{x}")
    }
}

/// As [`shortest`], for what is only `f32` precise.
pub(crate) fn shortest_f32(x: f32) -> String {
    if !x.is_finite() {
        return String::new();
    }
    if x != 0.0 && x.abs() < 1e-5 {
        format!("{x:e}")
    } else {
        format!("{x}")
    }
}

/// Three to four significant digits with the unit: `1.21 GiB`, `350 ms`, `87.5 %`, `12.3k`.
pub(crate) fn human(x: f64, unit: Unit) -> String {
    if !x.is_finite() {
        return "-".to_owned();
    }
    match unit {
        Unit::Bytes => scaled(x, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"], " "),
        Unit::Ratio => format!("{} %", digits(x * 100.0)),
        Unit::Seconds if x != 0.0 && x.abs() < 1e-3 => format!("{} µs", digits(x * 1e6)),
        Unit::Seconds if x != 0.0 && x.abs() < 1.0 => format!("{} ms", digits(x * 1e3)),
        Unit::Seconds => format!("{} s", digits(x)),
        Unit::None | Unit::Kernel if x != 0.0 && x.abs() < 1e-3 => format!("{x:.2e}"),
        Unit::None | Unit::Kernel => scaled(x, 1000.0, &["", "k", "M", "G", "T", "P"], ""),
    }
}

fn scaled(x: f64, base: f64, names: &[&str], gap: &str) -> String {
    let mut rest = x;
    let mut step = 0;
    // 999.95 would print as 1000: go up before that.
    while rest.abs() >= base * 0.99995 && step + 1 < names.len() {
        rest /= base;
        step += 1;
    }
    let text = format!("{}{gap}{}", digits(rest), names[step]);
    text.trim_end().to_owned()
}

/// About four digits, without trailing zeros after the point.
fn digits(x: f64) -> String {
    if x.abs() >= 1e7 {
        return format!("{x:.2e}");
    }
    let decimals = match x.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    let text = format!("{x:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// A calibrated score as a share: how rarely normal behaviour goes this high. `1 in 4.2k`, `usual`.
pub(crate) fn rarity(score: f64) -> String {
    let tail = (1.0 - score).max(f64::EPSILON / 2.0);
    if tail > 0.1 {
        "usual".to_owned()
    } else {
        format!("1 in {}", human(1.0 / tail, Unit::None))
    }
}

/// Groups of three digits: `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let plain = n.to_string();
    let mut text = String::with_capacity(plain.len() + plain.len() / 3);
    for (i, c) in plain.chars().enumerate() {
        if i > 0 && (plain.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_reads_back_bit_for_bit() {
        for x in [
            0.0,
            -0.0,
            1.0,
            0.1,
            1.0 - f64::EPSILON / 2.0,
            5e-324,
            f64::MAX,
            1e16,
            123_456.789,
        ] {
            assert_eq!(
                shortest(x).parse::<f64>().unwrap().to_bits(),
                x.to_bits(),
                "{x}"
            );
            assert!(shortest(x).len() < 26);
        }
        assert_eq!(shortest(f64::NAN), "");
        assert_eq!(shortest(12.0), "12");
        assert_eq!(shortest_f32(0.1), "0.1");
        assert_eq!(shortest_f32(1e-20), "1e-20");
    }

    #[test]
    fn people_get_four_digits_and_a_unit() {
        let cases = [
            (1_300_000_000.0, Unit::Bytes, "1.211 GiB"),
            (1_023.99, Unit::Bytes, "1 KiB"),
            (0.0, Unit::Bytes, "0 B"),
            (0.35, Unit::Seconds, "350 ms"),
            (42.5, Unit::Seconds, "42.5 s"),
            (0.875, Unit::Ratio, "87.5 %"),
            (12_345.0, Unit::None, "12.35k"),
            (-0.0001, Unit::None, "-1.00e-4"),
            (1e30, Unit::None, "1.00e15P"),
            (f64::NAN, Unit::None, "-"),
        ];
        for (x, unit, expected) in cases {
            assert_eq!(human(x, unit), expected);
        }
    }

    #[test]
    fn rarity_counts_samples() {
        assert_eq!(rarity(0.5), "usual");
        assert_eq!(rarity(0.999), "1 in 1k");
        assert_eq!(rarity(1.0), "1 in 9.007P");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }
}

//! The text format that Prometheus reads, version 0.0.4.
//!
//! Written by hand: a hundred lines, where the usual crates bring a registry that would own our counters.

use std::fmt::Write;

/// What the format is called in the header `content-type`.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What kind of number a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of values up to bounds.
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Pairs of name and value that tell the samples of one family apart.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page in the making. All samples of a family must follow its head.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Begins a family.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = kind.name();
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// One number of the family.
    pub(crate) fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.0.push_str(name);
        for (i, (label, value)) in labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            self.line(format_args!("{open}{label}=\"{}\"", Escaped(value)));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        match value {
            f64::INFINITY => self.line(format_args!("{close} +Inf\n")),
            value => self.line(format_args!("{close} {value}\n")),
        }
    }

    /// A family of a single number without labels.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.0.write_fmt(text);
    }
}

/// A label's value: backslash, quote and newline have a meaning in the format.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_the_format_says() {
        let mut text = Text::default();
        text.single("up_seconds", Kind::Gauge, "Since the start.", 1.5);
        text.family("asked_total", Kind::Counter, "Requests.");
        text.sample(
            "asked_total",
            &[("model", "a\"b\\\n"), ("version", "1")],
            3.0,
        );
        text.sample("asked_total", &[], f64::INFINITY);
        assert_eq!(
            text.finish(),
            "# HELP up_seconds Since the start.\n# TYPE up_seconds gauge\nup_seconds 1.5\n\
             # HELP asked_total Requests.\n# TYPE asked_total counter\n\
             asked_total{model=\"a\\\"b\\\\\\n\",version=\"1\"} 3\n\
             asked_total +Inf\n"
        );
    }
}

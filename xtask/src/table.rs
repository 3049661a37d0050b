//! Figures, and the one table they are put into.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// One measured figure: the line of JSON that a binary in `benches/src/bin` prints on standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    /// What was measured, lower case, words joined by `_`, groups by `/`.
    pub(crate) name: String,
    /// Of `median`, `low` and `high`.
    pub(crate) unit: String,
    /// The middle run.
    pub(crate) median: f64,
    /// The lowest run, or the 5th percentile of many.
    pub(crate) low: f64,
    /// The highest run, or the 95th percentile of many.
    pub(crate) high: f64,
    /// How many runs.
    pub(crate) runs: u64,
    /// What a reader must know besides: sizes, settings.
    #[serde(default)]
    pub(crate) note: String,
}

/// What one command measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Section {
    /// What to type to measure it again.
    pub(crate) command: String,
    pub(crate) figures: Vec<Figure>,
}

/// Everything in `table.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Table {
    pub(crate) machine: Machine,
    pub(crate) sections: Vec<Section>,
}

impl Table {
    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let m = &self.machine;
        let mut text = format!(
            "Measured on {}, {} cores, {} GiB, Linux {}; {}; commit {}.\n",
            m.cpu, m.cores, m.memory_gib, m.kernel, m.rustc, m.commit
        );
        for section in &self.sections {
            text += &format!(
                "\n`{}`\n\n| what | median | low to high | unit | runs | note |\n|---|--:|--:|---|--:|---|\n",
                section.command
            );
            for f in &section.figures {
                let (median, low, high) = (number(f.median), number(f.low), number(f.high));
                text += &format!(
                    "| {} | {median} | {low} to {high} | {} | {} | {} |\n",
                    f.name, f.unit, f.runs, f.note
                );
            }
        }
        text
    }
}

/// At least three digits that count, and thousands apart.
fn number(x: f64) -> String {
    if x.abs() < 100.0 {
        let digits = if x.abs() < 1.0 { 4 } else { 2 };
        return format!("{x:.digits$}");
    }
    let digits = format!("{:.0}", x.abs());
    let mut text = String::from(if x < 0.0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn numbers_are_read_at_a_glance() {
        let cases = [
            0.0,
            0.01234,
            3.256,
            99.9,
            100.4,
            999.5,
            12_345.6,
            1_234_567.0,
            -4_200.0,
        ];
        let text = cases.map(number).join(" ");
        expect!["0.0000 0.0123 3.26 99.90 100 1,000 12,346 1,234,567 -4,200"].assert_eq(&text);
    }

    #[test]
    fn a_table_names_machine_command_and_spread() {
        let line = r#"{"name":"replay","unit":"samples/s","median":254321.0,"low":2.5e5,"high":260000,"runs":5,"note":"100,000 series"}"#;
        let machine = Machine {
            cpu: "Some CPU".into(),
            cores: 2,
            memory_gib: 8,
            kernel: "6.1".into(),
            rustc: "rustc 1.92".into(),
            commit: "abc".into(),
        };
        let section = Section {
            command: "cargo run x".into(),
            figures: vec![serde_json::from_str(line).unwrap()],
        };
        let table = Table {
            machine,
            sections: vec![section],
        };
        expect![[r#"
            Measured on Some CPU, 2 cores, 8 GiB, Linux 6.1; rustc 1.92; commit abc.

            `cargo run x`

            | what | median | low to high | unit | runs | note |
            |---|--:|--:|---|--:|---|
            | replay | 254,321 | 250,000 to 260,000 | samples/s | 5 | 100,000 series |
        "#]]
        .assert_eq(&table.markdown());
    }
}

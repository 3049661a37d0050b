//! What is counted of capture.

use super::text::{Kind, Text};
use crate::capture::Report;

/// The families of capture.
pub(super) fn write(text: &mut Text, report: &Report) {
    let status = &report.status;
    text.single(
        "forestall_capture_rows_written_total",
        Kind::Counter,
        "Scored samples that were written down.",
        status.rows_written as f64,
    );
    let name = "forestall_capture_rows_dropped_total";
    let help = "Scored samples that were not written down: the writer was behind, or the disk full or failing.";
    text.family(name, Kind::Counter, help);
    for (reason, count) in [("queue", report.dropped), ("disk", status.rows_lost)] {
        text.sample(name, &[("reason", reason)], count as f64);
    }
    let name = "forestall_capture_bytes";
    let help =
        "Size of what is captured: Parquet files that are finished, and journals that are not.";
    text.family(name, Kind::Gauge, help);
    for (of, bytes) in [
        ("parts", status.part_bytes),
        ("journals", status.journal_bytes),
    ] {
        text.sample(name, &[("of", of)], bytes as f64);
    }
    text.single(
        "forestall_capture_limit_bytes",
        Kind::Gauge,
        "What both may take together.",
        report.max_bytes as f64,
    );
    text.single(
        "forestall_capture_removed_bytes_total",
        Kind::Counter,
        "Size of the oldest files that were removed to make room.",
        status.removed_bytes as f64,
    );
    text.single(
        "forestall_capture_failing",
        Kind::Gauge,
        "1 while the last attempt to write or to finish a file failed.",
        f64::from(u8::from(!status.last_error.is_empty())),
    );
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use store::capture::Status;

    use super::*;

    #[test]
    fn each_number_is_under_its_name() {
        let report = Report {
            status: Status {
                rows_written: 1,
                rows_lost: 2,
                part_bytes: 3,
                journal_bytes: 4,
                removed_bytes: 5,
                last_error: "the disk is full".to_owned(),
                ..Status::default()
            },
            directory: String::new(),
            max_bytes: 6,
            dropped: 7,
            open_marks: 0,
        };
        let mut text = Text::default();
        write(&mut text, &report);
        let page = text.finish();
        let numbers: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        expect![[r#"
            forestall_capture_rows_written_total 1
            forestall_capture_rows_dropped_total{reason="queue"} 7
            forestall_capture_rows_dropped_total{reason="disk"} 2
            forestall_capture_bytes{of="parts"} 3
            forestall_capture_bytes{of="journals"} 4
            forestall_capture_limit_bytes 6
            forestall_capture_removed_bytes_total 5
            forestall_capture_failing 1"#]]
        .assert_eq(&numbers.join("\n"));
    }
}

use super::*;

fn shown(status: &v1::GetCaptureStatusResponse) -> String {
    let mut out = Vec::new();
    show(&mut out, status).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_status_is_told_in_numbers_for_people() {
    let off = shown(&v1::GetCaptureStatusResponse::default());
    assert_eq!(
        off,
        "nothing is captured; `forestall serve --capture DIR` does\n"
    );
    let on = shown(&v1::GetCaptureStatusResponse {
        enabled: true,
        directory: "data".to_owned(),
        max_bytes: 10 << 30,
        rows_written_count: 1_234_567,
        rows_sealed_count: 1_000_000,
        rows_lost_count: 12,
        parts_count: 1,
        parts_bytes: 60 << 20,
        journals_count: 2,
        journals_bytes: 20 << 20,
        paused: true,
        last_error: "the disk is full".to_owned(),
        ..Default::default()
    });
    assert_eq!(
        on,
        "\
directory  data
disk       80 MiB of 10 GiB
files      1 part of 60 MiB, 2 journals of 20 MiB
rows       1,234,567 written since start, 1,000,000 of them or of a run before sealed
missing    0 left out while the writer was behind, 12 lost to the disk
marks      0 open
paused     the disk is full
"
    );
}

#[test]
fn a_mark_is_told_in_a_sentence() {
    let mut mark = v1::Mark {
        id: 3,
        kind: v1::MarkKind::Mitigated.into(),
        selector: "{job=\"api\"}".to_owned(),
        start_us: 1_714_564_800_000_000,
        ..Default::default()
    };
    assert_eq!(
        sentence(&mark),
        "mark 3: mitigated, {job=\"api\"} from 2024-05-01 12:00:00 on (UTC)"
    );
    mark.end_us = Some(1_714_564_860_000_000);
    assert!(sentence(&mark).ends_with("12:00:00 to 2024-05-01 12:01:00 (UTC)"));
}

//! Outlooks and anomalies, by example.

use super::*;

#[test]
fn memory_and_disks_are_judged_by_their_outlooks() {
    let cases = [
        (
            "container_memory_working_set_bytes{pod=\"p\"}",
            Family::Memory,
            0.91,
            Class::MemoryExhaustion,
        ),
        (
            "node_filesystem_avail_bytes{mountpoint=\"/\"}",
            Family::Disk,
            0.96,
            Class::DiskExhaustion,
        ),
        (
            "node_filesystem_files_free{mountpoint=\"/\"}",
            Family::Inodes,
            0.96,
            Class::DiskExhaustion,
        ),
        (
            "process_open_fds{comm=\"a\"}",
            Family::Descriptors,
            0.96,
            Class::ProcessCrash,
        ),
        (
            "pg_stat_activity_count{server=\"db:5432\"}",
            Family::Connections,
            0.96,
            Class::SlowQueries,
        ),
        (
            "haproxy_frontend_current_sessions",
            Family::Connections,
            0.96,
            Class::NetworkLatency,
        ),
        (
            "container_cpu_usage_seconds_total{pod=\"p\"}",
            Family::Cpu,
            0.9,
            Class::CpuSaturation,
        ),
    ];
    for (key, family, share, class) in cases {
        let mut desk = Desk::new();
        let mut said = Vec::new();
        let shares = levels(&[(3, 0.5), (10, share), (12, 0.5)]);
        for (i, share) in shares.into_iter().enumerate() {
            said.push(desk.outlook(
                key,
                &outlook(i as f64 * 20.0, family, share, [0.0; 2], NO_END),
            ));
        }
        said.retain(|said| !said.is_empty());
        assert_eq!(said, ["rule+", "rule-"], "{key}");
        let last = desk.last();
        assert_eq!(
            (last.class, &*last.facts["family"], &*last.cause),
            (class, family.name(), "leak")
        );
        assert_eq!(
            last.facts.contains_key("limit"),
            family != Family::Cpu,
            "{key}"
        );
    }
    // Full by design.
    let mut desk = Desk::new();
    let key = r#"node_filesystem_avail_bytes{fstype="squashfs",mountpoint="/snap/a"}"#;
    assert_eq!(
        desk.outlook(key, &outlook(0.0, Family::Disk, 1.0, [1.0; 2], [1.0; 3])),
        ""
    );
}

#[test]
fn an_end_is_foretold_when_it_is_likely_and_taken_back_when_it_is_not() {
    let key = "container_memory_working_set_bytes{pod=\"p\",namespace=\"shop\"}";
    let check = |probabilities: &[f32], day: f32, seen_s: f32, expected: &str| {
        let mut desk = Desk::new();
        let mut said = String::new();
        for (i, &soon) in probabilities.iter().enumerate() {
            let mut outlook = outlook(
                i as f64 * 20.0,
                Family::Memory,
                0.7,
                [soon, day.max(soon)],
                [300.0, 600.0, 900.0],
            );
            outlook.seen_s = seen_s;
            said += match &*desk.outlook(key, &outlook) {
                "" => ".",
                "prediction+" => "+",
                "prediction-" => "-",
                other => panic!("{other}"),
            };
        }
        assert_eq!(said, expected);
        desk
    };
    let desk = check(
        &[
            0.0, 0.9, 0.9, 0.9, 0.4, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ],
        0.0,
        3_600.0,
        ".+.......-.....",
    );
    assert_eq!(
        (desk.last().threshold, desk.last().ttf_s),
        (1.0, Some([300.0, 600.0, 900.0]))
    );
    assert_eq!((desk.fact("namespace"), desk.fact("used")), ("shop", "700"));
    // Probabilities that shake about a half do not flap.
    check(
        &[0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6],
        0.6,
        3_600.0,
        "...+....",
    );
    // For some time of the day alone it must be as good as sure.
    check(&[0.1; 8], 0.85, 3_600.0, "........");
    check(&[0.1; 8], 0.97, 3_600.0, "..+.....");
    // A young resource must be surer.
    check(&[0.7, 0.7, 0.7, 0.7], 0.9, 100.0, "....");
    check(&[0.9, 0.9], 0.9, 100.0, "+.");
}

#[test]
fn an_anomaly_alone_foretells_little() {
    let mut desk = Desk::new();
    let series = "probe_duration_seconds";
    let key: SeriesKey = series.parse().unwrap();
    let event = |desk: &mut Desk, s, phase, peak| {
        desk.signs
            .event(&key, &risk(s, 0, phase, peak), &mut desk.out);
        desk.said()
    };
    desk.push(0.0, series, 0.05);
    assert_eq!(
        event(&mut desk, 1.0, Phase::Opened, 0.9),
        "",
        "far from the threshold"
    );
    event(&mut desk, 2.0, Phase::Closed, 0.9);
    for i in 1..20 {
        desk.push(f64::from(i) * 15.0, series, 0.15);
    }
    assert_eq!(event(&mut desk, 300.0, Phase::Open, 0.9), "prediction+");
    assert_eq!(
        (desk.last().confidence, desk.last().probability < 0.5),
        (0.3, true)
    );
    assert_eq!(event(&mut desk, 301.0, Phase::Closed, 0.9), "prediction-");
    assert_eq!(event(&mut desk, 302.0, Phase::Opened, 0.2), "", "too small");
    let cpu: SeriesKey = "node_cpu_utilization_ratio".parse().unwrap();
    let id = desk.id("node_cpu_utilization_ratio");
    desk.push(303.0, "node_cpu_utilization_ratio", 0.8);
    desk.signs
        .event(&cpu, &risk(304.0, id.0, Phase::Opened, 0.9), &mut desk.out);
    assert_eq!(desk.said(), "");
}

//! Which series make up a resource, and where its limit comes from.

use super::*;

#[test]
fn a_use_meets_its_limit_whichever_comes_first() {
    for limit_first in [false, true] {
        let mut rig = Rig::new();
        for _ in 0..3 {
            if limit_first {
                rig.push("process_max_fds{job=\"a\"}", 100.0);
            }
            rig.push("process_open_fds{job=\"a\"}", 40.0);
            rig.push("process_max_fds{job=\"a\"}", 100.0);
            rig.push("process_max_fds{job=\"b\"}", 7.0);
            rig.wait(20.0);
        }
        assert_eq!(rig.told(), told("process_open_fds{job=\"a\"}", 40.0, 100.0));
    }
}

#[test]
fn connections_are_added_up_and_what_is_reserved_is_not_there() {
    let mut rig = Rig::new();
    for i in 0..3 {
        rig.push("pg_settings_max_connections", 40.0);
        rig.push("pg_settings_superuser_reserved_connections", 3.0);
        rig.push("pg_stat_activity_count{datname=\"x\",state=\"idle\"}", 5.0);
        // What the exporter leaves out is zero.
        if i == 0 {
            rig.push(
                "pg_stat_activity_count{datname=\"x\",state=\"active\"}",
                9.0,
            );
        }
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), told("pg_stat_activity_count", 5.0, 37.0));
}

#[test]
fn who_waits_for_a_connection_is_demand() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("hikaricp_connections_active{pool=\"p\"}", 20.0);
        rig.push("hikaricp_connections_pending{pool=\"p\"}", 15.0);
        rig.push("hikaricp_connections_max{pool=\"p\"}", 20.0);
        rig.wait(20.0);
    }
    assert_eq!(
        rig.told(),
        told("hikaricp_connections_active{pool=\"p\"}", 35.0, 20.0)
    );
}

#[test]
fn pages_that_nobody_mapped_are_no_use_of_memory() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.push("container_spec_memory_limit_bytes{container=\"c\"}", 100.0);
        rig.wait(20.0);
    }
    let name = "container_memory_working_set_bytes{container=\"c\"}";
    assert_eq!(rig.told(), told(name, 95.0, 100.0), "without more to go by");
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.push("container_memory_usage_bytes{container=\"c\"}", 98.0);
        rig.push("container_memory_cache{container=\"c\"}", 80.0);
        rig.push("container_memory_rss{container=\"c\"}", 15.0);
        rig.push("process_resident_memory_bytes", 25.0);
        rig.wait(20.0);
    }
    // 10 of 80 are mapped, so 70 can be dropped.
    assert_eq!(rig.told(), told(name, 28.0, 100.0));
}

#[test]
fn without_a_limit_nothing_is_foreseen_and_it_is_said_what_is_missing() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        // As the kernel writes "no limit", and as cAdvisor does.
        rig.push("node_filesystem_avail_bytes{mountpoint=\"/\"}", 5.0);
        rig.push("node_filesystem_size_bytes{mountpoint=\"/\"}", 0.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), []);
    let expected = [
        Some("container_spec_memory_limit_bytes above 0"),
        Some("node_filesystem_size_bytes"),
    ];
    assert_eq!(rig.missing(), expected);
    rig.push(
        "container_spec_memory_limit_bytes{container=\"c\"}",
        9_223_372_036_854_771_712.0,
    );
    assert_eq!(rig.told(), []);
    for _ in 0..2 {
        rig.push("container_spec_memory_limit_bytes{container=\"c\"}", 100.0);
        rig.push("container_memory_working_set_bytes{container=\"c\"}", 95.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told().len(), 1);
    assert_eq!(rig.missing()[0], None);
}

#[test]
fn a_setting_or_a_label_tells_a_limit_too() {
    let rule = |metric: &str, limit, family| LimitRule {
        metric: metric.to_owned(),
        labels: vec![("job".to_owned(), "a".to_owned())],
        limit,
        family,
    };
    let mut rig = Rig::with(LookoutConfig {
        refresh_s: 0.0,
        limits: vec![
            rule("redis_connected_clients", 50.0, None),
            rule("queue_length", 1_000.0, Some(Family::Connections)),
        ],
        ..LookoutConfig::default()
    });
    for _ in 0..3 {
        rig.push("redis_connected_clients{job=\"a\"}", 10.0);
        rig.push("queue_length{job=\"a\"}", 100.0);
        rig.push("queue_length{job=\"b\"}", 100.0);
        rig.push("process_open_fds{limit=\"64\"}", 8.0);
        rig.wait(20.0);
    }
    let mut found: Vec<_> = rig
        .told()
        .into_iter()
        .map(|(_, level, limit)| (level, limit))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(found, [(8.0, 64.0), (10.0, 50.0), (100.0, 1_000.0)]);
}

#[test]
fn of_two_limits_one_stands() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("process_open_fds{job=\"a\"}", 40.0);
        rig.push("process_max_fds{from=\"x\",job=\"a\"}", 100.0);
        rig.push("process_max_fds{from=\"y\",job=\"a\"}", 100.0);
        rig.wait(20.0);
    }
    assert_eq!(rig.told(), told("process_open_fds{job=\"a\"}", 40.0, 100.0));
}

#[test]
fn what_is_too_early_to_tell_is_not_missing() {
    let mut rig = Rig::new();
    rig.push("upstream_request_duration_seconds_count", 1.0);
    rig.push("container_cpu_usage_seconds_total{container=\"c\"}", 1.0);
    rig.push("container_spec_cpu_quota{container=\"c\"}", 50_000.0);
    rig.push("container_spec_cpu_period{container=\"c\"}", 100_000.0);
    assert_eq!((rig.told(), rig.missing()), (vec![], vec![None, None]));
}

#[test]
fn a_metric_comes_before_a_label_and_a_setting_before_both() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        rig.push("process_open_fds{limit=\"64\"}", 8.0);
        rig.push("process_max_fds", 100.0).wait(20.0);
    }
    assert_eq!(
        rig.told(),
        told("process_open_fds{limit=\"64\"}", 8.0, 100.0)
    );
    let set = LimitRule {
        metric: "process_open_fds".to_owned(),
        labels: vec![],
        limit: 32.0,
        family: None,
    };
    let mut rig = Rig::with(LookoutConfig {
        refresh_s: 0.0,
        limits: vec![set],
        ..LookoutConfig::default()
    });
    for _ in 0..3 {
        rig.push("process_open_fds{limit=\"64\"}", 8.0);
        rig.push("process_max_fds", 100.0).wait(20.0);
    }
    assert_eq!(
        rig.told(),
        told("process_open_fds{limit=\"64\"}", 8.0, 32.0)
    );
}

/// A thousand resources that a thousand parts could belong to: neither members without end nor time without end.
#[test]
fn what_could_belong_to_many_belongs_to_none() {
    let mut rig = Rig::new();
    for i in 0..1_000 {
        rig.push(
            &format!("http_requests_total{{code=\"{i}\",ns=\"a\"}}"),
            1.0,
        );
        rig.push(
            &format!("container_cpu_usage_seconds_total{{ns=\"a\",pod=\"{i}\"}}"),
            1.0,
        );
    }
    let members: usize = rig.lookout.resources().iter().map(|r| r.series.len()).sum();
    assert!(members < 4_000, "{members}");
}

//! Rules over samples, by example.

use super::*;

#[test]
fn processors_are_busy_for_two_minutes_before_it_is_told() {
    let mut desk = Desk::new();
    let series = "node_cpu_utilization_ratio";
    // For a minute and a half, then for five minutes.
    let busy = levels(&[(6, 0.3), (9, 1.0), (12, 0.3), (30, 0.95), (30, 0.4)]);
    let said = told(&mut desk, series, 10.0, busy);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].ends_with("rule+") && said[1].ends_with("rule-"),
        "{said:?}"
    );
    let last = desk.last();
    assert_eq!(
        (last.entity.as_str(), &*last.unit, last.threshold),
        ("host/here", "ratio", 0.85)
    );
    // What flaps about the threshold opens once at most.
    let mut desk = Desk::new();
    let flapping = (0..400).map(|i| if i % 2 == 0 { 0.80 } else { 0.92 });
    assert!(told(&mut desk, series, 5.0, flapping).len() <= 1);
}

#[test]
fn processors_by_mode_make_one_level() {
    let mut desk = Desk::new();
    let mut said = Vec::new();
    for i in 0..40 {
        let s = f64::from(i) * 15.0;
        for cpu in 0..2 {
            let idle = format!(
                "node_cpu_seconds_total{{cpu=\"{cpu}\",instance=\"a:9100\",mode=\"idle\"}}"
            );
            said.push(desk.push(s, &idle, 7.0 + 0.05 * s));
            said.push(desk.push(s, &idle.replace("idle", "iowait"), 0.01 * s));
            said.push(desk.push(s, &idle.replace("idle", "user"), 0.9 * s));
        }
    }
    said.retain(|said| !said.is_empty());
    assert_eq!(said, ["rule+"]);
    assert!(
        (desk.last().value - 0.94).abs() < 1e-6,
        "{}",
        desk.last().value
    );
    assert_eq!(
        desk.last().signal,
        r#"node_cpu_seconds_total{instance="a:9100"}"#
    );
}

#[test]
fn slow_answers_are_a_mean_over_all_requests() {
    let mut desk = Desk::new();
    let mut said = Vec::new();
    let (mut sum, mut count) = ([0.0; 2], [0.0; 2]);
    for i in 0..60 {
        let s = f64::from(i) * 15.0;
        // Ten requests of 50 ms, and from 300 s to 600 s one of 5 s beside, which fails.
        let slow = if (20..40).contains(&i) { 1.0 } else { 0.0 };
        for (k, (n, each_s)) in [(10.0, 0.05), (slow, 5.0)].into_iter().enumerate() {
            count[k] += n;
            sum[k] += n * each_s;
            let labels = format!(
                "{{code=\"{}\",server_address=\"pay\",service=\"api\"}}",
                ["200", "503"][k]
            );
            said.push(desk.push(
                s,
                &format!("http_client_request_duration_seconds_sum{labels}"),
                sum[k],
            ));
            said.push(desk.push(
                s,
                &format!("http_client_request_duration_seconds_count{labels}"),
                count[k],
            ));
        }
        if i == 35 {
            let last = desk.last();
            assert!((last.value - 0.5).abs() < 0.01, "{}", last.value);
            assert_eq!(last.entity.as_str(), "service/api");
            assert_eq!(
                (desk.fact("dependency"), desk.fact("errors_ratio")),
                ("service/pay", "0.0909")
            );
        }
    }
    said.retain(|said| !said.is_empty());
    assert_eq!(
        said.iter().filter(|said| said.contains("rule")).count(),
        2,
        "{said:?}"
    );
}

#[test]
fn a_rising_latency_is_foretold_before_it_is_there() {
    let mut desk = Desk::new();
    let series = "probe_duration_seconds{instance=\"https://shop\"}";
    // 50 ms and 5 ms more each minute: at 200 ms after half an hour.
    let shake = |i: u32| 0.002 * f64::from((i * 37) % 11) / 11.0;
    let rising = (0..180).map(|i| 0.05 + 0.005 * f64::from(i) / 4.0 + shake(i));
    let said = told(&mut desk, series, 15.0, rising);
    assert_eq!(said.len(), 2, "{said:?}");
    let s = |i: usize| said[i].split(':').next().unwrap().parse::<f64>().unwrap();
    assert!(said[0].ends_with("prediction+") && s(0) < 600.0, "{said:?}");
    assert!(
        said[1].ends_with("rule+ prediction-") && (1_800.0..2_100.0).contains(&s(1)),
        "{said:?}"
    );
}

#[test]
fn a_transaction_that_does_not_end_is_slow() {
    let mut desk = Desk::new();
    let series =
        r#"pg_stat_activity_max_tx_duration{datname="orders",server="db:5432",state="active"}"#;
    let said = told(
        &mut desk,
        series,
        10.0,
        levels(&[
            (5, 0.5),
            (1, 60.0),
            (5, 0.5),
            (1, 10.0),
            (1, 20.0),
            (1, 30.0),
            (1, 40.0),
        ]),
    );
    assert_eq!(said, ["140: rule+"]);
    assert_eq!(
        (
            desk.fact("longest_s"),
            desk.fact("datname"),
            desk.last().class
        ),
        ("40", "orders", Class::SlowQueries)
    );
}

#[test]
fn clean_ups_of_the_server_may_take_hours() {
    let mut desk = Desk::new();
    let series =
        r#"pg_stat_activity_max_tx_duration{backend_type="autovacuum worker",datname="orders"}"#;
    assert_eq!(
        told(&mut desk, series, 10.0, levels(&[(20, 900.0)])),
        [""; 0]
    );
    let idle = r#"pg_stat_activity_max_tx_duration{datname="orders",state="idle in transaction"}"#;
    assert_eq!(told(&mut desk, idle, 10.0, levels(&[(20, 900.0)])).len(), 1);
    assert_eq!(
        (desk.fact("longest_s"), desk.fact("state")),
        ("", "idle in transaction")
    );
}

#[test]
fn idle_sessions_are_counted_over_databases() {
    let mut desk = Desk::new();
    for (labels, n) in [
        (r#"datname="a",server="db:5432",state="idle""#, 40.0),
        (
            r#"datname="b",server="db:5432",state="idle in transaction""#,
            7.0,
        ),
        (r#"datname="a",server="db:5432",state="active""#, 9.0),
        (r#"datname="a",server="other:5432",state="idle""#, 100.0),
    ] {
        let series = format!("pg_stat_activity_count{{{labels}}}");
        desk.push(0.0, &series, 3.0);
        desk.push(15.0, &series, n);
    }
    let mut told = outlook(20.0, Family::Connections, 0.96, [0.9; 2], [60.0; 3]);
    told.limit = 200.0;
    told.level = 192.0;
    desk.outlook(r#"pg_stat_activity_count{server="db:5432"}"#, &told);
    assert_eq!(
        (desk.fact("sessions_idle"), desk.fact("limit")),
        ("47", "200")
    );
}

#[test]
fn three_restarts_are_a_loop_and_two_foretell_it() {
    let mut desk = Desk::new();
    let series = r#"kube_pod_container_status_restarts_total{container="c",namespace="shop",pod="api-0",uid="u"}"#;
    let n = [5.0, 5.0, 6.0, 6.0, 7.0, 7.0, 8.0, 8.0];
    let said = told(&mut desk, series, 60.0, n);
    assert_eq!(said, ["240: prediction+", "360: rule+ prediction-"]);
    assert_eq!(
        (desk.fact("restarts"), desk.last().entity.as_str()),
        ("3", "instance/shop/api-0")
    );
    // Half of it is forgotten after a quarter of an hour.
    let said: Vec<_> = (8..30)
        .map(|i| desk.push(f64::from(i) * 60.0, series, 8.0))
        .filter(|said| !said.is_empty())
        .collect();
    assert_eq!(said, ["rule-"]);
}

#[test]
fn one_kill_for_memory_is_a_crash_and_an_old_one_is_none() {
    let mut desk = Desk::new();
    let labels = r#"container="c",namespace="shop",pod="api-0""#;
    let restarts = format!("kube_pod_container_status_restarts_total{{{labels}}}");
    let reason = format!(
        "kube_pod_container_status_last_terminated_reason{{{labels},reason=\"OOMKilled\"}}"
    );
    let code = format!("kube_pod_container_status_last_terminated_exitcode{{{labels}}}");
    for (s, n) in [(0.0, 1.0), (60.0, 1.0), (120.0, 1.0)] {
        assert_eq!(desk.push(s, &reason, 1.0), "");
        assert_eq!(desk.push(s, &code, 137.0), "");
        assert_eq!(desk.push(s, &restarts, n), "");
    }
    assert_eq!(desk.push(180.0, &restarts, 2.0), "rule+");
    assert_eq!(
        (
            &*desk.last().cause,
            desk.fact("reason"),
            desk.fact("exit_code")
        ),
        ("oom", "OOMKilled", "137")
    );
}

#[test]
fn flags_kills_and_starts() {
    let mut desk = Desk::new();
    let waiting = r#"kube_pod_container_status_waiting_reason{namespace="shop",pod="a",reason="CrashLoopBackOff"}"#;
    let said = told(
        &mut desk,
        waiting,
        60.0,
        levels(&[(2, 0.0), (3, 1.0), (3, 0.0), (2, 1.0), (9, 0.0)]),
    );
    assert_eq!(said, ["120: rule+", "960: rule-"]);
    assert_eq!(desk.fact("reason"), "CrashLoopBackOff");

    let oom = r#"container_oom_events_total{id="/a"}"#;
    assert_eq!(told(&mut desk, oom, 15.0, [0.0, 0.0, 2.0]), ["30: rule+"]);
    assert_eq!((&*desk.last().cause, desk.last().value), ("oom", 2.0));

    let start = r#"process_start_time_seconds{comm="a"}"#;
    let said = told(
        &mut desk,
        start,
        15.0,
        [100.0, 100.5, 200.0, 300.0, 300.2, 400.0],
    );
    assert_eq!(said, ["45: prediction+", "75: rule+ prediction-"]);

    let unit = r#"node_systemd_unit_state{name="a.service",state="failed"}"#;
    assert_eq!(
        told(&mut desk, unit, 15.0, [0.0, 1.0, 0.0]),
        ["15: rule+", "30: rule-"]
    );
    assert_eq!(desk.fact("unit"), "a.service");
    assert_eq!(desk.push(0.0, &unit.replace("failed", "active"), 1.0), "");
}

#[test]
fn exported_certificates_are_as_probed_ones() {
    let mut desk = Desk::new();
    let series = r#"probe_ssl_earliest_cert_expiry{instance="https://shop"}"#;
    let in_days = |days: f64| 1.7e9 + days * 86_400.0;
    let said = told(
        &mut desk,
        series,
        15.0,
        [
            in_days(60.0),
            in_days(20.0),
            in_days(20.0),
            in_days(30.5),
            in_days(90.0),
            0.0,
        ],
    );
    assert_eq!(
        said,
        [
            "15: rule-".replace("rule-", "probe+"),
            "60: probe-".to_owned()
        ]
    );
    assert_eq!(desk.last().entity.as_str(), "certificate/https://shop");
}

#[test]
fn rules_of_users_go_first() {
    let rules = r#"[{"class": "network_latency", "metric": "probe_duration_seconds", "above": 2.0, "for_s": 0, "unit": "seconds"},
        {"class": "memory_exhaustion", "family": "memory", "above": 0.5, "for_s": 0},
        {"class": "slow_queries", "metric": "q_used", "over": "q_max", "transform": "ratio", "above": 0.8, "for_s": 0},
        {"class": "process_crash", "metric": "panics_total", "increase": 2, "within_s": 60, "unit": "panics"}]"#;
    let mut desk = Desk::with(rules);
    assert_eq!(
        told(
            &mut desk,
            "probe_duration_seconds",
            15.0,
            levels(&[(20, 1.0)])
        ),
        [""; 0]
    );
    assert_eq!(desk.push(300.0, "probe_duration_seconds", 3.0), "rule+");
    let key = "container_memory_working_set_bytes";
    assert_eq!(
        desk.outlook(key, &outlook(0.0, Family::Memory, 0.6, [0.0; 2], NO_END)),
        "rule+"
    );
    desk.push(0.0, "q_max{a=\"1\"}", 10.0);
    assert_eq!(desk.push(0.0, "q_used{a=\"1\"}", 9.0), "rule+");
    assert_eq!(
        (desk.last().value, &*desk.last().signal),
        (0.9, r#"q_used_over_q_max{a="1"}"#)
    );
    assert_eq!(
        told(&mut desk, "panics_total", 15.0, [1.0, 1.0, 3.0]),
        ["30: rule+"]
    );
}

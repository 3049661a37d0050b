//! Running totals of services.

use super::*;

#[test]
fn processor_latency_and_errors_make_a_service() {
    let mut rig = Rig::new();
    let (mut time, mut good, mut bad, mut fast, mut all) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for _ in 0..8 {
        rig.push("container_cpu_usage_seconds_total{container=\"c\"}", time);
        rig.push("container_spec_cpu_quota{container=\"c\"}", 50_000.0);
        rig.push("container_spec_cpu_period{container=\"c\"}", 100_000.0);
        rig.push("http_requests_total{code=\"200\"}", good);
        rig.push("http_requests_total{code=\"503\"}", bad);
        rig.push("http_request_duration_seconds_bucket{le=\"0.5\"}", fast);
        rig.push("http_request_duration_seconds_bucket{le=\"1\"}", all);
        rig.push("http_request_duration_seconds_bucket{le=\"+Inf\"}", all);
        rig.wait(20.0);
        (time, good, bad, fast, all) = (
            time + 8.0,
            good + 90.0,
            bad + 10.0,
            fast + 90.0,
            all + 100.0,
        );
    }
    let outlooks = rig.outlooks();
    let cpu = outlooks.iter().find(|o| o.family == Family::Cpu).unwrap();
    assert!(
        (cpu.level - 0.8).abs() < 1e-9 && (cpu.limit - 1.0).abs() < 1e-9,
        "{cpu:?}"
    );
    let entry = &rig.lookout.entries[cpu.resource as usize];
    let how = entry.how(&rig.lookout.config);
    let channels = entry
        .state
        .read(&rig.lookout.members, &how)
        .unwrap()
        .channels;
    // 0.4 of 0.5 cores; 95 of 100 within 0.75 s; a tenth failed, of the fifth that is the limit.
    for (found, expected) in channels.iter().zip([0.8, 0.75, 0.5]) {
        assert!((found - expected).abs() < 1e-4, "{channels:?}");
    }
    // All counters begin anew: what was counted since counts, and nothing jumps.
    for counter in [
        "container_cpu_usage_seconds_total{container=\"c\"}",
        "http_requests_total{code=\"200\"}",
    ] {
        rig.push(counter, 0.0);
    }
    let after = rig.outlooks();
    assert!(
        after.iter().all(|o| o.level.is_finite() && o.level >= 0.0),
        "{after:?}"
    );
}

#[test]
fn a_total_that_comes_late_is_no_rush() {
    let mut rig = Rig::new();
    for i in 0..12 {
        rig.push("container_cpu_usage_seconds_total{container=\"c\"}", 0.0);
        rig.push("container_spec_cpu_quota{container=\"c\"}", 50_000.0);
        rig.push("container_spec_cpu_period{container=\"c\"}", 100_000.0);
        if i > 8 {
            // A million failures from before anybody looked.
            rig.push("http_requests_total{code=\"503\"}", 1e6);
            rig.push("http_requests_total{code=\"200\"}", 1e6 + f64::from(i));
        }
        rig.wait(20.0);
    }
    assert!(rig.outlooks()[0].level < 1e-9, "{:?}", rig.outlooks());
    rig.push("container_cpu_usage_seconds_total{container=\"c\"}", 0.0);
    rig.push("http_requests_total{code=\"502\"}", 1.0);
    assert!(
        rig.outlooks()[0].level > 0.1,
        "the first of another kind counts"
    );
}

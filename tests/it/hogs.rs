//! What a new user tries first: stress the machine and see whether it is noticed, and who is named.
//!
//! The machine is the real one, and may be busy with a build: a processor that is busy already cannot get busier. So the
//! hogs are such as show on any machine: far more threads than processors, and a large piece of memory claimed at once.
//! Readings come four times a second and events may open after forty of them, to make the test short.

use std::time::Instant;

use proto::v1;

use crate::harness::{Hog, Server, Watch, within};

const CONFIG: &str = "host.interval_s = 0.25\nengine.ensemble.event_warmup_samples = 40\n";
const BASELINE_READINGS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn hogs_of_processor_and_memory_are_events_that_name_them() {
    let server = Server::start(CONFIG).await;
    let load = v1::WatchRisksRequest {
        filter: "node_load1".to_owned(),
        ..Default::default()
    };
    let mut readings = Watch::open(&server, load).await;
    for _ in 0..BASELINE_READINGS {
        readings.next().await;
    }
    let hog = Hog::cpu(64);
    expect_named(&server, &hog, "process_cpu_ratio").await;
    drop(hog);
    let hog = Hog::memory(2048);
    expect_named(&server, &hog, "process_resident_memory_bytes").await;
}

/// Waits for an event of the host that this hog is blamed for.
async fn expect_named(server: &Server, hog: &Hog, metric: &str) {
    let began = Instant::now();
    let request = v1::WatchRisksRequest {
        filter: r#"{__name__=~"node_.*"}"#.to_owned(),
        only_events: true,
        ..Default::default()
    };
    let mut events = Watch::open(server, request).await;
    let (series, culprit) = within("an event that names the hog", async {
        loop {
            for (series, risk) in events.next().await {
                assert!(risk.event.is_some());
                let mut culprits = risk.culprits.into_iter();
                if let Some(culprit) = culprits.find(|culprit| is(hog, metric, culprit)) {
                    return (series, culprit);
                }
            }
        }
    })
    .await;
    eprintln!(
        "after {:.1} s: {} because of {culprit:?}",
        began.elapsed().as_secs_f64(),
        series.metric
    );
    assert!(culprit.increase > 0.0 && culprit.share > 0.0, "{culprit:?}");
}

fn is(hog: &Hog, metric: &str, culprit: &v1::Culprit) -> bool {
    let series = culprit.series.as_ref().unwrap();
    let label = |name: &str| series.labels.get(name).map(String::as_str);
    series.metric == metric && label("comm") == Some("hog") && label("pid") == Some(&hog.pid())
}

//! What a new user tries first: stress the machine and see whether it is noticed, and who is named.
//!
//! The machine is the real one, and may be busy with a build: a processor that is busy already cannot get busier. So the
//! hogs are such as show on any machine: far more threads than processors, and half of all memory claimed at once, of
//! which only so much is touched as cannot hurt.
//! Readings come four times a second and events may open after forty of them, to make the test short.

use std::time::{Duration, Instant};

use proto::v1;
use tokio::time::timeout;

use crate::harness::{Hog, Server, Watch, key, within};

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
    // What a build has done in the last seconds is no news: then it takes more.
    let mut named = None;
    for threads in [32, 64, 128] {
        let mut events = watch_events(&server).await;
        let hog = Hog::cpu(threads);
        let blamed = event_that_names(&mut events, &hog, "process_cpu_ratio");
        named = timeout(Duration::from_secs(15), blamed).await.ok();
        if named.is_some() {
            break;
        }
    }
    assert!(named.is_some(), "no event names a hog of the processor");

    let all_mib = memory_mib(&server).await;
    let mut events = watch_events(&server).await;
    let hog = Hog::memory(all_mib / 2, 1536);
    event_that_names(&mut events, &hog, "process_resident_memory_bytes").await;
}

/// To be opened before there is anything to see: an event may be over when a machine is too busy to answer at once.
async fn watch_events(server: &Server) -> Watch {
    let request = v1::WatchRisksRequest {
        filter: r#"{__name__=~"node_.*"}"#.to_owned(),
        only_events: true,
        ..Default::default()
    };
    Watch::open(server, request).await
}

/// All that the machine has, as the server sees it.
async fn memory_mib(server: &Server) -> u32 {
    let request = v1::GetRiskRequest {
        series: key("node_memory_MemTotal_bytes"),
        history_size: 0,
    };
    let risk = server.risks().get_risk(request).await.unwrap().into_inner();
    #[expect(clippy::cast_sign_loss, reason = "an amount of memory")]
    let mib = (risk.risk.unwrap().value / f64::from(1 << 20)) as u32;
    mib
}

/// Waits for an event of the host that this hog is blamed for.
async fn event_that_names(events: &mut Watch, hog: &Hog, metric: &str) {
    let began = Instant::now();
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

//! What operators read of capture and learning.

use crate::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn capture_and_learning_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        config.capture.dir = dir.path().join("captured");
        config.capture.flush_interval_s = 0.05;
        config.models.dir = dir.path().join("models");
        config.learning.enabled = true;
    })
    .await;
    server
        .push_rows((1..4).map(|s| ("load", s - 10, s as f64)))
        .await;
    let written = "forestall_capture_rows_written_total 3\n";
    let page = within(async {
        loop {
            let page = server.metrics(None).await;
            if page.contains(written) {
                break page;
            }
        }
    });
    let page = page.await;
    for line in [
        "# TYPE forestall_capture_rows_written_total counter\n",
        "forestall_capture_rows_dropped_total{reason=\"queue\"} 0\n",
        "forestall_capture_failing 0\n",
        "# TYPE forestall_learning_promoted_total counter\n",
        "forestall_learning_candidates_total 0\n",
        "forestall_learning_drift{of=\"features\"} 0\n",
        "forestall_learning_failures_total 0\n",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
    server.running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_has_no_numbers() {
    let server = start(|_| {}).await;
    let page = server.metrics(None).await;
    assert!(page.contains("forestall_samples_taken_total 0\n"));
    for family in ["forestall_capture_", "forestall_learning_"] {
        assert!(!page.contains(family), "{family} in\n{page}");
    }
}

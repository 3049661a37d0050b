//! What the tests stand on.

mod binary;
mod client;
mod hog;
mod postgres;
mod server;

use std::time::Duration;

pub(crate) use binary::{command, run};
pub(crate) use client::{Push, Watch, batch, declare, key, named, us};
pub(crate) use hog::Hog;
pub(crate) use postgres::{Postgres, scratch};
pub(crate) use server::Server;

/// The longest that anything here may take. A machine that is busy with a build is slow, not broken.
const LIMIT: Duration = Duration::from_secs(60);

/// Fails a test that would hang.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: not within {} s", LIMIT.as_secs()))
}

/// Asks again and again until there is an answer. For states that announce themselves in no other way.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            // Each question is a round trip to another process, which needs the processor too.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

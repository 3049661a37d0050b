//! A pool of database connections that are not given back.

use std::io;
use std::time::Instant;

use super::{DriverError, Evidence, Fault};
use crate::metrics::Metrics;
use crate::postgres::{Client, ClientError};

/// PostgreSQL keeps so many for its superuser.
pub(crate) const RESERVED: f64 = 3.0;
/// The scraper has one.
const SCRAPERS: f64 = 1.0;
/// Connections made in one step: each starts a process of the server.
const PER_STEP: usize = 8;
/// Queries of one step.
const QUERIES: usize = 2;
const CONNECT: [&str; 3] = [
    "app_db_connect_seconds_bucket",
    "app_db_connect_seconds_sum",
    "app_db_connect_seconds_count",
];
const QUERY: [&str; 3] = [
    "app_db_query_seconds_bucket",
    "app_db_query_seconds_sum",
    "app_db_query_seconds_count",
];

pub(super) struct Connections {
    port: u16,
    limit: f64,
    clients: Vec<Client>,
    next: usize,
    metrics: Metrics,
}

impl Connections {
    pub(super) fn start(port: u16, max_connections: f64, metrics: &Metrics) -> Self {
        metrics.add("app_db_connect_errors_total", "", 0.0);
        Self {
            port,
            limit: max_connections - RESERVED,
            clients: Vec::new(),
            next: 0,
            metrics: metrics.clone(),
        }
    }

    fn connect(&mut self) -> Result<(), ClientError> {
        let begin = Instant::now();
        let mut client = Client::connect(self.port, "app")?;
        self.metrics.observe(CONNECT, begin.elapsed().as_secs_f64());
        // Every other one is held by a transaction that nobody ends.
        if self.clients.len() % 2 == 1 {
            client.query("BEGIN")?;
        }
        self.clients.push(client);
        Ok(())
    }
}

impl Fault for Connections {
    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError> {
        #[expect(clippy::cast_sign_loss, reason = "at least 0")]
        let wanted = (level * self.limit - SCRAPERS).max(0.0).round() as usize;
        self.clients.truncate(wanted);
        let mut evidence = None;
        for _ in 0..PER_STEP.min(wanted - self.clients.len()) {
            match self.connect() {
                Ok(()) => {}
                Err(ClientError::Refused { code, message }) if code == "53300" => {
                    self.metrics.add("app_db_connect_errors_total", "", 1.0);
                    evidence = Some(Evidence::now(format!("refused ({code}): FATAL: {message}")));
                    break;
                }
                Err(error) => return Err(lost(error)),
            }
        }
        for _ in 0..QUERIES.min(self.clients.len()) {
            self.next = (self.next + 1) % self.clients.len();
            let begin = Instant::now();
            self.clients[self.next].query("SELECT 1").map_err(lost)?;
            self.metrics.observe(QUERY, begin.elapsed().as_secs_f64());
        }
        self.metrics
            .set("app_db_pool_in_use", self.clients.len() as f64);
        Ok(evidence)
    }
}

fn lost(error: ClientError) -> DriverError {
    DriverError::Io {
        doing: "talking to the database",
        source: io::Error::other(error),
    }
}

//! How often, how long, how many.

use serde::Deserialize;

use super::config::ConfigError;

/// How often, how long, how many. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Of one attempt: connecting, sending, and reading the answer.
    pub attempt_timeout_s: f64,
    /// The first pause between attempts is drawn from 0 to this, each next one from twice as much.
    pub back_off_first_s: f64,
    /// But never from more than this.
    pub back_off_max_s: f64,
    /// The longest that a `Retry-After` is honoured.
    pub retry_after_max_s: f64,
    /// After which an order is not sent again: what was asked before it went out is old by then. One that may have arrived is
    /// asked about until its time is up.
    pub hand_over_s: f64,
    /// Between two questions about an order that was accepted.
    pub poll_s: f64,
    /// Of a question about an order after a crash, all attempts together.
    pub ask_timeout_s: f64,
    /// Most orders at a time; further ones wait.
    pub at_once: usize,
    /// After so many failed requests in a row no order is taken …
    pub circuit_failures: u32,
    /// … for so long.
    pub circuit_rest_s: f64,
}

impl Default for Limits {
    /// Attempts time out at the lower end of what Standard Webhooks recommends, 15 to 30 s.
    fn default() -> Self {
        Self {
            attempt_timeout_s: 15.0,
            back_off_first_s: 0.5,
            back_off_max_s: 30.0,
            retry_after_max_s: 60.0,
            hand_over_s: 60.0,
            poll_s: 2.0,
            ask_timeout_s: 30.0,
            at_once: 4,
            circuit_failures: 5,
            circuit_rest_s: 60.0,
        }
    }
}

impl Limits {
    /// Refuses what would never end, or never begin.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let times = [
            ("attempt_timeout_s", self.attempt_timeout_s),
            ("back_off_first_s", self.back_off_first_s),
            ("back_off_max_s", self.back_off_max_s),
            ("retry_after_max_s", self.retry_after_max_s),
            ("hand_over_s", self.hand_over_s),
            ("poll_s", self.poll_s),
            ("ask_timeout_s", self.ask_timeout_s),
            ("circuit_rest_s", self.circuit_rest_s),
        ];
        for (name, value) in times {
            if !(0.001..=86_400.0).contains(&value) {
                let expected = "0.001 to 86400 seconds";
                return Err(ConfigError::Limit {
                    name,
                    value,
                    expected,
                });
            }
        }
        if !(1..=1_024).contains(&self.at_once) {
            return Err(ConfigError::Limit {
                name: "at_once",
                value: self.at_once as f64,
                expected: "1 to 1024",
            });
        }
        if self.circuit_failures == 0 {
            return Err(ConfigError::Limit {
                name: "circuit_failures",
                value: 0.0,
                expected: "at least 1",
            });
        }
        Ok(())
    }
}

//! The wall clock: the one place that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use series::{Clock, Timestamp};

/// The time of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock that is passed to everything else"
        )]
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // Before 1970 a clock was never set; 0 is as good an answer as any.
        let us = since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        });
        Timestamp::from_micros(us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_later_than_this_file_was_written() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_700_000_000_000));
    }
}

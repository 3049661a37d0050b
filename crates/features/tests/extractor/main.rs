//! The extractor through its public face: what is taken and what is refused, what a row may hold, what its units mean.

mod arrival;
mod bounds;
mod units;

use features::{Extracted, Extractor, Row};
use series::{Kind, Timestamp};
use testkit::Trace;

/// For `bounds`: memory does not grow. It counts by thread, so the other tests may run beside it.
#[global_allocator]
static COUNTING: testkit::Counting = testkit::Counting;

/// An extractor of one series that learns times of day.
fn extractor(kind: Kind) -> Extractor {
    let mut extractor = Extractor::new(true);
    extractor.add_series(kind, series::Unit::None);
    extractor
}

/// The rows of a trace, each with its level.
fn rows(trace: &Trace) -> Vec<(Row, f64)> {
    let mut extractor = extractor(trace.kind);
    let rows =
        trace
            .points
            .iter()
            .filter_map(|&(at, value)| match extractor.extract(0, at, value) {
                Extracted::Row(row, level) => Some((row, level)),
                Extracted::Pending | Extracted::Refused(_) => None,
            });
    rows.collect()
}

fn second(s: i64) -> Timestamp {
    Timestamp::from_millis(s * 1000)
}

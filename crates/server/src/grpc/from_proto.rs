//! What comes in, checked. Everything that is wrong names its field.

use std::str::SplitWhitespace;

use predict::Risk;
use proto::v1;
use series::{KeyError, SeriesKey};
use store::Verdict;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::board::{Numbers, WantedEvents};
use crate::page::{self, Place};
use crate::selector::Selector;

/// INVALID_ARGUMENT with the field and what is wrong with it, for people and for programs (`google.rpc.BadRequest`).
pub(super) fn invalid(field: impl Into<String>, what: impl Into<String>) -> Status {
    let (field, what) = (field.into(), what.into());
    let message = format!("{field}: {what}");
    Status::with_error_details(
        Code::InvalidArgument,
        message,
        ErrorDetails::with_bad_request_violation(field, what),
    )
}

/// A series' key; `None` when the message is missing.
pub(super) fn key(key: Option<v1::SeriesKey>) -> Option<Result<SeriesKey, KeyError>> {
    key.map(|key| SeriesKey::new(&key.metric, key.labels))
}

/// The key of a request that is about one series.
pub(super) fn required_key(series: Option<v1::SeriesKey>) -> Result<SeriesKey, Status> {
    match key(series) {
        None => Err(invalid("series", "missing")),
        Some(Err(error)) => Err(invalid("series", error.to_string())),
        Some(Ok(key)) => Ok(key),
    }
}

pub(super) fn selector(filter: &str) -> Result<Selector, Status> {
    Selector::parse(filter).map_err(|error| invalid("filter", error.to_string()))
}

/// A share from 0 to 1.
pub(super) fn share(field: &str, value: f64) -> Result<f64, Status> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(field, format!("{value} is not between 0 and 1")))
    }
}

/// What a watcher wants.
pub(super) fn numbers(request: &v1::WatchRisksRequest) -> Result<Numbers, Status> {
    share("min_score", request.min_score)?;
    share("min_alert_score", f64::from(request.min_alert_score))?;
    let events = match (request.only_event_changes, request.only_events) {
        (true, _) => WantedEvents::Changes,
        (false, true) => WantedEvents::Inside,
        (false, false) => WantedEvents::Any,
    };
    Ok(Numbers {
        min_score: request.min_score,
        min_alert_score: request.min_alert_score,
        events,
    })
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) size: usize,
    pub(super) after: Option<Place>,
    request: String,
}

impl Page {
    /// `request` is all that shapes the list; tokens of another list are refused.
    pub(super) fn new(
        request: String,
        size: i32,
        token: &str,
        default: usize,
        max: usize,
    ) -> Result<Self, Status> {
        let Ok(size) = usize::try_from(size) else {
            return Err(invalid("page_size", format!("{size} is negative")));
        };
        let size = if size == 0 { default } else { size.min(max) };
        let after = page::place(&request, token).map_err(|what| invalid("page_token", what))?;
        Ok(Self {
            size,
            after,
            request,
        })
    }

    /// Picks this page out of all places, in any order, and says whether more follow.
    pub(super) fn cut(&self, places: Vec<Place>) -> (Vec<Place>, bool) {
        page::cut(places, self.after, self.size)
    }

    /// The token of the page after the one that ends at `last`.
    pub(super) fn next_token(&self, last: Place) -> String {
        page::token(&self.request, last)
    }
}

/// What comes after the field in `order_by`: `asc`, `desc`, or nothing, which means `otherwise`.
pub(super) fn ascending(mut words: SplitWhitespace<'_>, otherwise: bool) -> Result<bool, Status> {
    let ascending = match words.next() {
        None => otherwise,
        Some("asc") => true,
        Some("desc") => false,
        Some(other) => {
            let what = format!("{other:?} is neither asc nor desc");
            return Err(invalid("order_by", what));
        }
    };
    match words.next() {
        None => Ok(ascending),
        Some(more) => {
            let what = format!("{more:?} is too much: one field is enough");
            Err(invalid("order_by", what))
        }
    }
}

/// What risks are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    by: By,
    ascending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    AlertScore,
    Score,
    EventPeak,
    Time,
}

impl Order {
    pub(super) fn parse(text: &str) -> Result<Self, Status> {
        let mut words = text.split_whitespace();
        let by = match words.next() {
            None | Some("alert_score") => By::AlertScore,
            Some("score") => By::Score,
            Some("event_peak") => By::EventPeak,
            Some("time_us") => By::Time,
            Some(other) => {
                let known = "alert_score, score, event_peak or time_us";
                return Err(invalid(
                    "order_by",
                    format!("{other:?} is not one of {known}"),
                ));
            }
        };
        let ascending = ascending(words, false)?;
        Ok(Self { by, ascending })
    }

    /// The place of a risk in a list of this order.
    pub(super) fn place(self, risk: &Risk) -> Place {
        let rank = match self.by {
            By::AlertScore => f64::from(risk.alert_score),
            By::Score => risk.score.get(),
            By::EventPeak => risk.event.map_or(0.0, |event| f64::from(event.peak)),
            By::Time => risk.at.micros() as f64,
        };
        // A place must compare; the engine's numbers are finite, and this is where it would matter.
        let rank = if rank.is_nan() { 0.0 } else { rank };
        Place {
            rank: if self.ascending { -rank } else { rank },
            id: u64::from(risk.series.0),
        }
    }
}

pub(super) fn verdict(verdict: i32) -> Result<Verdict, Status> {
    match v1::Verdict::try_from(verdict) {
        Ok(v1::Verdict::Confirmed) => Ok(Verdict::Confirmed),
        Ok(v1::Verdict::Dismissed) => Ok(Verdict::Dismissed),
        Ok(v1::Verdict::Unspecified) => Err(invalid("verdict", "missing")),
        Err(_) => Err(invalid("verdict", format!("{verdict} is unknown"))),
    }
}

pub(super) fn kind(kind: i32) -> Result<series::Kind, Status> {
    match v1::Kind::try_from(kind) {
        Ok(v1::Kind::Unspecified | v1::Kind::Gauge) => Ok(series::Kind::Gauge),
        Ok(v1::Kind::Counter) => Ok(series::Kind::Counter),
        Err(_) => Err(invalid("kind", format!("{kind} is unknown"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::risk;

    #[track_caller]
    fn refuses<T: std::fmt::Debug>(result: Result<T, Status>, field: &str) {
        let status = result.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            field
        );
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        refuses(required_key(None), "series");
        refuses(required_key(Some(v1::SeriesKey::default())), "series");
        refuses(selector("{"), "filter");
        refuses(share("min_score", f64::NAN), "min_score");
        refuses(Page::new(String::new(), -1, "", 1, 1), "page_size");
        refuses(Page::new(String::new(), 1, "x", 1, 1), "page_token");
        refuses(Order::parse("score upwards"), "order_by");
        refuses(Order::parse("name"), "order_by");
        refuses(Order::parse("score asc please"), "order_by");
        refuses(verdict(0), "verdict");
        refuses(verdict(9), "verdict");
        refuses(kind(9), "kind");
    }

    #[test]
    fn orders_rank_the_first_row_highest() {
        let (low, high) = (risk(0, 1, 0.1), risk(1, 2, 0.9));
        for (text, high_first) in [
            ("", true),
            ("score asc", false),
            ("time_us desc", true),
            (" time_us  asc ", false),
        ] {
            let order = Order::parse(text).unwrap();
            assert_eq!(
                order.place(&high).cmp(&order.place(&low)).is_lt(),
                high_first,
                "{text}"
            );
        }
    }
}

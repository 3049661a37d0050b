//! Requests for outlooks as they come in, checked.

use predict::exhaustion::{FAMILIES, Family};
use proto::v1;
use tonic::Status;

use crate::grpc::from_proto::{ascending, invalid, share};
use crate::lookout::{Row, Wanted, within};
use crate::page::Place;

/// The farthest that anything is foretold, in seconds.
const MAX_HORIZON_S: f64 = 86_400.0;
/// The horizon of those who name none, in seconds.
const USUAL_HORIZON_S: f64 = 1_800.0;

/// What is asked for, by all but labels.
pub(super) fn wanted(
    families: &[i32],
    min_probability: f64,
    horizon_s: f64,
) -> Result<Wanted, Status> {
    let horizon_s = match horizon_s {
        0.0 => USUAL_HORIZON_S,
        s if s > 0.0 && s <= MAX_HORIZON_S => s,
        s => {
            let what = format!("{s} is not between 0 and {MAX_HORIZON_S}");
            return Err(invalid("horizon_s", what));
        }
    };
    let named = families.iter().enumerate();
    Ok(Wanted {
        families: named
            .map(|(i, &number)| family(&format!("families[{i}]"), number))
            .collect::<Result<_, _>>()?,
        min_probability: share("min_probability", min_probability)?,
        horizon_s,
    })
}

/// The wire's numbers are one more than ours: 0 stands for none.
fn family(field: &str, number: i32) -> Result<Family, Status> {
    let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    place
        .and_then(|place| FAMILIES.get(place).copied())
        .ok_or_else(|| invalid(field, format!("{number} is not a family")))
}

/// A family that may be left out.
pub(super) fn optional_family(number: i32) -> Result<Option<Family>, Status> {
    match number {
        0 => Ok(None),
        number => family("family", number).map(Some),
    }
}

pub(super) fn states(states: &[i32]) -> Result<Vec<v1::OutlookState>, Status> {
    let named = states.iter().enumerate();
    let known = named.map(|(i, &number)| match v1::OutlookState::try_from(number) {
        Ok(state) if state != v1::OutlookState::Unspecified => Ok(state),
        _ => {
            let what = format!("{number} is not a state");
            Err(invalid(format!("states[{i}]"), what))
        }
    });
    known.collect()
}

/// What resources are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    by: By,
    ascending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    TimeToFailure,
    Probability,
}

impl Order {
    pub(super) fn parse(text: &str) -> Result<Self, Status> {
        let mut words = text.split_whitespace();
        let by = match words.next() {
            None | Some("time_to_failure") => By::TimeToFailure,
            Some("probability") => By::Probability,
            Some(other) => {
                let what = format!("{other:?} is neither time_to_failure nor probability");
                return Err(invalid("order_by", what));
            }
        };
        let ascending = ascending(words, by == By::TimeToFailure)?;
        Ok(Self { by, ascending })
    }

    /// The place of a resource in a list of this order. What has no forecast comes last, either way.
    pub(super) fn place(self, id: u32, row: &Row, horizon_s: f64) -> Place {
        /// Beyond every time and probability.
        const LAST: f64 = 1e12;
        let rank = row.forecast().map_or(-LAST, |said| {
            let key = match self.by {
                By::Probability => within(&said.outlook, horizon_s),
                By::TimeToFailure => match said.outlook.ttf_s[1] {
                    s if s.is_finite() => s,
                    // Not before all that is foreseen, and among these the likeliest first.
                    _ => 2e9 - 1e9 * f64::from(said.outlook.within[4]),
                },
            };
            if self.ascending { -key } else { key }
        });
        Place {
            rank: if rank.is_nan() { -LAST } else { rank },
            id: u64::from(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;
    use crate::lookout::tests::{row, said};

    #[track_caller]
    fn refuses<T: std::fmt::Debug>(result: Result<T, Status>, field: &str) {
        let details = result.unwrap_err().get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        refuses(wanted(&[1, 0], 0.0, 0.0), "families[1]");
        refuses(wanted(&[9], 0.0, 0.0), "families[0]");
        refuses(wanted(&[], 1.5, 0.0), "min_probability");
        refuses(wanted(&[], f64::NAN, 0.0), "min_probability");
        refuses(wanted(&[], 0.0, -1.0), "horizon_s");
        refuses(wanted(&[], 0.0, f64::NAN), "horizon_s");
        refuses(wanted(&[], 0.0, 1e6), "horizon_s");
        refuses(optional_family(-1), "family");
        refuses(states(&[1, 7]), "states[1]");
        refuses(Order::parse("name"), "order_by");
        refuses(Order::parse("probability up"), "order_by");
        refuses(Order::parse("probability asc please"), "order_by");
    }

    #[test]
    fn families_have_the_wires_numbers() {
        let read = wanted(&[v1::Family::Memory.into(), 8], 0.0, 0.0).unwrap();
        assert_eq!(read.families, [Family::Memory, Family::Dependency]);
        assert!((read.horizon_s - 1_800.0).abs() < 1e-9);
    }

    #[test]
    fn what_runs_out_first_comes_first_and_what_is_unknown_last() {
        let mut rows = vec![
            row(None, Some(said(0, 10.0, 0.001))),
            row(None, Some(said(1, 10.0, 0.4))),
            row(None, None),
            row(None, Some(said(3, 10.0, 0.9))),
            row(None, Some(said(4, 10.0, 0.0))),
        ];
        rows[3].family = Family::Disk;
        let order = |text: &str| {
            let order = Order::parse(text).unwrap();
            let mut places: Vec<Place> = (0..)
                .zip(&rows)
                .map(|(id, row)| order.place(id, row, 1_800.0))
                .collect();
            places.sort_by(Place::cmp);
            places.iter().map(|place| place.id).collect::<Vec<_>>()
        };
        assert_eq!(order(""), [3, 1, 0, 4, 2]);
        assert_eq!(order("time_to_failure desc"), [4, 0, 1, 3, 2]);
        assert_eq!(order("probability"), [3, 1, 0, 4, 2]);
        assert_eq!(order("probability asc"), [4, 0, 1, 3, 2]);
    }
}

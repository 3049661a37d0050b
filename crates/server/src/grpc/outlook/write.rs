//! Outlooks as they go out.

use hotpath::Lookout;
use predict::exhaustion::{Cause, FACTORS, Family, Fan, HORIZONS_S, Outlook};
use proto::v1;
use series::Timestamp;

use crate::grpc::to_proto;
use crate::lookout::{Row, Said};

/// An outlook as `GetOutlook` answers it, for those who look ahead without a server.
///
/// `said`: what was said last of this resource of `lookout`, `None` when nothing yet. `is_stale`: whether its samples have
/// stopped since. `None` when there is no such resource.
#[must_use]
pub fn outlook_message(
    lookout: &Lookout,
    resource: u32,
    said: Option<&Outlook>,
    is_stale: bool,
) -> Option<v1::Outlook> {
    let row = Row::of(
        lookout.resources().get(resource as usize)?,
        said.map(|&outlook| Said { outlook, is_stale }),
    );
    let past = lookout.history(resource);
    Some(in_full(&row, lookout.config().tempo, &past))
}

/// With fan and past.
pub(super) fn in_full(row: &Row, tempo: f64, past: &[(Timestamp, f32)]) -> v1::Outlook {
    let forecast = row.said.as_ref().filter(|_| row.missing.is_none());
    v1::Outlook {
        fan: forecast.map_or_else(Vec::new, |said| fan(&said.outlook.fan)),
        history: history(past),
        ..outlook(row, tempo)
    }
}

/// A row without its past and without its fan. `tempo`: that of the lookout.
pub(super) fn outlook(row: &Row, tempo: f64) -> v1::Outlook {
    let state = state(row);
    let about = v1::Outlook {
        resource: Some(to_proto::key(&row.key)),
        family: family(row.family).into(),
        state: state.into(),
        unit: row.family.unit().to_owned(),
        tempo,
        missing: row.missing.as_deref().unwrap_or_default().to_owned(),
        ..v1::Outlook::default()
    };
    match (&row.said, &row.missing) {
        (Some(said), None) => with_forecast(about, &said.outlook),
        _ => about,
    }
}

pub(super) fn state(row: &Row) -> v1::OutlookState {
    match (&row.missing, &row.said) {
        (Some(_), _) => v1::OutlookState::Missing,
        (None, None) => v1::OutlookState::Pending,
        (None, Some(said)) if said.is_stale => v1::OutlookState::Stale,
        (None, Some(_)) => v1::OutlookState::Forecast,
    }
}

fn with_forecast(about: v1::Outlook, outlook: &Outlook) -> v1::Outlook {
    let horizons = HORIZONS_S.iter().zip(&outlook.within);
    let probabilities = horizons.map(|(&horizon_s, &probability)| v1::HorizonProbability {
        horizon_s,
        probability: f64::from(probability),
    });
    let [p05, p50, p95] = outlook.ttf_s;
    let foreseen = |s: f64| s.is_finite().then_some(s);
    let present = outlook.factors.iter().filter(|factor| factor.share > 0.0);
    let factors = present.filter_map(|factor| {
        let name = FACTORS.get(usize::from(factor.index))?;
        Some(v1::Contributor {
            name: (*name).to_owned(),
            share: factor.share,
        })
    });
    v1::Outlook {
        time_us: outlook.at.micros(),
        level: outlook.level,
        limit: outlook.limit,
        level_ratio: outlook.level / outlook.limit,
        probabilities: probabilities.collect(),
        time_to_exhaustion: Some(v1::TimeToExhaustion {
            p05_s: foreseen(p05),
            p50_s: foreseen(p50),
            p95_s: foreseen(p95),
        }),
        confidence: outlook.confidence,
        cause: cause(outlook.cause).into(),
        factors: factors.collect(),
        actions: outlook
            .actions
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        ..about
    }
}

/// The points that are set: times ahead rise.
fn fan(fan: &Fan) -> Vec<v1::FanPoint> {
    let mut last = 0.0;
    let is_next = |ahead: f32| {
        let is_next = ahead > last;
        last = ahead;
        is_next
    };
    let places = (0..fan.ahead_s.len()).zip(fan.ahead_s.map(is_next));
    places
        .take_while(|(_, is_next)| *is_next)
        .map(|(i, _)| v1::FanPoint {
            ahead_s: f64::from(fan.ahead_s[i]),
            low: f64::from(fan.low[i]),
            median: f64::from(fan.median[i]),
            high: f64::from(fan.high[i]),
        })
        .collect()
}

pub(super) fn history(points: &[(Timestamp, f32)]) -> Vec<v1::LevelPoint> {
    let point = |(at, ratio): &(Timestamp, f32)| v1::LevelPoint {
        time_us: at.micros(),
        level_ratio: f64::from(*ratio),
    };
    points.iter().map(point).collect()
}

fn family(family: Family) -> v1::Family {
    match family {
        Family::Memory => v1::Family::Memory,
        Family::Cpu => v1::Family::Cpu,
        Family::Disk => v1::Family::Disk,
        Family::Inodes => v1::Family::Inodes,
        Family::Connections => v1::Family::Connections,
        Family::Descriptors => v1::Family::Descriptors,
        Family::Threads => v1::Family::Threads,
        Family::Dependency => v1::Family::Dependency,
    }
}

fn cause(cause: Cause) -> v1::Cause {
    match cause {
        Cause::Steady => v1::Cause::Steady,
        Cause::Leak => v1::Cause::Leak,
        Cause::Growth => v1::Cause::Growth,
        Cause::Burst => v1::Cause::Burst,
        Cause::Cycle => v1::Cause::Cycle,
        Cause::WarmUp => v1::Cause::WarmUp,
        Cause::Dependency => v1::Cause::Dependency,
    }
}

#[cfg(test)]
mod tests {
    use predict::Factor;

    use super::*;
    use crate::lookout::tests::{row, said};

    #[test]
    fn what_is_not_foreseen_is_unset() {
        let mut said = said(0, 25.0, 0.5);
        said.outlook.ttf_s = [600.0, 1_800.0, f64::INFINITY];
        said.outlook.factors[0] = Factor {
            index: 2,
            share: 0.75,
        };
        let sent = outlook(&row(None, Some(said)), 1.0);
        let times = sent.time_to_exhaustion.unwrap();
        let expected = v1::TimeToExhaustion {
            p05_s: Some(600.0),
            p50_s: Some(1_800.0),
            p95_s: None,
        };
        assert_eq!(times, expected);
        assert!((sent.level_ratio - 0.25).abs() < 1e-12);
        assert_eq!(sent.factors.len(), 1);
        assert_eq!(sent.factors[0].name, "long_trend");
        assert_eq!(sent.state(), v1::OutlookState::Forecast);
        assert!((sent.probabilities[2].probability - 0.5).abs() < 1e-6);
    }

    #[test]
    fn without_a_limit_there_are_no_numbers() {
        let sent = outlook(
            &row(
                Some("container_spec_memory_limit_bytes"),
                Some(said(0, 25.0, 0.5)),
            ),
            1.0,
        );
        assert_eq!(sent.state(), v1::OutlookState::Missing);
        assert_eq!(sent.missing, "container_spec_memory_limit_bytes");
        assert_eq!(sent.time_to_exhaustion, None);
        assert!(sent.probabilities.is_empty());
        assert_eq!(
            outlook(&row(None, None), 1.0).state(),
            v1::OutlookState::Pending
        );
    }

    #[test]
    fn only_the_points_of_a_fan_that_are_set_are_sent() {
        let mut given = Fan::default();
        assert_eq!(fan(&given), []);
        given.ahead_s[0] = 60.0;
        given.ahead_s[1] = 120.0;
        given.high[1] = 9.0;
        let sent = fan(&given);
        assert_eq!(sent.len(), 2);
        assert!((sent[1].high - 9.0).abs() < 1e-12);
    }
}

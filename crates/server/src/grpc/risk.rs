//! `RiskService`: what is odd now.

use std::sync::Arc;

use predict::{EventId, Phase, Risk};
use prost::Message;
use proto::v1;
use proto::v1::risk_service_server::RiskService;
use series::SeriesId;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::from_proto::{self, Order, Page};
use super::{MESSAGE_BYTES, State, to_proto, watch};
use crate::page::Place;
use crate::selector::Selector;

pub(super) struct Risks(pub(super) Arc<State>);

#[tonic::async_trait]
impl RiskService for Risks {
    type WatchRisksStream = ReceiverStream<Result<v1::WatchRisksResponse, Status>>;

    async fn query_risks(
        &self,
        request: Request<v1::QueryRisksRequest>,
    ) -> Result<Response<v1::QueryRisksResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| query(state, &request))
            .await
            .map(Response::new)
    }

    async fn get_risk(
        &self,
        request: Request<v1::GetRiskRequest>,
    ) -> Result<Response<v1::GetRiskResponse>, Status> {
        let v1::GetRiskRequest {
            series,
            history_size,
        } = request.into_inner();
        let key = from_proto::required_key(series)?;
        let id = self
            .0
            .engine
            .find(&key)
            .ok_or_else(|| Status::not_found(format!("{key} is not watched")))?;
        let risk = self.0.board.latest.get(id);
        let risk =
            risk.ok_or_else(|| Status::not_found(format!("{key} has not been scored yet")))?;
        let risk = with_history(&self.0, &risk, to_proto::key(&key), history_size);
        Ok(Response::new(v1::GetRiskResponse { risk: Some(risk) }))
    }

    async fn watch_risks(
        &self,
        request: Request<v1::WatchRisksRequest>,
    ) -> Result<Response<Self::WatchRisksStream>, Status> {
        watch::start(&self.0, &request.into_inner()).map(Response::new)
    }

    async fn list_series(
        &self,
        request: Request<v1::ListSeriesRequest>,
    ) -> Result<Response<v1::ListSeriesResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| list_series(state, &request))
            .await
            .map(Response::new)
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| list_events(state, &request))
            .await
            .map(Response::new)
    }
}

fn with_history(state: &State, risk: &Risk, series: v1::SeriesKey, size: u32) -> v1::Risk {
    let history = state.board.latest.history(risk.series, size as usize);
    v1::Risk {
        series: Some(series),
        history: history.iter().map(to_proto::point).collect(),
        ..to_proto::risk(risk, &state.names, &state.culprits.of(risk))
    }
}

/// Turns the places of one page into rows. A page whose rows are large ends early, and the next begins there.
pub(super) fn rows<T: Message>(
    page: &Page,
    places: Vec<Place>,
    row: impl Fn(Place) -> Option<T>,
) -> (Vec<T>, String) {
    let (places, mut more) = page.cut(places);
    let (mut rows, mut bytes, mut last) = (Vec::with_capacity(places.len()), 0, None);
    for place in places {
        // What is gone since the places were collected is left out.
        let Some(row) = row(place) else { continue };
        bytes += row.encoded_len();
        if bytes > MESSAGE_BYTES && !rows.is_empty() {
            more = true;
            break;
        }
        last = Some(place);
        rows.push(row);
    }
    let token = last
        .filter(|_| more)
        .map(|last| page.next_token(last))
        .unwrap_or_default();
    (rows, token)
}

fn query(state: &State, request: &v1::QueryRisksRequest) -> Result<v1::QueryRisksResponse, Status> {
    let v1::QueryRisksRequest {
        filter,
        min_score,
        min_alert_score,
        only_open_events,
        order_by,
        ..
    } = request;
    let selector = from_proto::selector(filter)?;
    let min_score = from_proto::share("min_score", *min_score)?;
    from_proto::share("min_alert_score", f64::from(*min_alert_score))?;
    let order = Order::parse(order_by)?;
    let shape =
        format!("risks {filter} {min_score} {min_alert_score} {only_open_events} {order_by}");
    let page = Page::new(shape, request.page_size, &request.page_token, 50, 1000)?;

    let mut places = Vec::new();
    state.board.latest.scan(|risk| {
        let is_open = risk.event.is_some_and(|event| event.phase != Phase::Closed);
        if risk.score.get() >= min_score
            && risk.alert_score >= *min_alert_score
            && (is_open || !only_open_events)
        {
            places.push(order.place(risk));
        }
    });
    retain_picked(state, &selector, &mut places);
    let total_size = places.len() as u64;
    let (risks, next_page_token) = rows(&page, places, |place| {
        let id = SeriesId(place.id as u32);
        let risk = state.board.latest.get(id)?;
        let key = to_proto::key(&*state.engine.key(id)?);
        Some(with_history(state, &risk, key, request.history_size))
    });
    Ok(v1::QueryRisksResponse {
        risks,
        next_page_token,
        total_size,
    })
}

/// Labels last, outside of all locks: they are what takes time.
fn retain_picked(state: &State, selector: &Selector, places: &mut Vec<Place>) {
    if !selector.is_everything() {
        places.retain(|place| {
            state
                .engine
                .key(SeriesId(place.id as u32))
                .is_some_and(|key| selector.picks(&key))
        });
    }
}

fn list_series(
    state: &State,
    request: &v1::ListSeriesRequest,
) -> Result<v1::ListSeriesResponse, Status> {
    let selector = from_proto::selector(&request.filter)?;
    let shape = format!("series {}", request.filter);
    let page = Page::new(shape, request.page_size, &request.page_token, 100, 10_000)?;
    let picked = state
        .engine
        .series()
        .into_iter()
        .filter(|(_, key)| selector.picks(key));
    let places: Vec<Place> = picked
        .map(|(id, _)| Place {
            rank: 0.0,
            id: u64::from(id.0),
        })
        .collect();
    let total_size = places.len() as u64;
    let (series, next_page_token) = rows(&page, places, |place| {
        let id = SeriesId(place.id as u32);
        let series = Some(to_proto::key(&*state.engine.key(id)?));
        let last_time_us = state.board.latest.get(id).map(|risk| risk.at.micros());
        Some(v1::SeriesInfo {
            series,
            last_time_us,
        })
    });
    Ok(v1::ListSeriesResponse {
        series,
        next_page_token,
        total_size,
    })
}

fn list_events(
    state: &State,
    request: &v1::ListEventsRequest,
) -> Result<v1::ListEventsResponse, Status> {
    let v1::ListEventsRequest {
        filter,
        only_open,
        min_peak_alert_score: min_peak,
        page_size,
        page_token,
    } = request;
    let selector = from_proto::selector(filter)?;
    from_proto::share("min_peak_alert_score", f64::from(*min_peak))?;
    let page = Page::new(
        format!("events {filter} {only_open} {min_peak}"),
        *page_size,
        page_token,
        50,
        1000,
    )?;
    let mut events = state.board.events.summaries();
    events.retain(|event| {
        (event.is_open || !only_open)
            && event.peak >= *min_peak
            && (selector.is_everything()
                || state
                    .engine
                    .key(event.series)
                    .is_some_and(|key| selector.picks(&key)))
    });
    let total_size = events.len() as u64;
    let places: Vec<Place> = events
        .iter()
        .map(|event| Place {
            rank: event.since.micros() as f64,
            id: event.id.0,
        })
        .collect();
    let ids: Vec<EventId> = page
        .cut(places.clone())
        .0
        .iter()
        .map(|place| EventId(place.id))
        .collect();
    let records = state.board.events.records(&ids);
    let (events, next_page_token) = rows(&page, places, |place| {
        let record = records.get(&EventId(place.id))?;
        Some(to_proto::record(
            record,
            &*state.engine.key(record.peak.series)?,
            &state.names,
            &state.culprits.of(&record.peak),
        ))
    });
    Ok(v1::ListEventsResponse {
        events,
        next_page_token,
        total_size,
    })
}

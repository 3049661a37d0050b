//! `OutlookService`: what will run out, and when.

mod read;
mod watch;
mod write;

pub use write::outlook_message;

use std::sync::Arc;

use proto::v1;
use proto::v1::outlook_service_server::OutlookService;
use tonic::{Request, Response, Status};

use super::State;
use super::from_proto::{self, Page};
use super::risk::rows;
use crate::lookout::Outlooks;
use crate::page::Place;

pub(super) struct OutlookCalls(pub(super) Arc<State>);

#[tonic::async_trait]
impl OutlookService for OutlookCalls {
    type WatchOutlooksStream = watch::Stream;

    async fn query_outlooks(
        &self,
        request: Request<v1::QueryOutlooksRequest>,
    ) -> Result<Response<v1::QueryOutlooksResponse>, Status> {
        let outlooks = self.outlooks()?;
        let request = request.into_inner();
        self.0
            .list(move |_| query(&outlooks, &request))
            .await
            .map(Response::new)
    }

    async fn get_outlook(
        &self,
        request: Request<v1::GetOutlookRequest>,
    ) -> Result<Response<v1::GetOutlookResponse>, Status> {
        let outlooks = self.outlooks()?;
        let v1::GetOutlookRequest { resource, family } = request.into_inner();
        let key = match from_proto::key(resource) {
            None => return Err(from_proto::invalid("resource", "missing")),
            Some(Err(error)) => return Err(from_proto::invalid("resource", error.to_string())),
            Some(Ok(key)) => key,
        };
        let family = read::optional_family(family)?;
        let found = move |_: &State| {
            let rows = outlooks.rows();
            let place = rows.iter().position(|row| {
                *row.key == key && family.is_none_or(|family| row.family == family)
            });
            let Some(place) = place else {
                return Err(Status::not_found(format!(
                    "{key} is not a resource that is watched"
                )));
            };
            let past = outlooks.history(place as u32, usize::MAX);
            Ok(write::in_full(&rows[place], outlooks.tempo(), &past))
        };
        let outlook = Some(self.0.list(found).await?);
        Ok(Response::new(v1::GetOutlookResponse { outlook }))
    }

    async fn watch_outlooks(
        &self,
        request: Request<v1::WatchOutlooksRequest>,
    ) -> Result<Response<Self::WatchOutlooksStream>, Status> {
        let outlooks = self.outlooks()?;
        watch::start(&self.0, outlooks, &request.into_inner()).map(Response::new)
    }
}

impl OutlookCalls {
    fn outlooks(&self) -> Result<Arc<Outlooks>, Status> {
        self.0.outlooks.clone().ok_or_else(|| {
            Status::failed_precondition("nothing is foretold here: outlook.enabled is false")
        })
    }
}

fn query(
    outlooks: &Outlooks,
    request: &v1::QueryOutlooksRequest,
) -> Result<v1::QueryOutlooksResponse, Status> {
    let v1::QueryOutlooksRequest {
        filter,
        families,
        states,
        min_probability,
        horizon_s,
        order_by,
        history_size,
        ..
    } = request;
    let selector = from_proto::selector(filter)?;
    let wanted = read::wanted(families, *min_probability, *horizon_s)?;
    let picked_states = read::states(states)?;
    let order = read::Order::parse(order_by)?;
    let shape = format!(
        "outlooks {filter} {families:?} {states:?} {min_probability} {horizon_s} {order_by}"
    );
    let page = Page::new(shape, request.page_size, &request.page_token, 50, 1000)?;

    let all = outlooks.rows();
    let matching = (0..).zip(&all).filter(|(_, row)| {
        let likely = || row.forecast().is_some_and(|said| wanted.likely(said));
        wanted.family(row.family)
            && (picked_states.is_empty() || picked_states.contains(&write::state(row)))
            && (wanted.min_probability <= 0.0 || likely())
            && selector.picks(&row.key)
    });
    let places: Vec<Place> = matching
        .map(|(id, row)| order.place(id, row, wanted.horizon_s))
        .collect();
    let total_size = places.len() as u64;
    let (outlooks, next_page_token) = rows(&page, places, |place| {
        let row = all.get(usize::try_from(place.id).ok()?)?;
        let past = outlooks.history(place.id as u32, *history_size as usize);
        Some(v1::Outlook {
            history: write::history(&past),
            ..write::outlook(row, outlooks.tempo())
        })
    });
    Ok(v1::QueryOutlooksResponse {
        outlooks,
        next_page_token,
        total_size,
    })
}

//! Asks the server in the background, so that keys never wait for the network.

use std::sync::mpsc::Sender;
use std::time::Duration;

use proto::v1::feedback_service_client::FeedbackServiceClient;
use proto::v1::outlook_service_client::OutlookServiceClient;
use proto::v1::risk_service_client::RiskServiceClient;
use proto::v1::server_service_client::ServerServiceClient;
use proto::v1::submit_feedback_request::About;
use proto::v1::{
    GetServerInfoRequest, OutlookState, QueryOutlooksRequest, QueryRisksRequest,
    SubmitFeedbackRequest, Verdict,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tonic::{Code, Status};

use super::runs_out::RunsOut;
use super::state::{Action, Query, Snapshot};
use crate::connect::Connection;
use crate::wire;

/// Series per query, and points of each: a screenful or two.
const PAGE: i32 = 100;
const POINTS: u32 = 90;
/// Resources, and points of each.
const RESOURCES: i32 = 5;
const RESOURCE_POINTS: u32 = 16;

/// What came of asking.
#[derive(Debug)]
pub(super) enum Update {
    /// An answer.
    Snapshot(Box<Snapshot>),
    /// The server does not answer.
    Lost(String),
    /// The server does not like the question, or took feedback.
    Said(String),
}

/// Asks at once, then every `interval`, until the other side of a channel is gone.
pub(super) async fn run(
    connection: Connection,
    mut query: Query,
    interval: Duration,
    mut actions: UnboundedReceiver<Action>,
    updates: Sender<Update>,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let update = tokio::select! {
            _ = ticks.tick() => answer(&connection, &query).await,
            action = actions.recv() => match action {
                None | Some(Action::Quit) => return,
                Some(Action::Ask(other)) => {
                    query = other;
                    answer(&connection, &query).await
                }
                Some(judgement @ Action::Judge { .. }) => judge(&connection, judgement).await,
            },
        };
        if updates.send(update).is_err() {
            return;
        }
    }
}

async fn answer(connection: &Connection, query: &Query) -> Update {
    match snapshot(connection, query).await {
        Ok(snapshot) => Update::Snapshot(Box::new(snapshot)),
        Err(status) if status.code() == Code::InvalidArgument => {
            Update::Said(status.message().to_owned())
        }
        Err(status) => Update::Lost(crate::connect::refused(&status).root_cause().to_string()),
    }
}

/// The series in events, those that alert, and those with rare values. Three questions, because each is the start of
/// another order and nobody wants all pages of one.
///
/// # Errors
/// What the server answers.
pub(super) async fn snapshot(connection: &Connection, query: &Query) -> Result<Snapshot, Status> {
    let mut risk_service = RiskServiceClient::new(connection.clone());
    let info = ServerServiceClient::new(connection.clone())
        .get_server_info(GetServerInfoRequest {})
        .await?
        .into_inner();
    let (mut risks, mut n_matching) = (Vec::new(), 0);
    for (order_by, only_open_events) in [
        ("event_peak desc", true),
        ("alert_score desc", false),
        ("score desc", false),
    ] {
        let request = QueryRisksRequest {
            filter: query.filter.clone(),
            min_score: query.min_score,
            only_open_events,
            order_by: order_by.to_owned(),
            history_size: POINTS,
            page_size: PAGE,
            ..QueryRisksRequest::default()
        };
        let response = risk_service.query_risks(request).await?.into_inner();
        n_matching = n_matching.max(response.total_size);
        risks.extend(response.risks);
    }
    let runs_out = runs_out(connection, query).await?;
    Ok(Snapshot {
        info,
        risks,
        n_matching,
        runs_out,
    })
}

/// The resources that run out soonest. A server that foretells nothing, or is older, has none.
async fn runs_out(connection: &Connection, query: &Query) -> Result<RunsOut, Status> {
    let mut client = OutlookServiceClient::new(connection.clone());
    let mut ask = async |state: OutlookState, page_size| {
        let request = QueryOutlooksRequest {
            filter: query.filter.clone(),
            states: vec![state.into()],
            history_size: RESOURCE_POINTS,
            page_size,
            ..QueryOutlooksRequest::default()
        };
        match client.query_outlooks(request).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status)
                if matches!(
                    status.code(),
                    Code::Unimplemented | Code::FailedPrecondition
                ) =>
            {
                Ok(Default::default())
            }
            Err(status) => Err(status),
        }
    };
    let forecast = ask(OutlookState::Forecast, RESOURCES).await?;
    let missing = ask(OutlookState::Missing, 1).await?;
    Ok(RunsOut {
        soonest: forecast.outlooks,
        n_forecast: forecast.total_size,
        n_missing: missing.total_size,
    })
}

async fn judge(connection: &Connection, judgement: Action) -> Update {
    let Action::Judge {
        series,
        event_id,
        time_us,
        verdict,
    } = judgement
    else {
        return Update::Said(String::new());
    };
    let name = wire::text(Some(&series));
    let about = if event_id == 0 {
        About::TimeUs(time_us)
    } else {
        About::EventId(event_id)
    };
    let request = SubmitFeedbackRequest {
        series: Some(series),
        about: Some(about),
        verdict: verdict.into(),
        note: String::new(),
        request_id: String::new(),
    };
    let done = if verdict == Verdict::Confirmed {
        "confirmed"
    } else {
        "dismissed"
    };
    match FeedbackServiceClient::new(connection.clone())
        .submit_feedback(request)
        .await
    {
        Ok(_) => Update::Said(format!("{done}: {name}")),
        Err(status) => Update::Said(format!("not {done}: {}", status.message())),
    }
}

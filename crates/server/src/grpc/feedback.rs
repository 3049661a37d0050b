//! `FeedbackService`: what people say about alerts.

use std::error::Error;
use std::sync::Arc;

use parking_lot::Mutex;
use predict::EventId;
use proto::v1;
use proto::v1::feedback_service_server::FeedbackService;
use proto::v1::submit_feedback_request::About;
use series::Timestamp;
use store::capture::Said;
use store::{Appended, FeedbackError, FeedbackLog, NewFeedback, Verdict};
use tonic::{Request, Response, Status};

use super::from_proto::{self, Page, invalid};
use super::{State, to_proto};
use crate::page::Place;

const MAX_NOTE_BYTES: usize = 4096;
const MAX_REQUEST_ID_BYTES: usize = 128;

pub(super) struct Feedbacks(pub(super) Arc<State>);

#[tonic::async_trait]
impl FeedbackService for Feedbacks {
    async fn submit_feedback(
        &self,
        request: Request<v1::SubmitFeedbackRequest>,
    ) -> Result<Response<v1::SubmitFeedbackResponse>, Status> {
        let request = request.into_inner();
        // On a thread that may wait for the disk.
        self.0
            .list(move |state| submit(state, request))
            .await
            .map(Response::new)
    }

    async fn list_feedback(
        &self,
        request: Request<v1::ListFeedbackRequest>,
    ) -> Result<Response<v1::ListFeedbackResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| list(state, &request))
            .await
            .map(Response::new)
    }
}

fn log(state: &State) -> Result<&Mutex<FeedbackLog>, Status> {
    state.feedback.as_ref().ok_or_else(|| {
        Status::failed_precondition(
            "there is nowhere to store feedback: state.enabled is false in the configuration",
        )
    })
}

fn submit(
    state: &State,
    request: v1::SubmitFeedbackRequest,
) -> Result<v1::SubmitFeedbackResponse, Status> {
    let v1::SubmitFeedbackRequest {
        series,
        about,
        verdict,
        note,
        request_id,
    } = request;
    let key = from_proto::required_key(series)?;
    let verdict = from_proto::verdict(verdict)?;
    let about = about.ok_or_else(|| invalid("about", "missing: give event_id or time_us"))?;
    if note.len() > MAX_NOTE_BYTES {
        return Err(invalid(
            "note",
            format!("{} bytes, at most {MAX_NOTE_BYTES} are allowed", note.len()),
        ));
    }
    if request_id.len() > MAX_REQUEST_ID_BYTES {
        let n = request_id.len();
        return Err(invalid(
            "request_id",
            format!("{n} bytes, at most {MAX_REQUEST_ID_BYTES} are allowed"),
        ));
    }
    let log = log(state)?;
    // First of all, so that a call can be repeated when its event has been forgotten since.
    if let Some(earlier) = log.lock().by_request_id(&request_id) {
        return Ok(response(Appended::Repeated(earlier.clone())));
    }
    let id = state
        .engine
        .find(&key)
        .ok_or_else(|| Status::not_found(format!("{key} is not watched")))?;
    // `None` as the end: the event goes on.
    let (event_id, time_us, from_us, to_us) = match about {
        About::TimeUs(time_us) => (0, time_us, time_us, Some(time_us)),
        About::EventId(event) => {
            let records = state.board.events.records(&[EventId(event)]);
            let record = records
                .get(&EventId(event))
                .filter(|record| record.peak.series == id);
            let unknown = || Status::not_found(format!("no event {event} of {key} is remembered"));
            let record = record.ok_or_else(unknown)?;
            let to_us = record.closed.map(Timestamp::micros);
            let from_us = record.event.since.micros();
            (event, record.peak.at.micros(), from_us, to_us)
        }
    };
    let submitted_us = state.intake.now().micros();
    let body = NewFeedback {
        request_id,
        series: key,
        event_id,
        time_us,
        verdict,
        note,
        submitted_us,
    };
    let appended = log.lock().append(body).map_err(|error| match error {
        FeedbackError::Full => Status::resource_exhausted(error.to_string()),
        FeedbackError::Io { .. } | FeedbackError::Line { .. } => {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            tracing::error!(error = %error, cause, "feedback was not stored");
            Status::unavailable(format!("{error}{cause}"))
        }
    })?;
    if let Appended::New(feedback) = &appended {
        state.engine.feedback(id, to_engine(verdict));
        if let Some(capture) = &state.capture {
            capture.say(Said {
                series: feedback.body.series.clone(),
                submitted_us,
                from_us,
                to_us,
                verdict,
                note: feedback.body.note.clone(),
            });
        }
    }
    Ok(response(appended))
}

/// The same verdict, as the engine calls it.
pub(crate) fn to_engine(verdict: Verdict) -> hotpath::Verdict {
    match verdict {
        Verdict::Confirmed => hotpath::Verdict::Confirmed,
        Verdict::Dismissed => hotpath::Verdict::Dismissed,
    }
}

fn response(appended: Appended) -> v1::SubmitFeedbackResponse {
    let (feedback, repeated_call) = match appended {
        Appended::New(feedback) => (feedback, false),
        Appended::Repeated(feedback) => (feedback, true),
    };
    v1::SubmitFeedbackResponse {
        feedback: Some(to_proto::feedback(&feedback)),
        repeated_call,
    }
}

fn list(
    state: &State,
    request: &v1::ListFeedbackRequest,
) -> Result<v1::ListFeedbackResponse, Status> {
    let selector = from_proto::selector(&request.filter)?;
    let shape = format!("feedback {}", request.filter);
    // Notes are long: fewer to a page than of other things, so that a page stays below what clients take.
    let page = Page::new(shape, request.page_size, &request.page_token, 50, 250)?;
    let log = log(state)?.lock();
    let picked = log
        .records()
        .iter()
        .filter(|feedback| selector.picks(&feedback.body.series));
    // Newest first.
    let places: Vec<Place> = picked
        .map(|feedback| Place {
            rank: feedback.id as f64,
            id: feedback.id,
        })
        .collect();
    let (places, more) = page.cut(places);
    let next_page_token = places
        .last()
        .filter(|_| more)
        .map(|&last| page.next_token(last))
        .unwrap_or_default();
    let rows = places
        .iter()
        .filter_map(|place| log.records().get(place.id as usize - 1));
    Ok(v1::ListFeedbackResponse {
        feedback: rows.map(to_proto::feedback).collect(),
        next_page_token,
    })
}

//! `CaptureService`: what is written down for learning, and who interfered when.

use std::sync::Arc;

use proto::v1;
use proto::v1::capture_service_server::CaptureService;
use store::capture::{Mark, MarkError, MarkKind, NewMark};
use tonic::{Request, Response, Status};

use super::from_proto::{Page, invalid};
use super::{State, stopping};
use crate::capture::Recorder;
use crate::page::Place;
use series::Timestamp;

const MAX_NOTE_BYTES: usize = 4096;

pub(super) struct Captures(pub(super) Arc<State>);

#[tonic::async_trait]
impl CaptureService for Captures {
    async fn start_mark(
        &self,
        request: Request<v1::StartMarkRequest>,
    ) -> Result<Response<v1::StartMarkResponse>, Status> {
        let request = request.into_inner();
        // On a thread that may wait for the disk.
        self.0
            .list(move |state| start(state, request))
            .await
            .map(Response::new)
    }

    async fn end_mark(
        &self,
        request: Request<v1::EndMarkRequest>,
    ) -> Result<Response<v1::EndMarkResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| end(state, &request))
            .await
            .map(Response::new)
    }

    async fn list_marks(
        &self,
        request: Request<v1::ListMarksRequest>,
    ) -> Result<Response<v1::ListMarksResponse>, Status> {
        let request = request.into_inner();
        self.0
            .list(move |state| list(state, &request))
            .await
            .map(Response::new)
    }

    async fn get_capture_status(
        &self,
        _: Request<v1::GetCaptureStatusRequest>,
    ) -> Result<Response<v1::GetCaptureStatusResponse>, Status> {
        status(&self.0).map(Response::new)
    }
}

fn recorder(state: &State) -> Result<&Recorder, Status> {
    state.capture.as_deref().ok_or_else(|| {
        Status::failed_precondition(
            "nothing is captured: capture.dir is empty in the configuration",
        )
    })
}

fn start(state: &State, request: v1::StartMarkRequest) -> Result<v1::StartMarkResponse, Status> {
    let kind = match request.kind() {
        v1::MarkKind::Fault => MarkKind::Fault,
        v1::MarkKind::Mitigated => MarkKind::Mitigated,
        v1::MarkKind::Unspecified => {
            return Err(invalid(
                "kind",
                format!("{} is no kind of mark", request.kind),
            ));
        }
    };
    if request.selector.trim().is_empty() {
        return Err(invalid("selector", "missing: {} picks all series"));
    }
    let n = request.note.len();
    if n > MAX_NOTE_BYTES {
        let what = format!("{n} bytes, at most {MAX_NOTE_BYTES} are allowed");
        return Err(invalid("note", what));
    }
    let mark = NewMark {
        kind,
        selector: request.selector,
        note: request.note,
        from_us: request.start_us.unwrap_or(state.intake.now().micros()),
        to_us: request.end_us,
    };
    let made = recorder(state)?.start_mark(mark).ok_or_else(stopping)?;
    let mark = made.map_err(refused)?;
    Ok(v1::StartMarkResponse {
        mark: Some(to_proto(mark)),
    })
}

fn end(state: &State, request: &v1::EndMarkRequest) -> Result<v1::EndMarkResponse, Status> {
    let to = request
        .end_us
        .map_or_else(|| state.intake.now(), Timestamp::from_micros);
    let ended = recorder(state)?
        .end_mark(request.id, to)
        .ok_or_else(stopping)?;
    let mark = ended.map_err(refused)?;
    Ok(v1::EndMarkResponse {
        mark: Some(to_proto(mark)),
    })
}

fn refused(error: MarkError) -> Status {
    match &error {
        MarkError::Selector(what) => invalid("selector", what),
        MarkError::Interval { .. } => invalid("end_us", error.to_string()),
        MarkError::Unknown(_) => Status::not_found(error.to_string()),
        MarkError::Ended { .. } => Status::failed_precondition(error.to_string()),
        MarkError::Full => Status::resource_exhausted(error.to_string()),
        MarkError::Io(cause) => {
            tracing::error!(%error, %cause, "a mark was not stored");
            Status::unavailable(format!("{error}: {cause}"))
        }
    }
}

fn list(state: &State, request: &v1::ListMarksRequest) -> Result<v1::ListMarksResponse, Status> {
    // Notes are long: no more to a page than stay below what clients take.
    let page = Page::new(
        "marks".to_owned(),
        request.page_size,
        &request.page_token,
        50,
        250,
    )?;
    let marks = recorder(state)?.marks().ok_or_else(stopping)?;
    // Newest first.
    let places = marks.iter().map(|mark| Place {
        rank: mark.id as f64,
        id: mark.id,
    });
    let (places, more) = page.cut(places.collect());
    let next_page_token = places
        .last()
        .filter(|_| more)
        .map(|&last| page.next_token(last))
        .unwrap_or_default();
    let of = |place: &Place| {
        let i = marks.binary_search_by_key(&place.id, |mark| mark.id).ok()?;
        Some(to_proto(marks[i].clone()))
    };
    Ok(v1::ListMarksResponse {
        marks: places.iter().filter_map(of).collect(),
        next_page_token,
    })
}

fn to_proto(mark: Mark) -> v1::Mark {
    let Mark { id, body } = mark;
    let kind = match body.kind {
        MarkKind::Fault => v1::MarkKind::Fault,
        MarkKind::Mitigated => v1::MarkKind::Mitigated,
    };
    v1::Mark {
        id,
        kind: kind.into(),
        selector: body.selector,
        note: body.note,
        start_us: body.from_us,
        end_us: body.to_us,
    }
}

fn status(state: &State) -> Result<v1::GetCaptureStatusResponse, Status> {
    let Some(recorder) = &state.capture else {
        return Ok(v1::GetCaptureStatusResponse::default());
    };
    let report = recorder.report().ok_or_else(stopping)?;
    let status = report.status;
    Ok(v1::GetCaptureStatusResponse {
        enabled: true,
        directory: report.directory,
        max_bytes: report.max_bytes,
        rows_written_count: status.rows_written,
        rows_dropped_count: report.dropped,
        rows_lost_count: status.rows_lost,
        rows_sealed_count: status.rows_sealed,
        parts_count: status.parts,
        parts_bytes: status.part_bytes,
        journals_count: status.journals,
        journals_bytes: status.journal_bytes,
        removed_parts_count: status.removed_parts,
        removed_bytes: status.removed_bytes,
        recovered_journals_count: status.recovered_journals,
        torn_bytes: status.torn_bytes,
        paused: status.is_paused,
        last_error: status.last_error,
        open_marks_count: report.open_marks,
    })
}

//! `IngestService`: samples in.

use std::collections::VecDeque;
use std::sync::Arc;

use hotpath::Outcome;
use proto::v1;
use proto::v1::ingest_service_server::IngestService;
use series::{KeyError, REFUSALS, Refusal, Sample, SeriesId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::from_proto::{self, invalid};
use super::{State, stopped, stopping, to_proto};

/// Most refusals that one response spells out.
const MAX_DETAILS: usize = 100;

pub(super) struct Ingest(pub(super) Arc<State>);

#[tonic::async_trait]
impl IngestService for Ingest {
    type PushStream = ReceiverStream<Result<v1::PushResponse, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<v1::PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let permit = self.0.open_stream()?;
        let (sender, receiver) = mpsc::channel(1);
        let session = Session {
            state: Arc::clone(&self.0),
            refs: Vec::new(),
        };
        tokio::spawn(async move {
            session.run(request.into_inner(), sender).await;
            drop(permit);
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// One stream: what its client declared.
struct Session {
    state: Arc<State>,
    /// By `series_ref`.
    refs: Vec<Ref>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Ref {
    #[default]
    Undeclared,
    Known(SeriesId),
    Refused(Refusal),
}

/// A request whose samples are with the engine.
struct Pending {
    sequence: u64,
    outcome: oneshot::Receiver<Outcome>,
    /// The batch's column of references, and the series of the named samples after it.
    column: Vec<u32>,
    named: Vec<Option<SeriesId>>,
    edge: EdgeRefusals,
    refused_series: Vec<v1::RefusedSeries>,
}

/// What was refused before it came to the engine.
#[derive(Default)]
struct EdgeRefusals {
    /// Places in the request, rising.
    places: Vec<u32>,
    details: Vec<v1::RefusedSample>,
    counts: [u64; REFUSALS.len()],
}

impl Session {
    /// Reads requests and answers them in order, both at once: a client may send ahead of the answers by as many
    /// requests as the configuration allows, and is not read from beyond that.
    async fn run(
        mut self,
        mut requests: Streaming<v1::PushRequest>,
        responses: mpsc::Sender<Result<v1::PushResponse, Status>>,
    ) {
        let most = self.state.config.ingest.in_flight_per_stream;
        let mut stop = self.state.stopping.clone();
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        // How the stream ends, once all that is under way has been answered.
        let mut end: Option<Result<(), Status>> = None;
        loop {
            tokio::select! {
                outcome = first(&mut waiting), if !waiting.is_empty() => {
                    let Some(pending) = waiting.pop_front() else { continue };
                    let response = match outcome {
                        Ok(outcome) => Ok(self.respond(pending, &outcome)),
                        Err(_) => Err(Status::internal("the engine lost a batch")),
                    };
                    if responses.send(response).await.is_err() {
                        return;
                    }
                }
                request = requests.message(), if end.is_none() && waiting.len() < most => match request {
                    Ok(Some(request)) => match self.admit(request).await {
                        Ok(pending) => waiting.push_back(pending),
                        Err(status) => end = Some(Err(status)),
                    },
                    Ok(None) => end = Some(Ok(())),
                    Err(status) => end = Some(Err(status)),
                },
                () = stopped(&mut stop), if end.is_none() => end = Some(Err(stopping())),
                else => break,
            }
        }
        if let Some(Err(status)) = end {
            // The client may be gone.
            let _ = responses.send(Err(status)).await;
        }
    }

    /// Declares series and hands samples to the engine.
    async fn admit(&mut self, request: v1::PushRequest) -> Result<Pending, Status> {
        let v1::PushRequest {
            sequence,
            series,
            batch,
            samples: rows,
        } = request;
        let refused_series = self.declare(series)?;
        let v1::SampleBatch {
            series_ref: column,
            time_us,
            value,
        } = batch.unwrap_or_default();
        if time_us.len() != column.len() || value.len() != column.len() {
            let (n, times, values) = (column.len(), time_us.len(), value.len());
            return Err(invalid(
                "batch",
                format!("columns of {n} references, {times} times and {values} values"),
            ));
        }
        let intake = self.state.intake.clone();
        let latest = intake.latest_allowed();
        let mut edge = EdgeRefusals::default();
        let mut samples = intake.engine().buffer();
        samples.reserve(column.len() + rows.len());
        for (i, ((&series_ref, &time_us), &value)) in
            column.iter().zip(&time_us).zip(&value).enumerate()
        {
            let at = Timestamp::from_micros(time_us);
            match self.refs.get(series_ref as usize) {
                Some(&Ref::Known(series)) if at <= latest => {
                    samples.push(Sample { series, at, value })
                }
                Some(Ref::Known(_)) => edge.add(i, Refusal::TooFarAhead, None),
                Some(&Ref::Refused(why)) => edge.add(i, why, None),
                Some(Ref::Undeclared) | None => edge.add(i, Refusal::UnknownSeries, None),
            }
        }
        let mut named = Vec::with_capacity(rows.len());
        for (i, row) in rows.into_iter().enumerate() {
            let i = column.len() + i;
            // 0 means now: a client without a clock of its own.
            let at = if row.time_us == 0 {
                intake.now()
            } else {
                Timestamp::from_micros(row.time_us)
            };
            match self.series(row.series) {
                Ok(series) if at <= latest => {
                    samples.push(Sample {
                        series,
                        at,
                        value: row.value,
                    });
                    named.push(Some(series));
                    continue;
                }
                Ok(_) => edge.add(i, Refusal::TooFarAhead, None),
                Err((why, message)) => edge.add(i, why, Some(message)),
            }
            named.push(None);
        }
        for (why, &n) in REFUSALS.iter().zip(&edge.counts).filter(|&(_, &n)| n > 0) {
            intake.refuse(*why, n);
        }
        let outcome = intake.submit(samples).await;
        Ok(Pending {
            sequence,
            outcome,
            column,
            named,
            edge,
            refused_series,
        })
    }

    fn declare(
        &mut self,
        declared: Vec<v1::SeriesDeclaration>,
    ) -> Result<Vec<v1::RefusedSeries>, Status> {
        let max = self.state.config.ingest.max_series_refs;
        let mut refused = Vec::new();
        for (i, v1::SeriesDeclaration { series_ref, series }) in declared.into_iter().enumerate() {
            let field = || format!("series[{i}].series_ref");
            if series_ref > max {
                return Err(invalid(
                    field(),
                    format!("{series_ref} is above ingest.max_series_refs, {max}"),
                ));
            }
            let place = series_ref as usize;
            if self.refs.len() <= place {
                self.refs.resize(place + 1, Ref::Undeclared);
            }
            if let Ref::Known(id) = self.refs[place] {
                let same = from_proto::key(series)
                    .and_then(Result::ok)
                    .and_then(|key| self.state.engine.find(&key));
                if same != Some(id) {
                    return Err(invalid(
                        field(),
                        format!("{series_ref} stands for another series already"),
                    ));
                }
                continue;
            }
            self.refs[place] = match self.series(series) {
                Ok(id) => Ref::Known(id),
                Err((why, message)) => {
                    if refused.len() < MAX_DETAILS {
                        let reason = to_proto::refusal(why).into();
                        refused.push(v1::RefusedSeries {
                            series_ref,
                            reason,
                            message,
                        });
                    }
                    Ref::Refused(why)
                }
            };
        }
        Ok(refused)
    }

    /// The id of a series, given now if it is new; or why it gets none.
    fn series(&self, key: Option<v1::SeriesKey>) -> Result<SeriesId, (Refusal, String)> {
        let key = from_proto::key(key).unwrap_or(Err(KeyError::EmptyMetric));
        let key = key.map_err(|error| (Refusal::BadKey, error.to_string()))?;
        self.state
            .engine
            .register(&key)
            .map_err(|why| (why, why.to_string()))
    }

    fn respond(&self, pending: Pending, outcome: &Outcome) -> v1::PushResponse {
        let Pending {
            sequence,
            column,
            named,
            edge,
            refused_series,
            ..
        } = pending;
        let EdgeRefusals {
            places,
            mut details,
            mut counts,
        } = edge;
        // The engine counts places without those that were refused before.
        let mut before = places.iter().peekable();
        let mut shift = 0;
        for (n, &(place, why)) in outcome.refused.iter().enumerate() {
            counts[why as usize] += 1;
            if n < MAX_DETAILS {
                while before
                    .next_if(|&&refused| refused <= place + shift)
                    .is_some()
                {
                    shift += 1;
                }
                details.push(detail(place + shift, why, None));
            }
        }
        details.sort_unstable_by_key(|detail| detail.index);
        details.truncate(MAX_DETAILS);
        for detail in &mut details {
            let index = detail.index as usize;
            let id = match column.get(index) {
                Some(&series_ref) => match self.refs.get(series_ref as usize) {
                    Some(&Ref::Known(id)) => Some(id),
                    Some(Ref::Undeclared | Ref::Refused(_)) | None => None,
                },
                None => named.get(index - column.len()).copied().flatten(),
            };
            detail.series = id
                .and_then(|id| self.state.engine.key(id))
                .map(|key| to_proto::key(&key));
        }
        let refusal_counts = REFUSALS.iter().zip(counts).filter(|&(_, count)| count > 0);
        v1::PushResponse {
            sequence,
            taken_count: u64::from(outcome.taken),
            refused: details,
            refusal_counts: refusal_counts
                .map(|(&why, count)| v1::RefusalCount {
                    reason: to_proto::refusal(why).into(),
                    count,
                })
                .collect(),
            refused_series,
        }
    }
}

impl EdgeRefusals {
    fn add(&mut self, place: usize, why: Refusal, message: Option<String>) {
        // A request has fewer rows than bytes, and those are bounded far below 2³².
        let place = place as u32;
        self.places.push(place);
        self.counts[why as usize] += 1;
        if self.details.len() < MAX_DETAILS {
            self.details.push(detail(place, why, message));
        }
    }
}

fn detail(index: u32, why: Refusal, message: Option<String>) -> v1::RefusedSample {
    let message = message.unwrap_or_else(|| why.to_string());
    v1::RefusedSample {
        index,
        series: None,
        reason: to_proto::refusal(why).into(),
        message,
    }
}

/// The outcome of the oldest request.
async fn first(waiting: &mut VecDeque<Pending>) -> Result<Outcome, oneshot::error::RecvError> {
    match waiting.front_mut() {
        Some(pending) => (&mut pending.outcome).await,
        None => std::future::pending().await,
    }
}

//! `ScoringService`: scores for a series that the caller brings along.

use std::sync::Arc;

use hotpath::{SeriesSpec, Shard};
use proto::v1;
use proto::v1::scoring_service_server::ScoringService;
use series::{Sample, SeriesId, Timestamp};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::from_proto::{self, invalid};
use super::{State, stopped, stopping, to_proto};

/// Most points in one request: their scores, with those of a dozen detectors, stay below the 4 MiB that clients take.
const MAX_POINTS: usize = 50_000;

pub(super) struct Scoring(pub(super) Arc<State>);

#[tonic::async_trait]
impl ScoringService for Scoring {
    type ScoreSeriesStream = ReceiverStream<Result<v1::ScoreSeriesResponse, Status>>;

    async fn score_series(
        &self,
        request: Request<Streaming<v1::ScoreSeriesRequest>>,
    ) -> Result<Response<Self::ScoreSeriesStream>, Status> {
        let permits = (self.0.open_stream()?, self.0.open_scoring()?);
        let (sender, receiver) = mpsc::channel(1);
        let state = Arc::clone(&self.0);
        tokio::spawn(async move {
            if let Err(status) = run(&state, request.into_inner(), &sender).await {
                // The client may be gone.
                let _ = sender.send(Err(status)).await;
            }
            drop(permits);
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// A shard of its own, with one series.
struct Scorer {
    shard: Shard,
    series: SeriesId,
    include_members: bool,
}

async fn run(
    state: &State,
    mut requests: Streaming<v1::ScoreSeriesRequest>,
    responses: &mpsc::Sender<Result<v1::ScoreSeriesResponse, Status>>,
) -> Result<(), Status> {
    let mut stop = state.stopping.clone();
    let mut scorer: Option<Scorer> = None;
    loop {
        let request = tokio::select! {
            request = requests.message() => request?,
            () = stopped(&mut stop) => return Err(stopping()),
        };
        let Some(request) = request else {
            return Ok(());
        };
        let (n, values) = (request.time_us.len(), request.value.len());
        if values != n {
            return Err(invalid("value", format!("{values} values for {n} times")));
        }
        if n > MAX_POINTS {
            return Err(invalid(
                "time_us",
                format!("{n} points, at most {MAX_POINTS} fit in one request"),
            ));
        }
        let mut own = match scorer.take() {
            Some(scorer) => scorer,
            None => Scorer::new(state, &request)?,
        };
        let scored = spawn_blocking(move || {
            let response = own.score(&request);
            (own, response)
        });
        let (own, response) = scored.await.map_err(|e| Status::internal(e.to_string()))?;
        scorer = Some(own);
        if responses.send(Ok(response)).await.is_err() {
            return Ok(());
        }
    }
}

impl Scorer {
    fn new(state: &State, first: &v1::ScoreSeriesRequest) -> Result<Self, Status> {
        let kind = from_proto::kind(first.kind)?;
        let mut shard =
            Shard::new(&state.config.engine).map_err(|e| Status::internal(e.to_string()))?;
        let series = shard.add_series(SeriesSpec {
            kind,
            unit: series::Unit::None,
            group: None,
        });
        Ok(Self {
            shard,
            series,
            include_members: first.include_members,
        })
    }

    fn score(&mut self, request: &v1::ScoreSeriesRequest) -> v1::ScoreSeriesResponse {
        let points = request.time_us.iter().zip(&request.value);
        let samples: Vec<Sample> = points
            .map(|(&us, &value)| Sample {
                series: self.series,
                at: Timestamp::from_micros(us),
                value,
            })
            .collect();
        let (mut risks, mut refused) = (Vec::new(), Vec::new());
        self.shard.push(&samples, &mut risks, &mut refused);
        let names = self.shard.member_names();
        let members = names
            .iter()
            .enumerate()
            .filter(|_| self.include_members)
            .map(|(i, name)| v1::MemberScores {
                name: (*name).to_owned(),
                score: self
                    .shard
                    .members()
                    .iter()
                    .skip(i)
                    .step_by(names.len())
                    .copied()
                    .collect(),
            });
        v1::ScoreSeriesResponse {
            time_us: risks.iter().map(|risk| risk.at.micros()).collect(),
            score: risks.iter().map(|risk| risk.score.get()).collect(),
            alert_score: risks.iter().map(|risk| risk.alert_score).collect(),
            expected: risks.iter().map(|risk| risk.expected).collect(),
            event_id: risks
                .iter()
                .map(|risk| risk.event.map_or(0, |event| event.id.0))
                .collect(),
            members: members.collect(),
            refused: refused
                .iter()
                .map(|&(index, why)| v1::RefusedPoint {
                    index,
                    reason: to_proto::refusal(why).into(),
                })
                .collect(),
        }
    }
}

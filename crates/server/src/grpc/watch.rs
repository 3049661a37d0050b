//! `RiskService.WatchRisks`: a stream that survives slow readers.

use std::collections::HashMap;
use std::sync::Arc;

use predict::Risk;
use prost::Message;
use proto::v1;
use series::SeriesId;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{MESSAGE_BYTES, State, from_proto, stopped, stopping, to_proto};
use crate::board::Subscription;

/// Most risks in one message: some 80 KiB, besides the names of series. A larger batch goes out in several messages, so that
/// the reader decodes the first while the next is written.
const MESSAGE_RISKS: usize = 256;

type Responses = mpsc::Sender<Result<v1::WatchRisksResponse, Status>>;

/// Begins a stream.
pub(super) fn start(
    state: &Arc<State>,
    request: &v1::WatchRisksRequest,
) -> Result<ReceiverStream<Result<v1::WatchRisksResponse, Status>>, Status> {
    let numbers = from_proto::numbers(request)?;
    let selector = from_proto::selector(&request.filter)?;
    let permit = state.open_stream()?;
    let subscription = state.board.subscribe(numbers, selector).ok_or_else(|| {
        let max = state.config.watch.max_watchers;
        Status::resource_exhausted(format!(
            "{max} readers watch, as many as watch.max_watchers allows"
        ))
    })?;
    // One message waits for the network, one is written. More would only make what is read older.
    let (sender, receiver) = mpsc::channel(1);
    let teller = Teller {
        state: Arc::clone(state),
        subscription,
        responses: sender,
        refs: HashMap::new(),
    };
    let include_current = request.include_current;
    tokio::spawn(async move {
        // An error here means that the reader is gone.
        let _ = teller.run(include_current).await;
        drop(permit);
    });
    Ok(ReceiverStream::new(receiver))
}

/// One stream: its place among the watchers, and the numbers that its reader knows series by.
struct Teller {
    state: Arc<State>,
    subscription: Subscription,
    responses: Responses,
    refs: HashMap<SeriesId, u32>,
}

/// The reader is gone.
struct Gone;

impl Teller {
    async fn run(mut self, include_current: bool) -> Result<(), Gone> {
        if include_current {
            self.tell_current().await?;
        }
        let mut stop = self.state.stopping.clone();
        let watcher = Arc::clone(&self.subscription.watcher);
        let engine = Arc::clone(&self.state.engine);
        loop {
            tokio::select! {
                (risks, dropped) = watcher.next(MESSAGE_RISKS, |id| engine.key(id)) => self.tell(&risks, dropped).await?,
                () = self.responses.closed() => return Err(Gone),
                () = stopped(&mut stop) => {
                    return self.responses.send(Err(stopping())).await.map_err(|_| Gone);
                }
            }
        }
    }

    /// A stripe at a time: the risks of a million series are never copied all at once.
    async fn tell_current(&mut self) -> Result<(), Gone> {
        for stripe in self.state.board.latest.stripes() {
            let mut risks = Vec::new();
            self.state
                .board
                .latest
                .scan_stripe(stripe, |risk| risks.push(*risk));
            risks.retain(|risk| {
                self.subscription
                    .watcher
                    .wants(risk, || self.state.engine.key(risk.series))
            });
            for some in risks.chunks(MESSAGE_RISKS) {
                self.tell(some, 0).await?;
            }
        }
        Ok(())
    }

    /// Sends risks, with the names of the series that the reader has not met, in as many messages as it takes.
    async fn tell(&mut self, risks: &[Risk], dropped: u64) -> Result<(), Gone> {
        let mut message = v1::WatchRisksResponse {
            dropped_count: dropped,
            ..Default::default()
        };
        message.risks.reserve(risks.len());
        let mut name_bytes = 0;
        for risk in risks {
            let next = self.refs.len() as u32;
            let series_ref = match self.refs.get(&risk.series) {
                Some(&known) => known,
                None => {
                    let Some(key) = self.state.engine.key(risk.series) else {
                        continue;
                    };
                    let named = v1::WatchedSeries {
                        series_ref: next,
                        series: Some(to_proto::key(&key)),
                    };
                    name_bytes += named.encoded_len();
                    message.series.push(named);
                    self.refs.insert(risk.series, next);
                    next
                }
            };
            message.risks.push(v1::Risk {
                series_ref,
                ..to_proto::risk(risk, &self.state.names, &self.state.culprits.of(risk))
            });
            if name_bytes > MESSAGE_BYTES / 2 {
                name_bytes = 0;
                self.send(std::mem::take(&mut message)).await?;
            }
        }
        if message.risks.is_empty() && message.dropped_count == 0 {
            return Ok(());
        }
        self.send(message).await
    }

    async fn send(&self, message: v1::WatchRisksResponse) -> Result<(), Gone> {
        self.responses.send(Ok(message)).await.map_err(|_| Gone)
    }
}

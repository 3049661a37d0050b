//! `OutlookService.WatchOutlooks`: a stream that survives slow readers.

use std::sync::Arc;

use proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{read, write};
use crate::grpc::{State, from_proto, stopped, stopping};
use crate::lookout::{Outlooks, Row, Said, Subscription};

/// Most outlooks in one message: some 100 KiB with their names.
const MESSAGE_OUTLOOKS: usize = 256;

pub(super) type Stream = ReceiverStream<Result<v1::WatchOutlooksResponse, Status>>;

/// Begins a stream.
pub(super) fn start(
    state: &Arc<State>,
    outlooks: Arc<Outlooks>,
    request: &v1::WatchOutlooksRequest,
) -> Result<Stream, Status> {
    let selector = from_proto::selector(&request.filter)?;
    let v1::WatchOutlooksRequest {
        families,
        min_probability,
        horizon_s,
        ..
    } = request;
    let wanted = read::wanted(families, *min_probability, *horizon_s)?;
    let permit = state.open_stream()?;
    let subscription = outlooks.subscribe(wanted, selector).ok_or_else(|| {
        let max = state.config.watch.max_watchers;
        Status::resource_exhausted(format!(
            "{max} readers watch outlooks, as many as watch.max_watchers allows"
        ))
    })?;
    // As with risks: one message waits for the network, one is written.
    let (sender, receiver) = mpsc::channel(1);
    let teller = Teller {
        state: Arc::clone(state),
        outlooks,
        subscription,
        responses: sender,
    };
    let include_current = request.include_current;
    tokio::spawn(async move {
        // An error here means that the reader is gone.
        let _ = teller.run(include_current).await;
        drop(permit);
    });
    Ok(ReceiverStream::new(receiver))
}

/// One stream and its place among the watchers.
struct Teller {
    state: Arc<State>,
    outlooks: Arc<Outlooks>,
    subscription: Subscription,
    responses: mpsc::Sender<Result<v1::WatchOutlooksResponse, Status>>,
}

/// The reader is gone.
struct Gone;

impl Teller {
    async fn run(self, include_current: bool) -> Result<(), Gone> {
        if include_current {
            self.tell_current().await?;
        }
        let mut stop = self.state.stopping.clone();
        let watcher = Arc::clone(&self.subscription.watcher);
        loop {
            tokio::select! {
                (told, dropped) = watcher.next(MESSAGE_OUTLOOKS) => self.tell(&told, dropped).await?,
                () = self.responses.closed() => return Err(Gone),
                () = stopped(&mut stop) => {
                    return self.responses.send(Err(stopping())).await.map_err(|_| Gone);
                }
            }
        }
    }

    async fn tell_current(&self) -> Result<(), Gone> {
        let rows = self.subscription.current();
        for some in rows.chunks(MESSAGE_OUTLOOKS) {
            self.send(some.iter(), 0).await?;
        }
        Ok(())
    }

    async fn tell(&self, told: &[Arc<Said>], dropped: u64) -> Result<(), Gone> {
        let rows: Vec<Row> = told
            .iter()
            .filter_map(|said| {
                // The names are those of the board; what is said is what was queued.
                let row = self.outlooks.row(said.outlook.resource)?;
                Some(row.with(Arc::clone(said)))
            })
            .collect();
        self.send(rows.iter(), dropped).await
    }

    async fn send(&self, rows: impl Iterator<Item = &Row>, dropped_count: u64) -> Result<(), Gone> {
        let tempo = self.outlooks.tempo();
        let message = v1::WatchOutlooksResponse {
            outlooks: rows.map(|row| write::outlook(row, tempo)).collect(),
            dropped_count,
        };
        self.responses.send(Ok(message)).await.map_err(|_| Gone)
    }
}

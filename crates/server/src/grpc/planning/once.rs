//! A request that is sent again is answered again, and done once.

use remedy::audit::Hash;
use remedy::planner::{Command, Reply};
use remedy::record::RequestRecord;
use series::Timestamp;
use tonic::Status;

use super::{not_done, not_read};
use crate::grpc::from_proto::invalid;
use crate::planning::Planning;

/// Most bytes of a `request_id`.
const MAX_ID_BYTES: usize = 128;

/// A request that changes something.
pub(super) struct Once<'a> {
    pub(super) planning: &'a Planning,
    pub(super) method: &'static str,
    pub(super) request_id: &'a str,
    /// The message as it came.
    pub(super) content: Vec<u8>,
    pub(super) at: Timestamp,
}

impl Once<'_> {
    /// Does a command, unless it was done under the same id.
    pub(super) async fn run<Res>(
        self,
        who: String,
        command: Command,
        answer: impl Fn(&Reply) -> Res + Clone + Send + 'static,
    ) -> Result<Res, Status>
    where
        Res: prost::Message + Default + 'static,
    {
        let id = self.request_id;
        if id.is_empty() {
            let done = self.planning.command(who, command).await;
            return done.map(|reply| answer(&reply)).map_err(not_done);
        }
        if id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
            let what = format!(
                "a text of at most {MAX_ID_BYTES} bytes without control characters is expected"
            );
            return Err(invalid("request_id", what));
        }
        // Who it is may be told by a token, and not by the message: another's answer is nobody's business.
        let mut content = [self.method, &who].join("\0").into_bytes();
        content.push(0);
        content.extend(&self.content);
        let digest = Hash::of(&content);
        // While one is under way its repetition waits its turn elsewhere: two must not both find that nothing was done.
        let Some(turn) = self.planning.turns.take(id) else {
            return Err(Status::aborted(format!(
                "the request {id:?} is being answered"
            )));
        };
        // Asking a database that is away takes its patience, and nothing could be done after.
        self.planning.check().map_err(not_done)?;
        let known = self.planning.ledger.request(id).await;
        if let Some(known) = known.map_err(|error| not_read(&error))? {
            if known.digest != digest {
                let what = format!("another request had the request_id {id:?}");
                return Err(Status::already_exists(what));
            }
            return Res::decode(known.reply.as_slice())
                .map_err(|error| Status::data_loss(format!("the answer to {id:?}: {error}")));
        }
        let (id, at, write) = (id.to_owned(), self.at, answer.clone());
        let request = Box::new(move |reply: &Reply| RequestRecord {
            id,
            digest,
            reply: write(reply).encode_to_vec(),
            at,
        });
        let done = self
            .planning
            .command_in_turn(who, command, Some(request), Some(turn))
            .await;
        done.map(|reply| answer(&reply)).map_err(not_done)
    }
}

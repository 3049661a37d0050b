//! Acting in somebody's name: each intention has an id of its own, so that sending it twice does it once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use remedy::audit::Hash;
use series::Clock;
use server::SystemClock;
use tonic::{Code, Response, Status};

use crate::connect::{Connection, ServerArgs, refused};
use crate::hint::WithHint;

/// The pause before a call is repeated: a server that restarts needs about so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Which server, and who acts.
#[derive(Debug, Clone, Args)]
pub(super) struct ActorArgs {
    /// In whose name: one of planner.people; without it, the owner of --token-file or the local user
    #[arg(long = "as", value_name = "NAME", env = "FORESTALL_ACTOR")]
    name: Option<String>,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// An intention under way.
pub(super) struct Acting {
    pub(super) connection: Connection,
    /// Names to try, in this order.
    names: Vec<String>,
    request_id: String,
}

/// What every request that changes something says.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) actor: String,
    pub(super) request_id: String,
}

impl ActorArgs {
    /// Connects, for one intention.
    ///
    /// # Errors
    /// Those of connecting.
    pub(super) async fn begin(&self) -> anyhow::Result<Acting> {
        Ok(Acting {
            connection: self.server.connect().await?,
            names: self.names(&server::planning::local_name()),
            request_id: request_id(),
        })
    }

    /// A person's own token needs no name; whether a token is one only the server knows.
    fn names(&self, local: &str) -> Vec<String> {
        match (&self.name, &self.server.trust.token_file) {
            (Some(name), _) => vec![name.clone()],
            (None, Some(_)) => vec![String::new(), local.to_owned()],
            (None, None) => vec![local.to_owned()],
        }
    }
}

impl Acting {
    /// Sends a request; once more, under the same id, when the server cannot be reached.
    ///
    /// # Errors
    /// What the server says against it.
    pub(super) async fn send<T, F>(
        &self,
        call: impl Fn(Connection, Signed) -> F,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut names = self.names.iter();
        loop {
            let signed = Signed {
                actor: names.next().cloned().unwrap_or_default(),
                request_id: self.request_id.clone(),
            };
            let answer = twice(|| call(self.connection.clone(), signed.clone())).await;
            match answer {
                Ok(response) => return Ok(response),
                Err(status) if is_nobodys_token(&status) && names.len() > 0 => {}
                Err(status) => return Err(not_done(&status)),
            }
        }
    }
}

/// Calls; once more when the server cannot be reached. The request must bear an id, or change nothing.
///
/// # Errors
/// The status of the last answer.
pub(super) async fn twice<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    twice_after(PAUSE, call).await
}

async fn twice_after<T, F>(pause: Duration, call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let answer = match call().await {
        Err(status) if status.code() == Code::Unavailable => {
            tokio::time::sleep(pause).await;
            call().await
        }
        answer => answer,
    };
    answer.map(Response::into_inner)
}

/// Whether the token shown is the server's and no person's, so that a name is needed.
fn is_nobodys_token(status: &Status) -> bool {
    status.code() == Code::PermissionDenied && status.message().starts_with("\"\" is not")
}

/// A refusal with what to do next.
pub(super) fn not_done(status: &Status) -> anyhow::Error {
    let error = refused(status);
    let says = |text: &str| status.message().contains(text);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "advice where there is some; most codes speak for themselves"
    )]
    let advice = match status.code() {
        Code::PermissionDenied if says("planner.people") || says("who may decide") => {
            "say who acts with --as NAME; `forestall safety` lists who may"
        }
        Code::PermissionDenied if says("token of their own") => "show it with --token-file FILE",
        Code::PermissionDenied if says("takes the authority") => {
            "`forestall safety` lists who has it"
        }
        Code::NotFound if says("issue") => "`forestall issues --all` lists them",
        Code::NotFound if says("plan") => "`forestall plans` lists them",
        Code::FailedPrecondition if says("no planner") => {
            "the server's log says why; `forestall config print` shows the section [planner]"
        }
        Code::Aborted => "wait a moment, then look whether it was done before doing it again",
        _ => return error,
    };
    error.hint(advice)
}

/// An id that no other intention has: of this machine's time, this process, and a counter.
fn request_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now_us = SystemClock.now().micros();
    // Where the system loaded this program, which differs from machine to machine and from run to run.
    let place = (&raw const COUNTER).addr();
    let text = format!("{now_us} {} {n} {place:x}", std::process::id());
    format!("cli-{}", &Hash::of(text.as_bytes()).to_string()[..32])
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use clap::Parser;

    use super::*;
    use crate::hint::message;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        actor: ActorArgs,
    }

    #[test]
    fn the_local_user_acts_unless_somebody_is_named_or_shows_a_token() {
        let names = |args: &[&str]| {
            let line = ["x"].iter().chain(args);
            Line::try_parse_from(line).unwrap().actor.names("root")
        };
        assert_eq!(names(&[]), ["root"]);
        assert_eq!(names(&["--as", "ann"]), ["ann"]);
        assert_eq!(names(&["--token-file", "t"]), ["", "root"]);
        assert_eq!(names(&["--token-file", "t", "--as", "ann"]), ["ann"]);
    }

    #[test]
    fn no_two_intentions_share_an_id() {
        let (a, b) = (request_id(), request_id());
        assert!(a != b && a.len() == 36 && a.starts_with("cli-"), "{a} {b}");
    }

    #[test]
    fn what_is_unavailable_is_tried_once_more() {
        let check = |failures: u32, code: Code| {
            let calls = Cell::new(0);
            let call = || {
                calls.set(calls.get() + 1);
                let n = calls.get();
                async move {
                    match n <= failures {
                        true => Err(Status::new(code, "no")),
                        false => Ok(Response::new(n)),
                    }
                }
            };
            let work = async { Ok(twice_after(Duration::ZERO, call).await.is_ok()) };
            (crate::runtime::block_on(work).unwrap(), calls.get())
        };
        assert_eq!(check(0, Code::Unavailable), (true, 1));
        assert_eq!(check(1, Code::Unavailable), (true, 2));
        assert_eq!(check(9, Code::Unavailable), (false, 2));
        assert_eq!(check(1, Code::Aborted), (false, 1));
    }

    #[test]
    fn refusals_say_what_to_do() {
        let text = message(&not_done(&Status::permission_denied(
            "\"eve\" is not among planner.people (ann)",
        )));
        assert!(
            text.ends_with("\nhint: say who acts with --as NAME; `forestall safety` lists who may")
        );
        let text = message(&not_done(&Status::not_found("there is no plan p9")));
        assert!(
            text.ends_with("\nhint: `forestall plans` lists them"),
            "{text}"
        );
    }
}

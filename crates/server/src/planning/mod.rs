//! The planner beside the engine: findings in, plans out. One task owns `remedy::Planner`; what comes of each of its turns is
//! written to the ledger before anybody hears of it.

mod board;
mod check;
mod head;
mod mailbox;
mod open;
mod people;
mod posture;
mod turns;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use executor::{Executor, Preview, Scene};
use ledger::Ledger;
use remedy::Settings;
use remedy::action::Action;
use remedy::decision::{Decision, Input};
use remedy::issue::IssueId;
use remedy::plan::Plan;
use remedy::planner::{Command, Planner, Refused, Reply};
use series::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::DriftConfig;

pub(crate) use board::Board;
pub(crate) use check::{problems, warnings};
pub use head::head_file;
pub(crate) use mailbox::{Mailbox, News};
pub(crate) use open::{Opened, PlanningTask};
pub use open::{PlanningError, location};
pub(crate) use people::People;
pub use people::{PersonError, local_name};

use mailbox::{Call, Recorder};
use turns::{Turn, Turns};

/// How long a call may wait for the planner, and what it did for being written down.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the services need of the planner.
pub(crate) struct Planning {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) board: Arc<Board>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) people: People,
    pub(crate) settings: Settings,
    pub(crate) executor: String,
    /// The machine that orders are handed to; empty where they are handed to nobody.
    pub(crate) executor_url: String,
    /// A file whose being there engages the brake.
    pub(crate) brake_file: Option<PathBuf>,
    /// Files whose difference is shown with a plan for them.
    drift: Vec<DriftConfig>,
    /// Requests that are being answered.
    pub(crate) turns: Turns,
    previewer: Arc<dyn Executor>,
}

/// Why a call was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The planner says why not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody can tell: it may still be done.
    #[error("{0}")]
    Unavailable(String),
}

impl Planning {
    /// Does what somebody asks for. The reply comes when it is written down.
    pub(crate) async fn command(&self, who: String, command: Command) -> Result<Reply, CallError> {
        self.command_in_turn(who, command, None, None).await
    }

    /// The same, with the record of its request. The turn is given back when it is done, however long that takes.
    pub(crate) async fn command_in_turn(
        &self,
        who: String,
        command: Command,
        request: Option<Recorder>,
        turn: Option<Turn>,
    ) -> Result<Reply, CallError> {
        self.check()?;
        let (reply, replied) = oneshot::channel();
        let call = Call::Command {
            who,
            command,
            request,
            reply,
        };
        self.call(call)?;
        let done = tokio::spawn(async move {
            let done = replied.await;
            drop(turn);
            done
        });
        match timeout(PATIENCE, done).await {
            Ok(Ok(Ok(done))) => done.map_err(CallError::Refused),
            // The same request_id tells later whether it was done.
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Err(self.doubt()),
        }
    }

    /// Asks the planner something.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Planner) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        // While it waits to write something down it answers nobody: better told at once than after all of our patience.
        self.check()?;
        let (reply, replied) = oneshot::channel();
        let question = Box::new(move |planner: &Planner| {
            let _ = reply.send(question(planner));
        });
        self.call(Call::Question(question))?;
        match timeout(PATIENCE, replied).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(CallError::Unavailable(self.why_silent())),
        }
    }

    /// What would be decided about an issue now; nothing is changed.
    pub(crate) async fn consider(
        &self,
        id: IssueId,
    ) -> Result<Option<(Input, Decision, Option<Plan>)>, CallError> {
        self.ask(move |planner| {
            let (input, decision) = planner.consider(id)?;
            let plan = planner.draft(&input, &decision);
            Some((input, decision, plan))
        })
        .await
    }

    /// What a plan would do, for a reviewer.
    pub(crate) async fn preview(&self, plan: Plan, now: Timestamp) -> Result<Preview, CallError> {
        let (entity, id) = (plan.entity.clone(), plan.issue);
        let (around, live) = self
            .ask(move |planner| {
                let around = planner.topology.surroundings(&entity);
                (around, planner.issue(id).cloned())
            })
            .await?;
        let issue = match live {
            Some(issue) => Some(issue),
            // The page does without one that cannot be read: what is done does not rest on it.
            None => self.ledger.issue(id).await.unwrap_or_default(),
        };
        let scene = Scene {
            issue: issue.as_ref(),
            attributes: &around.attributes,
            owner: around.owner.as_deref(),
            now,
        };
        let mut preview = self.previewer.preview(&plan, &scene);
        let mut actions = plan.steps.iter().map(|planned| &planned.step.action);
        let applied = actions.find(|action| matches!(action, Action::ApplyConfiguration { .. }));
        let applied = applied.map(|action| action.target().clone());
        if let Some(target) = applied {
            let files = self.drift.clone();
            let looked = tokio::task::spawn_blocking(move || posture::difference(&files, &target));
            // The task ends early only when it panics, which has been printed.
            if let Ok(Some(difference)) = looked.await {
                preview.diff.push_str(&difference);
            }
        }
        Ok(preview)
    }

    /// Whether what is done can be written down.
    pub(crate) fn check(&self) -> Result<(), CallError> {
        match self.board.status().trouble {
            None => Ok(()),
            Some(why) => Err(CallError::Unavailable(format!(
                "nothing can be written down, so nothing is done: {why}"
            ))),
        }
    }

    fn call(&self, call: Call) -> Result<(), CallError> {
        let called = self.mailbox.call(call);
        called.map_err(|why| CallError::Unavailable(why.to_owned()))
    }

    fn why_silent(&self) -> String {
        let trouble = self.board.status().trouble;
        trouble.unwrap_or_else(|| "the planner does not answer".to_owned())
    }

    fn doubt(&self) -> CallError {
        let why = self.why_silent();
        CallError::Unavailable(format!(
            "it is not known whether it was done; ask again with the same request_id: {why}"
        ))
    }
}

//! The planner's turns: takes what waits, lets the planner think, writes down what came of it in one transaction, and only
//! then answers, shows and carries out. While nothing can be written down nothing is done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use executor::{About, Executor};
use ledger::Ledger;
use remedy::order::{Answer, Order};
use remedy::planner::{Batch, Command, Planner, Refused, Reply};
use remedy::record::Record;
use series::Clock;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::board::Board;
use super::head::HeadFile;
use super::mailbox::{Call, Calls, Mailbox, News};
use crate::config::BRAKE_FILE;
use crate::models::told;

/// Time passes for the planner so often.
const TICK: Duration = Duration::from_millis(500);
/// News taken in one turn: a transaction holds what comes of them.
const MOST_NEWS: usize = 4096;
/// Calls taken in one turn.
const MOST_CALLS: usize = 64;
/// The first pause before a batch is written again; each next one is twice as long, up to a bound.
const RETRY: Duration = Duration::from_millis(100);
const RETRY_MOST: Duration = Duration::from_secs(5);
/// What is old is forgotten so often.
const FORGET: Duration = Duration::from_mins(10);
/// Entities of which nothing was heard for so long are gone; those that still report are told every five minutes.
const SILENT_US: i64 = 1_800_000_000;

/// What the task owns.
pub(super) struct Worker {
    pub(super) planner: Planner,
    pub(super) ledger: Arc<Ledger>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) calls: Calls,
    pub(super) board: Arc<Board>,
    pub(super) executors: BTreeMap<&'static str, Arc<dyn Executor>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stopping: watch::Receiver<bool>,
    /// A file whose being there engages the brake.
    pub(super) brake_file: Option<PathBuf>,
    /// Where the end of the audit is kept.
    pub(super) head_file: Option<HeadFile>,
    /// Days after which what is resolved is forgotten.
    pub(super) keep_days: f64,
    /// Orders under way. They end with this task: whoever goes on from the ledger asks about them, and must not be told that
    /// one never came while it is still being tried.
    pub(super) errands: JoinSet<()>,
}

/// A reply that is sent when what it tells is written down.
struct Waiting {
    reply: oneshot::Sender<Result<Reply, Refused>>,
    answer: Result<Reply, Refused>,
}

impl Worker {
    /// Works until the server stops.
    pub(super) async fn run(mut self) {
        self.ask_about_unanswered();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forgot = Instant::now();
        loop {
            let mut stopping = self.stopping.clone();
            let mut waiting = Vec::new();
            tokio::select! {
                biased;
                _ = stopping.wait_for(|&stop| stop) => break,
                Some(call) = self.calls.answers.recv() => self.take_call(call, &mut waiting),
                Some(call) = self.calls.calls.recv() => self.take_call(call, &mut waiting),
                () = self.mailbox.bell.notified() => {}
                _ = tick.tick() => {
                    self.look_at_brake_file();
                    self.ask_executor();
                    self.planner.tick(self.clock.now());
                }
            }
            self.take_calls(&mut waiting);
            self.hold_executors();
            self.take_news();
            self.planner.think();
            while self.errands.try_join_next().is_some() {}
            if !self.write(waiting).await {
                break;
            }
            if forgot.elapsed() >= FORGET {
                forgot = Instant::now();
                let silent = self.clock.now().plus_micros(-SILENT_US);
                self.planner.topology.forget_before(silent);
                self.forget().await;
            }
        }
        if let Some(file) = &mut self.head_file {
            let head = self.board.status().head;
            file.keep(head, true);
        }
    }

    fn take_calls(&mut self, waiting: &mut Vec<Waiting>) {
        for _ in 0..MOST_CALLS {
            let Ok(call) = self.calls.answers.try_recv() else {
                break;
            };
            self.take_call(call, waiting);
        }
        for _ in 0..MOST_CALLS {
            let Ok(call) = self.calls.calls.try_recv() else {
                break;
            };
            self.take_call(call, waiting);
        }
    }

    fn take_call(&mut self, call: Call, waiting: &mut Vec<Waiting>) {
        match call {
            Call::Question(question) => question(&self.planner),
            Call::Answer(key, answer) => {
                self.planner.tick(self.clock.now());
                self.planner.answered(&key, &answer);
            }
            Call::Command {
                who,
                command,
                request,
                reply,
            } => {
                let answer = self.planner.command(self.clock.now(), &who, &command);
                if let (Ok(done), Some(request)) = (&answer, request) {
                    self.planner.remember(Record::Request(request(done)));
                }
                waiting.push(Waiting { reply, answer });
            }
        }
    }

    fn take_news(&mut self) {
        let now = self.clock.now();
        for news in self.mailbox.take(MOST_NEWS) {
            match news {
                News::Finding(finding) => {
                    if let Err(error) = self.planner.observe(now, *finding) {
                        tracing::debug!(%error, "a finding is refused");
                    }
                }
                News::Value(signal, value, at) => self.planner.measure(&signal, value, at),
                News::Entity(id, links) => self.planner.topology.learn(&id, &links, now),
            }
        }
    }

    /// While the executor takes no orders plans are held, not failed.
    fn ask_executor(&mut self) {
        let executor = self.executors.get(self.planner.executor());
        let why = executor.and_then(|executor| executor.available().err());
        self.board.set_status(|status| {
            match (&status.executor_trouble, &why) {
                (None, Some(why)) => tracing::warn!(error = why, "the executor takes no orders"),
                (Some(_), None) => tracing::info!("the executor takes orders again"),
                (None, None) | (Some(_), Some(_)) => {}
            }
            status.executor_trouble.clone_from(&why);
        });
        self.planner.set_unavailable(why);
    }

    /// The brake stops what is on its way too, before it is written down that it is engaged.
    fn hold_executors(&self) {
        let brake = self.planner.brake();
        let why = brake
            .is_engaged
            .then(|| format!("the brake is engaged by {}", brake.who));
        for executor in self.executors.values() {
            executor.hold(why.as_deref());
        }
    }

    /// A file that appears engages the brake; one that disappears releases it, if it was engaged by that file.
    fn look_at_brake_file(&mut self) {
        let Some(path) = &self.brake_file else { return };
        // Where nobody can tell, it is there.
        let is_there = path.try_exists().unwrap_or(true);
        let brake = self.planner.brake();
        let there = format!("{} is there", path.display());
        let command = match (is_there, brake.is_engaged) {
            (true, false) => Command::Brake { reason: there },
            (false, true) if brake.who == BRAKE_FILE && brake.reason == there => Command::Release {
                reason: format!("{} was removed", path.display()),
            },
            (true | false, _) => return,
        };
        if let Err(error) = self.planner.command(self.clock.now(), BRAKE_FILE, &command) {
            tracing::error!(%error, "the brake file is not obeyed");
        }
    }

    /// Writes down what came of a turn, then lets out what nothing has come to speak against; `false` when nothing can ever be
    /// written down again, or the server stops.
    async fn write(&mut self, waiting: Vec<Waiting>) -> bool {
        let Batch { records, orders } = self.planner.take();
        let mut pause = RETRY;
        loop {
            let Err(error) = self.ledger.commit(&records).await else {
                break;
            };
            let why = told(&error);
            let is_news = self.board.status().trouble.is_none();
            self.board
                .set_status(|status| status.trouble = Some(why.clone()));
            if !error.is_transient() {
                tracing::error!(
                    error = why,
                    "what the planner does cannot be written down: it does nothing from now on"
                );
                return false;
            }
            if is_news {
                tracing::warn!(
                    error = why,
                    "what the planner does cannot be written down: nothing is done meanwhile"
                );
            }
            let mut stopping = self.stopping.clone();
            tokio::select! {
                _ = stopping.wait_for(|&stop| stop) => return false,
                () = sleep(pause) => {}
            }
            pause = (2 * pause).min(RETRY_MOST);
            self.look_at_brake_file();
            self.hold_executors();
        }
        self.board.record(&records);
        if let Some(file) = &mut self.head_file {
            file.keep(self.planner.head(), false);
        }
        let planner = &self.planner;
        let had_trouble = self.board.status().trouble.is_some();
        self.board.set_status(|status| {
            status.trouble = None;
            status.brake = planner.brake().clone();
            status.storm = planner.storm().map(str::to_owned);
            status.head = planner.head();
            status.counts = planner.counts();
        });
        if had_trouble {
            tracing::info!("what the planner does is written down again");
        }
        {
            let mut watched = self.mailbox.watched.lock();
            watched.clear();
            watched.extend(planner.watched().map(str::to_owned));
        }
        for Waiting { reply, answer } in waiting {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
        let now = self.clock.now();
        for (executor, order) in orders {
            // Meanwhile somebody may have braked, and the ledger may have taken its time.
            match self.planner.against_sending(now, &order) {
                None => self.carry_out(&executor, order),
                Some(said) => self.mailbox.answer(order.key, Answer::NotSent { said }),
            }
        }
        true
    }

    /// Gives an order to its executor; the answer comes back as a call.
    fn carry_out(&mut self, name: &str, order: Order) {
        let mailbox = Arc::clone(&self.mailbox);
        let Some(executor) = self.executors.get(name).map(Arc::clone) else {
            let said = format!("there is no executor {name:?} in this configuration");
            mailbox.answer(order.key, Answer::Failed { said });
            return;
        };
        let about = self.planner.plan(order.plan).map(|plan| {
            let around = self.planner.topology.surroundings(&plan.entity);
            About::of(plan, &around.attributes)
        });
        let about = about.unwrap_or_default();
        self.errands.spawn(async move {
            let answer = match (executor.can(&order.action), executor.available()) {
                (Err(said), _) => Answer::Failed { said },
                (_, Err(said)) => Answer::NotSent { said },
                (Ok(()), Ok(())) => executor.carry_out(&order, &about).await,
            };
            mailbox.answer(order.key, answer);
        });
    }

    /// Orders that were written down before a crash: what became of each is asked, never tried.
    fn ask_about_unanswered(&mut self) {
        for (name, order) in self.planner.unanswered() {
            let mailbox = Arc::clone(&self.mailbox);
            let executor = self.executors.get(name.as_str()).map(Arc::clone);
            self.errands.spawn(async move {
                let answer = match &executor {
                    Some(executor) => executor.ask(&order).await,
                    None => None,
                };
                let answer = answer.unwrap_or_else(|| Answer::InDoubt {
                    said: "it was ordered before a restart, and nobody can tell whether it was carried out"
                        .to_owned(),
                });
                mailbox.answer(order.key, answer);
            });
        }
    }

    async fn forget(&self) {
        let us = (self.keep_days * 86_400.0e6) as i64;
        let before = self.clock.now().plus_micros(-us);
        match self.ledger.forget(before).await {
            Ok(_) => {}
            Err(error) => tracing::warn!(error = told(&error), "old issues are not forgotten"),
        }
    }
}

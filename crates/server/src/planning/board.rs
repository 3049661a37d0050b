//! What readers may see of the planner: what was written down, and nothing that was not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use remedy::Phase;
use remedy::audit::Head;
use remedy::health::Health;
use remedy::issue::{Issue, IssueId};
use remedy::plan::{Plan, PlanId};
use remedy::planner::Counts;
use remedy::record::{Brake, Record};
use tokio::sync::{Notify, watch};

/// Plans that are over and are still shown from memory.
const RECENT_PLANS: usize = 4096;

/// How the planner is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status {
    pub(crate) phase: Phase,
    pub(crate) brake: Brake,
    pub(crate) storm: Option<String>,
    pub(crate) head: Head,
    pub(crate) counts: Counts,
    /// Why nothing can be written down; `None` when it can.
    pub(crate) trouble: Option<String>,
    /// Why the executor takes no orders; `None` when it does.
    pub(crate) executor_trouble: Option<String>,
}

/// What is shown.
#[derive(Debug)]
pub(crate) struct Board {
    issues: RwLock<BTreeMap<IssueId, Arc<Issue>>>,
    plans: RwLock<BTreeMap<PlanId, Arc<Plan>>>,
    over: Mutex<VecDeque<PlanId>>,
    health: RwLock<Option<Arc<Health>>>,
    status: RwLock<Status>,
    watchers: RwLock<Vec<Arc<Watcher>>>,
    max_watchers: usize,
    queue: usize,
    /// Changes when a plan does.
    pub(crate) turned: watch::Sender<u64>,
}

impl Board {
    pub(super) fn new(status: Status, max_watchers: usize, queue: usize) -> Self {
        Self {
            issues: RwLock::default(),
            plans: RwLock::default(),
            over: Mutex::default(),
            health: RwLock::default(),
            status: RwLock::new(status),
            watchers: RwLock::default(),
            max_watchers,
            queue,
            turned: watch::Sender::new(0),
        }
    }

    /// Shows what was written down.
    pub(super) fn record(&self, records: &[Record]) {
        let mut has_plans = false;
        for record in records {
            match record {
                Record::Issue(issue) => {
                    let issue = Arc::new((**issue).clone());
                    match issue.is_live() {
                        true => self.issues.write().insert(issue.id, Arc::clone(&issue)),
                        false => self.issues.write().remove(&issue.id),
                    };
                    for watcher in &*self.watchers.read() {
                        watcher.offer(&issue);
                    }
                }
                Record::Plan(plan) => {
                    has_plans = true;
                    if plan.is_finished() {
                        self.remember(plan.id);
                    }
                    self.plans
                        .write()
                        .insert(plan.id, Arc::new((**plan).clone()));
                }
                Record::Health(health) => {
                    *self.health.write() = Some(Arc::new((**health).clone()));
                }
                Record::Decision(_)
                | Record::Rate(_)
                | Record::Action(_)
                | Record::Lease(_)
                | Record::Brake(_)
                | Record::Request(_)
                | Record::Finding(_)
                | Record::Audit(_) => {}
            }
        }
        if has_plans {
            self.turned.send_modify(|turn| *turn += 1);
        }
    }

    /// Plans of which nothing more will come leave after a while, oldest first.
    fn remember(&self, id: PlanId) {
        let mut over = self.over.lock();
        if !over.contains(&id) {
            over.push_back(id);
        }
        if over.len() > RECENT_PLANS
            && let Some(oldest) = over.pop_front()
        {
            self.plans.write().remove(&oldest);
        }
    }

    pub(super) fn set_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.write());
    }

    pub(crate) fn status(&self) -> Status {
        self.status.read().clone()
    }

    /// Live issues, in the order of their numbers.
    pub(crate) fn issues(&self) -> Vec<Arc<Issue>> {
        self.issues.read().values().map(Arc::clone).collect()
    }

    pub(crate) fn plan(&self, id: PlanId) -> Option<Arc<Plan>> {
        self.plans.read().get(&id).map(Arc::clone)
    }

    /// The states of the plans of which more will come.
    pub(crate) fn plan_states(&self) -> Vec<remedy::plan::PlanState> {
        let plans = self.plans.read();
        let unfinished = plans.values().filter(|plan| !plan.is_finished());
        unfinished.map(|plan| plan.state).collect()
    }

    pub(crate) fn health(&self) -> Option<Arc<Health>> {
        self.health.read().clone()
    }

    /// A new reader of issues, which gets all that are live first; `None` when there are as many as may be.
    pub(crate) fn subscribe(self: &Arc<Self>) -> Option<Subscription> {
        let mut watchers = self.watchers.write();
        if watchers.len() >= self.max_watchers {
            return None;
        }
        let watcher = Arc::new(Watcher::new(self.queue));
        for issue in self.issues.read().values() {
            watcher.offer(issue);
        }
        watchers.push(Arc::clone(&watcher));
        Some(Subscription {
            board: Arc::clone(self),
            watcher,
        })
    }
}

/// Issues that wait for one reader: the newest state of each.
#[derive(Debug)]
pub(crate) struct Watcher {
    waiting: Mutex<BTreeMap<IssueId, Arc<Issue>>>,
    most: usize,
    dropped: AtomicU64,
    bell: Notify,
}

impl Watcher {
    fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            most,
            dropped: AtomicU64::new(0),
            bell: Notify::new(),
        }
    }

    fn offer(&self, issue: &Arc<Issue>) {
        let mut waiting = self.waiting.lock();
        let is_late = waiting.insert(issue.id, Arc::clone(issue)).is_some();
        let is_full = waiting.len() > self.most;
        if is_full {
            waiting.pop_first();
        }
        drop(waiting);
        if is_late || is_full {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.bell.notify_one();
    }

    /// What waits, and how many changes were left out before it; waits until there is something.
    pub(crate) async fn next(&self, most: usize) -> (Vec<Arc<Issue>>, u64) {
        loop {
            {
                let mut waiting = self.waiting.lock();
                if !waiting.is_empty() {
                    let mut out = Vec::new();
                    while out.len() < most
                        && let Some((_, issue)) = waiting.pop_first()
                    {
                        out.push(issue);
                    }
                    if !waiting.is_empty() {
                        self.bell.notify_one();
                    }
                    return (out, self.dropped.swap(0, Ordering::Relaxed));
                }
            }
            self.bell.notified().await;
        }
    }
}

/// A reader's place among the watchers, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Subscription {
    board: Arc<Board>,
    pub(crate) watcher: Arc<Watcher>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watchers = self.board.watchers.write();
        watchers.retain(|other| !Arc::ptr_eq(other, &self.watcher));
    }
}

//! From a configuration to a planner: its ledger is opened, its memory brought back, its executors built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use executor::Executor;
use executor::webhook::{Limits, Secret, WebhookConfig};
use ledger::{Ledger, Location, LocationError, Since};
use remedy::Phase;
use remedy::planner::{Parts, Planner, PlannerError};
use remedy::topology::{Topology, TopologyError, Undeclared};
use series::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::board::{Board, Status};
use super::head::HeadFile;
use super::mailbox::Mailbox;
use super::people::{People, PersonError, local_name};
use super::turns::Turns;
use super::worker::Worker;
use super::{Planning, posture};
use crate::config::Config;

/// Why there is no planner.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    /// The place of the ledger makes no sense.
    #[error("planner.ledger")]
    Location(#[from] LocationError),
    /// The ledger cannot be opened.
    #[error("the ledger of the planner (planner.ledger; planner.enabled = false does without)")]
    Open(#[from] ledger::OpenError),
    /// The ledger cannot be read.
    #[error("reading the ledger of the planner")]
    Load(#[from] ledger::LoadError),
    /// The topology makes no sense.
    #[error("the topology")]
    Topology(#[from] TopologyError),
    /// The settings make no sense.
    #[error("the section safety")]
    Planner(#[from] PlannerError),
    /// The executor cannot be built.
    #[error("planner.executor")]
    Executor(#[from] executor::BuildError),
    /// A secret cannot be used.
    #[error("the secret in {path}: {why}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A person's token cannot be used.
    #[error("planner.people")]
    People(#[from] PersonError),
    /// The end of the audit that was kept cannot be read.
    #[error(
        "{path}, which keeps the end of the audit: {why}. See `forestall audit verify`; to go on with the ledger as it is, remove the file"
    )]
    Head {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The audit in the ledger is not the one that this server wrote.
    #[error(
        "the audit in {ledger} ends at entry {found}, this server wrote up to entry {kept}: it was cut or replaced. See `forestall audit verify`; to begin anew all the same, remove {path}"
    )]
    Cut {
        /// Where the ledger is.
        ledger: String,
        /// Its last entry.
        found: u64,
        /// The last that was kept beside it.
        kept: u64,
        /// Where that is kept.
        path: PathBuf,
    },
}

/// A planner between its opening and its task.
pub(crate) struct Opened {
    planning: Arc<Planning>,
    worker: Worker,
}

/// Scheme, host and port of a URL: what is before may be a password, and what is behind a token.
fn machine_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let place = &rest[..end];
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Where the ledger of a server is; `None` where it is not said, and there is no state directory for it.
///
/// # Errors
/// When it is said, and makes no sense.
pub fn location(
    config: &Config,
    state_dir: Option<&Path>,
) -> Result<Option<Location>, LocationError> {
    Ok(match (config.planner.ledger.as_str(), state_dir) {
        ("", dir) => dir.map(|dir| Location::Sqlite(dir.join("ledger.sqlite"))),
        (text, _) => Some(text.parse()?),
    })
}

impl Opened {
    /// Opens the ledger and brings the planner back. `None` when there is to be none, or nowhere to remember anything.
    pub(crate) async fn new(
        config: &Config,
        state_dir: Option<&Path>,
        clock: &Arc<dyn Clock>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Option<Self>, PlanningError> {
        let planner = &config.planner;
        if !planner.enabled {
            return Ok(None);
        }
        let Some(location) = location(config, state_dir)? else {
            tracing::warn!(
                "there is no planner: it has nowhere to remember what it does (state.enabled, or planner.ledger)"
            );
            return Ok(None);
        };
        let people = People::new(planner)?;
        let topology = Topology::from_declared(&config.topology)?;
        for slip in slips(&topology) {
            tracing::warn!("{slip}");
        }
        let executors = executors(config, clock)?;
        let head_file = state_dir.map(HeadFile::new);
        let ledger = Ledger::open_for_writing(&location).await?;
        let back = bring_back(config, topology, &ledger, head_file.as_ref(), clock.now()).await;
        let machine = match back {
            Ok(machine) => machine,
            Err(error) => {
                // One that is only dropped is closed some time later, under the hands of whoever mends it.
                ledger.close().await;
                return Err(error);
            }
        };
        let ledger = Arc::new(ledger);
        let (mailbox, calls) = Mailbox::new(planner.queue_findings);
        let mailbox = Arc::new(mailbox);
        let status = Status {
            phase: config.safety.phase,
            brake: machine.brake().clone(),
            storm: None,
            head: machine.head(),
            counts: machine.counts(),
            trouble: None,
            executor_trouble: None,
        };
        let board = Arc::new(Board::new(
            status,
            config.watch.max_watchers,
            config.watch.queue_risks,
        ));
        let known = machine
            .issues()
            .cloned()
            .map(|issue| remedy::record::Record::Issue(Box::new(issue)));
        let plans = machine
            .plans()
            .cloned()
            .map(|plan| remedy::record::Record::Plan(Box::new(plan)));
        board.record(&known.chain(plans).collect::<Vec<_>>());
        let brake_file = match (planner.brake_file.as_os_str().is_empty(), state_dir) {
            (true, dir) => dir.map(|dir| dir.join("brake")),
            (false, _) => Some(planner.brake_file.clone()),
        };
        let previewer = Arc::clone(&executors["dry_run"]);
        let executor = match config.safety.phase {
            Phase::Observe | Phase::Propose => "dry_run".to_owned(),
            Phase::Approve | Phase::Constrained | Phase::Autonomous => planner.executor.clone(),
        };
        let planning = Arc::new(Planning {
            mailbox: Arc::clone(&mailbox),
            board: Arc::clone(&board),
            ledger: Arc::clone(&ledger),
            people,
            settings: config.safety.clone(),
            executor_url: match executor.as_str() {
                "webhook" => machine_of(&planner.webhook.url),
                _ => String::new(),
            },
            executor,
            brake_file: brake_file.clone(),
            drift: config.findings.drift.clone(),
            turns: Turns::default(),
            previewer,
        });
        Ok(Some(Self {
            planning,
            worker: Worker {
                planner: machine,
                ledger,
                mailbox,
                calls,
                board,
                executors,
                clock: Arc::clone(clock),
                stopping,
                brake_file,
                head_file,
                keep_days: planner.keep_days,
                errands: JoinSet::new(),
            },
        }))
    }

    /// What the services need.
    pub(crate) fn planning(&self) -> Arc<Planning> {
        Arc::clone(&self.planning)
    }

    /// Starts its task, and the one that looks at certificates, reports and files.
    pub(crate) fn start(self, config: &Config) -> PlanningTask {
        let Self { planning, worker } = self;
        let clock = Arc::clone(&worker.clock);
        let stopping = worker.stopping.clone();
        let looks = posture::start(config, Arc::clone(&planning.mailbox), clock, stopping);
        PlanningTask {
            work: tokio::spawn(worker.run()),
            looks,
        }
    }
}

/// A running planner.
pub(crate) struct PlanningTask {
    work: JoinHandle<()>,
    looks: Option<JoinHandle<()>>,
}

impl PlanningTask {
    /// Waits until it has stopped, which it does when the server does.
    pub(crate) async fn join(self) {
        // A panic of the task has been printed; there is nothing to add.
        let _ = self.work.await;
        if let Some(looks) = self.looks {
            looks.abort();
        }
    }
}

/// A planner with what its ledger remembers.
async fn bring_back(
    config: &Config,
    topology: Topology,
    ledger: &Ledger,
    head_file: Option<&HeadFile>,
    now: Timestamp,
) -> Result<Planner, PlanningError> {
    let (planner, safety) = (&config.planner, &config.safety);
    let ago = |s: f64| now.plus_micros(-(s * 1e6) as i64);
    // The limits look back an hour, and attempts are found through the plans of their issues.
    let attempts_s = safety.attempts_window_s.max(3600.0);
    let since = Since {
        attempts: ago(attempts_s),
        resolved: ago(safety.return_within_s.max(attempts_s)),
    };
    let memory = ledger.load(since).await?;
    if let Some(file) = head_file {
        file.check(ledger, memory.head).await?;
    }
    let mut people = planner.authorities(&local_name());
    let file = crate::config::BRAKE_FILE.to_owned();
    people.insert(file, remedy::strategy::Authority::Owner);
    let parts = Parts {
        settings: safety.clone(),
        topology,
        people,
        executor: planner.executor.clone(),
        actions: (planner.executor == "webhook" && !planner.webhook.actions.is_empty())
            .then(|| planner.webhook.actions.iter().cloned().collect()),
        seed: planner.seed,
    };
    Ok(Planner::new(parts, memory)?)
}

/// The secret in a file.
pub(super) fn secret(path: &Path) -> Result<Secret, PlanningError> {
    let refused = |why: String| PlanningError::Secret {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    Secret::parse(&text).map_err(|error| refused(error.to_string()))
}

/// What the executor `webhook` is built from; `None` without a URL.
pub(super) fn webhook(
    config: &crate::config::WebhookConfig,
    secrets: Vec<Secret>,
) -> Option<WebhookConfig> {
    (!config.url.is_empty()).then(|| WebhookConfig {
        url: config.url.clone(),
        secrets,
        ca_file: (!config.ca_file.as_os_str().is_empty()).then(|| config.ca_file.clone()),
        allow_insecure: config.allow_insecure,
        actions: config.actions.clone(),
        limits: Limits::default(),
    })
}

/// What a topology names and does not declare, for people.
pub(super) fn slips(topology: &Topology) -> impl Iterator<Item = String> {
    topology.undeclared().map(|Undeclared { id, place }| {
        format!("{place}: {id} is not declared: is it a slip of the pen?")
    })
}

/// The executors that plans may name: the dry run always, and the one that is configured.
fn executors(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<&'static str, Arc<dyn Executor>>, PlanningError> {
    let planner = &config.planner;
    let files = planner.webhook.secret_files.iter();
    let secrets = files.map(|path| secret(path)).collect::<Result<_, _>>()?;
    let build = executor::Config {
        webhook: webhook(&planner.webhook, secrets),
        clock: Arc::clone(clock),
    };
    let mut all = BTreeMap::new();
    for name in ["dry_run", planner.executor.as_str()] {
        let executor = executor::build(name, build.clone())?;
        all.insert(executor.name(), executor);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_url_is_told() {
        let check = |url, machine| assert_eq!(machine_of(url), machine);
        check(
            "https://hooks.example:8443/T0/secret?key=1",
            "https://hooks.example:8443",
        );
        check("https://me:secret@hooks.example", "https://hooks.example");
        check("http://[::1]:9000?key=1", "http://[::1]:9000");
    }
}

//! The sandbox of one run, with all that is in it.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ingress::Ingress;
use super::verdict::Verdict;
use super::{Driver, RunError};
use crate::kind::{Kind, Mechanism};
use crate::sandbox::{Database, Group, Keeper, Limits, PREFIX, SandboxError, SmallDisk, Undo};
use crate::scrape::Scraper;
use crate::spec::Spec;
use crate::wire::Task;

/// Where the system mounts control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// All of it. What is declared first is dropped first: the keeper cleans up when the others are gone.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) ingress: Option<Ingress>,
    pub(super) driver: Driver,
    pub(super) scraper: Scraper,
    pub(super) group: Option<Group>,
    pub(super) fs_type: Option<&'static str>,
    /// The limit that the driver set for itself.
    pub(super) own_limit: Option<f64>,
    pub(super) notes: Vec<String>,
    _database: Option<Database>,
    _keeper: Keeper,
}

impl Setup {
    pub(super) fn make(spec: &Spec, program: &Path) -> Result<Self, RunError> {
        let mut keeper = Keeper::start(program)?;
        let (kind, pid) = (spec.kind.name(), std::process::id());
        // Nobody can make the group before us under a name that nobody can guess.
        let name = format!("{PREFIX}{kind}-{pid}-{:016x}", unguessable());
        let mut notes = Vec::new();
        let limits = Limits {
            memory_bytes: (spec.kind == Kind::Memory).then_some(spec.limit),
            cpu_cores: (spec.kind == Kind::Cpu).then_some(spec.limit),
        };
        let group = Group::create(Path::new(GROUPS), &name, limits, &mut keeper);
        if let Err(error) = &group {
            notes.extend(without_group(spec.kind, error));
        }
        let group = group.ok();
        if group.is_some() {
            notes.push(format!("control group /{name}"));
        }
        let folder = match spec.kind {
            Kind::Disk | Kind::Connections => Some(temporary(&mut keeper)?),
            Kind::Memory | Kind::Descriptors | Kind::Cpu | Kind::Dependency => None,
        };
        let inodes = spec.mechanism == Mechanism::Inodes;
        let disk = folder.as_deref().filter(|_| spec.kind == Kind::Disk);
        let disk = disk
            .map(|folder| SmallDisk::mount(folder, spec.limit, inodes, &mut keeper))
            .transpose()?;
        let database = folder.as_deref().filter(|_| spec.kind == Kind::Connections);
        let mut database = database
            .map(|folder| Database::start(folder, spec.limit, &mut keeper))
            .transpose()?;
        let mut driver = Driver::start(program)?;
        keeper.will_end(driver.pid())?;
        if let Some(group) = &group {
            group.add(driver.pid())?;
        }
        let task = Task {
            spec: spec.clone(),
            parent: std::process::id(),
            folder: disk.as_ref().map(|disk| disk.point.clone()),
            port: database.as_ref().map(|database| database.port),
            grouped: group.is_some(),
        };
        let (port, own_limit) = driver.prepare(&task)?;
        let mut scraper = Scraper::new(spec.kind, driver.pid());
        scraper.address_space = own_limit.is_some();
        scraper.group.clone_from(&group);
        scraper.disk = disk.as_ref().map(|disk| (disk.point.clone(), disk.fs_type));
        scraper.database = database
            .as_mut()
            .and_then(|database| database.client.take());
        let service = port.filter(|_| spec.kind == Kind::Cpu);
        let service = service.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let ingress = service
            .map(|service| Ingress::start(spec, service))
            .transpose();
        Ok(Self {
            ingress: ingress.map_err(RunError::Talk)?,
            driver,
            scraper,
            group,
            fs_type: disk.map(|disk| disk.fs_type),
            own_limit,
            notes,
            _database: database,
            _keeper: keeper,
        })
    }

    /// Listens to the driver for up to `wait`, keeps the load going, and notes what happened.
    pub(super) fn look_after(
        &mut self,
        spec: &Spec,
        verdict: &mut Verdict,
        elapsed: Duration,
        wait: Duration,
    ) -> Result<(), RunError> {
        let mut wait = wait;
        while let Some(tell) = self.driver.listen(wait) {
            verdict.hear(tell)?;
            // What else it has said is there already.
            wait = Duration::ZERO;
        }
        if let Some(ingress) = &mut self.ingress
            && let Some((at_s, evidence)) = ingress.step(elapsed)
        {
            verdict.exhaust(at_s, evidence);
        }
        let Some(how) = self.driver.ended() else {
            return Ok(());
        };
        // What it said before its end counts, and may be still on its way.
        for tell in self.driver.last_words() {
            verdict.hear(tell)?;
        }
        let kills = self
            .group
            .as_ref()
            .filter(|_| spec.kind == Kind::Memory)
            .map_or(0, Group::oom_kills);
        if kills == 0 {
            return Err(RunError::Driver(how));
        }
        verdict.exhaust_now(format!(
            "kernel OOM kill in the cgroup (oom_kill={kills}), {how}"
        ));
        Ok(())
    }
}

/// Another number each time. The standard library keys its hash tables from the system's source of randomness.
fn unguessable() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A folder that the keeper removes.
fn temporary(keeper: &mut Keeper) -> Result<PathBuf, SandboxError> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir();
    let folder = folder.map_err(SandboxError::io("making a folder in", std::env::temp_dir()))?;
    keeper.will(Undo::Folder(folder.path().to_owned()))?;
    Ok(folder.keep())
}

/// What a run does without a control group, where that matters.
fn without_group(kind: Kind, error: &SandboxError) -> Option<String> {
    let instead = match kind {
        Kind::Memory => {
            "the address space of the process is bounded instead (RLIMIT_AS): it fails to allocate, nobody is killed"
        }
        Kind::Cpu => {
            "the service bounds itself to one worker that rests, and no throttling is seen"
        }
        Kind::Disk | Kind::Descriptors | Kind::Connections | Kind::Dependency => return None,
    };
    let why = if let SandboxError::Io { source, .. } = error {
        source.to_string()
    } else {
        error.to_string()
    };
    Some(format!(
        "no control group may be made here ({why}): {instead}"
    ))
}

//! A PostgreSQL of the tests' own: in a temporary folder, on a free port of the loopback interface, gone with this process.
//! Talked to through `psql`: only the ledger may know of sqlx.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Starts a server, waits until its own standard input ends (with this process, however that ends), and stops it.
const KEEPER: &str = r#"
bin=$1 folder=$2 port=$3
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
cd "$folder" || exit 1
if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$folder"; fi
if [ ! -d data ]; then
  as "$bin/initdb" --no-sync --no-locale -E UTF8 -A trust -U postgres -D data >initdb.log 2>&1 || exit 1
fi
as "$bin/postgres" -D data -p "$port" -k '' -c listen_addresses=127.0.0.1 -c fsync=off \
  </dev/null >>server.log 2>&1 &
cat >/dev/null
kill -INT "$(head -n 1 data/postmaster.pid)"
wait
"#;
/// A machine that is busy with a build is slow, not broken.
const LIMIT: Duration = Duration::from_secs(60);

/// A server, while it runs.
pub(crate) struct Postgres {
    bin: PathBuf,
    folder: TempDir,
    port: u16,
    keeper: Option<Child>,
}

impl Postgres {
    /// Starts one. Where there is no PostgreSQL, whoever develops is told, and whoever releases (`CI`) is stopped.
    pub(crate) fn start() -> Option<Self> {
        let mut server = Self {
            bin: programs()?,
            folder: scratch(),
            port: free_port(),
            keeper: None,
        };
        server.start_again();
        Some(server)
    }

    /// Starts it over the same data, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .args([self.bin.as_path(), self.folder.path()])
            .arg(self.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.keeper = Some(keeper.unwrap());
        let begin = Instant::now();
        while let Err(error) = self.psql("SELECT 1") {
            let log = fs::read_to_string(self.folder.path().join("server.log"));
            assert!(
                begin.elapsed() < LIMIT,
                "{error}\n{}",
                log.unwrap_or_default()
            );
            // It announces itself in no other way.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            // It fails when it has ended, which is as good.
            let _ = keeper.wait();
        }
    }

    /// The URL of its one database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Takes everything out of its database.
    pub(crate) fn empty(&self) {
        self.run(
            "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        );
    }

    /// What anybody may do who has the password.
    pub(crate) fn run(&self, sql: &str) {
        self.psql(sql).unwrap();
    }

    fn psql(&self, sql: &str) -> Result<(), String> {
        let output = Command::new(self.bin.join("psql"))
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.url(),
                "-c",
                sql,
            ])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(error)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        // What belongs to another user is removed by root, who started it.
        match fs::remove_dir_all(self.folder.path().join("data")) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => eprintln!("{}: {error}", self.folder.path().display()),
        }
    }
}

/// A folder in memory, where there is one: nothing here is about power that fails, and a disk takes most of the time.
pub(crate) fn scratch() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// The folder with PostgreSQL's programs: where Debian keeps the newest, or on the path.
fn programs() -> Option<PathBuf> {
    let names = ["initdb", "postgres", "psql"];
    let has_all = |bin: &PathBuf| names.iter().all(|name| bin.join(name).exists());
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| {
        // A link leads to where the other files of the installation are.
        let initdb = fs::canonicalize(folder.join("initdb")).unwrap_or_default();
        initdb.parent().map(Path::to_owned).unwrap_or_default()
    });
    let mut debian: Vec<PathBuf> = debian.filter(has_all).collect();
    debian.sort();
    let found = debian.pop().or_else(|| { on_path }.find(has_all));
    if found.is_none() {
        let install =
            "PostgreSQL is not here: install postgresql (Debian: apt-get install postgresql)";
        assert!(std::env::var_os("CI").is_none(), "{install}");
        eprintln!("skipped on PostgreSQL: {install}");
    }
    found
}

/// A port where nobody listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

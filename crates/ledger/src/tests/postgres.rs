//! A PostgreSQL of the tests' own: in a temporary folder, on a free port of the loopback interface, gone with this process.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::link::{Link, Purpose, Way};
use crate::sql::Statement;

/// Starts a server, waits until its own standard input ends (with this process, however that ends), and stops it. Where a
/// certificate and its key lie in the folder, it speaks TLS too.
const KEEPER: &str = r#"
bin=$1 folder=$2 port=$3 after=$4
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
cd "$folder" || exit 1
if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$folder"; fi
tls=off
if [ -f server.key ]; then tls=on; chmod 600 server.key; fi
if [ ! -d data ]; then
  as "$bin/initdb" --no-sync --no-locale -E UTF8 -A trust -U postgres -D data >initdb.log 2>&1 || exit 1
fi
as "$bin/postgres" -D data -p "$port" -k '' -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 \
  -c ssl="$tls" -c ssl_cert_file="$folder/server.crt" -c ssl_key_file="$folder/server.key" \
  </dev/null >>server.log 2>&1 &
cat >/dev/null
kill -INT "$(head -n 1 data/postmaster.pid)"
wait
if [ "$after" = remove ]; then cd / && rm -rf "$folder"; fi
"#;

/// A server, while it runs.
pub(super) struct Server {
    keeper: Child,
    pub(super) port: u16,
}

impl Server {
    /// Starts one over the data in a folder, which are made when they are not there.
    pub(super) async fn start(bin: &Path, folder: &Path, port: u16, after: &str) -> Self {
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .args([bin, folder])
            .args([&port.to_string(), after])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { keeper, port };
        let begin = Instant::now();
        while let Err(error) = server.connect("postgres").await {
            let log = folder.join("server.log");
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{error:?}\n{}",
                fs::read_to_string(log).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    async fn connect(&self, database: &str) -> Result<Link, crate::Fault> {
        let limit = Duration::from_secs(30);
        let way = Way::postgres(&self.url(database), Purpose::Writing, limit);
        way.unwrap().connect().await
    }

    /// Stops it, and waits until it has stopped.
    pub(super) fn stop(mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }

    /// An empty database.
    pub(super) async fn new_database(&self) -> String {
        static N: AtomicU32 = AtomicU32::new(0);
        let name = format!("ledger_{}", N.fetch_add(1, Ordering::Relaxed));
        let mut link = self.connect("postgres").await.unwrap();
        let sql = format!("CREATE DATABASE {name}");
        let made = link.session().execute(Statement::new("x", &sql, [])).await;
        made.unwrap();
        link.close().await;
        self.url(&name)
    }
}

/// The folder with PostgreSQL's programs: where Debian keeps the newest, or on the path. Where there is none, whoever
/// develops is told, and whoever releases (`CI`) is stopped.
pub(super) fn programs() -> Option<PathBuf> {
    let has_both = |bin: &PathBuf| {
        ["initdb", "postgres"]
            .iter()
            .all(|it| bin.join(it).exists())
    };
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| {
        // A link leads to where the other files of the installation are.
        let initdb = fs::canonicalize(folder.join("initdb")).unwrap_or_default();
        initdb.parent().map(Path::to_owned).unwrap_or_default()
    });
    let mut debian: Vec<PathBuf> = debian.filter(has_both).collect();
    debian.sort();
    let found = debian.pop().or_else(|| { on_path }.find(has_both));
    if found.is_none() {
        let install =
            "PostgreSQL is not here: install postgresql (Debian: apt-get install postgresql)";
        assert!(std::env::var_os("CI").is_none(), "{install}");
        eprintln!("skipped on PostgreSQL: {install}");
    }
    found
}

/// A port where nobody listens.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An empty database in the server that all tests share; `None` where there is no PostgreSQL.
pub(super) async fn new_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    // Started in a thread of its own: the caller is inside a runtime, and others wait here for the same server.
    let start = || {
        let bin = programs()?;
        let folder = tempfile::tempdir().unwrap().keep();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        Some(runtime.block_on(Server::start(&bin, &folder, free_port(), "remove")))
    };
    let in_thread = || std::thread::spawn(start).join().unwrap();
    let server = SERVER.get_or_init(in_thread);
    match server {
        Some(server) => Some(server.new_database().await),
        None => None,
    }
}

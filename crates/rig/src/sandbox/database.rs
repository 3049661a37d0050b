//! A PostgreSQL of its own: in a temporary folder, on a free port of the loopback interface, with few connections.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Keeper, SandboxError, is_root, program};
use crate::postgres::Client;

/// Where Debian keeps the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// A server that does not answer after this long will not.
const PATIENCE: Duration = Duration::from_secs(30);
/// One that does not end its sessions in this time is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A running server. The keeper ends it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) port: u16,
    /// For the scraper: a superuser's connection. It is there before any other, so it never competes for the last ones.
    pub(crate) client: Option<Client>,
    server: Child,
}

impl Database {
    /// Makes and starts one in `folder`.
    ///
    /// # Errors
    /// When PostgreSQL is not there, or does not start.
    pub(crate) fn start(
        folder: &Path,
        max_connections: f64,
        keeper: &mut Keeper,
    ) -> Result<Self, SandboxError> {
        let programs = programs().ok_or(SandboxError::NoPostgres)?;
        let data = folder.join("postgres");
        fs::create_dir(&data).map_err(SandboxError::io("making", &data))?;
        let owner = is_root().then(owner).flatten();
        if let Some((user, group)) = owner {
            for path in [folder, &data] {
                chown(path, Some(user), Some(group))
                    .map_err(SandboxError::io("giving away", path))?;
            }
        }
        // PostgreSQL refuses to run as root.
        let command = |name: &str| {
            let mut command = Command::new(programs.join(name));
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            command.current_dir(&data);
            command
        };
        let mut initdb = command("initdb");
        initdb.args([
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-D",
        ]);
        program("initdb", initdb.arg(&data))?;
        let port = free_port()?;
        let mut server = command("postgres");
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "superuser_reserved_connections=3",
            "max_wal_senders=0",
            "shared_buffers=4MB",
            "autovacuum=off",
            "fsync=off",
            &format!("max_connections={max_connections}"),
        ] {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(folder.join("log"))
            .map_err(SandboxError::io("making the log in", folder))?;
        server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0);
        let server = server
            .spawn()
            .map_err(SandboxError::io("starting", programs.join("postgres")))?;
        // Dropping it ends and reaps the server, should something go wrong from here on.
        let mut database = Self {
            port,
            client: None,
            server,
        };
        keeper.will_end(database.server.id())?;
        let mut client = wait(port, &mut database.server, &folder.join("log"))?;
        let made = client.query("CREATE ROLE app LOGIN");
        made.map_err(|error| SandboxError::Program {
            program: "postgres",
            said: error.to_string(),
        })?;
        database.client = Some(client);
        Ok(database)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The keeper would do it, but only this process can take note that it is gone.
        end(&mut self.server, ENDS_WITHIN);
    }
}

/// Ends a server and its sessions, and reaps it; one that does not end in time is killed, which its sessions notice.
fn end(server: &mut Child, patience: Duration) {
    let begin = Instant::now();
    let pid = i32::try_from(server.id()).ok();
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
    while begin.elapsed() < patience {
        if server.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = server.kill();
    let _ = server.wait();
}

/// The folder with `initdb` and `postgres`: of the newest version, or on the path.
fn programs() -> Option<PathBuf> {
    let version = |path: &PathBuf| {
        let name = path.parent()?.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let mut found: Vec<PathBuf> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort_by_key(version);
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        let mut folders = std::env::split_paths(&path);
        // A link leads to where the other files of the installation are.
        let initdb = folders.find_map(|folder| fs::canonicalize(folder.join("initdb")).ok())?;
        initdb.parent().map(Path::to_owned)
    };
    found.pop().or_else(on_path)
}

/// User and group as whom it runs when we are root: its own, or nobody's.
fn owner() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let of = |name: &str| {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut columns = line.split(':').skip(2);
        Some((columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn free_port() -> Result<u16, SandboxError> {
    let doing = SandboxError::io("looking for a free port on", "127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(doing)
}

fn wait(port: u16, server: &mut Child, log: &Path) -> Result<Client, SandboxError> {
    let begin = Instant::now();
    loop {
        let error = match Client::connect(port, "postgres") {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let ended = server.try_wait().is_ok_and(|status| status.is_some());
        if ended || begin.elapsed() > PATIENCE {
            let said = fs::read_to_string(log).unwrap_or_default();
            let last = said
                .lines()
                .last()
                .map_or_else(|| error.to_string(), str::to_owned);
            return Err(SandboxError::Program {
                program: "postgres",
                said: last,
            });
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// How a shell script ends that is ended as a server, once it has said something.
    fn ended_by(script: &str) -> Option<i32> {
        let mut command = Command::new("sh");
        let mut server = command
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0];
        server
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut said)
            .unwrap();
        end(&mut server, Duration::from_millis(200));
        server.try_wait().unwrap().unwrap().signal()
    }

    #[test]
    fn a_server_that_does_not_end_is_killed_and_reaped() {
        assert_eq!(
            ended_by("trap '' INT; echo; while :; do sleep 0.05; done"),
            Some(9)
        );
        assert_eq!(
            ended_by("trap 'exit 0' INT; echo; while :; do sleep 0.05; done"),
            None
        );
    }
}

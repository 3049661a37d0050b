//! `forestall serve`: the main job.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use hotpath::Shard;
use remedy::Phase;
use series::Unit;
use server::{Config, Hangup, Running, Signals, StartError, SystemClock};
use tracing_subscriber::EnvFilter;

use crate::config::MemberArgs;
use crate::hint::WithHint;
use crate::numbers::human;

const EXAMPLES: &str = "\
Examples:
  forestall serve
      Watch this machine. Then, in another terminal: forestall watch
  forestall serve --config forestall.toml
      `forestall config print` writes a file with every key and its default.
  forestall serve --capture data
      Keep all that is seen and scored, bounded, to train on: forestall dataset describe data
  forestall serve --no-host --listen 127.0.0.1:9000
      Only what is pushed over gRPC, on another port.

Signals:
  SIGINT and SIGTERM stop it in good order: what was sent is scored, what was learned is kept.
  SIGHUP does the same where standard input is a terminal, which sends it when it is closed.
  Without a terminal, it looks at once at which version of the model is the champion.";

/// Watches this machine, and whatever is pushed over gRPC, until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Configuration file; what is given here on the command line wins over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 is the system's choice
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where to keep what was learned over a restart
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Keep nothing on disk
    #[arg(long, conflicts_with = "state_dir")]
    no_state: bool,
    /// Write every scored sample to this directory, as Parquet, for `forestall dataset` and `forestall train`
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// Leave this machine's own metrics alone
    #[arg(long)]
    no_host: bool,
    #[command(flatten)]
    members: MemberArgs,
    /// What to log to standard error: a level, or directives such as `server=debug,warn`
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: String,
}

/// Runs it.
///
/// # Errors
/// When the configuration makes no sense, the address is taken, or state cannot be read or written.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = args.load()?;
    let filter = EnvFilter::try_new(&args.log).with_context(|| format!("--log {:?}", args.log))?;
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .context("starting the network runtime")?
        .block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let hangup = match std::io::stdin().is_terminal() {
        true => Hangup::Stops,
        false => Hangup::Reloads,
    };
    let signals = Signals::listen(hangup).context("taking over signals")?;
    let running = Box::pin(server::start(config.clone(), Arc::new(SystemClock)))
        .await
        .map_err(with_advice)?;
    // A closed standard output is no reason not to serve.
    let _ = welcome(&mut std::io::stdout().lock(), &config, &running);
    running.until_signal(signals).await.context("stopping")
}

impl ServeArgs {
    fn load(&self) -> anyhow::Result<Config> {
        let mut config = self
            .config
            .as_deref()
            .map(Config::load)
            .transpose()?
            .unwrap_or_default();
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        if let Some(dir) = &self.state_dir {
            config.state.dir.clone_from(dir);
            config.state.enabled = true;
        }
        config.state.enabled &= !self.no_state;
        if let Some(dir) = &self.capture {
            config.capture.dir.clone_from(dir);
        }
        config.host.enabled &= !self.no_host;
        // Where this program cannot be found again, graphs of others are loaded right here.
        config.models.prober = std::env::current_exe().ok();
        self.members.apply(&mut config.engine)?;
        Ok(config)
    }
}

/// What is being watched, and what to try next.
fn welcome(out: &mut dyn Write, config: &Config, running: &Running) -> anyhow::Result<()> {
    let at = running.local_addr();
    let scheme = if config.server.tls_cert.as_os_str().is_empty() {
        "http"
    } else {
        "https"
    };
    writeln!(
        out,
        "forestall {} listens on {scheme}://{at}",
        env!("CARGO_PKG_VERSION")
    )?;
    if config.host.enabled {
        let host = &config.host;
        writeln!(
            out,
            "  watching   this machine every {} s, with its {} busiest processes",
            host.interval_s, host.top_processes
        )?;
    } else {
        writeln!(out, "  watching   what is pushed over gRPC")?;
    }
    writeln!(
        out,
        "  detectors  {}",
        Shard::new(&config.engine)?.member_names().join(", ")
    )?;
    match config.state.resolved_dir().filter(|_| config.state.enabled) {
        Some(dir) => {
            let seconds = config.state.snapshot_interval_s;
            writeln!(
                out,
                "  state      {}, written every {seconds} s",
                dir.display()
            )?;
        }
        None => writeln!(out, "  state      in memory only")?,
    }
    planner(out, config)?;
    if config.capture.is_enabled() {
        let bound = human(config.capture.max_bytes as f64, Unit::Bytes);
        writeln!(
            out,
            "  capture    {}, at most {bound}",
            config.capture.dir.display()
        )?;
    }
    let is_default = at == Config::default().server.listen;
    let addr = if is_default {
        String::new()
    } else {
        format!(" --addr {scheme}://{at}")
    };
    writeln!(out, "\nTry next, in another terminal:")?;
    writeln!(
        out,
        "  forestall watch{addr}\n  forestall risks{addr}\n  forestall issues{addr}\n\nCtrl-C stops."
    )?;
    out.flush()?;
    Ok(())
}

/// How much is done without a person, by what, and where it is remembered.
fn planner(out: &mut dyn Write, config: &Config) -> anyhow::Result<()> {
    let state = config.state.resolved_dir().filter(|_| config.state.enabled);
    let ledger = server::planning::location(config, state.as_deref())?;
    let Some(ledger) = ledger.filter(|_| config.planner.enabled) else {
        writeln!(
            out,
            "  planner    none: no issues are opened and no plans made"
        )?;
        return Ok(());
    };
    let executor = match config.safety.phase {
        Phase::Observe | Phase::Propose => "dry_run: nothing is changed",
        Phase::Approve | Phase::Constrained | Phase::Autonomous => &config.planner.executor,
    };
    writeln!(
        out,
        "  planner    phase {}, executor {executor}",
        config.safety.phase.name()
    )?;
    writeln!(out, "  ledger     {ledger}")?;
    Ok(())
}

fn with_advice(error: StartError) -> anyhow::Error {
    #[expect(clippy::wildcard_enum_match_arm, reason = "advice where there is some")]
    let advice = match &error {
        StartError::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
            Some(
                "is a server running already? `forestall watch` shows it; --listen 127.0.0.1:0 takes a free port",
            )
        }
        StartError::State(_) | StartError::Feedback(_) => {
            Some("name another directory with --state-dir DIR, or keep nothing with --no-state")
        }
        StartError::Capture(_) => Some("name another directory with --capture DIR"),
        _ => None,
    };
    let error = anyhow::Error::new(error);
    match advice {
        Some(advice) => error.hint(advice),
        None => error,
    }
}

//! `forestall watch`: what runs out and the riskiest series, live, in the terminal.

mod detail;
mod fetch;
mod render;
mod runs_out;
pub(crate) mod spark;
mod state;

use std::io::Write;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use self::fetch::Update;
use self::state::{Action, Query, State};
use crate::connect::{ServerArgs, refused};

const EXAMPLES: &str = "\
Examples:
  forestall watch
  forestall watch --filter 'process_cpu_ratio'
  forestall watch --filter '{job=\"db\"}' --min-score 0.99
  forestall watch --once
      One frame as plain text, for scripts.

Press ? for the keys.";

/// How long the screen may lag behind an answer.
const FRAME: Duration = Duration::from_millis(100);

/// Shows, live, what runs out and when, and which series are odd and why.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Which series, as a PromQL selector: a metric, labels in braces, or both
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    filter: String,
    /// Only scores from here, 0 to 1: 0.999 is exceeded by 1 in 1,000 normal samples
    #[arg(long, value_name = "SCORE", default_value_t = 0.0)]
    min_score: f64,
    /// Seconds between two looks at the server
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Print one frame as plain text and leave
    #[arg(long)]
    once: bool,
    /// Columns and rows of that frame
    #[arg(long, value_name = "COLSxROWS", default_value = "150x40", value_parser = size, requires = "once")]
    size: (u16, u16),
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|s| (0.05..=3600.0).contains(s));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds from 0.05 to 3600".to_owned())
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parse = |text: &str| text.parse::<u16>().ok().filter(|n| (10..=1000).contains(n));
    let both = text
        .split_once('x')
        .and_then(|(cols, rows)| Some((parse(cols)?, parse(rows)?)));
    both.ok_or_else(|| "expected columns and rows from 10 to 1000, such as 150x40".to_owned())
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached at the start, or the terminal fails.
pub(crate) fn run(args: &WatchArgs) -> anyhow::Result<()> {
    let query = Query {
        filter: args.filter.clone(),
        min_score: args.min_score,
    };
    let mut state = State::new(&args.server.addr, query.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.context("starting the network runtime")?;
    let connection = runtime.block_on(args.server.connect())?;
    // The first answer comes before the screen is taken over: what is wrong is told as plain text.
    let first = runtime
        .block_on(fetch::snapshot(&connection, &query))
        .map_err(|status| refused(&status))?;
    state.update(first);
    if args.once {
        return print(&state, args.size);
    }
    let (to_fetch, actions) = unbounded_channel();
    let (to_view, updates) = channel();
    runtime.spawn(fetch::run(
        connection,
        query,
        args.interval,
        actions,
        to_view,
    ));
    let mut terminal =
        ratatui::try_init().context("taking over the terminal; `--once` needs none")?;
    let outcome = view(&mut terminal, &mut state, &updates, &to_fetch);
    ratatui::restore();
    // A request that hangs is not worth waiting for.
    runtime.shutdown_background();
    outcome
}

fn view(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    updates: &Receiver<Update>,
    to_fetch: &UnboundedSender<Action>,
) -> anyhow::Result<()> {
    loop {
        for update in updates.try_iter() {
            take(state, update);
        }
        terminal
            .draw(|frame| render::draw(frame, state))
            .context("drawing")?;
        if !event::poll(FRAME).context("reading keys")? {
            continue;
        }
        let Event::Key(key) = event::read().context("reading keys")? else {
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let stop = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
        match if stop {
            Some(Action::Quit)
        } else {
            state.key(key.code)
        } {
            Some(Action::Quit) => return Ok(()),
            Some(action) => drop(to_fetch.send(action)),
            None => {}
        }
    }
}

fn take(state: &mut State, update: Update) {
    match update {
        Update::Snapshot(snapshot) => state.update(*snapshot),
        Update::Lost(message) => (state.lost, state.message) = (true, message),
        Update::Said(message) => state.message = message,
    }
}

/// One frame without colours, blank ends cut.
fn print(state: &State, (cols, rows): (u16, u16)) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(frame(state, cols, rows)?.as_bytes())?;
    Ok(())
}

fn frame(state: &State, cols: u16, rows: u16) -> anyhow::Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(cols, rows)).context("drawing")?;
    terminal
        .draw(|frame| render::draw(frame, state))
        .context("drawing")?;
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..rows {
        let line: String = (0..cols)
            .filter_map(|x| buffer.cell((x, y)))
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests;

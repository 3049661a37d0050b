//! The one binary: arguments in, subcommands out. Each subcommand is one file (or folder) beside this one.

mod capture;
mod completions;
mod config;
mod connect;
mod culprits;
mod dataset;
mod dates;
mod detectors;
mod doctor;
mod evaluate;
mod features_list;
mod feedback;
mod help;
mod hint;
mod interrupt;
mod model_file;
mod models;
mod numbers;
mod outlook;
mod page;
mod plain;
mod planner;
mod progress;
mod replay;
mod rig;
mod risks;
mod runtime;
mod series_list;
mod serve;
mod simulate;
mod table;
mod train;
mod watch;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

const FIRST_STEPS: &str = "\
First steps:
  forestall serve                           watch this machine
  forestall watch                           see, live, what is odd (in a second terminal)
  forestall outlook                         what runs out, and when
  forestall issues                          what is wrong or will be, and the plan for it
  forestall replay FILE --plot out.html     judge recorded metrics";

/// Watches infrastructure metrics, says what is odd and what runs out, and plans what to do about it.
#[derive(Debug, Parser)]
#[command(name = "forestall", version, after_help = FIRST_STEPS, arg_required_else_help = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Watch(watch::WatchArgs),
    Risks(risks::RisksArgs),
    Outlook(outlook::OutlookArgs),
    Series(series_list::SeriesArgs),
    Feedback(feedback::FeedbackArgs),
    #[command(flatten)]
    Planner(planner::Command),
    Capture(capture::CaptureArgs),
    Replay(replay::ReplayArgs),
    Eval(evaluate::EvalArgs),
    Dataset(dataset::DatasetArgs),
    Rig(rig::RigArgs),
    Models(models::ModelsArgs),
    Train(train::TrainArgs),
    Simulate(simulate::SimulateArgs),
    Detectors(detectors::DetectorsArgs),
    Doctor(doctor::DoctorArgs),
    /// Lists the features that detectors see, with their units
    Features,
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    /// Tries a graph on standard input, so that what it does to a process is done to this one
    #[command(name = "__probe-model", hide = true)]
    ProbeModel,
    /// Makes the fault of `forestall rig`, until it is killed
    #[command(name = "__rig-driver", hide = true)]
    RigDriver,
    /// Undoes the sandbox of `forestall rig` when that is gone
    #[command(name = "__rig-keeper", hide = true)]
    RigKeeper,
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Risks(args) => risks::run(&args),
        Command::Outlook(args) => outlook::run(&args),
        Command::Series(args) => series_list::run(&args),
        Command::Feedback(args) => feedback::run(&args),
        Command::Planner(command) => planner::run(&command),
        Command::Capture(args) => capture::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Eval(args) => evaluate::run(&args),
        Command::Dataset(args) => dataset::run(&args),
        Command::Rig(args) => rig::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Detectors(args) => detectors::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Features => features_list::run(),
        Command::Config(args) => config::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::ProbeModel => models::probe(),
        Command::RigDriver => Ok(::rig::driver_main()?),
        Command::RigKeeper => Ok(::rig::keeper_main()?),
    }
}

/// 0 when all went well, 1 when it did not, 2 (from clap) when the arguments make no sense. A command that tells more by its
/// code says so in its help.
fn main() -> ExitCode {
    match help::parse::<Cli>().and_then(|cli| run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if reader_is_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", plain::lines(&hint::message(&error)));
            ExitCode::from(hint::exit_code(&error))
        }
    }
}

/// Whether the error is only that nobody reads the output any more, as under `| head`.
fn reader_is_gone(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind)
    };
    error
        .chain()
        .any(|cause| io(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

//! `forestall dataset check`: is it what it says it is?
//!
//! The files may come from strangers, and the reader of Parquet ends the process on some that were made to harm. So the
//! work is done in a process of its own, which says before each file that it begins: when it dies, the file is known,
//! named as a problem, and left out of the next attempt.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ::dataset::{Checked, Problem};
use anyhow::{Context, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::numbers::grouped;
use crate::progress;

/// So many files may end the reader; after that the set is not worth reading.
const MAX_DEATHS: usize = 16;
/// So many problems are printed; `--json` has them all.
const SHOWN: usize = 100;

/// Reads every row and says what is wrong, with file and row; ends with 1 if anything is
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The data set's folder
    dir: PathBuf,
    /// Write what was found as JSON
    #[arg(long)]
    json: bool,
    /// Do the work in this process, and tell of it on standard output
    #[arg(long, hide = true)]
    inside: bool,
    /// Files that are not read
    #[arg(long, hide = true, value_name = "FILE")]
    skip: Vec<String>,
}

/// A line that the process that does the work writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// This file is next.
    Begins(String),
    /// So many rows of so many are read.
    Done(u64, u64),
    /// That was all.
    Checked(Checked),
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    // Opened here too: what is no data set at all is said plainly.
    let folder = super::open(&args.dir)?;
    if args.inside {
        let skip: BTreeSet<String> = args.skip.iter().cloned().collect();
        // Nobody to tell when the pipe breaks: the one who asked is gone.
        let say = |line: &Line| {
            let mut out = std::io::stdout().lock();
            let _ = serde_json::to_writer(&mut out, line).map(|()| writeln!(out));
            let _ = out.flush();
        };
        let checked = ::dataset::check(
            &folder,
            &skip,
            &mut |file| say(&Line::Begins(file.to_owned())),
            &mut |done, all| say(&Line::Done(done, all)),
        );
        say(&Line::Checked(checked));
        return Ok(());
    }
    let bar = progress::items("checking", 0);
    let mut deadly: Vec<String> = Vec::new();
    let mut checked = loop {
        match attempt(args, &deadly, &bar)? {
            Ok(checked) => break checked,
            Err(file) if deadly.len() < MAX_DEATHS && !deadly.contains(&file) => deadly.push(file),
            Err(file) => bail!(
                "{file}: the reader died of it, and of {} files before",
                deadly.len()
            ),
        }
    };
    bar.finish_and_clear();
    checked.files += deadly.len() as u64;
    checked
        .problems
        .extend(deadly.into_iter().map(|file| Problem {
            file,
            row: None,
            what: "not a readable Parquet file: the reader died of it".to_owned(),
            more: 0,
        }));
    report(args, &checked)
}

/// One process over all files but those in `deadly`; the file in which it died, if it did.
fn attempt(
    args: &CheckArgs,
    deadly: &[String],
    bar: &indicatif::ProgressBar,
) -> anyhow::Result<Result<Checked, String>> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command.args(["dataset", "check", "--inside"]);
    for file in deadly {
        command.args(["--skip", file]);
    }
    let mut child = command
        .arg("--")
        .arg(&args.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("starting the reader")?;
    let (mut last, mut found) = (String::new(), None);
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // A line that was cut off by the end of the process says nothing.
            match serde_json::from_str(&line) {
                Ok(Line::Begins(file)) => last = file,
                Ok(Line::Done(done, all)) => {
                    bar.set_length(all);
                    bar.set_position(done);
                }
                Ok(Line::Checked(checked)) => found = Some(checked),
                Err(_) => break,
            }
        }
    }
    let status = child.wait().context("waiting for the reader")?;
    match found {
        Some(checked) => Ok(Ok(checked)),
        None if last.is_empty() => bail!("the reader ended before the first file: {status}"),
        None => Ok(Err(last)),
    }
}

fn report(args: &CheckArgs, checked: &Checked) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let (rows, files) = (grouped(checked.rows), grouped(checked.files));
    if args.json {
        serde_json::to_writer_pretty(&mut out, checked)?;
        writeln!(out)?;
    } else {
        for problem in checked.problems.iter().take(SHOWN) {
            writeln!(out, "{problem}")?;
        }
        if checked.problems.len() > SHOWN {
            let more = checked.problems.len() - SHOWN;
            writeln!(
                out,
                "and {} more; --json has them all",
                grouped(more as u64)
            )?;
        }
        if !checked.unsealed.is_empty() {
            let n = checked.unsealed.len();
            writeln!(
                out,
                "{n} journals are not sealed yet and were not looked at"
            )?;
        }
        if checked.problems.is_empty() {
            writeln!(out, "{rows} rows in {files} files are fine")?;
        }
    }
    out.flush()?;
    match checked.problems.len() {
        0 => Ok(()),
        1 => bail!("1 problem in {rows} rows of {files} files"),
        n => bail!(
            "{} problems in {rows} rows of {files} files",
            grouped(n as u64)
        ),
    }
}

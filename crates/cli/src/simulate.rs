//! `forestall simulate`: episodes of resources that run out, or do not, with the truth beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use eval::column::parallel_map;
use eval::exhaustion::MIN_ROWS;
use flate2::Compression;
use flate2::write::GzEncoder;
use training::exhaustion::recording::{Kind, Plan, RecordedTruth, Scenario};

use crate::hint::WithHint;
use crate::numbers::grouped;
use crate::progress;

const EXAMPLES: &str = "\
Examples:
  forestall simulate --out episodes && forestall eval exhaustion --data episodes
      60 episodes of every kind, and how well the engine foresees what comes of them.
  forestall simulate --out leaks --kind memory,fd --events 0.8 --episodes 200 --seed 7
      Leaks above all. The same seed and options give the same bytes.
  forestall simulate --out rough --gaps 0.05 --restarts 0.3 --several 0.3 --jitter 0.2
      Scrapes that fail and come late, processes that start anew, neighbours that move too.
  forestall simulate --out week --hours 168 --kind disk,cpu --scrape 60
      Days: load has a daily period as often as not.
  forestall simulate --out fast --time-scale 20
      A second of the recording stands for 20. `eval exhaustion` asks every 5 s of a recording, so it
      asks a twentieth as often, and as often as about faults that were driven faster than life.
  forestall simulate --out one --episodes 1 && forestall replay one/*.csv.gz --plot one.html

Each episode is two files, in the form that recordings of real faults have:
  ID.csv.gz       what was scraped: ts,metric,labels,value; counters are cumulative. A failed scrape
                  is up{job=...} 0 and the absence of the job's series
  ID.truth.json   what came of it: kind, variant, exhausted, exhaustion_ts, onset_ts, driver_stop_ts
                  (a leak that stopped), censored (one that was still growing), evidence, capacity

What runs out is told by what happens, not by what was meant: a level that reaches its limit, or a
service that misses its objective (95 % quantile of latency 1 s, a fifth failed; for calls a half
failed) for ten bins of 20 seconds. The recording goes on for about six bins. Metrics are those of
cAdvisor, node_exporter, postgres_exporter and client libraries, and the shapes those that the
shipped models are trained on; the seeds are others.

A process that starts anew begins with empty memory, descriptors and connections, and with counters
at 0; files stay, and so do load and what is called. Of several resources the first to run out is
what the truth tells about; params.also_moving names the others.";

/// Generates labelled episodes: resources that run out, and resources that do not
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SimulateArgs {
    /// Folder for the episodes: a new or an empty one
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write to a folder that is not empty; simulated episodes in it are replaced, anything else stays
    #[arg(long)]
    force: bool,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    episodes: u32,
    /// Where all chance comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What may run out, in turn; all of them by default
    #[arg(long, value_name = "KIND,..", value_enum, value_delimiter = ',')]
    kind: Vec<KindName>,
    /// Share of episodes that run to failure, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    events: f64,
    /// Seconds of episode time between scrapes, 1 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    scrape: f64,
    /// How late scrapes come: one standard deviation, as a share of the time between two, 0 to 0.5
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    jitter: f64,
    /// Share of scrapes that fail, 0 to 0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    gaps: f64,
    /// Share of episodes in which the process starts anew, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    restarts: f64,
    /// Share of episodes in which two or three resources move at once, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    several: f64,
    /// Seconds of episode time in a second of the recording, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    time_scale: f64,
    /// The longest that an episode may last, in hours of episode time, 1 to 168
    #[arg(long, value_name = "H", default_value_t = 6.0)]
    hours: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// Of a container
    Memory,
    /// Bytes of a file system
    Disk,
    /// Inodes of a file system; the truth's kind is disk
    Inodes,
    /// Of a database
    Connections,
    /// Descriptors of a process
    Fd,
    /// Processor time of a service
    Cpu,
    /// What a service calls
    Dependency,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Memory => Self::Memory,
            KindName::Disk => Self::Disk,
            KindName::Inodes => Self::Inodes,
            KindName::Connections => Self::Connections,
            KindName::Fd => Self::Fd,
            KindName::Cpu => Self::Cpu,
            KindName::Dependency => Self::Dependency,
        }
    }
}

impl SimulateArgs {
    fn plan(&self) -> Plan {
        let named: Vec<Kind> = self.kind.iter().map(|kind| (*kind).into()).collect();
        Plan {
            kinds: if named.is_empty() {
                Kind::ALL.to_vec()
            } else {
                named
            },
            seed: self.seed,
            events: self.events,
            scrape_s: self.scrape,
            jitter: self.jitter,
            gaps: self.gaps,
            restarts: self.restarts,
            several: self.several,
            time_scale: self.time_scale,
            hours: self.hours,
        }
    }
}

/// Runs it.
///
/// # Errors
/// When the options make no sense, or the folder cannot be written to.
pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let plan = args.plan();
    plan.check().map_err(|error| {
        anyhow::Error::new(error).hint("`forestall help simulate` says what each option may be")
    })?;
    vacate(&args.out, args.force)?;
    let bar = progress::items("simulating", u64::from(args.episodes));
    let indices: Vec<usize> = (0..args.episodes as usize).collect();
    let truths: anyhow::Result<Vec<RecordedTruth>> = parallel_map(&indices, |index| {
        let truth = write(&plan, *index, &args.out);
        bar.inc(1);
        truth
    })
    .into_iter()
    .collect();
    bar.finish_and_clear();
    let truths = truths?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", summary(&truths, &args.out))?;
    let short = truths.iter().filter(|truth| truth.rows < MIN_ROWS).count();
    if short > 0 {
        writeln!(
            out,
            "Of these {short} have fewer than {MIN_ROWS} rows, and are not judged: scrape more often."
        )?;
    }
    writeln!(
        out,
        "`forestall eval exhaustion --data {}` judges the engine on them.",
        args.out.display()
    )?;
    Ok(())
}

/// Makes the folder, and sees to it that nothing is in it that would be taken for one of ours.
fn vacate(dir: &Path, force: bool) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making the folder {}", dir.display()))?;
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .with_context(|| format!("reading {}", dir.display()))?;
    if !force && !paths.is_empty() {
        let error = anyhow::anyhow!("{} is not empty", dir.display());
        return Err(error.hint(
            "name another folder, or replace the simulated episodes in this one with --force",
        ));
    }
    for path in paths.iter().filter(|path| is_ours(path)) {
        fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// Whether a file is named as we name episodes: `sim`, eight hexadecimal digits, a number.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name
        .strip_suffix(".csv.gz")
        .or_else(|| name.strip_suffix(".truth.json"));
    let parts = stem.and_then(|stem| stem.strip_prefix("sim")?.split_once('-'));
    parts.is_some_and(|(seed, index)| {
        let is = |text: &str, digit: fn(&char) -> bool| text.chars().all(|c| digit(&c));
        seed.len() == 8
            && is(seed, char::is_ascii_hexdigit)
            && index.len() >= 5
            && is(index, char::is_ascii_digit)
    })
}

/// Writes one episode; the truth last, since by it an episode is found.
fn write(plan: &Plan, index: usize, dir: &Path) -> anyhow::Result<RecordedTruth> {
    let scenario = Scenario::draw(plan, index).map_err(|error| {
        anyhow::Error::new(error)
            .context(format!("episode {index}"))
            .hint("--hours gives it more time, --seed other chances")
    })?;
    let path = dir.join(format!("{}.csv.gz", scenario.id()));
    let writing = || format!("writing {}", path.display());
    let file = File::create(&path).with_context(writing)?;
    let mut packed = GzEncoder::new(BufWriter::new(file), Compression::default());
    let truth = scenario.record(&mut packed).with_context(writing)?;
    let file = packed.finish().with_context(writing)?;
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .with_context(writing)?;
    let path = dir.join(format!("{}.truth.json", truth.id));
    let mut text = serde_json::to_vec_pretty(&truth).context("writing a truth as JSON")?;
    text.push(b'\n');
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(truth)
}

/// How many of what there are.
fn summary(truths: &[RecordedTruth], dir: &Path) -> String {
    let rows = truths.iter().map(|truth| truth.rows).sum();
    let counted = |exhausted: bool| {
        let mut n = 0;
        let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
        for truth in truths.iter().filter(|truth| truth.exhausted == exhausted) {
            n += 1;
            *of_kind.entry(truth.kind).or_default() += 1;
        }
        let kinds = of_kind.iter().map(|(kind, n)| format!("{n} {kind}"));
        match n {
            0 => "none".to_owned(),
            n => format!("{n} ({})", kinds.collect::<Vec<_>>().join(", ")),
        }
    };
    format!(
        "{}: {} episodes, {} rows. Run to failure: {}. Do not: {}.",
        dir.display(),
        truths.len(),
        grouped(rows),
        counted(true),
        counted(false)
    )
}

//! `forestall eval incidents`: does the planner see what is wrong, and would it do the right thing?

mod feeds;
mod label;
mod looker;
mod named;
mod player;
mod report;
mod scenario;
mod shape;
mod stage;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use eval::column::parallel_map;
use eval::incidents::{Answers, Card, Incident, Marked, Part, Told, mark};
use predict::exhaustion::Judge;
use remedy::Class;
use remedy::decision::{Candidate, Decision};
use remedy::strategy::STRATEGIES;
use serde::Serialize;

use self::named::{Named, read_all};
use self::player::{Played, is_open, play};
use self::scenario::Sort;
use crate::hint::WithHint;
use crate::numbers::grouped;
use crate::progress;

const EXAMPLES: &str = "\
Examples:
  forestall eval incidents
  forestall eval incidents --part open --only leak
  forestall eval incidents --show memory-leak-slow
      What was opened, what was decided and why, beside the label.

DIR holds scenarios, a TOML file each: what there is, what is measured, and the label. The label names the issues
that should be opened, with the strategies of which any may stand first (best), those that would pass (fair) and
those that do harm (wrong); or it says that a person has to decide (abstain). It is written before the engine is
run on the scenario, and never changed to fit it. A third of the scenarios, by the hash of their names, is held out:
whoever changes the engine does not look at them.

All scenarios meet the same engine in phase `propose`, with the settings of `forestall serve`; nobody answers.";

/// What the planner's row is called.
const ENGINE: &str = "forestall";
/// The planner without predictions, and without a ranking: the first strategy of the class that fits.
const RULES: &str = "rules, first listed";
/// The answer that is most often right for the class in the other scenarios, for the issues that the planner opens.
const USUAL: &str = "usual answer";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct IncidentsArgs {
    /// Folder with scenarios, or with a folder `incidents`
    #[arg(long, value_name = "DIR", default_value = "datasets/incidents")]
    data: PathBuf,
    /// Only scenarios whose name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Tell the story of one scenario instead
    #[arg(long, value_name = "NAME", conflicts_with_all = ["only", "json"])]
    show: Option<String>,
    /// Which part is played
    #[arg(long, value_enum, default_value_t = Which::All)]
    part: Which,
    /// Write all figures to this file too
    #[arg(long, value_name = "OUT.json")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// All scenarios
    All,
    /// Those that whoever changes the engine may look at
    Open,
    /// Those that were put aside
    HeldOut,
}

/// Everything that was measured, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Measured<'a> {
    version: &'static str,
    incidents: &'a [Card],
}

/// What came of all scenarios.
struct Exam {
    incidents: Vec<Incident>,
    sorts: Vec<Sort>,
    /// By predictor, then by scenario.
    marked: Vec<(&'static str, Vec<Marked>)>,
}

/// Runs it.
///
/// # Errors
/// When scenarios are missing or make no sense.
pub(super) fn run(args: &IncidentsArgs) -> anyhow::Result<()> {
    let scenarios = chosen(args)?;
    let judge = onnx::exhaustion::default_judge()?;
    if args.show.is_some() {
        let mut out = std::io::stdout().lock();
        for named in &scenarios {
            let played = play(named, &judge)?;
            let marked = mark(&named.incident(), &played.whole.told(answer));
            story::tell(&mut out, named, &played.whole, &marked)?;
        }
        return Ok(());
    }
    let exam = examine(&scenarios, &judge)?;
    let parts = match args.part {
        Which::All => &[Part::All, Part::Open, Part::HeldOut][..],
        Which::Open => &[Part::Open],
        Which::HeldOut => &[Part::HeldOut],
    };
    let parts = parts.iter().filter(|part| {
        let mut all = exam.incidents.iter();
        all.any(|incident| part.has(incident))
    });
    let classes = Class::ALL.map(Class::name);
    let mut cards = Vec::new();
    for part in parts {
        for (name, marked) in &exam.marked {
            let both: Vec<_> = exam.incidents.iter().zip(marked).collect();
            cards.push(Card::new(name, *part, &classes, &both));
        }
    }
    report::write(&mut std::io::stdout().lock(), &exam, &cards)?;
    if let Some(path) = &args.json {
        let measured = Measured {
            version: env!("CARGO_PKG_VERSION"),
            incidents: &cards,
        };
        let text = serde_json::to_vec_pretty(&measured).context("writing the figures as JSON")?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The scenarios that are asked for.
fn chosen(args: &IncidentsArgs) -> anyhow::Result<Vec<Named>> {
    let mut all = read(&args.data)?;
    let part = match args.part {
        Which::All => Part::All,
        Which::Open => Part::Open,
        Which::HeldOut => Part::HeldOut,
    };
    let names: Vec<String> = all.iter().map(|named| named.name.clone()).collect();
    all.retain(|named| {
        let is_named = args
            .only
            .as_ref()
            .is_none_or(|text| named.name.contains(text));
        let is_shown = args.show.as_ref().is_none_or(|name| named.name == *name);
        is_named && is_shown && part.has(&named.incident())
    });
    if let (true, Some(name)) = (all.is_empty(), args.show.as_ref().or(args.only.as_ref())) {
        let error = anyhow::anyhow!("no scenario is called {name:?}");
        return Err(error.hint(format!("there are {}", names.join(", "))));
    }
    if all.is_empty() {
        bail!("no scenario belongs to that part");
    }
    Ok(all)
}

fn read(data: &Path) -> anyhow::Result<Vec<Named>> {
    read_all(data).map_err(|error| {
        error.hint("name a folder with scenarios by --data DIR; `forestall eval incidents --help` says what is in one")
    })
}

fn examine(scenarios: &[Named], judge: &Arc<Judge>) -> anyhow::Result<Exam> {
    let bar = progress::items("playing scenarios", scenarios.len() as u64);
    let begin = Instant::now();
    let played = parallel_map(scenarios, |named| {
        let played = play(named, judge).with_context(|| named.name.clone());
        bar.inc(1);
        played
    });
    bar.finish_and_clear();
    let played: Vec<Played> = played.into_iter().collect::<anyhow::Result<_>>()?;
    let incidents: Vec<Incident> = scenarios.iter().map(Named::incident).collect();
    let of = |told: &dyn Fn(usize, &Played) -> Vec<Told>| -> Vec<Marked> {
        let all = incidents.iter().zip(played.iter().enumerate());
        all.map(|(incident, (i, played))| mark(incident, &told(i, played)))
            .collect()
    };
    let usual = |i: usize, played: &Played| {
        Answers::of(&incidents, &incidents[i].name).instead(&played.whole.told(answer))
    };
    let marked = vec![
        (ENGINE, of(&|_, played| played.whole.told(answer))),
        (RULES, of(&|_, played| played.rules.told(first_listed))),
        (USUAL, of(&usual)),
    ];
    let n_samples = played.iter().map(|one| one.n_samples).sum();
    eprintln!(
        "incidents: played {} samples of {} scenarios in {:.1} s",
        grouped(n_samples),
        scenarios.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(Exam {
        incidents,
        sorts: scenarios.iter().map(|named| named.scenario.sort).collect(),
        marked,
    })
}

/// The planner's own answer.
fn answer(decision: &Decision) -> (Vec<String>, Option<String>) {
    let open = decision.candidates.iter().filter(|one| is_open(one));
    let ranking = open.map(|candidate| candidate.strategy.clone()).collect();
    (ranking, decision.chosen.clone())
}

/// The first strategy of the list that fits and changes something, proposed always.
fn first_listed(decision: &Decision) -> (Vec<String>, Option<String>) {
    let changes = |candidate: &Candidate| {
        let mut steps = candidate.draft.iter().flat_map(|draft| &draft.steps);
        steps.any(|step| !step.action.is_harmless())
    };
    let open = decision.candidates.iter();
    let open = open.filter(|one| is_open(one) && changes(one));
    let mut ranking: Vec<_> = open.map(|candidate| candidate.strategy.clone()).collect();
    let place = |name: &String| STRATEGIES.iter().position(|known| known.name == *name);
    ranking.sort_by_key(place);
    let first = ranking.first().cloned();
    (ranking, first)
}

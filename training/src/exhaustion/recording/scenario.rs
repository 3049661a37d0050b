//! One episode: what moves, on which machine, and how it is recorded.

use std::io::{self, Write};

use features::headroom::BIN_S;
use serde_json::json;

use super::super::course::Course;
use super::draw::{Wish, draw, draw_restarted};
use super::mover::Mover;
use super::panel::{Clock, Machine};
use super::scrapes::{Failures, instants};
use super::sheet::Sheet;
use super::truth::{Capacity, RecordedTruth};
use super::{Kind, Plan, PlanError};
use crate::rng::Rng;

/// A recording goes on for so many bins after exhaustion.
const AFTERMATH_BINS: f64 = 6.0;
/// Recordings begin somewhere in the year after this, so that no two do at the same time of the day; seconds since the epoch.
const EPOCH_S: f64 = 1_750_000_000.0;
const YEAR_S: f64 = 31_536_000.0;

/// One episode, not yet recorded.
#[derive(Debug)]
pub struct Scenario {
    plan: Plan,
    index: usize,
    seed: u64,
    movers: Vec<Mover>,
    /// Which of them runs out first; the first if none does.
    leading: usize,
    /// In bins.
    end: f64,
    clock: Clock,
    machine: Machine,
}

impl Scenario {
    /// Episode `index` of a plan.
    ///
    /// # Errors
    /// [`PlanError`]: a number of the plan makes no sense, or what is asked for hardly ever comes about.
    pub fn draw(plan: &Plan, index: usize) -> Result<Self, PlanError> {
        plan.check()?;
        // 48 bits, which every reader of JSON keeps.
        let seed = Rng::new(plan.seed, index as u64).bits() >> 16;
        let mut rng = Rng::new(seed, 0);
        let (kinds, event) = cast(plan, index, &mut rng);
        let restarts = rng.chance(plan.restarts);
        let (movers, restart) = movers(plan, &kinds, event, restarts, &mut rng)?;
        let leading = leading(&movers);
        let lead = &movers[leading];
        let end = match lead.event {
            // A service has missed its objective for ten bins by then, and no request is known of later.
            Some(_) if lead.kind.is_service() => lead.bins as f64 - 1.0,
            Some(event) => event + AFTERMATH_BINS,
            None => lead.bins as f64 - 1.0,
        };
        let of_memory = movers.iter().find(|mover| mover.kind == Kind::Memory);
        let clock = Clock {
            start_ts: ((EPOCH_S + rng.uniform() * YEAR_S) * 1e3).round() / 1e3,
            bin_s: BIN_S / plan.time_scale,
            restart,
            death: of_memory.and_then(|mover| mover.event),
        };
        #[expect(clippy::cast_sign_loss, reason = "ends come after begins")]
        let bins = end as usize + 2;
        let machine = Machine::new(clock, &movers, bins, &mut rng);
        Ok(Self {
            plan: plan.clone(),
            index,
            seed,
            movers,
            leading,
            end,
            clock,
            machine,
        })
    }

    /// Its name: unlike that of any other episode of this plan, and of other seeds.
    #[must_use]
    pub fn id(&self) -> String {
        format!("sim{:08x}-{:05}", self.seed & 0xffff_ffff, self.index)
    }

    /// What runs out first, or could.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.movers[self.leading].kind
    }

    /// When what moves runs out, in bins.
    #[cfg(test)]
    pub(super) fn events(&self) -> impl Iterator<Item = f64> {
        self.movers.iter().filter_map(|mover| mover.event)
    }

    /// Writes its samples as `ts,metric,labels,value`, one line each, and returns what came of it.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn record(&self, out: &mut dyn Write) -> io::Result<RecordedTruth> {
        let mut sheet = Sheet::new(out)?;
        let chance = |stream: u64| Rng::new(self.seed, stream);
        let mut jobs: Vec<_> = (self.machine.jobs().zip(2..))
            .map(|(job, stream)| (job, Failures::new(self.plan.gaps, chance(stream))))
            .collect();
        for at in instants(&self.plan, self.end, chance(1)) {
            sheet.at(self.clock.ts(at));
            for (job, failures) in &mut jobs {
                let answers = !failures.next() && self.machine.show(*job, at, &mut sheet);
                let labels = format!("job=\"{}\"", job.name());
                sheet.put("up", &labels, f64::from(u8::from(answers)));
            }
        }
        let failed = jobs.iter().map(|(job, failures)| (job.name(), failures.n));
        let sampler_errors = failed.filter(|(_, n)| *n > 0).collect();
        let rows = sheet.finish()?;
        Ok(RecordedTruth {
            rows,
            sampler_errors,
            ..self.truth()
        })
    }

    /// What came of it, but for what only recording tells.
    fn truth(&self) -> RecordedTruth {
        let lead = &self.movers[self.leading];
        let ts = |bins: f64| self.clock.ts(bins);
        let calm = lead.event.is_none();
        let began = |mover: &Mover| (mover.course != Course::Flat).then_some(mover.onset);
        let (onset, stop) = if calm {
            let onsets = self.movers.iter().filter_map(began);
            (
                onsets.min(),
                self.movers.iter().filter_map(|m| m.stop).max(),
            )
        } else {
            (began(lead), None)
        };
        let limit = self.machine.limit(lead.kind);
        let others = self.movers.iter().enumerate();
        let others = others.filter(|(place, _)| *place != self.leading);
        let mut params = lead.params();
        if let Some(params) = params.as_object_mut() {
            params.insert(
                "also_moving".to_owned(),
                others.map(|(_, other)| other.params()).collect(),
            );
            let restart = self.clock.restart.map(|bin| ts(bin as f64));
            params.insert("restart_ts".to_owned(), json!(restart));
            params.insert("scrape_s".to_owned(), json!(self.plan.scrape_s));
            params.insert("jitter".to_owned(), json!(self.plan.jitter));
            params.insert("gaps".to_owned(), json!(self.plan.gaps));
        }
        RecordedTruth {
            id: self.id(),
            kind: lead.kind.judged_as(),
            variant: lead.variant(),
            time_scale: self.plan.time_scale,
            start_ts: ts(0.0),
            end_ts: ts(self.end),
            onset_ts: onset.map(|bin| ts(bin as f64)),
            exhausted: !calm,
            exhaustion_ts: lead.event.map(ts),
            driver_stop_ts: stop.map(|bin| ts(bin as f64)),
            censored: calm && self.movers.iter().any(|mover| mover.growing),
            intended_event: !calm,
            evidence: limit.as_ref().filter(|_| !calm).map(|limit| limit.evidence),
            capacity: Capacity {
                metric: limit.as_ref().map_or("", |limit| limit.metric),
                limit: limit.as_ref().map_or(0.0, |limit| limit.limit),
                unit: limit.as_ref().map_or("", |limit| limit.unit),
                exhausted_when: limit.as_ref().map_or("", |limit| limit.exhausted_when),
            },
            params,
            rows: 0,
            seed: self.seed,
            index: self.index,
            sampler_errors: std::collections::BTreeMap::new(),
        }
    }
}

/// Which kinds move in an episode, the one that is about first; and whether it runs to failure. Kinds take turns, and among
/// the episodes of a kind events are spread evenly: both shares come out as asked, whatever the seed.
pub(super) fn cast(plan: &Plan, index: usize, rng: &mut Rng) -> (Vec<Kind>, bool) {
    let n = plan.kinds.len();
    let (place, turn) = (index % n, index / n);
    let phase = Rng::new(plan.seed, u64::MAX - place as u64).uniform();
    let so_far = |turns: usize| (turns as f64 * plan.events + phase).floor();
    let event = so_far(turn + 1) > so_far(turn);
    let mut kinds = vec![plan.kinds[place]];
    if rng.chance(plan.several) {
        let mut others = plan.kinds.clone();
        others.remove(place);
        rng.shuffle(&mut others);
        kinds.extend(others.into_iter().take(1 + rng.below(2)));
    }
    (kinds, event)
}

/// What moves, and the bin in which the process starts anew.
fn movers(
    plan: &Plan,
    kinds: &[Kind],
    event: bool,
    restarts: bool,
    rng: &mut Rng,
) -> Result<(Vec<Mover>, Option<usize>), PlanError> {
    let wish = Wish {
        kind: kinds[0],
        event,
        bins: None,
        longest: plan.most_bins(),
    };
    let (first, restart) = if !restarts {
        (draw(rng, &wish)?, None)
    } else if wish.kind.dies_with_its_process() {
        let (mover, at) = draw_restarted(rng, &wish, None)?;
        (mover, Some(at))
    } else {
        let mover = draw(rng, &wish)?;
        let lived = mover.event.unwrap_or(mover.bins as f64);
        #[expect(clippy::cast_sign_loss, reason = "a share of a positive number")]
        let at = (rng.between(0.2, 0.8) * lived) as usize;
        (mover, Some(at))
    };
    let bins = first.bins;
    let mut movers = vec![first];
    for &kind in &kinds[1..] {
        let mut other = Wish {
            kind,
            // Whoever runs out first is what the episode is about.
            event: event && rng.chance(0.3),
            bins: Some(bins),
            longest: bins,
        };
        // Too short for anything to run out: then this one does not.
        other.event &= bins - restart.unwrap_or(0) > 2 * 60;
        let mover = match restart.filter(|_| kind.dies_with_its_process()) {
            Some(at) => draw_restarted(rng, &other, Some(at))?.0,
            None => draw(rng, &other)?,
        };
        movers.push(mover);
    }
    Ok((movers, restart))
}

/// The place of the one that runs out first; of the first if none does.
fn leading(movers: &[Mover]) -> usize {
    let when = |place: &usize| movers[*place].event.unwrap_or(f64::INFINITY);
    let by_time = |a: &usize, b: &usize| when(a).total_cmp(&when(b));
    (0..movers.len()).min_by(by_time).unwrap_or(0)
}

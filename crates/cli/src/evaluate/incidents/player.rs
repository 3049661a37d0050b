//! Plays a scenario: what is measured and seen goes to the watchers in the order in which it comes, and what they find to the
//! planner; whatever that says is written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use eval::incidents::{Decided, Told};
use predict::exhaustion::Judge;
use remedy::decision::{Candidate, Decision};
use remedy::guard::Stop;
use remedy::issue::{Issue, IssueId};
use remedy::planner::{Batch, Planner};
use remedy::record::Record;
use remedy::{Finding, Source};
use series::Timestamp;

use super::feeds::feeds;
use super::looker::Looker;
use super::named::Named;
use super::stage::{Turn, Watchers, planner, think};

/// Seconds of a turn.
const TURN_S: f64 = 5.0;
/// Seconds between two looks at certificates, reports and files.
const LOOK_S: f64 = 60.0;
/// The Monday on which all scenarios begin, 2 March 2026, in seconds since 1970.
const DAY_S: f64 = 1_772_409_600.0;

/// What a planner said of a scenario.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The issues, in the order in which they were opened.
    pub(super) issues: Vec<Known>,
}

/// An issue, and what was decided about it.
#[derive(Debug)]
pub(super) struct Known {
    /// As it was last.
    pub(super) issue: Issue,
    pub(super) opened_s: f64,
    /// Infinite while it is not resolved.
    pub(super) closed_s: f64,
    /// When a rule, probe or report first said the same; infinite when none did.
    pub(super) rule_s: f64,
    pub(super) decisions: Vec<(f64, Decision)>,
    /// What it was opened for.
    pub(super) first: Option<Finding>,
}

/// What came of a scenario.
#[derive(Debug)]
pub(super) struct Played {
    /// Of the planner as it is.
    pub(super) whole: Story,
    /// Of one that hears of no prediction.
    pub(super) rules: Story,
    pub(super) n_samples: u64,
}

impl Story {
    /// For whoever marks. `rank`: the strategies of a decision that may be proposed, best first, and the one that is.
    pub(super) fn told(
        &self,
        rank: impl Fn(&Decision) -> (Vec<String>, Option<String>),
    ) -> Vec<Told> {
        let told = self.issues.iter().map(|known| Told {
            class: known.issue.class.name().to_owned(),
            entity: known.issue.entity.to_string(),
            opened_s: known.opened_s,
            closed_s: known.closed_s,
            is_merged: known.is_merged(),
            rule_s: known.rule_s,
            decisions: (known.decisions.iter())
                .map(|(at_s, decision)| {
                    let (ranking, proposed) = rank(decision);
                    Decided {
                        at_s: *at_s,
                        proposed,
                        ranking,
                    }
                })
                .collect(),
        });
        told.collect()
    }
}

impl Known {
    /// Whether it was taken into another.
    pub(super) fn is_merged(&self) -> bool {
        self.issue.part_of.is_some()
    }
}

/// Whether a candidate may be carried out or proposed.
pub(super) fn is_open(candidate: &Candidate) -> bool {
    let is_stopped = |veto: &remedy::guard::Veto| veto.stop == Stop::ForGood;
    candidate.unfit.is_none() && !candidate.vetoes.iter().any(is_stopped)
}

/// Plays a scenario.
///
/// # Errors
/// When the engine cannot be made, or what it wrote down cannot be read.
pub(super) fn play(named: &Named, judge: &Arc<Judge>) -> anyhow::Result<Played> {
    let scenario = &named.scenario;
    let begin_s = DAY_S + scenario.begins_hour * 3600.0;
    let instant = |t: f64| Timestamp::from_micros(((begin_s + t) * 1e6).round() as i64);
    let mut watchers = Watchers::new(Arc::clone(judge), scenario.topology.labels.clone())?;
    let mut feeds = feeds(named, begin_s)?;
    let mut looker = Looker::new(scenario, begin_s);
    let mut planners = [
        Follower::new(named, true, begin_s)?,
        Follower::new(named, false, begin_s)?,
    ];
    let mut n_samples = 0;
    let turns = (0_u32..).map(|i| f64::from(i) * TURN_S);
    for t in turns.take_while(|t| *t <= scenario.duration_s) {
        let mut turn = Turn::default();
        for feed in &mut feeds {
            while feed.next_s <= t {
                n_samples += feed.scrape(&mut watchers, &mut turn, &instant);
            }
        }
        watchers.turn(instant(t), &mut turn);
        if t % LOOK_S < TURN_S {
            looker.look(t, instant(t), &mut turn);
        }
        for planner in &mut planners {
            planner.turn(t, instant(t), &turn)?;
        }
    }
    let [whole, rules] = planners.map(|planner| planner.story);
    Ok(Played {
        whole,
        rules,
        n_samples,
    })
}
/// A planner, and what it said.
struct Follower {
    planner: Planner,
    hears_predictions: bool,
    begin_s: f64,
    story: Story,
    by_id: BTreeMap<IssueId, usize>,
}

impl Follower {
    fn new(named: &Named, hears_predictions: bool, begin_s: f64) -> anyhow::Result<Self> {
        Ok(Self {
            planner: planner(named.topology.clone())?,
            hears_predictions,
            begin_s,
            story: Story::default(),
            by_id: BTreeMap::new(),
        })
    }

    fn turn(&mut self, t: f64, now: Timestamp, turn: &Turn) -> anyhow::Result<()> {
        let hears = self.hears_predictions;
        let is_heard = |finding: &Finding| hears || finding.source != Source::Prediction;
        let batch = think(&mut self.planner, now, turn, is_heard);
        self.note(t, batch)?;
        // A rule that says what was foretold.
        let rules = turn.findings.iter();
        let rules = rules.filter(|one| one.is_present && one.source != Source::Prediction);
        for finding in rules {
            for known in &mut self.story.issues {
                let issue = &known.issue;
                let is_same = issue.entity == finding.entity && issue.class == finding.class;
                if is_same && known.rule_s.is_infinite() && issue.resolved.is_none() {
                    known.rule_s = t;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, t: f64, batch: Batch) -> anyhow::Result<()> {
        let mut decisions = Vec::new();
        for record in batch.records {
            match record {
                Record::Issue(issue) => self.note_issue(*issue),
                Record::Decision(record) => decisions.push(record),
                Record::Plan(_)
                | Record::Rate(_)
                | Record::Action(_)
                | Record::Lease(_)
                | Record::Brake(_)
                | Record::Health(_)
                | Record::Request(_)
                | Record::Audit(_)
                | Record::Finding(_) => {}
            }
        }
        // An issue is written down after what was decided about it.
        for record in decisions {
            let decision: Decision = serde_json::from_str(&record.output)
                .with_context(|| format!("reading {}", record.id))?;
            let place = self.by_id.get(&record.issue);
            let known = place.and_then(|&place| self.story.issues.get_mut(place));
            let known = known.with_context(|| {
                format!(
                    "{} is about {}, which was never written down",
                    record.id, record.issue
                )
            })?;
            known.decisions.push((t, decision));
        }
        Ok(())
    }

    fn note_issue(&mut self, issue: Issue) {
        let closed_s = (issue.resolved).map_or(f64::INFINITY, |at| at.secs_f64() - self.begin_s);
        if let Some(&place) = self.by_id.get(&issue.id) {
            let known = &mut self.story.issues[place];
            (known.issue, known.closed_s) = (issue, closed_s);
            return;
        }
        self.by_id.insert(issue.id, self.story.issues.len());
        self.story.issues.push(Known {
            opened_s: issue.opened.secs_f64() - self.begin_s,
            closed_s,
            first: issue.evidence.first().cloned(),
            issue,
            rule_s: f64::INFINITY,
            decisions: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_scenario_gives_the_same_story() {
        let text = r#"
            about = "A disk fills."
            sort = "misleading"
            duration_s = 2400
            topology.volumes = [{ name = "a:/var", attributes = { growable = "yes" } }]
            [[series]]
            metric = "node_filesystem_avail_bytes"
            labels = { instance = "a:9100", mountpoint = "/var" }
            shape = [{ constant = 40 }, { line = { per_hour = -60 } }, { noise = 0.2 }]
            low = 0
            [[series]]
            metric = "node_filesystem_size_bytes"
            labels = { instance = "a:9100", mountpoint = "/var" }
            shape = [{ constant = 100 }]
        "#;
        let named = Named::parse("fills", text).unwrap();
        let judge = onnx::exhaustion::default_judge().unwrap();
        let told = || {
            let played = play(&named, &judge).unwrap();
            let rank = |decision: &Decision| (Vec::new(), decision.chosen.clone());
            (played.whole.told(rank), played.rules.told(rank))
        };
        let (whole, rules) = told();
        assert_eq!((whole.clone(), rules.clone()), told());
        assert!(
            whole
                .iter()
                .any(|one| one.class == "disk_exhaustion" && one.entity == "volume/a:/var")
        );
        // A rule says so when it is above 95 %; who hears no prediction hears of it then.
        assert!(rules[0].opened_s > 2000.0 && whole[0].opened_s < rules[0].opened_s);
        assert!((whole[0].rule_s - rules[0].opened_s).abs() <= TURN_S);
    }
}

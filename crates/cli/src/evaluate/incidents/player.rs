//! Plays a scenario: what is measured and seen goes to the watchers in the order in which it comes, and what they find to the
//! planner; whatever that says is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use eval::incidents::{Decided, Told};
use predict::exhaustion::Judge;
use remedy::decision::{Candidate, Decision};
use remedy::guard::Stop;
use remedy::issue::{Issue, IssueId};
use remedy::planner::{Batch, Planner};
use remedy::record::Record;
use remedy::signs::{
    DriftingFile, Drifts, ExpiringCertificate, THRESHOLD_DAYS, VulnerablePackage, certificate,
    vulnerability,
};
use remedy::{EntityId, Finding, Kind, Source};
use series::{Sample, SeriesId, SeriesKey, Timestamp};
use sha2::{Digest, Sha256};

use super::scenario::{Named, Requests, Scenario, Series, keys, seed};
use super::shape::{Course, Part};
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
        self.issue.resolved.is_some() && self.issue.note.starts_with("part of ")
    }
}

/// Whether a candidate may be carried out or proposed.
pub(super) fn is_open(candidate: &Candidate) -> bool {
    let is_stopped = |veto: &remedy::guard::Veto| veto.stop == Stop::ForGood;
    candidate.unfit.is_none() && !candidate.vetoes.iter().any(is_stopped)
}

/// A sample that comes at a time: which series, the time it bears, its value.
struct Feed<'a> {
    keys: Vec<SeriesKey>,
    ids: Vec<Option<SeriesId>>,
    source: Origin<'a>,
    step_s: f64,
    skew_s: f64,
    gaps_s: &'a [[f64; 2]],
    next_s: f64,
}

enum Origin<'a> {
    Series(Box<OfSeries<'a>>),
    Requests(Box<OfRequests<'a>>),
}

struct OfSeries<'a> {
    series: &'a Series,
    course: Course<'a>,
    total: f64,
    at_s: f64,
    epoch_s: f64,
}

struct OfRequests<'a> {
    requests: &'a Requests,
    per_s: Course<'a>,
    mean: Course<'a>,
    failed: Course<'a>,
    /// Of those that are well and those that failed: how many, and their seconds.
    totals: [f64; 4],
    at_s: f64,
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
    let n_turns = (scenario.duration_s / TURN_S).ceil() as u64;
    for i in 0..=n_turns {
        let t = i as f64 * TURN_S;
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

fn feeds<'a>(named: &'a Named, epoch_s: f64) -> anyhow::Result<Vec<Feed<'a>>> {
    let scenario = &named.scenario;
    let course = |key: &SeriesKey, what: &str, parts: &'a [Part]| {
        let seed = seed(&format!("{} {key} {what}", named.name));
        Course::new(parts, scenario.begins_hour, seed)
    };
    let mut feeds = Vec::new();
    for series in &scenario.series {
        let keys =
            keys(&series.metric, &series.labels, &series.each).map_err(anyhow::Error::msg)?;
        for key in keys {
            let of = OfSeries {
                series,
                course: course(&key, "", &series.shape),
                total: 0.0,
                at_s: 0.0,
                epoch_s,
            };
            feeds.push(Feed {
                keys: vec![key],
                ids: vec![None],
                source: Origin::Series(Box::new(of)),
                step_s: series.step_s.unwrap_or(scenario.step_s),
                skew_s: series.skew_s,
                gaps_s: &series.gaps_s,
                next_s: 0.0,
            });
        }
    }
    for requests in &scenario.requests {
        let name = format!("{}_count", requests.metric);
        let keys = keys(&name, &requests.labels, &requests.each).map_err(anyhow::Error::msg)?;
        for key in keys {
            let mut made = Vec::new();
            for status in ["200", "503"] {
                for end in ["_count", "_sum"] {
                    let labels = key.labels().chain([("http_response_status_code", status)]);
                    made.push(
                        SeriesKey::new(&format!("{}{end}", requests.metric), labels)
                            .context("naming requests")?,
                    );
                }
            }
            // Most clients make the series of failures with the first of them.
            made.truncate(if requests.failed.is_empty() { 2 } else { 4 });
            let of = OfRequests {
                requests,
                per_s: course(&key, "per_s", &requests.per_s),
                mean: course(&key, "mean", &requests.mean),
                failed: course(&key, "failed", &requests.failed),
                totals: [0.0; 4],
                at_s: 0.0,
            };
            feeds.push(Feed {
                ids: vec![None; made.len()],
                keys: made,
                source: Origin::Requests(Box::new(of)),
                step_s: scenario.step_s,
                skew_s: requests.skew_s,
                gaps_s: &requests.gaps_s,
                next_s: 0.0,
            });
        }
    }
    Ok(feeds)
}

impl Feed<'_> {
    /// Takes the next samples; returns how many came.
    fn scrape(
        &mut self,
        watchers: &mut Watchers,
        turn: &mut Turn,
        instant: &impl Fn(f64) -> Timestamp,
    ) -> u64 {
        let t = self.next_s;
        self.next_s += self.step_s;
        let values = match &mut self.source {
            Origin::Series(of) => vec![of.value(t)],
            Origin::Requests(of) => of.values(t),
        };
        if self
            .gaps_s
            .iter()
            .any(|[from, to]| (*from..*to).contains(&t))
        {
            return 0;
        }
        let mut n = 0;
        for ((key, id), value) in self.keys.iter().zip(&mut self.ids).zip(values) {
            let series = *id.get_or_insert_with(|| watchers.add_series(key.clone(), turn));
            watchers.push(Sample {
                series,
                at: instant(t + self.skew_s),
                value,
            });
            n += 1;
        }
        n
    }
}

/// Whether a total begins again between two times.
fn is_reset(resets_s: &[f64], from: f64, to: f64) -> bool {
    resets_s.iter().any(|&at| from < at && at <= to)
}

impl OfSeries<'_> {
    fn value(&mut self, t: f64) -> f64 {
        let series = self.series;
        let mut value = self.course.at(t);
        value = value.max(series.low.unwrap_or(f64::NEG_INFINITY));
        value = value.min(series.high.unwrap_or(f64::INFINITY));
        if series.counter {
            if is_reset(&series.resets_s, self.at_s, t) {
                self.total = 0.0;
            }
            self.total += value.max(0.0) * (t - self.at_s);
            value = self.total;
        }
        self.at_s = t;
        if series.epoch {
            value += self.epoch_s;
        }
        if series.whole { value.round() } else { value }
    }
}

impl OfRequests<'_> {
    fn values(&mut self, t: f64) -> Vec<f64> {
        if is_reset(&self.requests.resets_s, self.at_s, t) {
            self.totals = [0.0; 4];
        }
        let n = self.per_s.at(t).max(0.0) * (t - self.at_s);
        let mean = self.mean.at(t).max(0.0);
        let failed = self.failed.at(t).clamp(0.0, 1.0);
        for (i, share) in [1.0 - failed, failed].into_iter().enumerate() {
            self.totals[2 * i] += n * share;
            self.totals[2 * i + 1] += n * share * mean;
        }
        self.at_s = t;
        self.totals.to_vec()
    }
}

/// Looks at certificates, reports and files, as `server::planning::posture` does.
struct Looker<'a> {
    scenario: &'a Scenario,
    begin_s: f64,
    drifts: Drifts,
    expiring: BTreeSet<String>,
    reported: BTreeMap<usize, bool>,
}

impl<'a> Looker<'a> {
    fn new(scenario: &'a Scenario, begin_s: f64) -> Self {
        Self {
            scenario,
            begin_s,
            drifts: Drifts::default(),
            expiring: BTreeSet::new(),
            reported: BTreeMap::new(),
        }
    }

    fn look(&mut self, t: f64, now: Timestamp, turn: &mut Turn) {
        let mut found = Vec::new();
        let at = |s: f64| Timestamp::from_micros(((self.begin_s + s) * 1e6) as i64);
        for one in &self.scenario.certificates {
            let Ok(entity) = EntityId::new(Kind::Certificate, &one.name) else {
                continue;
            };
            let is_new = one.renewed_s.is_some_and(|renewed_s| t >= renewed_s);
            let validity_s = one.validity_days * 86_400.0;
            let end_s = match one.renewed_s.filter(|_| is_new) {
                Some(renewed_s) => renewed_s + validity_s,
                None => one.days_left * 86_400.0,
            };
            let seen = ExpiringCertificate {
                entity,
                signal: one.name.clone(),
                not_after: at(end_s),
                not_before: Some(at(end_s - validity_s)),
                issuer: one.issuer.clone(),
                newer_on_disk: !is_new
                    && one.newer_on_disk_from_s.is_some_and(|from_s| t >= from_s),
                was_present: self.expiring.contains(&one.name),
            };
            let finding = certificate(&seen, THRESHOLD_DAYS, now);
            if finding.is_present {
                self.expiring.insert(one.name.clone());
            } else {
                self.expiring.remove(&one.name);
            }
            found.push(finding);
        }
        for (i, one) in self.scenario.vulnerabilities.iter().enumerate() {
            let is_present = t >= one.from_s && one.to_s.is_none_or(|to_s| t < to_s);
            if !is_present && self.reported.get(&i) != Some(&true) {
                continue;
            }
            self.reported.insert(i, is_present);
            let published = one.published_days.map(|days| at(-days * 86_400.0));
            let seen = VulnerablePackage {
                target: one.target.clone(),
                package: one.package.clone(),
                id: one.id.clone(),
                installed: one.installed.clone(),
                fixed: one.fixed.clone(),
                severity: one.severity.clone(),
                score: one.score,
                published,
                first_seen: at(one.from_s),
                is_present,
            };
            found.extend(vulnerability(&seen, now).ok());
        }
        for one in &self.scenario.files {
            let name = format!("{}:{}", one.host, one.path);
            let Ok(entity) = EntityId::new(Kind::Configuration, &name) else {
                continue;
            };
            let mut spans = one.differs.iter();
            let span = spans.find(|span| t >= span.from_s && span.to_s.is_none_or(|to_s| t < to_s));
            let declared = sha256(&format!("{name} as declared"));
            let seen = DriftingFile {
                entity,
                path: one.path.clone(),
                actual_sha256: span.map_or_else(
                    || declared.clone(),
                    |span| sha256(&format!("{name} {}", span.version)),
                ),
                declared_sha256: declared,
                lines_changed: span.and(one.lines_changed),
                sensitive: one.sensitive,
                differs: span.is_some(),
            };
            self.drifts.look(&seen, now, &mut found);
        }
        let entities = found
            .iter()
            .map(|finding| (finding.entity.clone(), Vec::new()));
        turn.entities.extend(entities);
        turn.findings.append(&mut found);
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
            issue,
            rule_s: f64::INFINITY,
            decisions: Vec::new(),
        });
    }
}

//! What the lookout's thread does: takes the samples that wait, refreshes some of the resources, tells of them.
//!
//! # Time
//! Samples carry the time of whoever measured, and an outlook is as of its newest sample, whenever that was. What is due and
//! what has stopped is a matter of when samples *arrive*: that is counted on a clock of the thread's own, which begins at 0 and
//! goes on evenly. So a wall clock that jumps makes nothing due, late or stale, and a recording of last year is foretold as
//! it is pushed in, beside what is live. (To the lookout itself, which is given the same clock, no sample is ever old.)

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hotpath::{Engine, Lookout, LookoutConfig};
use predict::Risk;
use predict::exhaustion::{Judge, Outlook};
use remedy::signs::RuleConfig;
use series::{Sample, SeriesId, SeriesKey, Timestamp};

use super::alarm::{Alarms, Word};
use super::board::{Outlooks, Row};
use super::days::Days;
use super::inlet::Inlet;
use super::interest::Interest;
use super::reporter::Reporter;

/// Resources refreshed per turn beyond their even share, so that few resources are not late.
const SPARE: usize = 16;
/// How much more than the even share: what falls behind must be able to catch up.
const CATCH_UP: f64 = 1.5;

/// Forecasts of a day per turn: milliseconds each, so that samples hardly wait.
const FORECASTS: usize = 2;
/// Seconds between two times that histories are written.
const SAVE_S: f64 = 600.0;

/// What the thread owns.
pub(super) struct Worker {
    pub(super) engine: Weak<Engine>,
    inlet: Arc<Inlet>,
    outlooks: Arc<Outlooks>,
    config: LookoutConfig,
    judge: Arc<Judge>,
    stale_us: i64,
    /// Series that the lookout has heard of: all below this.
    n_known: u32,
    alarms: Alarms,
    days: Days,
    /// When histories were written last.
    saved: Timestamp,
    /// When all resources were last looked over, and when the turn before was.
    swept: Option<Timestamp>,
    turned: Option<Timestamp>,
    /// In the order of time; those that wait for the next turn.
    samples: Vec<Sample>,
    /// The newest of those that were here at the turn before.
    newest: Option<Timestamp>,
    said: Vec<Outlook>,
    /// Tells the planner, if there is one, by these rules beside the built-in ones.
    reporter: Option<Reporter>,
    rules: Vec<RuleConfig>,
    events: Vec<Risk>,
    /// Whether it was told that there are more resources than may be.
    told_full: bool,
}

impl Worker {
    /// One that is yet to be given its engine. An outlook without a new sample for `stale_us` no longer holds.
    pub(super) fn new(
        config: LookoutConfig,
        judge: Arc<Judge>,
        stale_us: i64,
        days: Days,
        inlet: &Arc<Inlet>,
        outlooks: &Arc<Outlooks>,
    ) -> Self {
        Self {
            engine: Weak::new(),
            inlet: Arc::clone(inlet),
            outlooks: Arc::clone(outlooks),
            config,
            judge,
            stale_us,
            n_known: 0,
            alarms: Alarms::default(),
            days,
            saved: Timestamp::from_micros(0),
            swept: None,
            turned: None,
            samples: Vec::new(),
            newest: None,
            said: Vec::new(),
            reporter: None,
            rules: Vec::new(),
            events: Vec::new(),
            told_full: false,
        }
    }

    /// The same, telling the planner what it finds by these rules of the configuration and the built-in ones.
    pub(super) fn telling(mut self, reporter: Option<Reporter>, rules: Vec<RuleConfig>) -> Self {
        (self.reporter, self.rules) = (reporter, rules);
        self
    }

    /// Works until the inlet is stopped.
    pub(super) fn run(mut self) {
        // Often enough that refreshes are spread, and that a new outlook is not told late.
        let tick = Duration::from_secs_f64((self.config.refresh_s / 60.0).clamp(0.01, 0.5));
        let began = Instant::now();
        while !self.inlet.wait(tick) {
            let elapsed_us = i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX);
            let now = Timestamp::from_micros(elapsed_us);
            let turn = AssertUnwindSafe(|| self.turn(now));
            if catch_unwind(turn).is_err() {
                // The panic has been printed. What was half learned could not be trusted.
                tracing::error!("the lookout failed and begins again; this is a bug to report");
                self.begin_again();
            }
        }
        self.save();
    }

    /// One turn.
    pub(super) fn turn(&mut self, now: Timestamp) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        self.take_samples(|id| engine.key(id));
        self.take_events(|id| engine.key(id));
        drop(engine);
        self.refresh(now);
        if let Some(reporter) = &mut self.reporter {
            reporter.turn();
        }
        self.sweep(now);
        if now.seconds_since(self.saved) >= SAVE_S {
            self.saved = now;
            self.save();
        }
    }

    fn save(&mut self) {
        if let Err(error) = self.days.save() {
            tracing::warn!(%error, "the histories of resources are not written");
        }
    }

    /// Pushes what waits, after the series that it is of have been made known. `key`: the keys of series by number, which
    /// are given without gaps.
    ///
    /// Shards are not in step: of samples that were sent together some may come a turn later, and a use that comes before its
    /// limit would be lost. So all are brought into the order of time, and what is newer than all that was here at the turn
    /// before waits for the next one.
    pub(super) fn take_samples(&mut self, key: impl Fn(SeriesId) -> Option<Arc<SeriesKey>>) {
        self.inlet.take(&mut self.samples);
        self.samples.sort_by_key(|sample| sample.at);
        let ready = match self.samples.len() > self.inlet.capacity() {
            true => self.samples.len(),
            false => (self.samples).partition_point(|sample| Some(sample.at) <= self.newest),
        };
        self.newest = self.samples.last().map(|sample| sample.at);
        let mut lookout = self.outlooks.lookout.lock();
        for sample in self.samples.drain(..ready) {
            while self.n_known <= sample.series.0 {
                let id = SeriesId(self.n_known);
                let Some(key) = key(id) else { break };
                let is_wanted = lookout.add_series(id, &key);
                let is_wanted = match &mut self.reporter {
                    Some(reporter) => reporter.add_series(id, &key, is_wanted),
                    None => is_wanted,
                };
                let interest = match is_wanted {
                    true => Interest::Wanted,
                    false => Interest::Unwanted,
                };
                self.inlet.interests.set(id, interest);
                self.n_known += 1;
            }
            if self.inlet.interests.of(sample.series) == Interest::Wanted {
                lookout.push(sample);
                if let Some(reporter) = &mut self.reporter {
                    reporter.push(sample);
                }
            }
        }
        let n_refused = lookout.n_refused();
        drop(lookout);
        if n_refused > 0 && !self.told_full {
            self.told_full = true;
            tracing::warn!(
                "there are more resources than the {} of outlook.max_resources; nothing is foretold of the others",
                self.config.max_resources
            );
        }
    }

    /// Passes on what the engine found odd.
    fn take_events(&mut self, key: impl Fn(SeriesId) -> Option<Arc<SeriesKey>>) {
        self.inlet.take_events(&mut self.events);
        for risk in self.events.drain(..) {
            if let (Some(reporter), Some(key)) = (&mut self.reporter, key(risk.series)) {
                reporter.event(&key, &risk);
            }
        }
    }

    fn refresh(&mut self, now: Timestamp) {
        let began = Instant::now();
        self.said.clear();
        {
            let mut lookout = self.outlooks.lookout.lock();
            let n = lookout.resources().len();
            let most = self.budget(n, now);
            lookout.refresh(now, most, &mut self.said);
            // Days are those of the clock on the wall: where time runs at another tempo there are none.
            let is_real_time = (self.config.tempo - 1.0).abs() < 1e-9;
            let mut left = FORECASTS;
            for outlook in &mut self.said {
                if is_real_time {
                    let key = &lookout.resources()[outlook.resource as usize].key;
                    left -=
                        usize::from(self.days.join(outlook, key, lookout.conformal(), left > 0));
                }
                // What is remembered to be judged is what readers are told, the day ahead included.
                lookout.told(outlook);
                if let Some(reporter) = &mut self.reporter {
                    let key = &lookout.resources()[outlook.resource as usize].key;
                    reporter.outlook(key, outlook);
                }
            }
            if !self.said.is_empty() || self.is_sweep_due(now) {
                self.outlooks.meet(lookout.resources(), now);
            }
        }
        if !self.said.is_empty() {
            self.outlooks
                .tally
                .refreshed(self.said.len(), began.elapsed());
        }
        for outlook in self.said.drain(..) {
            let row = self.outlooks.record(outlook, now, self.stale_us);
            if let Some(word) = row.and_then(|row| self.alarms.look(&row)) {
                say(word);
            }
        }
        self.turned = Some(now);
    }

    /// How many of `n` resources may be refreshed now, so that all take their turn within the interval and none waits
    /// behind a great many that are due at once.
    fn budget(&self, n: usize, now: Timestamp) -> usize {
        let since_s = self.turned.map_or(0.0, |turned| now.seconds_since(turned));
        let share = (since_s / self.config.refresh_s).clamp(0.0, 1.0) * CATCH_UP;
        #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
        let even = (n as f64 * share).ceil() as usize;
        even + SPARE
    }

    fn is_sweep_due(&self, now: Timestamp) -> bool {
        let every_us = (self.config.refresh_s * 1e6) as i64;
        self.swept.is_none_or(|swept| now - swept >= every_us)
    }

    /// Finds what has stopped, once in the interval.
    fn sweep(&mut self, now: Timestamp) {
        if !self.is_sweep_due(now) {
            return;
        }
        self.swept = Some(now);
        self.outlooks.sweep(now, self.stale_us);
        // A limit that was lost ends an alarm too.
        let told: Vec<Row> = self
            .alarms
            .told()
            .filter_map(|id| self.outlooks.row(id))
            .collect();
        for row in &told {
            if let Some(word) = self.alarms.look(row) {
                say(word);
            }
        }
    }

    fn begin_again(&mut self) {
        self.outlooks.tally.panicked();
        *self.outlooks.lookout.lock() = Lookout::new(self.config.clone(), Arc::clone(&self.judge));
        self.outlooks.clear();
        self.inlet.interests.forget();
        self.alarms.clear();
        self.days.begin_again();
        if let Some(reporter) = &mut self.reporter {
            reporter.begin_again(&self.rules);
        }
        self.samples.clear();
        (self.n_known, self.swept, self.newest) = (0, None, None);
    }
}

fn say(word: Word) {
    match word {
        Word::Warn(text) => tracing::warn!("{text}"),
        Word::Over(text) => tracing::info!("{text}"),
    }
}

#[cfg(test)]
mod tests;

//! What the view shows, and what keys do to it. No terminal, no network, no clock: all of it comes in.

use std::collections::HashSet;

use proto::v1::{GetServerInfoResponse, Risk, SeriesKey, Verdict};
use ratatui::crossterm::event::KeyCode;
use series::Kind;

use super::runs_out::RunsOut;

/// What the server is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Query {
    /// A PromQL selector.
    pub(super) filter: String,
    /// Only scores from here.
    pub(super) min_score: f64,
}

/// What the server said.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// About itself.
    pub(super) info: GetServerInfoResponse,
    /// Riskiest first, with their recent past.
    pub(super) risks: Vec<Risk>,
    /// Series that match the filter.
    pub(super) n_matching: u64,
    /// What runs out, among the resources that match the filter.
    pub(super) runs_out: RunsOut,
}

/// What is to be done outside the view.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Leave.
    Quit,
    /// Ask for something else.
    Ask(Query),
    /// Tell the server what a person thinks of the newest alert of a series.
    Judge {
        /// The series.
        series: SeriesKey,
        /// Its event; 0 if it is in none, then `time_us` is meant.
        event_id: u64,
        /// Time of the newest sample.
        time_us: i64,
        /// What the person thinks.
        verdict: Verdict,
    },
}

/// Everything on the screen.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The server's address, for the heading.
    pub(super) addr: String,
    /// What is asked for.
    pub(super) query: Query,
    /// The newest answer; none until the first.
    pub(super) snapshot: Option<Snapshot>,
    /// Samples per second between the last two answers.
    pub(super) rate: Option<f64>,
    /// The series under the cursor, so that it stays there when the order changes.
    pub(super) selected: Option<SeriesKey>,
    /// Whether the pane with all about the selected series is open.
    pub(super) detail: bool,
    /// Whether new answers are put aside.
    pub(super) paused: bool,
    /// The filter while it is typed.
    pub(super) typing: Option<String>,
    /// What came of the last thing done, or what went wrong.
    pub(super) message: String,
    /// Whether the connection is lost.
    pub(super) lost: bool,
    /// Whether the list of keys is shown.
    pub(super) help: bool,
}

impl State {
    /// Before the first answer.
    pub(super) fn new(addr: &str, query: Query) -> Self {
        Self {
            addr: addr.to_owned(),
            query,
            ..Self::default()
        }
    }

    /// Takes in an answer.
    pub(super) fn update(&mut self, mut snapshot: Snapshot) {
        if self.lost {
            self.message.clear();
        }
        self.lost = false;
        self.rate = self.rate_until(&snapshot.info);
        if self.paused {
            // The counters go on, the list stands still.
            if let Some(shown) = &mut self.snapshot {
                shown.info = snapshot.info;
            }
            return;
        }
        // The same series can come twice: the two queries behind an answer overlap.
        let mut seen = HashSet::new();
        snapshot
            .risks
            .retain(|risk| seen.insert(crate::wire::text(risk.series.as_ref())));
        snapshot
            .risks
            .iter_mut()
            .filter(|risk| is_counter(risk))
            .for_each(rates);
        let now = snapshot.info.time_us;
        snapshot.risks.sort_by(|a, b| {
            heat(b, now)
                .total_cmp(&heat(a, now))
                .then_with(|| name(a).cmp(&name(b)))
        });
        if self.selected_idx_in(&snapshot.risks).is_none() {
            self.selected = snapshot.risks.first().and_then(|risk| risk.series.clone());
        }
        self.snapshot = Some(snapshot);
    }

    /// Since the answer before; since the server's start for the first.
    fn rate_until(&self, info: &GetServerInfoResponse) -> Option<f64> {
        let taken =
            |info: &GetServerInfoResponse| info.counters.as_ref().map_or(0, |c| c.taken_count);
        let (before, elapsed) = match self.snapshot.as_ref().map(|s| &s.info) {
            // A server that was started anew counts from zero again.
            Some(before) if before.uptime_s < info.uptime_s => {
                (taken(before), info.uptime_s - before.uptime_s)
            }
            _ => (0, info.uptime_s),
        };
        (elapsed > 0.0).then(|| taken(info).saturating_sub(before) as f64 / elapsed)
    }

    /// The risks shown, riskiest first.
    pub(super) fn risks(&self) -> &[Risk] {
        self.snapshot
            .as_ref()
            .map_or(&[], |snapshot| &snapshot.risks)
    }

    /// The place of the cursor.
    pub(super) fn selected_idx(&self) -> Option<usize> {
        self.selected_idx_in(self.risks())
    }

    fn selected_idx_in(&self, risks: &[Risk]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        risks
            .iter()
            .position(|risk| risk.series.as_ref() == Some(selected))
    }

    /// The risk under the cursor.
    pub(super) fn selected_risk(&self) -> Option<&Risk> {
        self.selected_idx().map(|i| &self.risks()[i])
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: KeyCode) -> Option<Action> {
        if self.typing.is_some() {
            return self.type_filter(key);
        }
        if !self.lost {
            self.message.clear();
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
        match key {
            KeyCode::Char('q') => return Some(Action::Quit),
            KeyCode::Esc if self.detail || self.help => (self.detail, self.help) = (false, false),
            KeyCode::Esc => return Some(Action::Quit),
            KeyCode::Char('?' | 'h') => self.help = !self.help,
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(10),
            KeyCode::PageUp => self.step(-10),
            KeyCode::Home => self.step(isize::MIN / 2),
            KeyCode::End => self.step(isize::MAX / 2),
            KeyCode::Enter => self.detail = !self.detail,
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('/') => self.typing = Some(self.query.filter.clone()),
            KeyCode::Char('c') => return self.judge(Verdict::Confirmed),
            KeyCode::Char('d') => return self.judge(Verdict::Dismissed),
            _ => {}
        }
        None
    }

    fn type_filter(&mut self, key: KeyCode) -> Option<Action> {
        let text = self.typing.as_mut()?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
        match key {
            KeyCode::Char(c) => text.push(c),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Esc => self.typing = None,
            KeyCode::Enter => {
                self.query.filter = self.typing.take().unwrap_or_default().trim().to_owned();
                self.message.clear();
                // A new question is worth a new list, paused or not.
                self.paused = false;
                return Some(Action::Ask(self.query.clone()));
            }
            _ => {}
        }
        None
    }

    fn step(&mut self, by: isize) {
        let Some(last) = self.risks().len().checked_sub(1) else {
            return;
        };
        let now = self.selected_idx().unwrap_or(0);
        let next = now.saturating_add_signed(by).min(last);
        self.selected = self.risks()[next].series.clone();
    }

    fn judge(&mut self, verdict: Verdict) -> Option<Action> {
        let risk = self.selected_risk()?;
        let event_id = risk.event.as_ref().map_or(0, |event| event.id);
        Some(Action::Judge {
            series: risk.series.clone()?,
            event_id,
            time_us: risk.time_us,
            verdict,
        })
    }
}

/// Whether the rate is what is watched.
pub(super) fn is_counter(risk: &Risk) -> bool {
    risk.series
        .as_ref()
        .is_some_and(|key| Kind::of_metric(&key.metric) == Kind::Counter)
}

/// Makes the history of a counter one of rates: a line that only ever climbs shows nothing. A fall is a reset, and what
/// was counted since is the increase.
fn rates(risk: &mut Risk) {
    let rates: Vec<f64> = risk
        .history
        .windows(2)
        .map(|pair| {
            let grown = pair[1].value - pair[0].value;
            let seconds = (pair[1].time_us - pair[0].time_us) as f64 / 1e6;
            (if grown < 0.0 { pair[1].value } else { grown }) / seconds
        })
        .collect();
    if !risk.history.is_empty() {
        risk.history.remove(0);
    }
    for (point, rate) in risk.history.iter_mut().zip(rates) {
        point.value = rate;
    }
}

fn name(risk: &Risk) -> String {
    crate::wire::text(risk.series.as_ref())
}

/// How high a series stands in the list: those in an event first, by its peak; then those that alerted a moment ago,
/// fading over a minute or so; then by how rare the last few values are. Alert scores are sparse, so that ordering by
/// the newest alone would make the list jump at every sample.
fn heat(risk: &Risk, now_us: i64) -> f64 {
    const FADING_S: f64 = 60.0;
    /// Rarity alone never outranks an alert that still glows.
    const RARITY_WEIGHT: f64 = 0.01;
    let faded = |at: i64, alert: f32| {
        let age_s = ((now_us - at) as f64 / 1e6).max(0.0);
        f64::from(alert) * (-age_s / FADING_S).exp()
    };
    let newest = faded(risk.time_us, risk.alert_score);
    let alert = risk
        .history
        .iter()
        .map(|point| faded(point.time_us, point.alert_score))
        .fold(newest, f64::max);
    let lately = risk
        .history
        .iter()
        .rev()
        .take(10)
        .map(|point| f64::from(point.score))
        .fold(risk.score, f64::max);
    let rarity = -(1.0 - lately).max(1e-16).log10() / 16.0;
    let event = risk
        .event
        .as_ref()
        .map_or(0.0, |event| 2.0 + f64::from(event.peak_alert_score));
    event + alert + RARITY_WEIGHT * rarity
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;

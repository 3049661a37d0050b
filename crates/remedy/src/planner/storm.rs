//! Storm restraint: many issues at once have one cause, and acting on each of them makes it worse. While a storm lasts
//! nothing is carried out, and what is found joins one issue for each class.

use std::collections::{BTreeMap, VecDeque};

use series::Timestamp;

use super::Planner;
use crate::issue::{IssueId, IssueState};
use crate::{Area, Class, Settings};

#[derive(Debug, Default)]
pub(super) struct Storm {
    /// When the latest issues were opened, and which, oldest first.
    opened: VecDeque<(Timestamp, IssueId)>,
    /// The latest findings that opened an issue, or would have but for the storm.
    newest: Option<Timestamp>,
    why: Option<String>,
    /// The issue of each class that findings join meanwhile.
    pub(super) issues: BTreeMap<Class, IssueId>,
}

impl Storm {
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Takes note of an issue that was opened; returns those that began the storm, when one begins with it.
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        id: IssueId,
        settings: &Settings,
    ) -> Option<Vec<IssueId>> {
        self.newest = Some(now);
        self.opened.push_back((now, id));
        while let Some((first, _)) = self.opened.front()
            && now.seconds_since(*first) > settings.storm_window_s
        {
            self.opened.pop_front();
        }
        if self.why.is_some() || self.opened.len() < settings.storm_issues as usize {
            return None;
        }
        self.why = Some(format!(
            "{} issues were opened within {} s: they are taken to have one cause",
            self.opened.len(),
            settings.storm_window_s
        ));
        Some(self.opened.drain(..).map(|(_, id)| id).collect())
    }

    /// Time went back to `now`.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.opened
            .iter_mut()
            .for_each(|(at, _)| *at = (*at).min(now));
        self.newest = self.newest.map(|newest| newest.min(now));
    }

    /// Takes note of a finding that joins the storm.
    pub(super) fn goes_on(&mut self, now: Timestamp) {
        self.newest = Some(now);
    }
}

impl Planner {
    /// A storm that had begun before a restart goes on after it, as its issues say; one may also begin with those that were
    /// opened a moment ago.
    pub(super) fn recall_storm(&mut self) {
        let now = self.now();
        for issue in self.live.values().map(|live| &live.issue) {
            if let Some(why) = &issue.storm {
                self.storm.why = Some(why.clone());
                self.storm.newest = Some(now);
                self.storm.issues.insert(issue.class, issue.id);
            }
        }
        let all = self.live.values().map(|live| &live.issue);
        let all = all.chain(self.resolved.values()).filter(|issue| {
            let is_recent = now.seconds_since(issue.opened) <= self.settings.storm_window_s;
            is_recent && issue.class.area() != Area::Security
        });
        let mut recent: Vec<_> = all.map(|issue| (issue.opened, issue.id)).collect();
        recent.sort_unstable();
        for &(opened, id) in &recent {
            self.storm.note(opened, id, &self.settings);
        }
        if self.storm.why.is_some() {
            let live = recent.iter().filter_map(|(_, id)| self.live.get(id));
            for issue in live.map(|live| &live.issue) {
                self.storm.issues.entry(issue.class).or_insert(issue.id);
            }
        }
    }

    /// Gathers the issues that a storm began with: the first of each class takes in the others.
    pub(super) fn storm_begins(&mut self, began: Vec<IssueId>) {
        let why = self.storm.why().unwrap_or_default().to_owned();
        self.audit(
            "forestall",
            "storm.began",
            "storm",
            &serde_json::json!({ "why": why }),
        );
        for id in began {
            let Some(live) = self.live.get(&id) else {
                continue;
            };
            let (class, state) = (live.issue.class, live.issue.state);
            // What a person or a plan is at work on stays what it is.
            let is_young = matches!(
                state,
                IssueState::Open | IssueState::Planned | IssueState::Escalated
            );
            if !is_young {
                continue;
            }
            match self.storm.issues.get(&class).copied() {
                None => self.of_storm(class, id),
                Some(first) => self.merge(id, first, "they came up in the same storm"),
            }
        }
    }

    /// Has findings of a class join an issue while the storm lasts. That it does is written down with the issue.
    pub(super) fn of_storm(&mut self, class: Class, id: IssueId) {
        self.storm.issues.insert(class, id);
        let why = self.storm.why.clone();
        if let Some(live) = self.live.get_mut(&id) {
            live.issue.storm = why;
        }
        self.dirty_issues.insert(id);
    }

    /// The storm is over when no new trouble has come up for as long as it takes to begin one.
    pub(super) fn storm_passes(&mut self) {
        let (Some(_), Some(newest)) = (&self.storm.why, self.storm.newest) else {
            return;
        };
        if self.now().seconds_since(newest) <= self.settings.storm_window_s {
            return;
        }
        self.storm.why = None;
        let issues = std::mem::take(&mut self.storm.issues);
        for (id, live) in &mut self.live {
            if live.issue.storm.take().is_some() {
                self.dirty_issues.insert(*id);
            }
        }
        self.audit("forestall", "storm.ended", "storm", &serde_json::json!({}));
        // What is left is thought over.
        self.to_decide.extend(issues.into_values());
        let waiting = self.live.iter().filter(|(_, live)| live.decided.is_none());
        self.to_decide.extend(waiting.map(|(id, _)| *id));
    }
}

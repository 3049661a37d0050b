//! The day ahead of each resource, joined with what the last hour says: one answer of two time scales.
//!
//! A history takes the level at every look. Once it is two hours long a forecast is made of it, every three hours and when
//! the level has left what was expected; few per turn, since one costs milliseconds. Histories survive a restart in a file of
//! the state directory, by the names of the resources and with the limits that they are shares of; a file that is damaged is
//! set aside.
//!
//! Containers come and go, and each has a name of its own. What was read from the file and has not been met is kept for as long
//! as a history goes back, and there are never more histories than resources may be.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayahead::{DayAhead, History, Meeting, Options, SLOTS, TRUST_S, reconcile};
use predict::exhaustion::{Conformal, Outlook};
use series::{SeriesKey, Timestamp};

use super::kept::{self, Kept, MAGIC};

/// Seconds of a slot of the history.
const SLOT_S: u32 = 1_800;
/// How long a forecast holds, and how long one that the level has left, in microseconds of the samples' clock.
const HOLDS_US: i64 = 3 * 3_600 * 1_000_000;
const LEFT_US: i64 = 900 * 1_000_000;
/// Below this a forecast no longer tells where the level is.
const LEFT: f32 = 0.5;
/// A limit that moved by more than this share makes the past another resource's.
const MOVED: f64 = 0.005;
/// What is older than the newest history by as much as a history goes back, in microseconds, tells nothing of tomorrow.
const OLD_US: i64 = SLOTS as i64 * SLOT_S as i64 * 1_000_000;
/// One resource.
#[derive(Debug)]
struct Day {
    history: History,
    ahead: Option<DayAhead>,
    /// When the next forecast is due, on the samples' clock.
    due: Timestamp,
    limit: f64,
}

/// All of them, by their place in the lookout.
#[derive(Debug)]
pub(super) struct Days {
    days: Vec<Option<Box<Day>>>,
    names: Vec<Option<Arc<SeriesKey>>>,
    /// What was read from the file and not met yet, by name.
    kept: HashMap<String, Kept>,
    /// Most histories.
    most: usize,
    file: Option<PathBuf>,
}

impl Days {
    /// With the histories in `file`, if there is one, and at most so many; they are written there from now on.
    pub(super) fn open(file: Option<PathBuf>, most: usize) -> Self {
        let mut kept = HashMap::new();
        if let Some(file) = &file {
            match kept::read(file, most) {
                Ok(found) => kept = found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if kept::is_damage(&error) => {
                    let aside = file.with_extension("damaged");
                    tracing::warn!(file = %file.display(), aside = %aside.display(),
                        "the histories of resources are damaged and set aside; the day ahead is learned anew");
                    let _ = fs::rename(file, aside);
                }
                Err(error) => {
                    tracing::warn!(%error, file = %file.display(), "reading the histories of resources")
                }
            }
        }
        Self {
            days: Vec::new(),
            names: Vec::new(),
            kept,
            most,
            file,
        }
    }

    /// Forgets what is known by place, for a lookout that begins anew; by name it is kept.
    pub(super) fn begin_again(&mut self) {
        for (day, name) in self.days.drain(..).zip(self.names.drain(..)) {
            if let (Some(day), Some(name)) = (day, name) {
                let Day { history, limit, .. } = *day;
                self.kept.insert(name.to_string(), Kept { history, limit });
            }
        }
        self.forget_the_oldest();
    }

    /// Lets go of what was not met and is too old, and of the oldest of what is too many.
    fn forget_the_oldest(&mut self) {
        let met = self.days.iter().flatten();
        let n_met = met.clone().count();
        let kept = self.kept.values().map(|kept| &kept.history);
        let all = met.map(|day| &day.history).chain(kept);
        let newest = all.filter_map(History::newest).max();
        let age_us = |kept: &Kept| match (newest, kept.history.newest()) {
            (Some(newest), Some(own)) => newest.micros().saturating_sub(own.micros()),
            _ => i64::MAX,
        };
        self.kept.retain(|_, kept| age_us(kept) <= OLD_US);
        let room = self.most.saturating_sub(n_met);
        if self.kept.len() > room {
            let mut all: Vec<_> = self.kept.drain().collect();
            all.sort_by_key(|(_, kept)| age_us(kept));
            self.kept.extend(all.into_iter().take(room));
        }
    }

    /// Takes the level of an outlook, and tells it anew with the day ahead, its interval stretched as `conformal` learned.
    /// Makes a forecast when one is due and `may_forecast`;
    /// returns whether it did.
    pub(super) fn join(
        &mut self,
        outlook: &mut Outlook,
        name: &Arc<SeriesKey>,
        conformal: &Conformal,
        may_forecast: bool,
    ) -> bool {
        let place = outlook.resource as usize;
        if self.days.len() <= place {
            self.days.resize_with(place + 1, || None);
            self.names.resize(place + 1, None);
        }
        if self.days[place].is_none() {
            let kept = self.kept.remove(&name.to_string());
            let new = || {
                Some(Kept {
                    history: History::new(SLOT_S).ok()?,
                    limit: outlook.limit,
                })
            };
            let Some(Kept { history, limit }) = kept.or_else(new) else {
                return false;
            };
            self.names[place] = Some(Arc::clone(name));
            self.days[place] = Some(Box::new(Day {
                history,
                ahead: None,
                due: outlook.at,
                limit,
            }));
        }
        let Some(day) = &mut self.days[place] else {
            return false;
        };
        if (outlook.limit / day.limit - 1.0).abs() > MOVED {
            day.history.reset();
            (day.ahead, day.limit) = (None, outlook.limit);
        }
        let (now, fraction) = (outlook.at, (outlook.level / outlook.limit).max(0.0));
        day.history.push(now, fraction);
        // A clock that was set back must not hold a forecast up for years.
        let is_due = now >= day.due || day.due.seconds_since(now) * 1e6 > HOLDS_US as f64;
        let mut forecast = false;
        if is_due && may_forecast {
            day.ahead = DayAhead::of(&day.history, now, &Options::default());
            day.due = now.plus_micros(HOLDS_US);
            forecast = true;
        }
        let Some(ahead) = &day.ahead else {
            return forecast;
        };
        let left = ahead.explains(now, fraction) < LEFT || ahead.stands(now, fraction) < LEFT;
        if left && day.due > now.plus_micros(LEFT_US) {
            day.due = now.plus_micros(LEFT_US);
        }
        let meeting = Meeting {
            now,
            fraction,
            trust_s: TRUST_S,
        };
        outlook.retell(reconcile(&outlook.survival, ahead, &meeting));
        outlook.calibrate(conformal);
        forecast
    }

    /// Writes all histories, when there is a file for them, but those that are too old.
    pub(super) fn save(&mut self) -> io::Result<()> {
        self.forget_the_oldest();
        let Some(file) = &self.file else {
            return Ok(());
        };
        let beside = file.with_extension("tmp");
        let mut to = BufWriter::new(File::create(&beside)?);
        to.write_all(MAGIC)?;
        let known = self.days.iter().zip(&self.names);
        for (day, name) in known.filter_map(|(day, name)| day.as_ref().zip(name.as_ref())) {
            kept::write(&mut to, &name.to_string(), &day.history, day.limit)?;
        }
        for (name, kept) in &self.kept {
            kept::write(&mut to, name, &kept.history, kept.limit)?;
        }
        to.flush()?;
        fs::rename(beside, file)
    }
}

/// The file in a state directory.
pub(super) fn file_in(dir: &Path) -> PathBuf {
    dir.join("days")
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::said;
    use super::*;

    const LAST_H: f64 = 336.0;

    fn name() -> Arc<SeriesKey> {
        Arc::new(
            "node_filesystem_avail_bytes{mountpoint=\"/\"}"
                .parse()
                .unwrap(),
        )
    }

    /// The outlook of a resource at this level of 1, `hour` hours on.
    fn outlook(hour: f64, level: f64) -> Outlook {
        let mut outlook = said(0, 0.5, 0.1).outlook;
        outlook.at = Timestamp::from_secs_f64(1.7e9 + hour * 3_600.0).unwrap();
        (outlook.level, outlook.limit) = (level, 1.0);
        outlook.retell(predict::exhaustion::Survival::CERTAIN);
        outlook
    }

    /// Two weeks at a steady pace, which ends `left_h` hours after the last look.
    fn two_weeks(days: &mut Days, left_h: f64) -> Outlook {
        let mut last = outlook(0.0, 0.0);
        for i in 0..=672u32 {
            let hour = f64::from(i) / 2.0;
            last = outlook(
                hour,
                1.0 - (LAST_H + left_h - hour) / (LAST_H + left_h) * 0.8,
            );
            days.join(&mut last, &name(), &Conformal::default(), true);
        }
        last
    }

    #[test]
    fn what_no_minute_shows_is_foreseen_from_days() {
        let mut days = Days::open(None, 9);
        let told = two_weeks(&mut days, 10.0);
        assert!(told.within[4] > 0.8, "within a day: {:?}", told.within);
        assert!(told.within[2] < 0.1, "but not in half an hour");
        assert!(
            (told.ttf_s[1] / 36_000.0 - 1.0).abs() < 0.3,
            "{:?}",
            told.ttf_s
        );
        assert!(!told.actions.is_empty());
        // Far from its end it is calm.
        let calm = two_weeks(&mut Days::open(None, 9), 2_000.0);
        assert!(calm.within[4] < 0.2, "{:?}", calm.within);
    }

    #[test]
    fn histories_survive_and_damaged_ones_are_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(dir.path());
        let mut days = Days::open(Some(file.clone()), 9);
        two_weeks(&mut days, 10.0);
        days.save().unwrap();
        let mut again = Days::open(Some(file.clone()), 9);
        let mut told = outlook(LAST_H + 0.2, 0.98);
        assert!(
            again.join(&mut told, &name(), &Conformal::default(), true),
            "a forecast at once"
        );
        assert!(told.within[4] > 0.5, "{:?}", told.within);
        again.begin_again();
        again.save().unwrap();
        let bytes = fs::read(&file).unwrap();
        for (from, broken) in [(0, &bytes[..bytes.len() - 1]), (1, &b"something else"[..])] {
            fs::write(&file, broken).unwrap();
            let empty = Days::open(Some(file.clone()), 9);
            assert!(empty.kept.is_empty(), "{from}");
            assert!(!file.exists() && file.with_extension("damaged").exists());
        }
    }

    #[test]
    fn a_limit_that_moved_makes_another_past() {
        let mut days = Days::open(None, 9);
        two_weeks(&mut days, 10.0);
        let mut told = outlook(LAST_H + 0.2, 0.98);
        told.limit = 4.0;
        days.join(&mut told, &name(), &Conformal::default(), true);
        assert!(told.within[4] < 0.1, "{:?}", told.within);
    }

    #[test]
    fn a_limit_that_moved_while_nobody_looked_makes_another_past() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(dir.path());
        let mut days = Days::open(Some(file.clone()), 9);
        two_weeks(&mut days, 10.0);
        days.save().unwrap();
        for (limit, is_same) in [(1.0, true), (4.0, false)] {
            let mut again = Days::open(Some(file.clone()), 9);
            let mut told = outlook(LAST_H + 0.2, 0.98);
            (told.level, told.limit) = (0.98 * limit, limit);
            again.join(&mut told, &name(), &Conformal::default(), true);
            assert_eq!(told.within[4] > 0.5, is_same, "{limit}: {:?}", told.within);
        }
    }

    /// One look at each of these resources, at this hour.
    fn look(days: &mut Days, hour: f64, resources: std::ops::Range<u32>) {
        for (place, n) in (0..).zip(resources) {
            let mut at = outlook(hour, 0.5);
            at.resource = place;
            let key = SeriesKey::new("used", [("n", n.to_string())]).unwrap();
            days.join(&mut at, &Arc::new(key), &Conformal::default(), false);
        }
    }

    #[test]
    fn what_is_old_or_too_many_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(dir.path());
        let reopened = |days: &mut Days, most| {
            days.save().unwrap();
            Days::open(Some(file.clone()), most)
        };
        let mut days = Days::open(Some(file.clone()), 9);
        look(&mut days, 0.0, 0..4);
        let mut days = reopened(&mut days, 9);
        assert_eq!(days.kept.len(), 4);
        // Three weeks later three of them are gone, and as many are new.
        look(&mut days, 21.0 * 24.0, 3..7);
        let mut days = reopened(&mut days, 9);
        assert_eq!(days.kept.len(), 7);
        look(&mut days, 21.0 * 24.0 + 1.0, 3..7);
        let mut days = reopened(&mut days, 9);
        assert_eq!(days.kept.len(), 4, "the other three are too old");
        look(&mut days, 22.0 * 24.0, 10..13);
        let mut days = reopened(&mut days, 5);
        assert_eq!(days.kept.len(), 5, "no more are read");
        days.most = 2;
        let days = reopened(&mut days, 9);
        assert_eq!(days.kept.len(), 2, "no more are written");
        assert!(
            days.kept.keys().all(|name| name.contains("n=\"1")),
            "the newest"
        );
    }
}

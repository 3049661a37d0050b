//! The day ahead of each resource, joined with what the last hour says: one answer of two time scales.
//!
//! A history takes the level at every look. Once it is two hours long a forecast is made of it, every three hours and when
//! the level has left what was expected; few per turn, since one costs milliseconds. Histories survive a restart in a file of
//! the state directory, by the names of the resources; a file that is damaged is set aside.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayahead::{DayAhead, History, MAX_BYTES, Meeting, Options, TRUST_S, reconcile};
use predict::exhaustion::{Conformal, Outlook};
use series::{SeriesKey, Timestamp};

/// Seconds of a slot of the history.
const SLOT_S: u32 = 1_800;
/// How long a forecast holds, and how long one that the level has left, in microseconds of the samples' clock.
const HOLDS_US: i64 = 3 * 3_600 * 1_000_000;
const LEFT_US: i64 = 900 * 1_000_000;
/// Below this a forecast no longer tells where the level is.
const LEFT: f32 = 0.5;
/// A limit that moved by more than this share makes the past another resource's.
const MOVED: f64 = 0.005;
/// The first bytes of the file.
const MAGIC: &[u8; 16] = b"forestall-days-1";
/// Longer names are none that we wrote.
const LONGEST_NAME: usize = 1 << 20;

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
#[derive(Debug, Default)]
pub(super) struct Days {
    days: Vec<Option<Box<Day>>>,
    names: Vec<Option<Arc<SeriesKey>>>,
    /// What was read from the file and not met yet, by name.
    kept: HashMap<String, History>,
    file: Option<PathBuf>,
}

impl Days {
    /// With the histories in `file`, if there is one; they are written there from now on.
    pub(super) fn open(file: Option<PathBuf>) -> Self {
        let mut kept = HashMap::new();
        if let Some(file) = &file {
            match fs::read(file) {
                Ok(bytes) => match parse(&bytes) {
                    Some(found) => kept = found,
                    None => {
                        let aside = file.with_extension("damaged");
                        tracing::warn!(file = %file.display(), aside = %aside.display(),
                            "the histories of resources are damaged and set aside; the day ahead is learned anew");
                        let _ = fs::rename(file, aside);
                    }
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(%error, file = %file.display(), "reading the histories of resources")
                }
            }
        }
        Self {
            kept,
            file,
            ..Self::default()
        }
    }

    /// Forgets what is known by place, for a lookout that begins anew; by name it is kept.
    pub(super) fn begin_again(&mut self) {
        for (day, name) in self.days.drain(..).zip(self.names.drain(..)) {
            if let (Some(day), Some(name)) = (day, name) {
                self.kept.insert(name.to_string(), day.history);
            }
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
            let Some(history) = kept.or_else(|| History::new(SLOT_S).ok()) else {
                return false;
            };
            self.names[place] = Some(Arc::clone(name));
            self.days[place] = Some(Box::new(Day {
                history,
                ahead: None,
                due: outlook.at,
                limit: outlook.limit,
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

    /// Writes all histories, when there is a file for them.
    pub(super) fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut bytes = MAGIC.to_vec();
        let known = self.days.iter().zip(&self.names);
        for (day, name) in known.filter_map(|(day, name)| day.as_ref().zip(name.as_ref())) {
            append(&mut bytes, &name.to_string(), &day.history);
        }
        for (name, history) in &self.kept {
            append(&mut bytes, name, history);
        }
        let beside = file.with_extension("tmp");
        fs::write(&beside, bytes)?;
        fs::rename(beside, file)
    }
}

fn append(bytes: &mut Vec<u8>, name: &str, history: &History) {
    let mut of_one = Vec::new();
    history.write(&mut of_one);
    for part in [name.as_bytes(), &of_one] {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    }
}

/// What [`Days::save`] wrote; `None` when it is anything else.
fn parse(bytes: &[u8]) -> Option<HashMap<String, History>> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut kept = HashMap::new();
    while !rest.is_empty() {
        let name = std::str::from_utf8(part(&mut rest, LONGEST_NAME)?).ok()?;
        let history = History::read(part(&mut rest, MAX_BYTES)?).ok()?;
        kept.insert(name.to_owned(), history);
    }
    Some(kept)
}

fn part<'a>(rest: &mut &'a [u8], longest: usize) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > longest {
        return None;
    }
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
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
        let mut days = Days::open(None);
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
        let calm = two_weeks(&mut Days::open(None), 2_000.0);
        assert!(calm.within[4] < 0.2, "{:?}", calm.within);
    }

    #[test]
    fn histories_survive_and_damaged_ones_are_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(dir.path());
        let mut days = Days::open(Some(file.clone()));
        two_weeks(&mut days, 10.0);
        days.save().unwrap();
        let mut again = Days::open(Some(file.clone()));
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
            let empty = Days::open(Some(file.clone()));
            assert!(empty.kept.is_empty(), "{from}");
            assert!(!file.exists() && file.with_extension("damaged").exists());
        }
    }

    #[test]
    fn a_limit_that_moved_makes_another_past() {
        let mut days = Days::open(None);
        two_weeks(&mut days, 10.0);
        let mut told = outlook(LAST_H + 0.2, 0.98);
        told.limit = 4.0;
        days.join(&mut told, &name(), &Conformal::default(), true);
        assert!(told.within[4] < 0.1, "{:?}", told.within);
    }
}

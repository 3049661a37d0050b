//! Files of configuration that are not what is declared.
//!
//! *Rule*: the same difference was seen in two looks at least half a minute apart; a deployment that is under way differs once, or
//! differently each time. *Prediction*: a file that drifts again and again will: its drifts are a Poisson process with a
//! decayed rate of a week.

use std::collections::{BTreeMap, HashMap};

use series::Timestamp;

use super::arrivals::Arrivals;
use super::tell::{About, Numbers, clean, finding, number};
use crate::{Class, EntityId, Finding, Source};

/// Two looks closer than this are one.
const APART_S: f64 = 30.0;
/// Files that are remembered.
const MAX_FILES: usize = 10_000;
/// Seconds after which a drift counts 1/e.
const DECAY_S: f64 = 7.0 * 86_400.0;
/// A prediction of one that is this likely within a day is told, and until it is less than this.
const LIKELY: (f64, f64) = (0.5, 0.3);

/// A look at a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftingFile {
    /// Which, of kind `configuration`: `configuration/web-1:/etc/nginx/nginx.conf`.
    pub entity: EntityId,
    /// Where it is.
    pub path: String,
    /// SHA-256 of what it is, in hexadecimal digits; empty when it is missing.
    pub actual_sha256: String,
    /// SHA-256 of what is declared.
    pub declared_sha256: String,
    /// Lines that differ, if it was compared by line.
    pub lines_changed: Option<u64>,
    /// Whether it decides who may do what: keys, rights, firewalls.
    pub sensitive: bool,
    /// Whether something that counts differs.
    pub differs: bool,
}

/// What is remembered of a file.
#[derive(Debug, Clone)]
struct File {
    /// What differed, since when, and whether it was told.
    difference: Option<(u64, Timestamp)>,
    is_present: bool,
    is_foretold: bool,
    drifts: Arrivals,
    looked: Timestamp,
}

/// Remembers what was seen, at most 10,000 files; of those beyond, a difference is told at once.
#[derive(Debug, Clone, Default)]
pub struct Drifts {
    files: HashMap<EntityId, File>,
}

/// Tells differences apart; a collision would tell a deployment in progress, which is no harm.
fn digest(file: &DriftingFile) -> u64 {
    // FNV-1a: the standard hasher is not the same in each release.
    let bytes = file
        .actual_sha256
        .bytes()
        .chain([0])
        .chain(file.declared_sha256.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Drifts {
    /// Takes in a look at a file, at `now`, and says what follows.
    ///
    /// A difference that was seen twice is said at each look, and taken back at the first look that finds none.
    pub fn look(&mut self, file: &DriftingFile, now: Timestamp, out: &mut Vec<Finding>) {
        if self.files.len() >= MAX_FILES && !self.files.contains_key(&file.entity) {
            if file.differs {
                out.push(drift(file, true, now));
            }
            return;
        }
        let known = self
            .files
            .entry(file.entity.clone())
            .or_insert_with(|| File {
                difference: None,
                is_present: false,
                is_foretold: false,
                drifts: Arrivals::new(DECAY_S),
                looked: now,
            });
        known.looked = known.looked.max(now);
        if file.differs {
            let digest = digest(file);
            let since = match known.difference {
                Some((same, since)) if same == digest => since,
                _ => now,
            };
            known.difference = Some((digest, since));
            // One that is told stays so, however it changes.
            if known.is_present || now.seconds_since(since) >= APART_S {
                if !known.is_present {
                    known.drifts.add(now, 1.0);
                }
                known.is_present = true;
                out.push(drift(file, true, now));
            }
        } else {
            known.difference = None;
            if std::mem::take(&mut known.is_present) {
                out.push(drift(file, false, now));
            }
        }
        let (soon, day, ttf_s) = known.drifts.foretell(now, 1);
        let bar = if known.is_foretold {
            LIKELY.1
        } else {
            LIKELY.0
        };
        // What has come is not foretold, and one drift makes no habit: the rate of one is a seventh a day.
        let is_foretold = !known.is_present && known.drifts.daily(now) >= -(1.0 - bar).ln();
        if is_foretold || known.is_foretold {
            known.is_foretold = is_foretold;
            let numbers = Numbers {
                value: known.drifts.daily(now),
                threshold: 1.0,
                probability: soon,
                probability_day: day,
                ttf_s,
                confidence: 0.5,
            };
            out.push(of(
                file,
                Source::Prediction,
                is_foretold,
                now,
                &numbers,
                "per day",
            ));
        }
    }

    /// How many files are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Forgets files that nobody looked at since `before`: they are declared no more. What was said of them is taken to be gone
    /// by whoever minds silence.
    pub fn forget(&mut self, before: Timestamp) {
        self.files.retain(|_, file| file.looked >= before);
    }
}

/// A finding that a file differs, or does so no more: for who counts looks himself.
#[must_use]
pub fn drift(file: &DriftingFile, is_present: bool, now: Timestamp) -> Finding {
    let value = f64::from(u8::from(is_present));
    let numbers = Numbers {
        confidence: 0.99,
        ..Numbers::crossed(value, 1.0)
    };
    of(file, Source::Probe, is_present, now, &numbers, "files")
}

fn of(
    file: &DriftingFile,
    source: Source,
    is_present: bool,
    now: Timestamp,
    numbers: &Numbers,
    unit: &str,
) -> Finding {
    let mut facts = BTreeMap::new();
    let mut put = |name: &str, value: String| facts.insert(name.to_owned(), value);
    put("path", clean(&file.path));
    put("actual_sha256", clean(&file.actual_sha256));
    put("declared_sha256", clean(&file.declared_sha256));
    put("sensitive", file.sensitive.to_string());
    if let Some(lines) = file.lines_changed {
        put("lines_changed", number(lines as f64));
    }
    let about = About {
        entity: &file.entity,
        class: Class::ConfigurationDrift,
        source,
        signal: &clean(&file.path),
        unit,
        cause: if file.actual_sha256.is_empty() {
            "missing"
        } else {
            "edited"
        },
    };
    finding(&about, is_present, now, numbers, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(1.7e9 + s).unwrap()
    }

    fn file(actual: &str) -> DriftingFile {
        DriftingFile {
            entity: "configuration/web-1:/etc/a".parse().unwrap(),
            path: "/etc/a".to_owned(),
            actual_sha256: actual.to_owned(),
            declared_sha256: "d".to_owned(),
            lines_changed: Some(3),
            sensitive: true,
            differs: actual != "d",
        }
    }

    /// What each look tells, `!` that it drifts, `-` that it does so no more, `?` that it will.
    fn told(drifts: &mut Drifts, every_s: f64, looks: &str) -> String {
        let mut text = String::new();
        for (i, look) in looks.chars().enumerate() {
            let mut out = Vec::new();
            drifts.look(&file(&look.to_string()), at(i as f64 * every_s), &mut out);
            let signs = out.iter().map(|found| {
                found.check().unwrap();
                match (found.source, found.is_present) {
                    (Source::Prediction, true) => '?',
                    (Source::Prediction, false) => '/',
                    (_, true) => '!',
                    (_, false) => '-',
                }
            });
            let signs: String = signs.collect();
            text += if signs.is_empty() { "." } else { &signs };
        }
        text
    }

    #[test]
    fn a_difference_counts_when_it_stays() {
        assert_eq!(told(&mut Drifts::default(), 60.0, "dxxxdd"), "..!!-.");
        assert_eq!(told(&mut Drifts::default(), 60.0, "dxyzd"), ".....");
        assert_eq!(told(&mut Drifts::default(), 10.0, "xxxxx"), "...!!");
        // Once told, another difference is the same drift.
        assert_eq!(told(&mut Drifts::default(), 60.0, "xxyzd"), ".!!!-");
    }

    #[test]
    fn who_drifts_every_few_hours_will_again() {
        let looks = "xxd".repeat(9);
        let told = told(&mut Drifts::default(), 3_600.0, &looks);
        assert!(
            told.starts_with(".!-.!-") && told.ends_with("-??!/-?"),
            "{told}"
        );
    }
}

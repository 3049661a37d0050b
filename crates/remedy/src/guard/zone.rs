//! Whose clock on the wall the windows and the policies go by.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use series::Timestamp;

/// A time zone of the IANA database, such as `Europe/Berlin`; `UTC` by default. The database is built in: what a machine has
/// installed does not change what is decided on it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// There is no such zone.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a time zone of the IANA database: expected UTC, or a name such as Europe/Berlin"
)]
pub struct ZoneError(String);

impl Zone {
    /// What the clock shows; `None` beyond the years that a calendar has.
    pub(crate) fn clock(&self, at: Timestamp) -> Option<DateTime> {
        let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        Some(self.0.to_datetime(at))
    }

    /// When the clock shows it: the first time of two, and where it leaves an hour out, that much later.
    pub(crate) fn instant(&self, shown: DateTime) -> Option<Timestamp> {
        let at = self.0.to_timestamp(shown).ok()?;
        Some(Timestamp::from_micros(at.as_microsecond()))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, ZoneError> {
        let found = TimeZoneDatabase::bundled().get(name);
        // A zone of a name too long to be one is not repeated whole.
        found
            .map(Self)
            .map_err(|_| ZoneError(name.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        name.parse()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_and_written_and_any_other_refused() {
        for name in ["UTC", "Europe/Berlin", "America/St_Johns"] {
            let zone: Zone = serde_json::from_value(name.into()).unwrap();
            assert_eq!(serde_json::to_value(zone).unwrap(), name);
        }
        for name in ["", "Mars/Base", "../../etc/passwd", "+01:00"] {
            let error = name.parse::<Zone>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name:?} is not")), "{error}");
        }
    }

    #[test]
    fn an_instant_that_no_calendar_has_shows_nothing() {
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(Zone::default().clock(Timestamp::from_micros(micros)), None);
        }
    }
}

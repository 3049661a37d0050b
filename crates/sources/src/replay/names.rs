//! The series of one replay: text to key to a dense number.

use std::collections::HashMap;
use std::sync::Arc;

use series::{KeyError, Registry, SeriesKey};

use super::error::{CellError, shown};

/// Gives out numbers in the order in which series are met.
///
/// The long form spells out its series on every line. Parsing that each time would cost more than all the rest,
/// so the text as it stands is remembered too. One series can be spelt in many ways, so that memory is emptied
/// when it holds more texts than four for each series that there may be.
pub(super) struct Names {
    registry: Registry,
    keys: Vec<Arc<SeriesKey>>,
    texts: HashMap<Box<[u8]>, u32>,
    scratch: Vec<u8>,
}

/// Which of the two cells is to blame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Blame {
    Metric(CellError),
    Labels(CellError),
}

impl Names {
    pub(super) fn with_limit(limit: usize) -> Self {
        let registry = Registry::with_limit(limit);
        Self {
            registry,
            keys: Vec::new(),
            texts: HashMap::new(),
            scratch: Vec::new(),
        }
    }

    pub(super) fn keys(&self) -> &[Arc<SeriesKey>] {
        &self.keys
    }

    /// The number of a series spelt as a metric and label text. Without `labels`, the metric may carry its own
    /// in braces.
    pub(super) fn spelt(&mut self, metric: &str, labels: Option<&str>) -> Result<u32, Blame> {
        // 0xff is in no UTF-8 text, so two different pairs never look the same.
        self.scratch.clear();
        self.scratch.extend_from_slice(metric.as_bytes());
        self.scratch.push(0xff);
        self.scratch
            .extend_from_slice(labels.unwrap_or_default().as_bytes());
        if let Some(&number) = self.texts.get(self.scratch.as_slice()) {
            return Ok(number);
        }
        let bad = |text: &str, source| CellError::Key {
            text: shown(text),
            source,
        };
        let key = match labels {
            None => metric
                .parse::<SeriesKey>()
                .map_err(|e| Blame::Metric(bad(metric, e)))?,
            Some(labels) => {
                bare(metric).map_err(|e| Blame::Metric(bad(metric, e)))?;
                SeriesKey::from_label_text(metric, labels)
                    .map_err(|e| Blame::Labels(bad(labels, e)))?
            }
        };
        let number = self.number(&key).map_err(Blame::Metric)?;
        if self.texts.len() >= self.registry.limit().saturating_mul(4) {
            self.texts.clear();
        }
        self.texts.insert(self.scratch.as_slice().into(), number);
        Ok(number)
    }

    /// The number of a key.
    pub(super) fn number(&mut self, key: &SeriesKey) -> Result<u32, CellError> {
        let limit = self.registry.limit();
        let id = self
            .registry
            .register(key)
            .map_err(|_| CellError::SeriesLimit(limit))?
            .id();
        if id.index() == self.keys.len()
            && let Some(key) = self.registry.key(id)
        {
            self.keys.push(Arc::clone(key));
        }
        Ok(id.0)
    }
}

/// A key without labels.
pub(super) fn bare(metric: &str) -> Result<SeriesKey, KeyError> {
    SeriesKey::new(metric, std::iter::empty::<(Box<str>, Box<str>)>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_series_spelt_two_ways_has_one_number() {
        let mut names = Names::with_limit(2);
        assert_eq!(names.spelt("a", Some("x=\"1\",y=\"2\"")), Ok(0));
        assert_eq!(names.spelt("a", Some("y=\"2\", x=\"1\"")), Ok(0));
        assert_eq!(names.spelt("a{x=\"1\",y=\"2\"}", None), Ok(0));
        assert_eq!(names.spelt("a", Some("")), Ok(1));
        assert_eq!(
            names.spelt("b", None),
            Err(Blame::Metric(CellError::SeriesLimit(2)))
        );
        assert_eq!(names.keys().len(), 2);
    }

    #[test]
    fn spellings_are_forgotten_before_they_fill_the_memory() {
        let mut names = Names::with_limit(1);
        for blanks in 0..100 {
            assert_eq!(
                names.spelt("a", Some(&format!("x={}\"1\"", " ".repeat(blanks)))),
                Ok(0)
            );
            assert!(names.texts.len() <= 4);
        }
    }
}

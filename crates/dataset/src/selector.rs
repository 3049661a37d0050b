//! Which series are meant: `metric`, `metric{label="value"}` or `{label="value"}`.

use std::collections::HashMap;

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsResult};
use series::{KeyError, SeriesKey};

/// Picks series by name and by labels that must be equal; labels that are not named may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    metric: Option<String>,
    labels: Vec<(String, String)>,
}

/// Why a text is no selector.
#[derive(Debug, thiserror::Error)]
#[error("selector {text:?}")]
pub struct SelectorError {
    text: String,
    #[source]
    source: KeyError,
}

impl Selector {
    /// Everything of one metric.
    #[must_use]
    pub fn metric(name: &str) -> Self {
        Self {
            metric: Some(name.to_owned()),
            labels: Vec::new(),
        }
    }

    /// Whether a series is meant.
    #[must_use]
    pub fn picks(&self, key: &SeriesKey) -> bool {
        let mut own = self.labels.iter();
        self.metric.as_deref().is_none_or(|own| own == key.metric())
            && own.all(|(name, value)| key.label(name) == Some(value))
    }

    /// Whether a series is meant. A series whose labels cannot be read is not.
    pub(crate) fn matches(&self, metric: &str, labels: &str) -> bool {
        if self.labels.is_empty() {
            return self.metric.as_deref().is_none_or(|own| own == metric);
        }
        let key = format!("{metric}{labels}").parse();
        key.is_ok_and(|key| self.picks(&key))
    }
}

impl std::str::FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let text = text.trim();
        let only_labels = text.starts_with('{');
        // A key needs a name: lend it one.
        let full = if only_labels {
            format!("any{text}")
        } else {
            text.to_owned()
        };
        let key: SeriesKey = full.parse().map_err(|source| SelectorError {
            text: text.to_owned(),
            source,
        })?;
        Ok(Self {
            metric: (!only_labels).then(|| key.metric().to_owned()),
            labels: key
                .labels()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }
}

/// The rows of `frame` whose series any of `selectors` picks; all rows when there are none.
pub(crate) fn select(frame: DataFrame, selectors: &[Selector]) -> PolarsResult<DataFrame> {
    if selectors.is_empty() {
        return Ok(frame);
    }
    let (metrics, labels) = (
        frame.column("metric")?.str()?,
        frame.column("labels")?.str()?,
    );
    // Few series, many rows: each series is judged once.
    let mut known: HashMap<(&str, &str), bool> = HashMap::new();
    let mask: Vec<bool> = metrics
        .iter()
        .zip(labels.iter())
        .map(|(metric, labels)| {
            let (metric, labels) = (metric.unwrap_or_default(), labels.unwrap_or_default());
            *known
                .entry((metric, labels))
                .or_insert_with(|| selectors.iter().any(|one| one.matches(metric, labels)))
        })
        .collect();
    frame.filter(&BooleanChunked::from_slice("picked".into(), &mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_by_name_and_labels() {
        let check = |selector: &str, metric: &str, labels: &str| {
            selector
                .parse::<Selector>()
                .unwrap()
                .matches(metric, labels)
        };
        assert!(check("up", "up", "{host=\"a\"}"));
        assert!(!check("up", "down", ""));
        assert!(check("{host=\"a\"}", "down", "{host=\"a\",job=\"x\"}"));
        assert!(!check("up{host=\"a\"}", "up", "{host=\"b\"}"));
        assert!(
            !check("up{host=\"a\"}", "up", "{host="),
            "broken labels match nothing"
        );
        let error = "up{".parse::<Selector>().unwrap_err();
        assert_eq!(error.to_string(), "selector \"up{\"");
    }
}
